import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import Vivavoce.History
import Vivavoce.Style

/** The kept conversations: looked for, opened, deleted. */
FocusScope {
    id: saved

    required property HistoryViewModel history
    signal keepingWanted()

    // When the rows are there that the list has come with.
    Timer {
        id: focused

        interval: 0
        onTriggered: if (list.activeFocus)
            list.show(list.currentIndex)
    }
    ColumnLayout {
        anchors.fill: parent
        spacing: Theme.between

        Field {
            id: search

            objectName: "search"
            Layout.fillWidth: true
            Layout.leftMargin: Theme.edge
            Layout.rightMargin: Theme.edge
            Layout.topMargin: Theme.inside
            Layout.maximumWidth: 720
            Layout.alignment: Qt.AlignHCenter
            visible: saved.history.hasAny
            focus: visible
            text: saved.history.words
            placeholderText: qsTr("Search what was said")
            maximumLength: 200
            Accessible.name: qsTr("Search what was said")
            onTextEdited: {
                list.currentIndex = 0;
                saved.history.words = text;
            }
            Keys.onDownPressed: if (list.count > 0)
                list.forceActiveFocus()
        }
        ListView {
            id: list

            /** What the keyboard goes to is seen as a whole. */
            function show(row: int) {
                if (count === 0)
                    return;
                currentIndex = Math.max(0, Math.min(row, count - 1));
                // How long it is has been a guess the first time, before the rows there were made.
                for (let i = 0; i < 2; ++i) {
                    if (currentIndex === 0)
                        positionViewAtBeginning();
                    else if (currentIndex === count - 1)
                        positionViewAtEnd();
                    else
                        positionViewAtIndex(currentIndex, ListView.Contain);
                }
            }

            function rowsInSight(): int {
                return currentItem ? Math.max(1, Math.floor(height / (currentItem.height + spacing))) : 1;
            }

            objectName: "savedList"
            Layout.fillWidth: true
            Layout.fillHeight: true
            visible: count > 0
            clip: true
            spacing: Theme.inside
            boundsBehavior: Flickable.StopAtBounds
            activeFocusOnTab: true
            currentIndex: 0
            // It is followed at once: on its way through a long list it would not be seen.
            highlightMoveDuration: 0
            highlightMoveVelocity: -1
            // Rows that are made ahead, at leisure, are still asked for when a search has left fewer.
            cacheBuffer: 0
            model: saved.history.conversations
            Accessible.role: Accessible.List
            Accessible.name: qsTr("Kept conversations")
            Keys.onReturnPressed: (currentItem as SavedRow)?.clicked()
            Keys.onEnterPressed: (currentItem as SavedRow)?.clicked()
            Keys.onDeletePressed: (currentItem as SavedRow)?.deletionWanted()
            Keys.onPressed: event => {
                if (event.key === Qt.Key_Up)
                    show(currentIndex - 1);
                else if (event.key === Qt.Key_Down)
                    show(currentIndex + 1);
                else if (event.key === Qt.Key_PageUp)
                    show(currentIndex - rowsInSight());
                else if (event.key === Qt.Key_PageDown)
                    show(currentIndex + rowsInSight());
                else if (event.key === Qt.Key_Home)
                    show(0);
                else if (event.key === Qt.Key_End)
                    show(count - 1);
                else
                    return;
                event.accepted = true;
            }
            onActiveFocusChanged: focused.restart()

            delegate: SavedRow {
                required property int index

                objectName: "savedRow"
                // The list is as wide as the window, its scroll bar at the edge.
                x: Math.max(Theme.edge, (list.width - width) / 2)  // qmllint disable unqualified
                width: Math.max(0, Math.min(list.width - 2 * Theme.edge, 720))  // qmllint disable unqualified
                onClicked: {
                    list.currentIndex = index;  // qmllint disable unqualified
                    saved.history.open(conversationId);  // qmllint disable unqualified
                }
                onDeletionWanted: {
                    list.currentIndex = index;  // qmllint disable unqualified
                    saved.history.askToDelete(conversationId);  // qmllint disable unqualified
                }
            }
            footer: Item {
                implicitHeight: Theme.edge
            }
            T.ScrollBar.vertical: ScrollStrip {
                objectName: "savedListBar"
            }
        }
        ColumnLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            // Its own words are narrower, and stand in the middle of all there is.
            Layout.maximumWidth: Infinity
            Layout.leftMargin: 2 * Theme.edge
            Layout.rightMargin: 2 * Theme.edge
            visible: list.count === 0
            spacing: Theme.between

            Item {
                Layout.fillHeight: true
            }
            Words {
                objectName: "emptyHistory"
                Layout.fillWidth: true
                Layout.maximumWidth: 360
                Layout.alignment: Qt.AlignHCenter
                visible: saved.history.fault === ""
                text: saved.history.words !== "" && saved.history.hasAny ? qsTr("Nothing that was said has these words.") : saved.history.isKeeping ? qsTr("Nothing is kept yet. From now on, what you say and hear is kept here, line by line.") : qsTr("Conversations are not kept. You can have them kept on this computer, for you alone.")
                isSoft: true
                horizontalAlignment: Text.AlignHCenter
                wrapMode: Text.Wrap
            }
            PushButton {
                objectName: "keepingWanted"
                Layout.alignment: Qt.AlignHCenter
                visible: !saved.history.isKeeping && !saved.history.hasAny
                focus: visible
                text: qsTr("Settings")
                onClicked: saved.keepingWanted()
            }
            Item {
                Layout.fillHeight: true
            }
        }
        PushButton {
            objectName: "deleteAll"
            Layout.alignment: Qt.AlignHCenter
            Layout.bottomMargin: Theme.edge
            visible: saved.history.hasAny && saved.history.words === "" && saved.history.question === ""
            text: qsTr("Delete all")
            isStrong: false
            size: Theme.small
            hue: Theme.bad
            onClicked: saved.history.askToDeleteAll()
        }
    }
}
