import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** The model is to be shut down. */
Rectangle {
    id: bar

    required property ModelNoteViewModel note
    /** What is around it does not hear of a height that changes while it lays things out. */
    property real settledHeight: 0

    implicitHeight: Math.max(28, words.contentHeight) + 2 * Theme.inside
    onImplicitHeightChanged: settle.restart()
    onVisibleChanged: settle.restart()
    radius: Theme.radius
    color: Theme.surface
    border.width: 1
    border.color: Theme.isHighContrast ? Theme.ink : Theme.line
    Accessible.role: Accessible.AlertMessage
    Accessible.name: bar.note.text

    Timer {
        id: settle

        interval: 0
        onTriggered: bar.settledHeight = bar.implicitHeight
    }
    RowLayout {

        anchors.fill: parent
        anchors.leftMargin: Theme.between
        anchors.rightMargin: Theme.inside
        spacing: Theme.inside

        Words {
            id: words

            objectName: "modelNoteText"
            Layout.fillWidth: true
            text: bar.note.text
            size: Theme.small
            wrapMode: Text.Wrap
            Accessible.ignored: true
        }
        IconButton {
            objectName: "dismissModelNote"
            Layout.alignment: Qt.AlignTop
            Layout.preferredWidth: 28
            Layout.preferredHeight: 28
            glyph: "close"
            text: qsTr("Dismiss")
            onClicked: bar.note.dismiss()
        }
    }
}
