import QtQuick
import Vivavoce.Style

/** One turn of a kept conversation: who, when, and what was heard. Its height is right from the start: a long list is gone through by it. */
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

    implicitHeight: Math.max(said.y + said.implicitHeight, hasSound ? play.height : 0)
    Accessible.role: Accessible.ListItem
    Accessible.name: speaker + ", " + at + ": " + words + (wasInterrupted ? ", " + qsTr("interrupted") : "") + (isHeard ? ", " + qsTr("is being played") : "")

    Rectangle {
        x: line.isHeard ? 0 : 1
        width: line.isHeard ? 5 : 3
        height: parent.height
        radius: width / 2
        color: line.hue
    }
    Words {
        id: who

        Accessible.ignored: true
        x: 5 + Theme.between
        text: line.speaker
        size: Theme.small
        isStrong: true
        color: line.hue
    }
    Words {
        Accessible.ignored: true
        x: who.x + who.width + Theme.inside
        text: "· " + line.at + (line.wasInterrupted ? " · " + qsTr("interrupted") : "")
        size: Theme.small
        isSoft: true
    }
    Words {
        id: said

        objectName: "savedWords"
        Accessible.ignored: true
        x: who.x
        y: who.implicitHeight + 2
        width: Math.max(0, line.width - x - (line.hasSound ? play.width + Theme.between : 0))
        textFormat: Text.PlainText
        text: line.words + (line.wasInterrupted ? " —" : "")
        wrapMode: Text.Wrap
        lineHeight: 1.1
    }
    IconButton {
        id: play

        objectName: "playLine"
        x: line.width - width
        visible: line.hasSound
        enabled: line.canPlay
        glyph: line.isHeard ? "stop" : "play"
        text: line.isHeard ? qsTr("Stop") : qsTr("Play from here, %1, %2").arg(line.speaker).arg(line.at)
        hint: line.isHeard ? qsTr("Stop") : qsTr("Play from here")
        hue: line.isHeard ? Theme.ink : Theme.soft
        onClicked: line.playWanted()
    }
}
