import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** Something went wrong and the conversation goes on. */
Rectangle {
    id: banner

    required property ConversationViewModel conversation
    signal settingsWanted()

    implicitHeight: column.implicitHeight + 2 * Theme.between
    radius: Theme.radius
    color: Theme.surface
    border.width: 1
    border.color: Theme.warn
    Accessible.role: Accessible.AlertMessage
    Accessible.name: banner.conversation.errorSentence

    ColumnLayout {
        id: column

        anchors.fill: parent
        anchors.margins: Theme.between
        spacing: Theme.inside

        RowLayout {
            spacing: Theme.inside

            Icon {
                Layout.alignment: Qt.AlignTop
                Layout.preferredWidth: 20
                Layout.preferredHeight: 20
                name: "warning"
                color: Theme.warn
            }
            Words {
                objectName: "errorSentence"
                Layout.fillWidth: true
                text: banner.conversation.errorSentence
                wrapMode: Text.Wrap
                size: Theme.small
            }
            IconButton {
                objectName: "dismissError"
                Layout.alignment: Qt.AlignTop
                Layout.preferredWidth: 28
                Layout.preferredHeight: 28
                glyph: "close"
                text: qsTr("Dismiss")
                onClicked: banner.conversation.dismissError()
            }
        }
        ErrorActions {
            Layout.leftMargin: 28
            isPrimary: false
            room: banner.width - 2 * Theme.between - 28
            conversation: banner.conversation
            onSettingsWanted: banner.settingsWanted()
        }
    }
}
