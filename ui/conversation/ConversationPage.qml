import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** The conversation: the string, what goes on, what was said, what to do. */
FocusScope {
    id: page

    required property ConversationViewModel conversation
    readonly property bool isWide: width >= 900
    readonly property bool isTight: height < 600
    signal settingsWanted()
    /** To where the proxy is chosen. */
    signal networkWanted()
    /** To where the project is named. */
    signal projectWanted()
    signal usageWanted()

    focus: true
    Keys.onPressed: event => {
        if (event.key !== Qt.Key_Space || event.modifiers !== Qt.NoModifier)
            return;
        event.accepted = true;
        if (event.isAutoRepeat)
            return;
        if (!page.conversation.isRunning)
            page.conversation.start();
        else if (!page.conversation.isPushToTalk && !page.conversation.isDeaf)
            page.conversation.isMuted = !page.conversation.isMuted;
        if (page.conversation.isPushToTalk)
            page.conversation.isTalkHeld = true;
    }
    Keys.onReleased: event => {
        if (event.key === Qt.Key_Space && !event.isAutoRepeat && page.conversation.isTalkHeld) {
            page.conversation.isTalkHeld = false;
            event.accepted = true;
        }
    }
    Keys.onEscapePressed: if (page.conversation.voice === Ui.Speaking || page.conversation.voice === Ui.Tool)
        page.conversation.interrupt()
    onActiveFocusChanged: if (!activeFocus)
        page.conversation.isTalkHeld = false

    Shortcut {
        sequence: "Ctrl+S"
        enabled: page.visible
        onActivated: page.conversation.exportTranscript()
        onActivatedAmbiguously: page.conversation.exportTranscript()
    }
    RowLayout {
        anchors.fill: parent
        spacing: 0

        ColumnLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            spacing: 0

            Scroller {
                id: area

                readonly property string question: page.conversation.approval.callId
                /** Somebody looks at something else than the end. */
                property bool isElsewhere: false

                /** What has come last, and may be asked, is at the end. */
                function showEnd() {
                    if (!isElsewhere)
                        contentY = Math.max(0, contentHeight - height);
                }

                objectName: "conversationArea"
                Layout.fillWidth: true
                Layout.fillHeight: true
                contentHeight: column.height
                // Where all of it fits, a drag is the transcript's alone.
                interactive: contentHeight > height
                onContentHeightChanged: showEnd()
                onHeightChanged: showEnd()
                onContentYChanged: isElsewhere = contentY < contentHeight - height - 1
                // Whoever looks elsewhere is to see it all the same.
                onQuestionChanged: {
                    isElsewhere = false;
                    showEnd();
                }

                ColumnLayout {
                    id: column

                    width: area.width
                    height: Math.max(area.height, implicitHeight)
                    spacing: 0

                    VoiceString {
                        objectName: "string"
                        // A question needs its place where that is scarce.
                        visible: !(page.isTight && page.conversation.approval.isAsking)
                        Layout.fillWidth: true
                        Layout.leftMargin: Theme.edge
                        Layout.rightMargin: Theme.edge
                        Layout.preferredHeight: Math.max(88, Math.min(page.height * 0.2, 180))
                        voice: page.conversation.voice
                        userLevel: page.conversation.userLevel
                        agentLevel: page.conversation.agentLevel
                        userHue: Theme.you
                        agentHue: Theme.agent
                        ink: Theme.faint
                        bad: Theme.bad
                        isMotionReduced: Theme.isMotionReduced
                        // The words below say the same.
                        Accessible.ignored: true
                    }
                    StateWords {
                        objectName: "stateWords"
                        Layout.fillWidth: true
                        // Its own words are narrower, and stand in the middle of all there is.
                        Layout.maximumWidth: Infinity
                        Layout.leftMargin: Theme.edge
                        Layout.rightMargin: Theme.edge
                        Layout.bottomMargin: Theme.edge
                        conversation: page.conversation
                        onSettingsWanted: page.settingsWanted()
                        onNetworkWanted: page.networkWanted()
                        onProjectWanted: page.projectWanted()
                    }
                    Transcript {
                        id: transcript

                        Layout.fillWidth: true
                        Layout.fillHeight: true
                        // A line or two of it are seen, whatever else there is.
                        Layout.preferredHeight: 64
                        conversation: page.conversation
                    }
                    ApprovalCard {
                        objectName: "approvalCard"
                        Layout.fillWidth: true
                        Layout.preferredHeight: settledHeight
                        Layout.maximumWidth: transcript.measure
                        Layout.alignment: Qt.AlignHCenter
                        Layout.leftMargin: Theme.edge
                        Layout.rightMargin: Theme.edge
                        Layout.bottomMargin: Theme.between
                        visible: page.conversation.approval.isAsking
                        approval: page.conversation.approval
                        isTight: page.isTight
                    }
                    TimerNote {
                        objectName: "timerNote"
                        Layout.fillWidth: true
                        Layout.maximumWidth: transcript.measure
                        Layout.alignment: Qt.AlignHCenter
                        Layout.leftMargin: Theme.edge
                        Layout.rightMargin: Theme.edge
                        Layout.bottomMargin: Theme.between
                        visible: page.conversation.timers.isDue
                        timers: page.conversation.timers
                    }
                    ModelNote {
                        objectName: "modelNote"
                        Layout.fillWidth: true
                        Layout.preferredHeight: settledHeight
                        Layout.maximumWidth: transcript.measure
                        Layout.alignment: Qt.AlignHCenter
                        Layout.leftMargin: Theme.edge
                        Layout.rightMargin: Theme.edge
                        Layout.bottomMargin: Theme.between
                        // It can wait; what is asked or has gone wrong cannot.
                        visible: page.conversation.modelNote.isShown && !(page.isTight && (page.conversation.approval.isAsking || page.conversation.hasError))
                        note: page.conversation.modelNote
                    }
                    ErrorBanner {
                        objectName: "errorBanner"
                        Layout.fillWidth: true
                        Layout.preferredHeight: settledHeight
                        Layout.maximumWidth: transcript.measure
                        Layout.alignment: Qt.AlignHCenter
                        Layout.leftMargin: Theme.edge
                        Layout.rightMargin: Theme.edge
                        Layout.bottomMargin: Theme.between
                        visible: page.conversation.hasError && !page.conversation.isErrorInWords && page.conversation.voice !== Ui.Failed
                        conversation: page.conversation
                        onSettingsWanted: page.settingsWanted()
                        onNetworkWanted: page.networkWanted()
                        onProjectWanted: page.projectWanted()
                    }
                }
            }
            Words {
                objectName: "keptLine"
                Layout.fillWidth: true
                Layout.leftMargin: Theme.edge
                Layout.rightMargin: Theme.edge
                Layout.bottomMargin: 4
                // Once, however wide it becomes: whoever listens is not told again.
                visible: page.conversation.isRunning && page.conversation.areWordsKept
                text: qsTr("What is said is kept by the project, and its admins can read it.")
                size: Theme.tiny
                isSoft: true
                horizontalAlignment: Text.AlignHCenter
                wrapMode: Text.Wrap
                Accessible.role: Accessible.AlertMessage
                Accessible.name: text
            }
            Words {
                objectName: "usageLine"
                Layout.fillWidth: true
                Layout.leftMargin: Theme.edge
                Layout.rightMargin: Theme.edge
                Layout.bottomMargin: 4
                visible: !page.isWide && !page.conversation.sessionUsage.isEmpty
                readonly property string money: page.conversation.sessionUsage.money
                text: qsTr("%1 · last turn %2, session %3 tokens").arg(page.conversation.sessionTime).arg(page.conversation.turnUsage.total).arg(page.conversation.sessionUsage.total) + (money === "" ? "" : " · " + money)
                size: Theme.tiny
                isSoft: true
                horizontalAlignment: Text.AlignHCenter
                elide: Text.ElideRight
            }
            BottomBar {
                Layout.fillWidth: true
                Layout.maximumWidth: transcript.measure
                Layout.alignment: Qt.AlignHCenter
                Layout.leftMargin: Theme.edge
                Layout.rightMargin: Theme.edge
                Layout.topMargin: 4
                Layout.bottomMargin: Theme.edge
                conversation: page.conversation
                talkKeys: page
                onUsageWanted: page.usageWanted()
            }
        }
        Loader {
            Layout.preferredWidth: 320
            Layout.fillHeight: true
            visible: active
            active: page.isWide
            sourceComponent: SidePanel {
                objectName: "sidePanel"
                conversation: page.conversation  // qmllint disable unqualified
            }
        }
    }
}
