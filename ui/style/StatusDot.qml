import QtQuick

/** How the connection is: by shape first, by colour second. */
Item {
    id: status

    enum Kind { Off, Busy, Good, Bad }

    property int kind: StatusDot.Off
    property string text

    implicitWidth: 16
    implicitHeight: 16
    Accessible.role: Accessible.StaticText
    Accessible.name: text

    Rectangle {
        anchors.centerIn: parent
        width: status.kind === StatusDot.Bad ? 9 : 10
        height: width
        rotation: status.kind === StatusDot.Bad ? 45 : 0
        radius: status.kind === StatusDot.Bad ? 1 : width / 2
        antialiasing: true
        color: status.kind === StatusDot.Good ? Theme.good : status.kind === StatusDot.Bad ? Theme.bad : "transparent"
        border.width: status.kind === StatusDot.Busy || status.kind === StatusDot.Off ? 2 : 0
        border.color: status.kind === StatusDot.Busy ? Theme.warn : Theme.faint

        Rectangle {
            anchors.centerIn: parent
            width: 4
            height: 4
            radius: 2
            visible: status.kind === StatusDot.Busy
            color: Theme.warn
        }
    }
    HoverHandler {
        id: pointer
    }
    Hint {
        text: status.text
        visible: pointer.hovered && status.text !== ""
    }
}
