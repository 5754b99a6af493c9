import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import Vivavoce.History
import Vivavoce.Style

/** A kept conversation, to read. */
FocusScope {
    id: saved

    required property HistoryViewModel history
    readonly property bool isOpen: history.isOpen
    /** The line to begin at, until somebody goes elsewhere; -1: none. */
    property int sought: -1

    function seek() {
        if (saved.sought >= 0)
            list.positionViewAtIndex(saved.sought, ListView.Beginning);
    }

    onIsOpenChanged: {
        saved.sought = saved.isOpen ? saved.history.foundRow : -1;
        saved.seek();
    }

    Timer {
        id: settled

        interval: 0
        onTriggered: saved.seek()
    }
    ColumnLayout {
        anchors.fill: parent
        spacing: Theme.between

        ListView {
            id: list

            objectName: "savedLines"
            Layout.fillWidth: true
            Layout.fillHeight: true
            clip: true
            focus: true
            spacing: Theme.edge
            boundsBehavior: Flickable.StopAtBounds
            activeFocusOnTab: true
            // Lines that are made ahead, at leisure, are still asked for when the conversation is gone.
            cacheBuffer: 0
            model: saved.history.lines
            Accessible.role: Accessible.List
            Accessible.name: qsTr("Transcript")
            Keys.onUpPressed: flick(0, 900)
            Keys.onDownPressed: flick(0, -900)
            Keys.onPressed: event => {
                if (event.key === Qt.Key_PageUp || event.key === Qt.Key_PageDown) {
                    // Two lines of it stay in sight.
                    const page = (event.key === Qt.Key_PageUp ? -1 : 1) * Math.max(Theme.target, height - 2 * Theme.target);
                    cancelFlick();
                    contentY += page;
                    // How long it is has been a guess, before the lines there were made.
                    contentY = Math.max(originY, Math.min(contentY, originY + contentHeight - height));
                } else if (event.key === Qt.Key_Home) {
                    positionViewAtBeginning();
                } else if (event.key === Qt.Key_End) {
                    // Likewise.
                    positionViewAtEnd();
                    positionViewAtEnd();
                } else {
                    return;
                }
                saved.sought = -1;
                event.accepted = true;
            }
            onMovementStarted: saved.sought = -1
            // What was not laid out yet had no place for it.
            onWidthChanged: settled.restart()
            onHeightChanged: settled.restart()

            delegate: SavedLine {
                required property int index

                objectName: "savedLine"
                // The list is as wide as the window, its scroll bar at the edge.
                x: Math.max(Theme.edge, (list.width - width) / 2)  // qmllint disable unqualified
                width: Math.max(0, Math.min(list.width - 2 * Theme.edge, 720))  // qmllint disable unqualified
                canPlay: saved.history.canPlay  // qmllint disable unqualified
                onPlayWanted: saved.history.playFrom(index)  // qmllint disable unqualified
            }
            header: Item {
                implicitHeight: Theme.inside
            }
            footer: Item {
                implicitHeight: Theme.inside
            }
            T.ScrollBar.vertical: ScrollStrip {
                objectName: "savedBar"
                onPressedChanged: saved.sought = -1
            }
        }
        PlayBar {
            objectName: "playBar"
            Layout.fillWidth: true
            Layout.maximumWidth: 720
            Layout.alignment: Qt.AlignHCenter
            Layout.leftMargin: Theme.edge
            Layout.rightMargin: Theme.edge
            visible: saved.history.isPlaying
            history: saved.history
        }
        Flow {
            Layout.fillWidth: true
            Layout.maximumWidth: 720
            Layout.alignment: Qt.AlignHCenter
            Layout.leftMargin: Theme.edge
            Layout.rightMargin: Theme.edge
            Layout.bottomMargin: Theme.edge
            visible: saved.history.question === ""
            spacing: Theme.inside

            PushButton {
                objectName: "exportOpen"
                isPrimary: true
                text: qsTr("Save as a file")
                onClicked: saved.history.exportOpen()
            }
            PushButton {
                objectName: "deleteOpen"
                text: qsTr("Delete")
                hue: Theme.bad
                onClicked: saved.history.askToDeleteOpen()
            }
        }
    }
}
