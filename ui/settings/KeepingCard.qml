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
        explanation: qsTr("What was said, as far as it was heard; no sound. Only you can read it.")
        checked: card.settings.keepsConversations
        onToggled: card.settings.keepsConversations = checked
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
