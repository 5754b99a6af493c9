import QtQuick
import QtQuick.Templates as T

/** A button with words: primary (there is one on a page) or quiet. */
T.Button {
    id: button

    property bool isPrimary: false
    property string glyph
    property color hue: Theme.ink
    property real corner: Theme.radius
    property int size: Theme.body
    property bool isStrong: true
    /** By return or a screen reader: nobody holds anything down, nothing will be let go. A click follows. */
    signal acted

    implicitWidth: implicitContentWidth + leftPadding + rightPadding
    implicitHeight: Math.max(Theme.target, implicitContentHeight + topPadding + bottomPadding)
    leftPadding: Theme.edge
    rightPadding: Theme.edge
    topPadding: Theme.inside
    bottomPadding: Theme.inside
    hoverEnabled: true
    // A click leaves the keyboard where it was: a space still talks.
    focusPolicy: Qt.TabFocus
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.Button
    Accessible.name: text
    // The template presses by pointer and space alone.
    Accessible.onPressAction: button.act()
    Keys.onReturnPressed: event => button.actOn(event)
    Keys.onEnterPressed: event => button.actOn(event)

    function act() {
        if (!button.enabled)
            return;
        button.acted();
        button.clicked();
    }

    function actOn(event: var) {
        if (!event.isAutoRepeat)
            button.act();
    }

    background: Rectangle {
        radius: button.corner
        color: button.isPrimary ? button.hue : "transparent"
        border.width: button.isPrimary ? 0 : 1
        border.color: Theme.isHighContrast ? Theme.ink : Theme.tint(Theme.ink, 0.22)

        Rectangle {
            anchors.fill: parent
            radius: parent.radius
            color: Theme.tint(button.isPrimary ? Theme.paper : Theme.ink, button.down ? 0.16 : 0.08)
            opacity: button.down || button.hovered ? 1 : 0
            Behavior on opacity { NumberAnimation { duration: Theme.feedback; easing.type: Easing.OutCubic } }
        }
        FocusRing {
            around: button
            corner: button.corner
        }
    }
    contentItem: ButtonContent {
        glyph: button.glyph
        text: button.text
        hue: button.isPrimary ? Theme.paper : button.hue
        size: button.size
        isStrong: button.isStrong
    }
}
