import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** The agent wants to run a tool: what it is, with what, and the person's word. The keyboard stays where it was; Tab comes here. */
Rectangle {
    id: card

    required property ApprovalViewModel approval
    /** There is little room. */
    property bool isTight: false
    /** What is around it does not hear of a height that changes while it lays things out. */
    property real settledHeight: 0
    /** Who was about to press something else does not allow this. */
    property bool isArmed: false
    readonly property string callId: approval.callId

    implicitHeight: column.implicitHeight + 2 * Theme.between
    onImplicitHeightChanged: settle.restart()
    onVisibleChanged: settle.restart()
    onCallIdChanged: {
        isArmed = false;
        arm.restart();
        area.contentY = 0;
    }
    radius: Theme.radius
    color: Theme.surface
    border.width: 1
    border.color: Theme.agent
    Accessible.role: Accessible.AlertMessage
    Accessible.name: question.text + " " + card.approval.arguments

    Timer {
        id: settle

        interval: 0
        onTriggered: card.settledHeight = card.implicitHeight
    }
    Timer {
        id: arm

        interval: 400
        onTriggered: card.isArmed = true
    }
    ColumnLayout {
        id: column

        anchors.fill: parent
        anchors.margins: Theme.between
        spacing: Theme.inside

        Words {
            id: question

            objectName: "approvalQuestion"
            Layout.fillWidth: true
            text: qsTr("Let the agent run %1 (%2)?").arg(card.approval.tool).arg(card.approval.source)
            isStrong: true
            wrapMode: Text.Wrap
            Accessible.ignored: true
        }
        Scroller {
            id: area

            objectName: "approvalArguments"
            Layout.fillWidth: true
            Layout.preferredHeight: Math.min(contentHeight, card.isTight ? 48 : 110)
            visible: card.approval.arguments !== ""
            contentHeight: details.implicitHeight
            activeFocusOnTab: contentHeight > height
            Accessible.role: Accessible.Pane
            Accessible.name: qsTr("What it is given")

            Words {
                id: details

                width: area.width - Theme.inside
                text: card.approval.arguments
                size: Theme.small
                wrapMode: Text.Wrap
            }
            FocusRing {
                parent: area
                around: area
            }
        }
        Words {
            objectName: "approvalTime"
            Layout.fillWidth: true
            text: (area.contentHeight > area.height + 1 && area.visible ? qsTr("Scroll to see all of it. ") : "") + (card.approval.othersWaiting > 0 ? qsTr("%1 more after this. ").arg(card.approval.othersWaiting) : "") + qsTr("Without an answer it is no in %1 s.").arg(card.approval.secondsLeft)
            size: Theme.tiny
            isSoft: true
            wrapMode: Text.Wrap
        }
        Flow {
            Layout.fillWidth: true
            spacing: Theme.inside

            PushButton {
                objectName: "denyTool"
                text: qsTr("No")
                size: Theme.small
                Accessible.description: question.text
                onClicked: card.approval.deny()
            }
            PushButton {
                objectName: "allowTool"
                text: qsTr("Yes, once")
                size: Theme.small
                enabled: card.isArmed
                Accessible.description: question.text
                onClicked: card.approval.allowOnce()
            }
            PushButton {
                objectName: "allowToolForConversation"
                text: qsTr("Yes, in this conversation")
                size: Theme.small
                visible: !card.approval.alwaysAsks
                enabled: card.isArmed
                Accessible.description: question.text
                onClicked: card.approval.allowForConversation()
            }
        }
    }
}
