import QtQuick
import QtQuick.Templates as T

/** A tool tip. */
T.ToolTip {
    id: hint

    x: parent ? Math.round((parent.width - implicitWidth) / 2) : 0
    y: parent && parent.mapToItem(null, 0, 0).y > 80 ? -implicitHeight - 6 : (parent ? parent.height + 6 : 0)
    implicitWidth: contentItem.implicitWidth + 2 * Theme.inside
    implicitHeight: contentItem.implicitHeight + Theme.inside
    margins: Theme.inside
    delay: 500
    closePolicy: T.Popup.CloseOnEscape | T.Popup.CloseOnPressOutsideParent

    contentItem: Words {
        text: hint.text
        size: Theme.small
        color: Theme.paper
        verticalAlignment: Text.AlignVCenter
        horizontalAlignment: Text.AlignHCenter
        Accessible.ignored: true
    }
    background: Rectangle {
        radius: 6
        color: Theme.ink
    }
}
