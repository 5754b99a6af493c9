import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** Mute, talk, text. */
ColumnLayout {
    id: bar

    required property ConversationViewModel conversation
    /** Knows what the space bar does. */
    required property Item talkKeys
    readonly property bool isTooLong: text.text.trim().length > conversation.longestMessage
    readonly property bool isHeldToTalk: conversation.isPushToTalk && conversation.isRunning
    signal usageWanted()

    spacing: Theme.inside

    RowLayout {
        Layout.fillWidth: true
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

            /** The click that follows is none of a pointer. */
            property bool isByKey: false

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
            Keys.onSpacePressed: event => {
                talk.isByKey = true;
                event.accepted = false;
            }
            onActed: {
                talk.isByKey = true;
                if (bar.isHeldToTalk)
                    bar.conversation.isTalkHeld = !bar.conversation.isTalkHeld;
            }
            onPressedChanged: if (bar.isHeldToTalk)
                bar.conversation.isTalkHeld = pressed
            // A key that is let go elsewhere has clicked nothing.
            onCanceled: talk.isByKey = false
            onClicked: {
                const isByPointer = !talk.isByKey;
                talk.isByKey = false;
                if (bar.isHeldToTalk)
                    return;
                if (!bar.conversation.isRunning) {
                    bar.conversation.start();
                    if (isByPointer)
                        begun.restart();
                } else if (!isByPointer || !begun.running) {
                    bar.conversation.stop();
                }
            }

            PointHandler {
                onActiveChanged: if (active)
                    talk.isByKey = false
            }
            Timer {
                id: begun

                objectName: "begun"
                // What belongs to the click that has begun it does not end it.
                interval: Application.styleHints.mouseDoubleClickInterval
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
            isWrong: bar.isTooLong
            // Far more than can be sent: what is pasted is shortened by whoever wrote it, not by us.
            maximumLength: 100000
            Accessible.description: tooLong.text
            onAccepted: {
                if (bar.isTooLong)
                    return;
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
            // Elsewhere it is the window's; a field would take it to delete what is before the cursor.
            Keys.onPressed: event => {
                if (event.key === Qt.Key_U && event.modifiers === Qt.ControlModifier) {
                    event.accepted = true;
                    bar.usageWanted();
                }
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
                enabled: !bar.isTooLong
                glyph: "send"
                text: qsTr("Send")
                onClicked: text.accepted()
            }
        }
    }
    Words {
        id: tooLong

        objectName: "tooLong"
        Layout.fillWidth: true
        visible: bar.isTooLong
        text: {
            if (!bar.isTooLong)
                return "";
            const most = bar.figure(bar.conversation.longestMessage);
            if (text.length === text.maximumLength)
                return qsTr("Cut off after %1 characters, and only %2 can be sent at once.").arg(bar.figure(text.length)).arg(most);
            return qsTr("%1 characters: %2 can be sent at once. Shorten it.").arg(bar.figure(text.text.trim().length)).arg(most);
        }
        color: Theme.bad
        size: Theme.small
        wrapMode: Text.Wrap
        Accessible.role: Accessible.AlertMessage
        Accessible.name: tooLong.text
        Accessible.ignored: !bar.isTooLong
    }

    function figure(number) {
        return Number(number).toLocaleString(Qt.locale(), "f", 0);
    }
}
