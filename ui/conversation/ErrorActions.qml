import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** What to do about an error, and its code to copy. */
GridLayout {
    id: actions

    required property ConversationViewModel conversation
    property bool isPrimary: true
    /** How wide they may be together; the second one goes below where that is too little. */
    property real room: Infinity
    signal settingsWanted()

    columns: action.implicitWidth + columnSpacing + copy.implicitWidth <= room ? 2 : 1
    columnSpacing: Theme.inside
    rowSpacing: Theme.inside

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
