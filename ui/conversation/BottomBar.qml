import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** Mute, talk, text. */
RowLayout {
    id: bar

    required property ConversationViewModel conversation
    /** Knows what the space bar does. */
    required property Item talkKeys
    readonly property bool isHeldToTalk: conversation.isPushToTalk && conversation.isRunning

    spacing: Theme.inside

    IconButton {
        objectName: "mute"
        Layout.preferredWidth: 44
        Layout.preferredHeight: 44
        visible: !bar.isHeldToTalk
        isOutlined: true
        isToggle: true
        enabled: !bar.conversation.isDeaf
        isOn: enabled && bar.conversation.isMuted
        glyph: isOn || !enabled ? "microphone-off" : "microphone"
        // The name stays: that it is on says its state.
        text: qsTr("Mute")
        hint: isOn ? qsTr("Unmute") : qsTr("Mute")
        onClicked: bar.conversation.isMuted = !bar.conversation.isMuted
    }
    IconButton {
        objectName: "end"
        Layout.preferredWidth: 44
        Layout.preferredHeight: 44
        visible: bar.isHeldToTalk
        isOutlined: true
        glyph: "stop"
        text: qsTr("End the conversation")
        onClicked: bar.conversation.stop()
    }
    PushButton {
        id: talk

        objectName: "talk"
        Layout.preferredHeight: 44
        Layout.minimumWidth: 104
        corner: 22
        isPrimary: true
        glyph: bar.isHeldToTalk ? "microphone" : bar.conversation.isRunning ? "stop" : "talk"
        text: bar.isHeldToTalk ? qsTr("Hold") : bar.conversation.isRunning ? qsTr("End") : qsTr("Talk")
        Accessible.name: bar.isHeldToTalk ? qsTr("Hold to talk") : bar.conversation.isRunning ? qsTr("End the conversation") : qsTr("Talk")
        hue: bar.isHeldToTalk && bar.conversation.isTalkHeld ? Theme.you : Theme.ink
        Accessible.checkable: bar.isHeldToTalk
        Accessible.checked: bar.isHeldToTalk && bar.conversation.isTalkHeld
        onActed: if (bar.isHeldToTalk)
            bar.conversation.isTalkHeld = !bar.conversation.isTalkHeld
        onPressedChanged: if (bar.isHeldToTalk)
            bar.conversation.isTalkHeld = pressed
        onClicked: {
            if (bar.isHeldToTalk)
                return;
            if (bar.conversation.isRunning)
                bar.conversation.stop();
            else
                bar.conversation.start();
        }
    }
    Field {
        id: text

        objectName: "text"
        Layout.fillWidth: true
        Layout.preferredHeight: 44
        corner: 22
        leftPadding: Theme.edge
        rightPadding: 44
        placeholderText: qsTr("Or type")
        Accessible.name: qsTr("Type a message")
        maximumLength: 4000
        onAccepted: {
            if (text.text.trim() !== "")
                bar.conversation.say(text.text);
            text.clear();
        }
        Keys.onEscapePressed: {
            if (bar.conversation.voice === Ui.Speaking)
                bar.conversation.interrupt();
            else
                talk.forceActiveFocus();
        }
        // An empty field has no use for a space: it talks, as everywhere on the page.
        Keys.forwardTo: text.text === "" && text.preeditText === "" ? [bar.talkKeys] : []

        IconButton {
            objectName: "send"
            anchors.right: parent.right
            anchors.rightMargin: 4
            anchors.verticalCenter: parent.verticalCenter
            width: 36
            height: 36
            visible: text.text.trim() !== ""
            glyph: "send"
            text: qsTr("Send")
            onClicked: text.accepted()
        }
    }
}
