import QtQuick
import QtQuick.Layouts
import Vivavoce.Conversation
import Vivavoce.Style

/** Tokens by kind: last turn beside session. */
ColumnLayout {
    id: table

    required property UsageViewModel turn
    required property UsageViewModel session
    readonly property var kinds: [
        [qsTr("Speech in"), turn.audioIn, session.audioIn],
        [qsTr("Text in"), turn.textIn, session.textIn],
        [qsTr("From cache"), turn.cachedIn, session.cachedIn],
        [qsTr("Speech out"), turn.audioOut, session.audioOut],
        [qsTr("Text out"), turn.textOut, session.textOut]
    ]
    readonly property var writing: [qsTr("Writing down"), turn.transcription, session.transcription]
    readonly property var rows: session.transcription === "" ? kinds : [...kinds, writing]

    spacing: 6

    // Each row says the heads of its columns itself.
    RowLayout {
        Words {
            Accessible.ignored: true
            Layout.fillWidth: true
            text: qsTr("Tokens")
            size: Theme.tiny
            isSoft: true
        }
        Words {
            Accessible.ignored: true
            Layout.preferredWidth: 76
            horizontalAlignment: Text.AlignRight
            text: qsTr("Last turn")
            size: Theme.tiny
            isSoft: true
        }
        Words {
            Accessible.ignored: true
            Layout.preferredWidth: 76
            horizontalAlignment: Text.AlignRight
            text: qsTr("Session")
            size: Theme.tiny
            isSoft: true
        }
    }
    Repeater {
        model: table.rows

        RowLayout {
            id: row

            required property var modelData

            Layout.fillWidth: true
            Accessible.role: Accessible.Row
            Accessible.name: qsTr("%1: last turn %2, session %3").arg(modelData[0]).arg(modelData[1]).arg(modelData[2])

            Words {
                Accessible.ignored: true
                Layout.fillWidth: true
                text: row.modelData[0]
                size: Theme.small
                elide: Text.ElideRight
            }
            Words {
                Accessible.ignored: true
                Layout.preferredWidth: 76
                horizontalAlignment: Text.AlignRight
                text: row.modelData[1]
                size: Theme.small
                isSoft: true
            }
            Words {
                Accessible.ignored: true
                Layout.preferredWidth: 76
                horizontalAlignment: Text.AlignRight
                text: row.modelData[2]
                size: Theme.small
            }
        }
    }
    Rectangle {
        Layout.fillWidth: true
        Layout.preferredHeight: 1
        Layout.topMargin: 2
        Layout.bottomMargin: 2
        visible: table.session.money !== ""
        color: Theme.line
    }
    RowLayout {
        visible: table.session.money !== ""
        Accessible.role: Accessible.Row
        Accessible.name: qsTr("%1: last turn %2, session %3").arg(qsTr("Cost")).arg(table.turn.money).arg(table.session.money)

        Words {
            Accessible.ignored: true
            Layout.fillWidth: true
            text: qsTr("Cost")
            size: Theme.small
        }
        Words {
            Accessible.ignored: true
            Layout.preferredWidth: 76
            horizontalAlignment: Text.AlignRight
            text: table.turn.money
            size: Theme.small
            isSoft: true
        }
        Words {
            Accessible.ignored: true
            objectName: "sessionMoney"
            Layout.preferredWidth: 76
            horizontalAlignment: Text.AlignRight
            text: table.session.money
            size: Theme.small
            isStrong: true
        }
    }
    Words {
        Layout.fillWidth: true
        objectName: "pricesWords"
        visible: table.session.pricesAsOf !== "" || table.session.isPriceUnknown
        text: table.session.isPriceUnknown ? qsTr("What this model costs is not known here, and is not estimated.") : qsTr("An estimate, with prices of %1").arg(table.session.pricesAsOf)
        size: Theme.tiny
        isSoft: true
        wrapMode: Text.Wrap
    }
}
