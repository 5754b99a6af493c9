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
    readonly property string speaker: isUser ? qsTr("You") : qsTr("Agent")
    readonly property color hue: isUser ? Theme.you : Theme.agent

    implicitHeight: row.implicitHeight
    Accessible.role: Accessible.ListItem
    Accessible.name: speaker + ", " + at + ": " + words + (wasInterrupted ? ", " + qsTr("interrupted") : "")

    RowLayout {
        id: row

        width: parent.width
        spacing: Theme.between

        Rectangle {
            Layout.fillHeight: true
            Layout.preferredWidth: 3
            radius: 1.5
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
    }
}
