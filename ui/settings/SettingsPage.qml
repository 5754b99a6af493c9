import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import Vivavoce.Settings
import Vivavoce.Style

/** Sound, talking, look, where the agent is and how it is reached, what ends a conversation by itself, and what is kept of it. */
FocusScope {
    id: page

    required property SettingsViewModel settings
    /** Somebody comes to change the broker's address: the keyboard is there. */
    property bool isForAddress: false
    /** Somebody comes to have conversations kept: likewise. */
    property bool isForKeeping: false
    /** Somebody comes to change how others are reached: likewise. */
    property bool isForNetwork: false
    /** Somebody comes to name a project: likewise. */
    property bool isForProject: false
    signal backWanted()
    signal usageWanted()

    focus: true
    Keys.onEscapePressed: page.backWanted()
    Keys.onPressed: event => area.turn(event)
    T.StackView.onActivated: {
        page.settings.isShown = true;
        if (page.isForAddress)
            agent.showAddress();
        if (page.isForProject)
            agent.showProject();
        if (page.isForKeeping)
            keeping.keep.forceActiveFocus(Qt.TabFocusReason);
        if (page.isForNetwork) {
            network.show();
            area.lead(network);
        }
    }
    T.StackView.onDeactivating: page.settings.isShown = false
    Component.onDestruction: page.settings.isShown = false

    ColumnLayout {
        anchors.fill: parent
        spacing: 0

        PageHeader {
            Layout.fillWidth: true
            Layout.leftMargin: Theme.inside
            Layout.rightMargin: Theme.edge
            Layout.preferredHeight: 48
            title: qsTr("Settings")
            onBackWanted: page.backWanted()
        }
        Scroller {
            id: area

            objectName: "settingsArea"
            Layout.fillWidth: true
            Layout.fillHeight: true
            contentHeight: column.implicitHeight + Theme.edge + Theme.inside

            ColumnLayout {
                id: column

                x: Math.max(Theme.edge, (area.width - width) / 2)
                y: Theme.inside
                width: Math.min(area.width - 2 * Theme.edge, 560)
                spacing: Theme.between

                Words {
                    objectName: "saveFault"
                    Layout.fillWidth: true
                    visible: text !== ""
                    text: page.settings.saveFault
                    color: Theme.bad
                    size: Theme.small
                    wrapMode: Text.Wrap
                    Accessible.role: Accessible.AlertMessage
                    Accessible.name: text
                }
                SoundCard {
                    Layout.fillWidth: true
                    settings: page.settings
                }
                Card {
                    Layout.fillWidth: true
                    title: qsTr("Talking")

                    Segments {
                        objectName: "talkMode"
                        Layout.fillWidth: true
                        name: qsTr("How you talk")
                        options: [qsTr("Open microphone"), qsTr("Push to talk")]
                        current: page.settings.talkMode
                        onChosen: index => page.settings.talkMode = index
                    }
                    Words {
                        Layout.fillWidth: true
                        text: page.settings.talkMode === 0 ? qsTr("Just talk. Space mutes and unmutes.") : qsTr("Only what you say while you hold space or the button is heard.")
                        size: Theme.small
                        isSoft: true
                        wrapMode: Text.Wrap
                    }
                }
                Card {
                    Layout.fillWidth: true
                    title: qsTr("Look")

                    Segments {
                        objectName: "colourScheme"
                        Layout.fillWidth: true
                        name: qsTr("Colours")
                        options: [qsTr("System"), qsTr("Light"), qsTr("Dark")]
                        current: page.settings.colourScheme
                        onChosen: index => page.settings.colourScheme = index
                    }
                    Toggle {
                        objectName: "reducedMotion"
                        Layout.fillWidth: true
                        text: qsTr("Reduce motion")
                        explanation: qsTr("A level bar in place of the string")
                        checked: page.settings.isMotionReduced
                        onToggled: page.settings.isMotionReduced = checked
                    }
                }
                ProfileCard {
                    id: agent

                    Layout.fillWidth: true
                    settings: page.settings
                }
                ChoiceCard {
                    Layout.fillWidth: true
                    visible: page.settings.profile === 1
                    choice: page.settings.choice
                }
                NetworkCard {
                    id: network

                    Layout.fillWidth: true
                    network: page.settings.network
                    onFaultTold: sentence => area.reveal(sentence)
                }
                ToolsCard {
                    Layout.fillWidth: true
                    visible: page.settings.tools.isThere
                    tools: page.settings.tools
                }
                AccessCard {
                    Layout.fillWidth: true
                    settings: page.settings
                }
                LimitsCard {
                    Layout.fillWidth: true
                    settings: page.settings
                    onUsageWanted: page.usageWanted()
                }
                KeepingCard {
                    id: keeping

                    Layout.fillWidth: true
                    settings: page.settings
                }
            }
        }
    }
}
