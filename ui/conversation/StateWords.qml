import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** What goes on, in words; where it has failed, what to do about it. */
ColumnLayout {
    id: state

    required property ConversationViewModel conversation
    readonly property bool hasFailed: conversation.voice === Ui.Failed
    readonly property bool hasError: hasFailed || conversation.isErrorInWords
    signal settingsWanted()
    signal networkWanted()
    signal projectWanted()

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
    }
    Words {
        readonly property bool isButton: state.conversation.isHintToInterrupt

        objectName: "hint"
        Layout.fillWidth: true
        Layout.maximumWidth: isButton ? implicitWidth + 2 * Theme.between : Infinity
        Layout.alignment: Qt.AlignHCenter
        font.underline: isButton
        Accessible.role: isButton ? Accessible.Button : Accessible.StaticText
        Accessible.onPressAction: if (isButton)
            state.conversation.interrupt()
        // Its room stays, so that what is below does not jump.
        visible: !state.hasFailed
        text: state.conversation.hint
        size: Theme.small
        isSoft: true
        horizontalAlignment: Text.AlignHCenter
        elide: Text.ElideRight

        TapHandler {
            enabled: state.conversation.isHintToInterrupt
            margin: Theme.between
            onTapped: state.conversation.interrupt()
        }
        HoverHandler {
            enabled: state.conversation.isHintToInterrupt
            cursorShape: Qt.PointingHandCursor
        }
    }
    RowLayout {
        objectName: "recordingSign"
        Layout.alignment: Qt.AlignHCenter
        visible: state.conversation.isRecording
        spacing: 6
        Accessible.role: Accessible.StaticText
        Accessible.name: recording.text
        Accessible.description: qsTr("Both sides of the conversation are being recorded.")

        Rectangle {
            Layout.preferredWidth: 10
            Layout.preferredHeight: 10
            radius: 5
            color: Theme.bad
            border.width: Theme.isHighContrast ? 1 : 0
            border.color: Theme.ink
        }
        Words {
            id: recording

            text: qsTr("Recording")
            size: Theme.small
            isStrong: true
            Accessible.ignored: true
        }
    }
    ErrorActions {
        Layout.alignment: Qt.AlignHCenter
        Layout.topMargin: 4
        visible: state.hasError
        isPrimary: state.hasFailed
        room: state.width
        conversation: state.conversation
        onSettingsWanted: state.settingsWanted()
        onNetworkWanted: state.networkWanted()
        onProjectWanted: state.projectWanted()
    }
}
