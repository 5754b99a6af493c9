import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import Vivavoce.History
import Vivavoce.Style

/** What was kept: the list, and one of it to read. */
FocusScope {
    id: page

    required property HistoryViewModel history
    readonly property bool isOpen: history.isOpen
    readonly property bool isAsking: history.question !== ""
    signal backWanted()
    /** To where keeping is turned on. */
    signal keepingWanted()

    function goBack() {
        if (page.isAsking)
            page.history.cancelDeletion();
        else if (page.isOpen)
            page.history.close();
        else
            page.backWanted();
    }

    /** To what there is to be used now. No other page loses it: this one's own focus moves. */
    function moveKeyboard() {
        if (page.isAsking)
            keep.focus = true;
        else if (page.isOpen)
            transcript.focus = true;
        else
            list.focus = true;
    }

    focus: true
    Keys.onEscapePressed: page.goBack()
    onIsOpenChanged: settled.restart()
    onIsAskingChanged: settled.restart()
    T.StackView.onActivated: page.history.refresh()
    T.StackView.onDeactivating: page.history.stopPlaying()
    T.StackView.onRemoved: page.history.stopPlaying()
    Component.onCompleted: page.history.refresh()

    // When all of it is what it becomes.
    Timer {
        id: settled

        interval: 0
        onTriggered: page.moveKeyboard()
    }
    ColumnLayout {
        anchors.fill: parent
        spacing: 0

        PageHeader {
            Layout.fillWidth: true
            Layout.leftMargin: Theme.inside
            Layout.rightMargin: Theme.edge
            Layout.preferredHeight: 48
            title: page.isOpen ? page.history.openWhen : qsTr("Conversations")
            onBackWanted: page.goBack()
        }
        Words {
            objectName: "historyFault"
            Layout.fillWidth: true
            Layout.maximumWidth: 720
            Layout.alignment: Qt.AlignHCenter
            Layout.margins: Theme.edge
            visible: text !== ""
            text: page.history.fault
            color: Theme.bad
            size: Theme.small
            wrapMode: Text.Wrap
            Accessible.role: Accessible.AlertMessage
            Accessible.name: text
        }
        SavedList {
            id: list

            Layout.fillWidth: true
            Layout.fillHeight: true
            visible: !page.isOpen
            focus: true
            history: page.history
            onKeepingWanted: page.keepingWanted()
        }
        SavedTranscript {
            id: transcript

            Layout.fillWidth: true
            Layout.fillHeight: true
            visible: page.isOpen
            history: page.history
        }
        Card {
            objectName: "deletionCard"
            Layout.fillWidth: true
            Layout.maximumWidth: 720
            Layout.alignment: Qt.AlignHCenter
            Layout.margins: Theme.edge
            visible: page.isAsking

            Words {
                objectName: "deletionQuestion"
                Layout.fillWidth: true
                text: page.history.question
                wrapMode: Text.Wrap
                Accessible.role: Accessible.AlertMessage
                Accessible.name: text
            }
            Flow {
                Layout.fillWidth: true
                spacing: Theme.inside

                PushButton {
                    id: keep

                    objectName: "cancelDeletion"
                    isPrimary: true
                    text: qsTr("Keep")
                    onClicked: page.history.cancelDeletion()
                }
                PushButton {
                    objectName: "confirmDeletion"
                    text: qsTr("Delete")
                    hue: Theme.bad
                    onClicked: page.history.confirmDeletion()
                }
            }
        }
    }
}
