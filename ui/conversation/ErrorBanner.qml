import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** Something went wrong and the conversation goes on. */
Rectangle {
    id: banner

    required property ConversationViewModel conversation
    /** What is around it does not hear of a height that changes while it lays things out. */
    property real settledHeight: 0
    signal settingsWanted()
    signal networkWanted()
    signal projectWanted()

    implicitHeight: head.wantedHeight + column.spacing + actions.implicitHeight + 2 * Theme.between
    onImplicitHeightChanged: settle.restart()
    onVisibleChanged: settle.restart()
    radius: Theme.radius
    color: Theme.surface
    border.width: 1
    border.color: Theme.warn
    Accessible.role: Accessible.AlertMessage
    Accessible.name: banner.conversation.errorSentence

    Timer {
        id: settle

        interval: 0
        onTriggered: banner.settledHeight = banner.implicitHeight
    }
    ColumnLayout {
        id: column

        anchors.fill: parent
        anchors.margins: Theme.between
        spacing: Theme.inside

        RowLayout {
            id: head

            // Of itself it keeps the height of a sentence that has not been wrapped yet.
            readonly property real wantedHeight: Math.max(28, sentence.contentHeight)

            Layout.preferredHeight: wantedHeight
            spacing: Theme.inside

            Icon {
                Layout.alignment: Qt.AlignTop
                Layout.preferredWidth: 20
                Layout.preferredHeight: 20
                name: "warning"
                color: Theme.warn
            }
            Words {
                id: sentence

                objectName: "errorSentence"
                Layout.fillWidth: true
                text: banner.conversation.errorSentence
                wrapMode: Text.Wrap
                size: Theme.small
                Accessible.ignored: true
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
            id: actions

            Layout.leftMargin: 28
            isPrimary: false
            room: banner.width - 2 * Theme.between - 28
            conversation: banner.conversation
            onSettingsWanted: banner.settingsWanted()
            onNetworkWanted: banner.networkWanted()
            onProjectWanted: banner.projectWanted()
        }
    }
}
