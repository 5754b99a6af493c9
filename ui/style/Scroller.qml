import QtQuick
import QtQuick.Templates as T

/** What may be longer than the window: by wheel, by keyboard, and to whatever has the keyboard. */
Flickable {
    id: scroller

    readonly property Item focused: Window.activeFocusItem

    /** Takes the keys that turn pages. Whoever has the keyboard around it hands them over. */
    function turn(event: var) {
        const page = height - 2 * Theme.target;
        const end = Math.max(0, contentHeight - height);
        if (event.modifiers !== Qt.NoModifier || end === 0)
            return;
        if (event.key === Qt.Key_PageUp || event.key === Qt.Key_PageDown)
            contentY = Math.min(end, Math.max(0, contentY + (event.key === Qt.Key_PageDown ? page : -page)));
        else if (event.key === Qt.Key_Home || event.key === Qt.Key_End)
            contentY = event.key === Qt.Key_End ? end : 0;
        else
            return;
        event.accepted = true;
    }

    function reveal(item: Item) {
        let around = item;
        while (around && around !== contentItem)
            around = around.parent;
        if (!around || item === contentItem)
            return;
        // With room for the ring around it.
        const top = item.mapToItem(contentItem, 0, 0).y - Theme.between;
        const bottom = top + item.height + 2 * Theme.between;
        const wanted = top < contentY ? top : bottom > contentY + height ? Math.min(top, bottom - height) : contentY;
        contentY = Math.max(0, Math.min(wanted, contentHeight - height));
    }

    /** It comes to the top, as far as what is below it allows. */
    function lead(item: Item) {
        const top = item.mapToItem(contentItem, 0, 0).y - Theme.between;
        contentY = Math.max(0, Math.min(top, contentHeight - height));
    }

    clip: true
    boundsBehavior: Flickable.StopAtBounds
    onFocusedChanged: reveal(focused)
    Keys.onPressed: event => turn(event)
    T.ScrollBar.vertical: ScrollStrip {
        // What is not there to be moved does not cover what can be pressed.
        visible: size < 1
    }
}
