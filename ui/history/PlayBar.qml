import QtQuick
import QtQuick.Layouts
import Vivavoce.History
import Vivavoce.Style

/** How far the sound of a conversation is, and its end. */
RowLayout {
    id: bar

    required property HistoryViewModel history

    spacing: Theme.between

    Rectangle {
        Layout.fillWidth: true
        Layout.preferredHeight: 4
        radius: 2
        color: Theme.line
        Accessible.role: Accessible.ProgressBar
        Accessible.name: qsTr("Playing, %1").arg(bar.history.playTime)

        Rectangle {
            width: parent.width * Math.min(1, bar.history.playPosition)
            height: parent.height
            radius: parent.radius
            color: Theme.ink
        }
    }
    Words {
        objectName: "playTime"
        text: bar.history.playTime
        size: Theme.small
        isSoft: true
        Accessible.ignored: true
    }
    PushButton {
        objectName: "stopPlaying"
        text: qsTr("Stop")
        glyph: "stop"
        onClicked: bar.history.stopPlaying()
    }
}
