import QtQuick
import QtQuick.Layouts
import Vivavoce.Style
import Vivavoce.Usage

/** Today beside this month, by kind: what is indented adds up to the line above it. */
ColumnLayout {
    id: table

    required property usageWords today
    required property usageWords month
    /** Name, today, month, and whether it is a part of the line above. */
    readonly property var rows: [
        [qsTr("Conversations"), today.conversations, month.conversations, false],
        [qsTr("Minutes"), today.minutes, month.minutes, false],
        [qsTr("Tokens in"), today.allIn, month.allIn, false],
        [qsTr("Speech"), today.speechIn, month.speechIn, true],
        [qsTr("Text"), today.textIn, month.textIn, true],
        [qsTr("From cache"), today.cachedIn, month.cachedIn, true],
        [qsTr("Tokens out"), today.allOut, month.allOut, false],
        [qsTr("Speech"), today.speechOut, month.speechOut, true],
        [qsTr("Text"), today.textOut, month.textOut, true],
        ...(month.writing === "" ? [] : [[qsTr("Writing down"), today.writing === "" ? "0" : today.writing, month.writing, false]]),
        [qsTr("Cost"), today.money, month.money, false]
    ]

    spacing: 6

    component Figure: Words {
        Accessible.ignored: true
        Layout.preferredWidth: 76
        horizontalAlignment: Text.AlignRight
        elide: Text.ElideRight
        size: Theme.small
    }

    // Each row says the heads of its columns itself.
    RowLayout {
        Words {
            Accessible.ignored: true
            Layout.fillWidth: true
        }
        Figure {
            text: qsTr("Today")
            size: Theme.tiny
            isSoft: true
        }
        Figure {
            text: qsTr("This month")
            size: Theme.tiny
            isSoft: true
        }
    }
    Repeater {
        model: table.rows

        RowLayout {
            id: row

            required property var modelData
            readonly property bool isPart: modelData[3]

            Layout.fillWidth: true
            Accessible.role: Accessible.Row
            Accessible.name: qsTr("%1: today %2, this month %3").arg(modelData[0]).arg(modelData[1]).arg(modelData[2])

            Words {
                Accessible.ignored: true
                Layout.fillWidth: true
                Layout.leftMargin: row.isPart ? Theme.between : 0
                text: row.modelData[0]
                size: Theme.small
                isSoft: row.isPart
                wrapMode: Text.Wrap
            }
            Figure {
                text: row.modelData[1]
                isSoft: row.isPart
            }
            Figure {
                text: row.modelData[2]
                isSoft: row.isPart
            }
        }
    }
    Words {
        objectName: "pricesOf"
        Layout.fillWidth: true
        text: table.month.pricesOf === "" ? qsTr("Nothing of it had a price. Days and months begin at midnight UTC.") : qsTr("An estimate, with prices of %1. Days and months begin at midnight UTC.").arg(table.month.pricesOf)
        size: Theme.tiny
        isSoft: true
        wrapMode: Text.Wrap
    }
}
