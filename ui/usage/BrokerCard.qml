import QtQuick
import QtQuick.Layouts
import Vivavoce.Style
import Vivavoce.Usage

/** What was counted here beside what the broker has in its books. */
Card {
    id: card

    required property UsageBookViewModel usage

    title: qsTr("Beside the broker's books")

    Words {
        objectName: "comparison"
        Layout.fillWidth: true
        text: card.usage.isAsking ? qsTr("The broker is being asked.") : card.usage.comparison
        wrapMode: Text.Wrap
    }
    Words {
        objectName: "explanation"
        Layout.fillWidth: true
        visible: text !== ""
        text: card.usage.explanation
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
    Words {
        objectName: "lastConversation"
        Layout.fillWidth: true
        visible: text !== ""
        text: card.usage.lastConversation
        size: Theme.small
        wrapMode: Text.Wrap
    }
    PushButton {
        objectName: "askBroker"
        enabled: !card.usage.isAsking
        text: qsTr("Ask again")
        size: Theme.small
        isStrong: false
        onClicked: card.usage.askBroker()
    }
}
