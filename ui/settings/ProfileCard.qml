import QtQuick
import QtQuick.Layouts
import Vivavoce.Settings
import Vivavoce.Style

/** Where the agent is. */
Card {
    id: card

    required property SettingsViewModel settings
    /** What is looked at; it holds once it is a whole choice. */
    property int looked: settings.hasAgent ? settings.profile : 1

    function useBroker() {
        // It has nothing more to do then, and would lose the keyboard.
        if (use.activeFocus)
            address.forceActiveFocus(Qt.TabFocusReason);
        if (settings.useBroker(address.text)) {
            // As it was understood, which may be what it was before.
            address.text = Qt.binding(() => card.settings.brokerUrl);
        }
    }

    function showAddress() {
        looked = 1;
        address.forceActiveFocus();
        address.selectAll();
    }

    title: qsTr("Agent")

    Segments {
        objectName: "profile"
        Layout.fillWidth: true
        visible: card.settings.hasAgent
        name: qsTr("Where the agent is")
        options: [qsTr("This computer"), qsTr("Broker")]
        current: card.looked
        onChosen: index => {
            card.looked = index;
            if (index === 0)
                card.settings.useThisComputer();
            else
                address.forceActiveFocus();
        }
    }
    RowLayout {
        Layout.fillWidth: true
        visible: card.looked === 1
        spacing: Theme.inside

        Field {
            id: address

            objectName: "brokerAddress"
            Layout.fillWidth: true
            placeholderText: "https://voice.example"
            text: card.settings.brokerUrl
            isWrong: card.settings.addressFault !== ""
            inputMethodHints: Qt.ImhUrlCharactersOnly
            maximumLength: 400
            Accessible.name: qsTr("The broker's address")
            Accessible.description: card.settings.addressFault
            onTextEdited: card.settings.forgetAddressFault()
            onAccepted: card.useBroker()
        }
        PushButton {
            id: use

            objectName: "useBroker"
            text: qsTr("Use")
            enabled: address.text !== card.settings.brokerUrl || card.settings.profile === 0
            onClicked: card.useBroker()
        }
    }
    Words {
        objectName: "addressFault"
        Layout.fillWidth: true
        visible: text !== ""
        text: card.settings.addressFault
        color: Theme.bad
        size: Theme.small
        wrapMode: Text.Wrap
        Accessible.role: Accessible.AlertMessage
        Accessible.name: text
    }
    Words {
        Layout.fillWidth: true
        text: card.looked === 0 ? qsTr("Works without a network. Nothing leaves this computer.") : qsTr("The next conversation starts there.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
}
