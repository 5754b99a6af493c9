import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import Vivavoce.History
import Vivavoce.Style

/** A kept conversation, to read. */
FocusScope {
    id: saved

    required property HistoryViewModel history

    ColumnLayout {
        anchors.fill: parent
        spacing: Theme.between

        ListView {
            id: list

            objectName: "savedLines"
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.leftMargin: Theme.edge
            Layout.rightMargin: Theme.edge
            Layout.maximumWidth: 720
            Layout.alignment: Qt.AlignHCenter
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
                if (event.key === Qt.Key_Home || event.key === Qt.Key_End) {
                    if (event.key === Qt.Key_Home)
                        positionViewAtBeginning();
                    else
                        positionViewAtEnd();
                    event.accepted = true;
                }
            }

            delegate: SavedLine {
                required property int index

                objectName: "savedLine"
                width: list.width  // qmllint disable unqualified
                canPlay: saved.history.canPlay  // qmllint disable unqualified
                onPlayWanted: saved.history.playFrom(index)  // qmllint disable unqualified
            }
            header: Item {
                implicitHeight: Theme.inside
            }
            footer: Item {
                implicitHeight: Theme.inside
            }
            T.ScrollBar.vertical: ScrollStrip {}
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
