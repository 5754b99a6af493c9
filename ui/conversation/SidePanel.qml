import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** Usage, connection, tools: beside the conversation where there is room. */
Flickable {
    id: panel

    required property ConversationViewModel conversation

    implicitWidth: 320
    contentHeight: column.implicitHeight + Theme.edge
    clip: true
    boundsBehavior: Flickable.StopAtBounds

    component Fact: RowLayout {
        id: fact

        property string name
        property string value

        Layout.fillWidth: true
        spacing: Theme.inside

        Words {
            text: fact.name
            size: Theme.small
            isSoft: true
        }
        Words {
            Layout.fillWidth: true
            text: fact.value
            size: Theme.small
            horizontalAlignment: Text.AlignRight
            elide: Text.ElideMiddle
        }
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
                visible: !panel.conversation.hasToken
                text: qsTr("Not connected.")
                size: Theme.small
                isSoft: true
            }
            Fact {
                visible: panel.conversation.hasToken && panel.conversation.modelName !== ""
                name: qsTr("Model")
                value: panel.conversation.modelName
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
                    required property bool hasFailed
                    readonly property string outcome: isRunning ? qsTr("running") : hasFailed ? qsTr("did not work") : qsTr("done")

                    Layout.fillWidth: true
                    spacing: Theme.inside
                    Accessible.role: Accessible.ListItem
                    Accessible.name: name + ", " + outcome

                    Icon {
                        Layout.preferredWidth: 16
                        Layout.preferredHeight: 16
                        name: tool.isRunning ? "tool" : tool.hasFailed ? "warning" : "check"
                        color: tool.isRunning ? Theme.agent : tool.hasFailed ? Theme.warn : Theme.good
                    }
                    Words {
                        Layout.fillWidth: true
                        text: tool.name
                        size: Theme.small
                        elide: Text.ElideMiddle
                    }
                    Words {
                        text: tool.outcome
                        size: Theme.tiny
                        isSoft: true
                    }
                }
            }
        }
    }
}
