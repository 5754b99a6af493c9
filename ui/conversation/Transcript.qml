import QtQuick
import QtQuick.Templates as T
import Vivavoce.Conversation
import Vivavoce.Style

/** What was said. Follows the end unless the reader has scrolled up. */
Item {
    id: transcript

    required property ConversationViewModel conversation
    /** 68 characters of body text. */
    readonly property real measure: letters.advanceWidth + 15
    property bool isFollowing: true

    function showEnd() {
        isFollowing = true;
        list.positionViewAtEnd();
    }

    TextMetrics {
        id: letters

        font.pixelSize: Theme.body
        // As wide as English is on average.
        text: "the quick brown fox jumps over the lazy dog, and then it goes home to"
    }
    Timer {
        id: toEnd

        // After the lines have their heights.
        interval: 0
        onTriggered: if (transcript.isFollowing)
            list.positionViewAtEnd()
    }
    ListView {
        id: list

        objectName: "transcript"
        anchors.fill: parent
        anchors.leftMargin: Theme.edge
        clip: true
        spacing: Theme.edge
        boundsBehavior: Flickable.StopAtBounds
        cacheBuffer: 400
        activeFocusOnTab: count > 0
        model: transcript.conversation.transcript
        Accessible.role: Accessible.List
        Accessible.name: qsTr("Transcript")
        Keys.onUpPressed: flick(0, 900)
        Keys.onDownPressed: flick(0, -900)
        Keys.onPressed: event => {
            if (event.key === Qt.Key_End) {
                transcript.showEnd();
                event.accepted = true;
            } else if (event.key === Qt.Key_Home) {
                transcript.isFollowing = false;
                positionViewAtBeginning();
                event.accepted = true;
            } else if (event.key === Qt.Key_PageUp || event.key === Qt.Key_PageDown) {
                // Two lines of it stay in sight.
                const page = (event.key === Qt.Key_PageUp ? -1 : 1) * Math.max(Theme.target, height - 2 * Theme.target);
                transcript.isFollowing = false;
                cancelFlick();
                contentY += page;
                // How long it is has been a guess, before the lines there were made.
                contentY = Math.max(originY, Math.min(contentY, originY + contentHeight - height));
                transcript.isFollowing = atYEnd;
                event.accepted = true;
            }
        }
        onMovementEnded: transcript.isFollowing = atYEnd
        onMovementStarted: transcript.isFollowing = false
        onContentHeightChanged: toEnd.restart()
        onHeightChanged: toEnd.restart()

        delegate: TranscriptLine {
            x: Math.max(0, (list.width - width - Theme.edge) / 2)  // qmllint disable unqualified
            width: Math.min(list.width - Theme.edge, transcript.measure)  // qmllint disable unqualified
        }
        header: Item {
            implicitHeight: Theme.inside
        }
        footer: Item {
            width: ListView.view ? ListView.view.width - Theme.edge : 0
            implicitHeight: save.visible ? save.height + 2 * Theme.edge : Theme.edge

            PushButton {
                id: save

                objectName: "exportTranscript"
                anchors.horizontalCenter: parent ? parent.horizontalCenter : undefined
                y: Theme.edge
                visible: list.count > 0 && !transcript.conversation.isRunning  // qmllint disable unqualified
                isStrong: false
                size: Theme.small
                text: qsTr("Save as a file")
                onClicked: transcript.conversation.exportTranscript()  // qmllint disable unqualified
            }
        }
        T.ScrollBar.vertical: ScrollStrip {
            objectName: "transcriptBar"
            // A drag of it is no movement to the list.
            onPressedChanged: transcript.isFollowing = !pressed && list.atYEnd
        }
    }
    // Where a line leaves the list it goes softly: cut letters look like a fault.
    Rectangle {
        objectName: "topFade"
        anchors.top: list.top
        anchors.left: list.left
        anchors.right: list.right
        anchors.rightMargin: Theme.edge
        height: 28
        visible: !list.atYBeginning
        gradient: Gradient {
            GradientStop { position: 0; color: Theme.paper }
            GradientStop { position: 0.35; color: Theme.tint(Theme.paper, 0.85) }
            GradientStop { position: 1; color: Theme.tint(Theme.paper, 0) }
        }
    }
    Rectangle {
        objectName: "bottomFade"
        anchors.bottom: list.bottom
        anchors.left: list.left
        anchors.right: list.right
        anchors.rightMargin: Theme.edge
        height: 28
        visible: !list.atYEnd
        gradient: Gradient {
            GradientStop { position: 0; color: Theme.tint(Theme.paper, 0) }
            GradientStop { position: 0.65; color: Theme.tint(Theme.paper, 0.85) }
            GradientStop { position: 1; color: Theme.paper }
        }
    }
    FocusRing {
        objectName: "transcriptRing"
        around: list
        anchors.margins: 2
    }
    Words {
        objectName: "emptyTranscript"
        anchors.centerIn: parent
        width: Math.min(parent.width - 4 * Theme.edge, 320)
        visible: list.count === 0 && transcript.conversation.voice !== Ui.Failed
        text: qsTr("What you say and hear will be written here.")
        size: Theme.small
        isSoft: true
        horizontalAlignment: Text.AlignHCenter
        wrapMode: Text.Wrap
    }
    PushButton {
        objectName: "showEnd"
        anchors.horizontalCenter: parent.horizontalCenter
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.inside
        visible: !transcript.isFollowing && list.contentHeight > list.height && !list.atYEnd
        isPrimary: true
        corner: height / 2
        glyph: "chevron-down"
        text: qsTr("Newest")
        onClicked: transcript.showEnd()
    }
}
