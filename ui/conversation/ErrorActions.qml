import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** What to do about an error, and its code to copy. */
RowLayout {
    id: actions

    required property ConversationViewModel conversation
    property bool isPrimary: true
    signal settingsWanted()

    spacing: Theme.inside

    PushButton {
        objectName: "errorAction"
        visible: actions.conversation.errorActionLabel !== ""
        text: actions.conversation.errorActionLabel
        isPrimary: actions.isPrimary
        onClicked: {
            const action = actions.conversation.errorAction;
            if (action === Ui.Retry) {
                actions.conversation.dismissError();
                actions.conversation.start();
            } else {
                actions.settingsWanted();
            }
        }
    }
    PushButton {
        objectName: "copyError"
        Layout.fillWidth: true
        Layout.maximumWidth: implicitWidth
        text: copied.running ? qsTr("Copied") : actions.conversation.errorCode
        glyph: copied.running ? "check" : "copy"
        hue: Theme.soft
        size: Theme.small
        isStrong: false
        Accessible.name: qsTr("Copy the code %1").arg(actions.conversation.errorCode)
        onClicked: {
            actions.conversation.copyErrorCode();
            copied.restart();
        }

        Timer {
            id: copied

            interval: 1500
        }
    }
}
