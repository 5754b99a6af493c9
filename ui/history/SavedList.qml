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
            onTextEdited: saved.history.words = text
            Keys.onDownPressed: if (list.count > 0)
                list.forceActiveFocus()
        }
        ListView {
            id: list

            objectName: "savedList"
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.leftMargin: Theme.edge
            Layout.rightMargin: Theme.edge
            Layout.maximumWidth: 720
            Layout.alignment: Qt.AlignHCenter
            visible: count > 0
            clip: true
            spacing: Theme.inside
            boundsBehavior: Flickable.StopAtBounds
            activeFocusOnTab: true
            keyNavigationEnabled: true
            currentIndex: 0
            // Rows that are made ahead, at leisure, are still asked for when a search has left fewer.
            cacheBuffer: 0
            model: saved.history.conversations
            Accessible.role: Accessible.List
            Accessible.name: qsTr("Kept conversations")
            Keys.onReturnPressed: (currentItem as SavedRow)?.clicked()
            Keys.onEnterPressed: (currentItem as SavedRow)?.clicked()
            Keys.onDeletePressed: (currentItem as SavedRow)?.deletionWanted()
            Keys.onPressed: event => {
                if (event.key === Qt.Key_Home || event.key === Qt.Key_End) {
                    currentIndex = event.key === Qt.Key_Home ? 0 : count - 1;
                    event.accepted = true;
                }
            }

            delegate: SavedRow {
                objectName: "savedRow"
                width: list.width  // qmllint disable unqualified
                onClicked: saved.history.open(conversationId)  // qmllint disable unqualified
                onDeletionWanted: saved.history.askToDelete(conversationId)  // qmllint disable unqualified
            }
            footer: Item {
                implicitHeight: Theme.edge
            }
            T.ScrollBar.vertical: ScrollStrip {}
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
