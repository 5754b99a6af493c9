import QtQuick
import QtQuick.Layouts
import Vivavoce.Style

/** One turn: who, and what they said. Not final: softer. */
Item {
    id: line

    required property bool isUser
    required property string words
    required property bool isFinal
    required property bool wasInterrupted
    /** So much of an interrupted reply was heard. */
    required property int heardLength
    required property int index
    readonly property string speaker: isUser ? qsTr("You") : qsTr("Agent")
    readonly property string heard: words.substring(0, heardLength)
    readonly property string unheard: words.substring(heardLength)
    readonly property color hue: isUser ? Theme.you : Theme.agent

    // Foreign words are words, never mark-up.
    function escaped(text: string): string {
        return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\n/g, "<br>");
    }

    implicitHeight: row.implicitHeight
    Accessible.role: Accessible.ListItem
    Accessible.name: speaker + ": " + (wasInterrupted ? heard : words) + (wasInterrupted ? ", " + qsTr("interrupted") : "")

    RowLayout {
        id: row

        width: parent.width
        spacing: Theme.between

        Rectangle {
            Layout.fillHeight: true
            Layout.preferredWidth: 3
            radius: 1.5
            color: line.hue
            opacity: line.isFinal ? 1 : 0.5
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
                    visible: line.wasInterrupted
                    text: "· " + qsTr("interrupted")
                    size: Theme.small
                    isSoft: true
                }
            }
            Words {
                objectName: "words"
                Accessible.ignored: true
                Layout.fillWidth: true
                visible: !line.wasInterrupted
                text: line.words === "" ? "…" : line.words
                color: line.isFinal ? Theme.ink : Theme.soft
                wrapMode: Text.Wrap
                lineHeight: 1.1
            }
            // Apart from the other: where one text changes to mark-up and back, foreign words are taken for it in between, and what they name is loaded.
            Words {
                objectName: "partlyHeard"
                Accessible.ignored: true
                Layout.fillWidth: true
                visible: line.wasInterrupted
                textFormat: Text.StyledText
                text: line.escaped(line.heard) + " — <font color=\"" + Theme.soft + "\">" + line.escaped(line.unheard) + "</font>"
                color: line.isFinal ? Theme.ink : Theme.soft
                wrapMode: Text.Wrap
                lineHeight: 1.1
            }
        }
    }
}
