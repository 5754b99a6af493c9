import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** What to do about an error, and its code to copy. */
RowLayout {
    id: actions

    required property ConversationViewModel conversation
    property bool isPrimary: true
    /** How wide they may be together; where that is too little, the code is shown by its sign alone. */
    property real room: Infinity
    signal settingsWanted()
    signal networkWanted()
    signal projectWanted()

    readonly property bool isTight: action.visible && action.implicitWidth + spacing + Math.ceil(code.advanceWidth) + 72 > room

    spacing: Theme.inside

    TextMetrics {
        id: code

        font.pixelSize: Theme.small
        text: actions.conversation.errorCode
    }

    PushButton {
        id: action

        // What still runs cannot be started again.
        readonly property bool isInVain: actions.conversation.errorAction === Ui.Retry && actions.conversation.isRunning

        objectName: "errorAction"
        visible: actions.conversation.errorActionLabel !== "" && !isInVain
        text: actions.conversation.errorActionLabel
        isPrimary: actions.isPrimary
        onClicked: {
            const action = actions.conversation.errorAction;
            if (action === Ui.Retry) {
                actions.conversation.dismissError();
                actions.conversation.start();
            } else if (action === Ui.ShowNetworkSettings) {
                actions.networkWanted();
            } else if (action === Ui.ShowProject) {
                actions.projectWanted();
            } else {
                actions.settingsWanted();
            }
        }
    }
    PushButton {
        id: copy

        objectName: "copyError"
        Layout.fillWidth: true
        Layout.maximumWidth: implicitWidth
        text: actions.isTight ? "" : copied.running ? qsTr("Copied") : actions.conversation.errorCode
        glyph: copied.running ? "check" : "copy"
        hue: Theme.soft
        size: Theme.small
        isStrong: false
        leftPadding: actions.isTight ? Theme.between : Theme.edge
        rightPadding: leftPadding
        Accessible.name: qsTr("Copy the code %1").arg(actions.conversation.errorCode)
        onClicked: {
            actions.conversation.copyErrorCode();
            copied.restart();
        }

        Timer {
            id: copied

            interval: 1500
        }
        Hint {
            text: copied.running ? qsTr("Copied") : actions.conversation.errorCode
            visible: actions.isTight && (copy.hovered || copy.visualFocus)
        }
    }
}
