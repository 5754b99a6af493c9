import QtQuick
import QtQuick.Layouts
import Vivavoce.Settings
import Vivavoce.Style

/** How the tokens of a broker are looked after. */
Card {
    id: card

    required property SettingsViewModel settings

    title: qsTr("Access")

    component Name: Words {
        Layout.fillWidth: true
        Layout.bottomMargin: -6
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
        // What is chosen from below it has its name.
        Accessible.ignored: true
    }

    Toggle {
        objectName: "autoRefresh"
        Layout.fillWidth: true
        text: qsTr("Renew access in the background")
        explanation: qsTr("Without it a token serves until its end, and the next connection asks for another.")
        checked: card.settings.isAutoRefreshed
        onToggled: card.settings.isAutoRefreshed = checked
    }
    Name {
        visible: card.settings.isAutoRefreshed
        text: qsTr("Renew a token, at the latest")
    }
    Choice {
        objectName: "refreshThreshold"
        Layout.fillWidth: true
        visible: card.settings.isAutoRefreshed
        model: card.settings.refreshThresholds
        currentIndex: card.settings.refreshThreshold
        Accessible.name: qsTr("Renew a token, at the latest")
        onActivated: index => card.settings.refreshThreshold = index
    }
    Name {
        text: qsTr("When a conversation cannot begin, try again")
    }
    Choice {
        objectName: "retryCount"
        Layout.fillWidth: true
        model: card.settings.retryCounts
        currentIndex: card.settings.retryCount
        Accessible.name: qsTr("When a conversation cannot begin, try again")
        onActivated: index => card.settings.retryCount = index
    }
    Words {
        Layout.fillWidth: true
        text: qsTr("They hold from the next conversation on. The broker may want a token renewed earlier.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
}
