import QtQuick
import QtQuick.Layouts
import Vivavoce.Settings
import Vivavoce.Style

/** What the agent may do on this computer, and who brings it. */
Card {
    id: card

    required property ToolsViewModel tools

    title: qsTr("Tools")

    Words {
        Layout.fillWidth: true
        text: qsTr("What the agent may do here. A new choice counts at once; the agent hears of it with the next conversation.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
    Repeater {
        model: card.tools.rules

        RowLayout {
            id: rule

            required property int index
            required property string name
            required property string source
            required property string description
            required property list<string> policies
            required property int policy

            Layout.fillWidth: true
            spacing: Theme.inside

            ColumnLayout {
                Layout.fillWidth: true
                spacing: 2

                Words {
                    Layout.fillWidth: true
                    text: rule.name
                    size: Theme.small
                    isStrong: true
                    elide: Text.ElideMiddle
                    Accessible.ignored: true
                }
                Words {
                    Layout.fillWidth: true
                    text: rule.source + (rule.description === "" ? "" : " · " + rule.description)
                    size: Theme.tiny
                    isSoft: true
                    wrapMode: Text.Wrap
                    maximumLineCount: 2
                    elide: Text.ElideRight
                }
            }
            Choice {
                objectName: "policy_" + rule.name
                Layout.preferredWidth: 124
                Layout.alignment: Qt.AlignTop
                model: rule.policies
                currentIndex: rule.policy
                Accessible.name: qsTr("%1 runs").arg(rule.name)
                onActivated: index => {
                    card.tools.decide(rule.index, index);
                    currentIndex = Qt.binding(() => rule.policy);
                }
            }
        }
    }
    Words {
        objectName: "toolRemarks"
        Layout.fillWidth: true
        visible: text !== ""
        text: card.tools.remarks
        size: Theme.tiny
        isSoft: true
        wrapMode: Text.Wrap
        maximumLineCount: 12
        elide: Text.ElideRight
    }
    Words {
        Layout.fillWidth: true
        Layout.bottomMargin: -6
        text: qsTr("File of MCP servers, which bring more tools")
        size: Theme.small
        isSoft: true
        // The field below has its name.
        Accessible.ignored: true
    }
    RowLayout {
        Layout.fillWidth: true
        spacing: Theme.inside

        Field {
            id: path

            objectName: "mcpFile"
            Layout.fillWidth: true
            placeholderText: "/home/…/mcp.json"
            text: card.tools.file
            isWrong: card.tools.fileFault !== ""
            maximumLength: 1000
            Accessible.name: qsTr("File of MCP servers")
            Accessible.description: card.tools.fileFault
            onTextEdited: card.tools.forgetFault()
            onAccepted: card.use()
        }
        PushButton {
            objectName: "useMcpFile"
            text: path.text === card.tools.file && path.text !== "" ? qsTr("Read again") : qsTr("Use")
            enabled: path.text !== "" || card.tools.file !== ""
            onClicked: card.use()
        }
    }
    Words {
        objectName: "mcpFault"
        Layout.fillWidth: true
        visible: text !== ""
        text: card.tools.fileFault
        color: Theme.bad
        size: Theme.small
        wrapMode: Text.Wrap
        Accessible.role: Accessible.AlertMessage
        Accessible.name: text
    }
    Repeater {
        model: card.tools.servers

        ColumnLayout {
            id: server

            required property int index
            required property string name
            required property string commandLine
            required property string variables
            required property string serverState
            required property bool isApproved
            required property bool hasFailed

            Layout.fillWidth: true
            spacing: 4

            Words {
                Layout.fillWidth: true
                text: server.name
                size: Theme.small
                isStrong: true
                elide: Text.ElideRight
            }
            Words {
                objectName: "command_" + server.name
                Layout.fillWidth: true
                text: server.commandLine
                size: Theme.tiny
                font.family: "monospace"
                // All of it: that is what is allowed.
                wrapMode: Text.WrapAnywhere
            }
            Words {
                Layout.fillWidth: true
                visible: server.variables !== ""
                text: server.variables
                size: Theme.tiny
                isSoft: true
                wrapMode: Text.Wrap
            }
            Words {
                objectName: "state_" + server.name
                Layout.fillWidth: true
                text: server.serverState
                size: Theme.tiny
                color: server.hasFailed ? Theme.bad : Theme.soft
                wrapMode: Text.Wrap
                maximumLineCount: 3
                elide: Text.ElideRight
            }
            Flow {
                Layout.fillWidth: true
                spacing: Theme.inside

                PushButton {
                    objectName: "approve_" + server.name
                    visible: !server.isApproved
                    text: qsTr("Allow to start")
                    size: Theme.small
                    Accessible.description: server.name + ": " + server.commandLine
                    onClicked: card.tools.approve(server.index)  // qmllint disable unqualified
                }
                PushButton {
                    objectName: "again_" + server.name
                    visible: server.hasFailed
                    text: qsTr("Start again")
                    size: Theme.small
                    Accessible.description: server.name
                    onClicked: card.tools.startAgain(server.index)  // qmllint disable unqualified
                }
                PushButton {
                    objectName: "withdraw_" + server.name
                    visible: server.isApproved
                    text: qsTr("Stop, and allow no more")
                    size: Theme.small
                    Accessible.description: server.name
                    onClicked: card.tools.withdraw(server.index)  // qmllint disable unqualified
                }
            }
        }
    }

    function use() {
        if (card.tools.useFile(path.text)) {
            path.text = Qt.binding(() => card.tools.file);
        }
    }
}
