import QtQuick
import QtQuick.Layouts
import Vivavoce.Shell
import Vivavoce.Style

/** One click to a first conversation, or a broker's address. */
FocusScope {
    id: page

    required property ShellViewModel shell
    /** To where the proxy is chosen. */
    signal networkWanted()

    function useBroker() {
        if (page.shell.isTrying)
            return;
        // Where it is to be put right. Once it is right this page is gone.
        if (!page.shell.useBroker(address.text, project.text) && page.shell.projectFault !== "")
            project.forceActiveFocus(Qt.TabFocusReason);
    }

    focus: true
    Keys.onPressed: event => area.turn(event)

    Scroller {
        id: area

        anchors.fill: parent
        contentHeight: Math.max(column.implicitHeight + 2 * Theme.edge, height)

        ColumnLayout {
            id: column

            anchors.centerIn: parent
            width: Math.min(parent.width - 2 * Theme.edge, 420)
            spacing: Theme.edge

            Icon {
                Layout.alignment: Qt.AlignHCenter
                Layout.preferredWidth: 72
                Layout.preferredHeight: 72
                name: "vivavoce"
            }
            Words {
                Layout.fillWidth: true
                text: qsTr("Talk with an agent")
                size: Theme.display
                isStrong: true
                horizontalAlignment: Text.AlignHCenter
                wrapMode: Text.Wrap
                Accessible.role: Accessible.Heading
                Accessible.name: text
            }
            Words {
                Layout.fillWidth: true
                Layout.bottomMargin: Theme.inside
                text: page.shell.hasAgent ? qsTr("Try it here and now: no account, no network. Nothing leaves this computer.") : qsTr("This copy comes without its own agent. A broker's address is all it needs.")
                isSoft: true
                horizontalAlignment: Text.AlignHCenter
                wrapMode: Text.Wrap
                lineHeight: 1.25
            }
            PushButton {
                objectName: "tryHere"
                Layout.fillWidth: true
                Layout.preferredHeight: 48
                visible: page.shell.hasAgent
                focus: visible
                isPrimary: true
                glyph: "computer"
                text: qsTr("Try it on this computer")
                onClicked: page.shell.tryThisComputer()
            }
            RowLayout {
                Layout.fillWidth: true
                Layout.topMargin: 4
                visible: page.shell.hasAgent
                spacing: Theme.between

                Rectangle {
                    Layout.fillWidth: true
                    Layout.preferredHeight: 1
                    color: Theme.line
                }
                Words {
                    text: qsTr("or with a broker")
                    size: Theme.small
                    isSoft: true
                }
                Rectangle {
                    Layout.fillWidth: true
                    Layout.preferredHeight: 1
                    color: Theme.line
                }
            }
            ColumnLayout {
                Layout.fillWidth: true
                spacing: 6

                RowLayout {
                    spacing: Theme.inside

                    Field {
                        id: address

                        objectName: "brokerAddress"
                        focus: !page.shell.hasAgent
                        Layout.fillWidth: true
                        Layout.preferredHeight: 44
                        placeholderText: "https://voice.example"
                        isWrong: page.shell.addressFault !== ""
                        inputMethodHints: Qt.ImhUrlCharactersOnly
                        maximumLength: 400
                        Accessible.name: qsTr("The broker's address")
                        Accessible.description: page.shell.addressFault
                        onTextEdited: page.shell.forgetAddressFault()
                        onAccepted: page.useBroker()
                    }
                    PushButton {
                        id: connect

                        objectName: "useBroker"
                        Layout.preferredHeight: 44
                        enabled: !page.shell.isTrying
                        text: page.shell.isTrying ? qsTr("Trying…") : qsTr("Connect")
                        isPrimary: !page.shell.hasAgent
                        onClicked: {
                            // It cannot be pressed meanwhile, and would lose the keyboard.
                            if (connect.activeFocus)
                                address.forceActiveFocus(Qt.TabFocusReason);
                            page.useBroker();
                        }
                    }
                }
                Words {
                    objectName: "addressFault"
                    Layout.fillWidth: true
                    // A screen reader is told of what comes, not of words that become others.
                    visible: text !== ""
                    text: page.shell.addressFault
                    color: Theme.bad
                    size: Theme.small
                    wrapMode: Text.Wrap
                    Accessible.role: Accessible.AlertMessage
                    Accessible.name: text
                }
                Words {
                    Layout.fillWidth: true
                    Layout.topMargin: 2
                    text: qsTr("Project (if your operator gave you one)")
                    size: Theme.small
                    isSoft: true
                    wrapMode: Text.Wrap
                    // What is below it has its name.
                    Accessible.ignored: true
                }
                Field {
                    id: project

                    objectName: "projectName"
                    Layout.fillWidth: true
                    placeholderText: qsTr("None")
                    isWrong: page.shell.projectFault !== ""
                    inputMethodHints: Qt.ImhNoAutoUppercase | Qt.ImhNoPredictiveText
                    maximumLength: 400
                    Accessible.name: qsTr("Project, if your operator gave you one")
                    Accessible.description: page.shell.projectFault
                    onTextEdited: page.shell.forgetAddressFault()
                    onAccepted: page.useBroker()
                }
                Words {
                    objectName: "projectFault"
                    Layout.fillWidth: true
                    visible: text !== ""
                    text: page.shell.projectFault
                    color: Theme.bad
                    size: Theme.small
                    wrapMode: Text.Wrap
                    Accessible.role: Accessible.AlertMessage
                    Accessible.name: text
                }
                Flow {
                    id: actions

                    Layout.fillWidth: true
                    visible: page.shell.addressFaultCode !== ""
                    spacing: Theme.inside

                    PushButton {
                        objectName: "showNetwork"
                        visible: page.shell.isWayWrong
                        text: qsTr("Open network settings")
                        onClicked: page.networkWanted()
                    }
                    PushButton {
                        objectName: "copyAddressFault"
                        width: Math.min(implicitWidth, actions.width)
                        visible: page.shell.addressFaultCode !== ""
                        text: copied.running ? qsTr("Copied") : page.shell.addressFaultCode
                        glyph: copied.running ? "check" : "copy"
                        hue: Theme.soft
                        size: Theme.small
                        isStrong: false
                        Accessible.name: qsTr("Copy the code %1").arg(page.shell.addressFaultCode)
                        onClicked: {
                            page.shell.copyAddressFaultCode();
                            copied.restart();
                        }

                        Timer {
                            id: copied

                            interval: 1500
                        }
                    }
                }
            }
        }
    }
}
