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

    /** Somebody has typed another one. */
    readonly property bool isProjectOther: project.text.trim() !== settings.project.name

    // A button that has nothing more to do would lose the keyboard: each hands it over first.
    function useBroker() {
        if (use.activeFocus)
            address.forceActiveFocus(Qt.TabFocusReason);
        // Each broker has its own, which takes its place as soon as the broker is another one.
        const named = isProjectOther ? project.text : null;
        if (!settings.useBroker(address.text))
            return;
        // As it was understood, which may be what it was before.
        address.text = Qt.binding(() => card.settings.brokerUrl);
        if (named === null) {
            showName();
        } else {
            project.text = named;
            nameProject();
        }
    }

    function showName() {
        project.text = Qt.binding(() => card.settings.project.name);
    }

    function nameProject() {
        if (settings.project.use(project.text))
            showName();
    }

    function useProject() {
        if (useName.activeFocus)
            project.forceActiveFocus(Qt.TabFocusReason);
        // It is this broker's alone.
        if (use.enabled)
            useBroker();
        else
            nameProject();
    }

    function showAddress() {
        looked = 1;
        address.forceActiveFocus();
        address.selectAll();
    }

    function showProject() {
        looked = 1;
        project.forceActiveFocus(Qt.TabFocusReason);
        project.selectAll();
    }

    title: qsTr("Agent")

    component Fault: Words {
        Layout.fillWidth: true
        visible: text !== ""
        color: Theme.bad
        size: Theme.small
        wrapMode: Text.Wrap
        Accessible.role: Accessible.AlertMessage
        Accessible.name: text
    }

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
    Fault {
        objectName: "addressFault"
        text: card.settings.addressFault
    }
    Words {
        Layout.fillWidth: true
        Layout.bottomMargin: -6
        visible: card.looked === 1
        text: qsTr("Project (if your operator gave you one)")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
        // What is below it has its name.
        Accessible.ignored: true
    }
    RowLayout {
        Layout.fillWidth: true
        visible: card.looked === 1
        spacing: Theme.inside

        Field {
            id: project

            objectName: "projectName"
            Layout.fillWidth: true
            placeholderText: qsTr("None")
            text: card.settings.project.name
            isWrong: card.settings.project.fault !== ""
            inputMethodHints: Qt.ImhNoAutoUppercase | Qt.ImhNoPredictiveText
            maximumLength: 400
            Accessible.name: qsTr("Project, if your operator gave you one")
            Accessible.description: card.settings.project.fault
            onTextEdited: card.settings.project.forgetFault()
            onAccepted: card.useProject()
        }
        PushButton {
            id: useName

            objectName: "useProject"
            text: qsTr("Use")
            enabled: card.isProjectOther
            Accessible.name: qsTr("Use this project")
            onClicked: card.useProject()
        }
    }
    Fault {
        objectName: "projectFault"
        text: card.looked === 1 ? card.settings.project.fault : ""
    }
    Words {
        Layout.fillWidth: true
        text: card.looked === 0 ? qsTr("Works without a network. Nothing leaves this computer.") : qsTr("The next conversation starts there.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
}
