import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** Usage, connection, tools: beside the conversation where there is room. */
Scroller {
    id: panel

    required property ConversationViewModel conversation
    /** An open conversation may outlive its token. */
    readonly property bool isConnected: conversation.hasToken || conversation.isLive

    implicitWidth: 320
    contentHeight: column.implicitHeight + Theme.edge
    // There is nothing in it to reach; the keyboard has it as a whole where it is too long.
    activeFocusOnTab: contentHeight > height
    Accessible.role: Accessible.Pane
    Accessible.name: qsTr("Usage, connection and tools")

    component Fact: RowLayout {
        id: fact

        property string name
        property string value

        Layout.fillWidth: true
        spacing: Theme.inside
        Accessible.role: Accessible.StaticText
        Accessible.name: name + ": " + value

        Words {
            text: fact.name
            size: Theme.small
            isSoft: true
            Accessible.ignored: true
        }
        Words {
            Layout.fillWidth: true
            text: fact.value
            size: Theme.small
            horizontalAlignment: Text.AlignRight
            elide: Text.ElideMiddle
            Accessible.ignored: true
        }
    }

    FocusRing {
        parent: panel
        around: panel
        anchors.margins: 2
    }
    ColumnLayout {
        id: column

        width: panel.width - Theme.edge
        spacing: Theme.between

        Card {
            Layout.fillWidth: true
            title: qsTr("Usage")

            Fact {
                name: qsTr("Time")
                value: panel.conversation.sessionTime
            }
            UsageTable {
                Layout.fillWidth: true
                visible: !panel.conversation.sessionUsage.isEmpty
                turn: panel.conversation.turnUsage
                session: panel.conversation.sessionUsage
            }
            Words {
                Layout.fillWidth: true
                visible: panel.conversation.sessionUsage.isEmpty
                text: qsTr("Counted after the first reply.")
                size: Theme.small
                isSoft: true
                wrapMode: Text.Wrap
            }
        }
        Card {
            Layout.fillWidth: true
            title: qsTr("Connection")

            Words {
                Layout.fillWidth: true
                visible: !panel.isConnected
                text: qsTr("Not connected.")
                size: Theme.small
                isSoft: true
            }
            Fact {
                objectName: "connectionProvider"
                visible: panel.isConnected && panel.conversation.providerName !== ""
                name: qsTr("Provider")
                value: panel.conversation.providerName
            }
            Fact {
                visible: panel.isConnected && panel.conversation.modelName !== ""
                name: qsTr("Model")
                value: panel.conversation.modelName
            }
            Fact {
                objectName: "connectionPath"
                visible: panel.isConnected
                name: qsTr("Path")
                value: panel.conversation.isRelayed ? qsTr("Through the broker") : qsTr("Straight to the provider")
            }
            Fact {
                objectName: "connectionProject"
                visible: panel.isConnected && panel.conversation.projectName !== ""
                name: qsTr("Project")
                value: panel.conversation.projectName
            }
            Fact {
                visible: panel.conversation.hasToken
                name: qsTr("Access renews in")
                value: qsTr("%1 s of %2 s").arg(panel.conversation.secondsToRenewal).arg(panel.conversation.tokenLifetime)
            }
            Fact {
                visible: panel.conversation.hasToken
                name: qsTr("Renewed")
                value: panel.conversation.tokenRenewals === 0 ? qsTr("Not yet") : qsTr("%1 ×").arg(panel.conversation.tokenRenewals)
            }
        }
        Card {
            Layout.fillWidth: true
            title: qsTr("Tools")

            Words {
                Layout.fillWidth: true
                visible: panel.conversation.tools.count === 0
                text: qsTr("None used yet.")
                size: Theme.small
                isSoft: true
            }
            Repeater {
                model: panel.conversation.tools

                RowLayout {
                    id: tool

                    required property string name
                    required property bool isRunning
                    required property bool isWaiting
                    required property bool hasFailed
                    readonly property string outcome: isWaiting ? qsTr("waits for you") : isRunning ? qsTr("running") : hasFailed ? qsTr("did not work") : qsTr("done")

                    Layout.fillWidth: true
                    spacing: Theme.inside
                    Accessible.role: Accessible.ListItem
                    Accessible.name: name + ", " + outcome

                    Icon {
                        Layout.preferredWidth: 16
                        Layout.preferredHeight: 16
                        name: tool.isRunning ? "tool" : tool.hasFailed ? "warning" : "check"
                        color: tool.isWaiting ? Theme.warn : tool.isRunning ? Theme.agent : tool.hasFailed ? Theme.warn : Theme.good
                    }
                    Words {
                        Layout.fillWidth: true
                        text: tool.name
                        size: Theme.small
                        elide: Text.ElideMiddle
                        Accessible.ignored: true
                    }
                    Words {
                        objectName: "outcome_" + tool.name
                        text: tool.outcome
                        size: Theme.tiny
                        isSoft: !tool.isWaiting
                        Accessible.ignored: true
                    }
                }
            }
        }
    }
}
