import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** A timer is over. */
Rectangle {
    id: note

    required property TimerViewModel timers

    implicitHeight: row.implicitHeight + 2 * Theme.inside
    radius: Theme.radius
    color: Theme.surface
    border.width: 1
    border.color: Theme.agent
    Accessible.role: Accessible.AlertMessage
    Accessible.name: note.timers.text

    RowLayout {
        id: row

        anchors.fill: parent
        anchors.leftMargin: Theme.between
        anchors.rightMargin: Theme.inside
        spacing: Theme.inside

        Words {
            objectName: "timerText"
            Layout.fillWidth: true
            text: note.timers.text
            wrapMode: Text.Wrap
            maximumLineCount: 3
            elide: Text.ElideRight
            Accessible.ignored: true
        }
        IconButton {
            objectName: "dismissTimer"
            Layout.preferredWidth: 28
            Layout.preferredHeight: 28
            glyph: "close"
            text: qsTr("Dismiss")
            onClicked: note.timers.dismiss()
        }
    }
}
