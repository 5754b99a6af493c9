import QtQuick
import QtQuick.Layouts
import Vivavoce.Settings
import Vivavoce.Style

/** The way to other computers: through which proxy, and whose certificates are trusted. */
Card {
    id: card

    required property NetworkViewModel network
    /** What is looked at; it holds once it is a whole choice. */
    property int looked: network.proxy
    /** Says why what was typed last was not taken. */
    property Item told: null
    /** It is where it stays: it can be brought into view. */
    signal faultTold(Item sentence)

    // A button that has nothing more to do would lose the keyboard: each hands it over first.
    function useProxy() {
        if (useAddress.activeFocus)
            address.forceActiveFocus(Qt.TabFocusReason);
        if (card.network.useProxy(address.text))
            address.text = Qt.binding(() => card.network.proxyUrl);
        else
            card.tell(proxyFault);
    }

    function useFile() {
        if (useCaFile.activeFocus)
            file.forceActiveFocus(Qt.TabFocusReason);
        if (card.network.useCaFile(file.text))
            file.text = Qt.binding(() => card.network.caFile);
        else
            card.tell(caFault);
    }

    function tell(sentence: Item) {
        card.told = sentence;
        settled.restart();
    }

    /** Somebody comes to change it: the keyboard is there. */
    function show() {
        proxy.focusCurrent();
    }

    title: qsTr("Network")
    onHeightChanged: settled.restart()

    // When the card has made room for it.
    Timer {
        id: settled

        interval: 0
        onTriggered: if (card.told && card.told.visible)
            card.faultTold(card.told)
    }
    component Name: Words {
        Layout.fillWidth: true
        Layout.bottomMargin: -6
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
        // What is below it has its name.
        Accessible.ignored: true
    }
    component Fault: Words {
        Layout.fillWidth: true
        visible: text !== ""
        color: Theme.bad
        size: Theme.small
        wrapMode: Text.Wrap
        Accessible.role: Accessible.AlertMessage
        Accessible.name: text
    }

    Name {
        text: qsTr("Proxy")
    }
    Segments {
        id: proxy

        objectName: "proxy"
        Layout.fillWidth: true
        name: qsTr("Proxy")
        options: [qsTr("System"), qsTr("None"), qsTr("Own")]
        current: card.looked
        onChosen: index => {
            card.looked = index;
            if (index === 0)
                card.network.useSystem();
            else if (index === 1)
                card.network.useNone();
            else if (card.network.proxyUrl === "" || !card.network.useProxy(card.network.proxyUrl))
                address.forceActiveFocus();
        }
    }
    RowLayout {
        Layout.fillWidth: true
        visible: card.looked === 2
        spacing: Theme.inside

        Field {
            id: address

            objectName: "proxyAddress"
            Layout.fillWidth: true
            placeholderText: "http://proxy.example:3128"
            text: card.network.proxyUrl
            isWrong: card.network.proxyFault !== ""
            inputMethodHints: Qt.ImhUrlCharactersOnly
            maximumLength: 400
            Accessible.name: qsTr("The proxy's address")
            Accessible.description: card.network.proxyFault
            onTextEdited: card.network.forgetProxyFault()
            onAccepted: card.useProxy()
        }
        PushButton {
            id: useAddress

            objectName: "useProxy"
            text: qsTr("Use")
            enabled: address.text !== card.network.proxyUrl || card.network.proxy !== 2
            Accessible.name: qsTr("Use this proxy")
            onClicked: card.useProxy()
        }
    }
    Fault {
        id: proxyFault

        objectName: "proxyFault"
        text: card.network.proxyFault
    }
    Words {
        objectName: "proxyWords"
        Layout.fillWidth: true
        visible: card.network.proxyFault === ""
        text: card.looked === 0 ? qsTr("As HTTPS_PROXY and NO_PROXY say, else as the system does.") : card.looked === 1 ? qsTr("Straight to where it goes.") : qsTr("http:// or socks5://, with a port. It must do without a password.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
    Name {
        text: qsTr("Authorities to trust besides the system's: a PEM file")
    }
    RowLayout {
        Layout.fillWidth: true
        spacing: Theme.inside

        Field {
            id: file

            objectName: "caFile"
            Layout.fillWidth: true
            placeholderText: "/etc/…/ca.pem"
            text: card.network.caFile
            isWrong: card.network.caFault !== ""
            maximumLength: 1000
            Accessible.name: qsTr("File of authorities to trust")
            Accessible.description: card.network.caFault
            onTextEdited: card.network.forgetCaFault()
            onAccepted: card.useFile()
        }
        PushButton {
            id: useCaFile

            objectName: "useCaFile"
            text: file.text === "" && card.network.caFile !== "" ? qsTr("Use none") : qsTr("Use")
            enabled: file.text !== card.network.caFile
            Accessible.name: text === qsTr("Use") ? qsTr("Use this file") : text
            onClicked: card.useFile()
        }
    }
    Fault {
        id: caFault

        objectName: "caFault"
        text: card.network.caFault
    }
    Words {
        Layout.fillWidth: true
        text: qsTr("Both hold from the next connection on, without a restart. This computer is always reached straight.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
}
