import QtQuick
import QtQuick.Layouts
import Vivavoce.Settings
import Vivavoce.Style

/** Whether what was said stays on this computer. */
Card {
    id: card

    required property SettingsViewModel settings
    readonly property Item keep: toggle
    readonly property bool isOffered: settings.isDeletionOffered
    property bool isOfferNew: false

    title: qsTr("Conversations")
    onIsOfferedChanged: isOfferNew = isOffered
    onHeightChanged: if (isOfferNew)
        reveal.restart()

    // When the page has made room for the question: where the keyboard goes, it scrolls to.
    Timer {
        id: reveal

        interval: 0
        onTriggered: {
            card.isOfferNew = false;
            leave.forceActiveFocus(Qt.TabFocusReason);
        }
    }
    Toggle {
        id: toggle

        objectName: "keepConversations"
        Layout.fillWidth: true
        text: qsTr("Keep conversations on this computer")
        explanation: qsTr("What was said, as far as it was heard. Only you can read it.")
        checked: card.settings.keepsConversations
        onToggled: card.settings.keepsConversations = checked
    }
    Toggle {
        objectName: "recordSound"
        Layout.fillWidth: true
        visible: card.settings.keepsConversations
        text: qsTr("Record the sound too")
        explanation: qsTr("Both sides, you and the agent. Whoever speaks near the microphone is recorded with you: tell them.")
        checked: card.settings.recordsSound
        onToggled: card.settings.recordsSound = checked
    }
    Segments {
        objectName: "soundFormat"
        Layout.fillWidth: true
        visible: card.settings.recordsSound
        name: qsTr("Kind of sound file")
        options: [qsTr("Small (Ogg Opus)"), qsTr("As it is (WAV)")]
        current: card.settings.soundFormat
        onChosen: index => card.settings.soundFormat = index
    }
    Words {
        objectName: "formatWords"
        Layout.fillWidth: true
        visible: card.settings.recordsSound
        text: card.settings.soundFormat === 1 ? qsTr("About 350 MB an hour. A recording that goes on keeps its kind.") : qsTr("About 30 MB an hour. A recording that goes on keeps its kind.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
    Words {
        objectName: "keptWords"
        Layout.fillWidth: true
        visible: card.settings.isDeletionOffered
        text: qsTr("Nothing more is kept. What was kept before is still there: delete it?")
        wrapMode: Text.Wrap
        Accessible.role: Accessible.AlertMessage
        Accessible.name: text
    }
    Flow {
        Layout.fillWidth: true
        visible: card.settings.isDeletionOffered
        spacing: Theme.inside

        PushButton {
            id: leave

            objectName: "leaveKept"
            text: qsTr("Leave it")
            onClicked: {
                toggle.forceActiveFocus();
                card.settings.leaveKept();
            }
        }
        PushButton {
            objectName: "deleteKept"
            text: qsTr("Delete")
            hue: Theme.bad
            onClicked: {
                toggle.forceActiveFocus();
                card.settings.deleteKept();
            }
        }
    }
}
