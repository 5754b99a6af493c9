import QtQuick
import QtQuick.Layouts
import Vivavoce.Style

/** One turn of a kept conversation: who, when, and what was heard. */
Item {
    id: line

    required property bool isUser
    required property string words
    required property bool wasInterrupted
    required property string at
    required property bool hasSound
    required property bool isHeard
    property bool canPlay: false
    signal playWanted()

    readonly property string speaker: isUser ? qsTr("You") : qsTr("Agent")
    readonly property color hue: isUser ? Theme.you : Theme.agent

    implicitHeight: row.implicitHeight
    Accessible.role: Accessible.ListItem
    Accessible.name: speaker + ", " + at + ": " + words + (wasInterrupted ? ", " + qsTr("interrupted") : "") + (isHeard ? ", " + qsTr("is being played") : "")

    RowLayout {
        id: row

        width: parent.width
        spacing: Theme.between

        Rectangle {
            Layout.fillHeight: true
            Layout.preferredWidth: line.isHeard ? 5 : 3
            Layout.leftMargin: line.isHeard ? 0 : 1
            Layout.rightMargin: line.isHeard ? 0 : 1
            radius: width / 2
            color: line.hue
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 2

            RowLayout {
                spacing: Theme.inside

                Words {
                    Accessible.ignored: true
                    text: line.speaker
                    size: Theme.small
                    isStrong: true
                    color: line.hue
                }
                Words {
                    Accessible.ignored: true
                    text: "· " + line.at + (line.wasInterrupted ? " · " + qsTr("interrupted") : "")
                    size: Theme.small
                    isSoft: true
                }
            }
            Words {
                Accessible.ignored: true
                Layout.fillWidth: true
                textFormat: Text.PlainText
                text: line.words + (line.wasInterrupted ? " —" : "")
                wrapMode: Text.Wrap
                lineHeight: 1.1
            }
        }
        IconButton {
            objectName: "playLine"
            Layout.alignment: Qt.AlignTop
            visible: line.hasSound
            enabled: line.canPlay
            glyph: line.isHeard ? "stop" : "play"
            text: line.isHeard ? qsTr("Stop") : qsTr("Play from here, %1, %2").arg(line.speaker).arg(line.at)
            hint: line.isHeard ? qsTr("Stop") : qsTr("Play from here")
            hue: line.isHeard ? Theme.ink : Theme.soft
            onClicked: line.playWanted()
        }
    }
}
