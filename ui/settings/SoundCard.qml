import QtQuick
import QtQuick.Layouts
import Vivavoce.Settings
import Vivavoce.Style

/** Which microphone and loudspeaker, how loud they are, and what is done to the voice. */
Card {
    id: card

    required property SettingsViewModel settings

    title: qsTr("Sound")

    component Name: Words {
        Layout.fillWidth: true
        Layout.bottomMargin: -6
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
        // What is chosen from below it has its name.
        Accessible.ignored: true
    }
    component Missing: RowLayout {
        id: missing

        property string text
        property string advice

        Layout.fillWidth: true
        spacing: Theme.inside

        Icon {
            Layout.alignment: Qt.AlignTop
            Layout.preferredWidth: 20
            Layout.preferredHeight: 20
            name: "warning"
            color: Theme.warn
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 2

            Words {
                Layout.fillWidth: true
                text: missing.text
                wrapMode: Text.Wrap
            }
            Words {
                Layout.fillWidth: true
                text: missing.advice
                size: Theme.small
                isSoft: true
                wrapMode: Text.Wrap
            }
        }
    }

    Name {
        text: qsTr("Microphone")
    }
    Missing {
        objectName: "noMicrophone"
        visible: card.settings.microphones.isEmpty
        text: qsTr("No microphone found")
        advice: qsTr("Connect one, or switch it on in the system's sound settings. It shows up here by itself. You can type meanwhile.")
    }
    Choice {
        objectName: "microphone"
        Layout.fillWidth: true
        visible: !card.settings.microphones.isEmpty
        model: card.settings.microphones
        textRole: "name"
        currentIndex: card.settings.microphone
        Accessible.name: qsTr("Microphone")
        onActivated: index => card.settings.microphone = index
    }
    LevelMeter {
        objectName: "microphoneLevel"
        Layout.fillWidth: true
        visible: !card.settings.microphones.isEmpty
        level: card.settings.microphoneLevel
        hue: Theme.you
        Accessible.name: qsTr("Microphone level")
    }
    Name {
        text: qsTr("Loudspeaker")
    }
    Missing {
        objectName: "noLoudspeaker"
        visible: card.settings.loudspeakers.isEmpty
        text: qsTr("No loudspeaker found")
        advice: qsTr("Connect one, or headphones. You can read what the agent says meanwhile.")
    }
    RowLayout {
        Layout.fillWidth: true
        visible: !card.settings.loudspeakers.isEmpty
        spacing: Theme.inside

        Choice {
            objectName: "loudspeaker"
            Layout.fillWidth: true
            model: card.settings.loudspeakers
            textRole: "name"
            currentIndex: card.settings.loudspeaker
            Accessible.name: qsTr("Loudspeaker")
            onActivated: index => card.settings.loudspeaker = index
        }
        PushButton {
            objectName: "playTone"
            glyph: "speaker"
            text: qsTr("Test")
            Accessible.name: qsTr("Play a tone")
            onClicked: card.settings.playTone()
        }
    }
    LevelMeter {
        objectName: "loudspeakerLevel"
        Layout.fillWidth: true
        visible: !card.settings.loudspeakers.isEmpty
        level: card.settings.loudspeakerLevel
        hue: Theme.agent
        Accessible.name: qsTr("Loudspeaker level")
    }
    Rectangle {
        Layout.fillWidth: true
        Layout.topMargin: 4
        Layout.preferredHeight: 1
        color: Theme.line
    }
    Toggle {
        objectName: "echo"
        Layout.fillWidth: true
        text: qsTr("Cancel echo")
        explanation: qsTr("So that the agent does not hear itself")
        checked: card.settings.isEchoCancelled
        onToggled: card.settings.isEchoCancelled = checked
    }
    Toggle {
        objectName: "noise"
        Layout.fillWidth: true
        text: qsTr("Suppress noise")
        checked: card.settings.isNoiseSuppressed
        onToggled: card.settings.isNoiseSuppressed = checked
    }
    Toggle {
        objectName: "gain"
        Layout.fillWidth: true
        text: qsTr("Even out loudness")
        checked: card.settings.isGainAutomatic
        onToggled: card.settings.isGainAutomatic = checked
    }
}
