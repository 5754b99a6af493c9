import QtQuick
import QtQuick.Layouts
import Vivavoce.Style
import Vivavoce.Usage

/** What all conversations of a month may cost. */
Card {
    id: card

    required property UsageBookViewModel usage

    title: qsTr("Limit of a month")

    Choice {
        objectName: "monthLimit"
        Layout.fillWidth: true
        model: card.usage.monthLimits
        currentIndex: card.usage.monthLimit
        Accessible.name: qsTr("What a month may cost")
        onActivated: index => card.usage.monthLimit = index
    }
    Words {
        objectName: "leftOfLimit"
        Layout.fillWidth: true
        visible: text !== ""
        text: card.usage.leftOfLimit
        size: Theme.small
        wrapMode: Text.Wrap
    }
    Words {
        Layout.fillWidth: true
        text: qsTr("It holds from the next conversation on, for what this computer counts with all brokers; the reply that uses it up is the last one.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
}
