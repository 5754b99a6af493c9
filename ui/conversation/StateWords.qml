import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** What goes on, in words; where it has failed, what to do about it. */
ColumnLayout {
    id: state

    required property ConversationViewModel conversation
    readonly property bool hasFailed: conversation.voice === Ui.Failed
    signal settingsWanted()

    spacing: Theme.inside

    Words {
        objectName: "stateText"
        Layout.fillWidth: true
        Layout.maximumWidth: 480
        Layout.alignment: Qt.AlignHCenter
        text: state.conversation.stateText
        size: state.hasFailed ? Theme.body : Theme.title
        isStrong: !state.hasFailed
        isSoft: state.conversation.voice === Ui.Idle
        horizontalAlignment: Text.AlignHCenter
        wrapMode: Text.Wrap
        maximumLineCount: state.hasFailed ? 6 : 2
        elide: Text.ElideRight
        font.weight: state.conversation.voice === Ui.Idle ? Font.Normal : Font.DemiBold
        Accessible.role: Accessible.StaticText
        Accessible.name: text
    }
    Words {
        Layout.fillWidth: true
        // Its room stays, so that what is below does not jump.
        visible: !state.hasFailed
        text: state.conversation.hint
        size: Theme.small
        isSoft: true
        horizontalAlignment: Text.AlignHCenter
        elide: Text.ElideRight
        Accessible.role: Accessible.StaticText
        Accessible.name: text
    }
    ErrorActions {
        Layout.alignment: Qt.AlignHCenter
        Layout.topMargin: 4
        visible: state.hasFailed
        room: state.width
        conversation: state.conversation
        onSettingsWanted: state.settingsWanted()
    }
}
