import QtQuick
import QtQuick.Layouts
import Vivavoce.Settings
import Vivavoce.Style

/** What ends a conversation by itself. */
Card {
    id: card

    required property SettingsViewModel settings
    /** To what was used, and what a month may cost. */
    signal usageWanted()

    title: qsTr("Limits of a conversation")

    component Name: Words {
        Layout.fillWidth: true
        Layout.bottomMargin: -6
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
        // What is chosen from below it has its name.
        Accessible.ignored: true
    }

    Name {
        text: qsTr("What it may cost")
    }
    Choice {
        objectName: "spendLimit"
        Layout.fillWidth: true
        model: card.settings.spendLimits
        currentIndex: card.settings.spendLimit
        Accessible.name: qsTr("What a conversation may cost")
        onActivated: index => card.settings.spendLimit = index
    }
    Name {
        text: qsTr("When nobody says anything, end it")
    }
    Choice {
        objectName: "idleTime"
        Layout.fillWidth: true
        model: card.settings.idleTimes
        currentIndex: card.settings.idleTime
        Accessible.name: qsTr("When nobody says anything, end it")
        onActivated: index => card.settings.idleTime = index
    }
    Words {
        Layout.fillWidth: true
        text: qsTr("They hold from the next conversation on. What one costs is an estimate; the agent of this computer is free.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
    PushButton {
        objectName: "usageWanted"
        text: qsTr("Usage and limit of a month")
        size: Theme.small
        isStrong: false
        onClicked: card.usageWanted()
    }
}
