import QtQuick
import QtQuick.Layouts
import Vivavoce.Shell
import Vivavoce.Style

/** Something that was found at the start, until somebody has read it. */
Rectangle {
    id: line

    required property ShellViewModel shell

    implicitHeight: row.implicitHeight + 2 * Theme.inside
    color: Theme.surface
    Accessible.role: Accessible.AlertMessage
    Accessible.name: line.shell.notice

    Rectangle {
        anchors.bottom: parent.bottom
        width: parent.width
        height: 1
        color: Theme.warn
    }
    RowLayout {
        id: row

        anchors.fill: parent
        anchors.leftMargin: Theme.edge
        anchors.rightMargin: Theme.inside
        spacing: Theme.inside

        Icon {
            Layout.alignment: Qt.AlignTop
            Layout.topMargin: 4
            Layout.preferredWidth: 20
            Layout.preferredHeight: 20
            name: "warning"
            color: Theme.warn
        }
        Words {
            objectName: "notice"
            Layout.fillWidth: true
            text: line.shell.notice
            size: Theme.small
            wrapMode: Text.Wrap
            Accessible.ignored: true
        }
        IconButton {
            objectName: "dismissNotice"
            Layout.alignment: Qt.AlignTop
            Layout.preferredWidth: 28
            Layout.preferredHeight: 28
            glyph: "close"
            text: qsTr("Dismiss")
            onClicked: line.shell.dismissNotice()
        }
    }
}
