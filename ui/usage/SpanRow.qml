import QtQuick
import QtQuick.Layouts
import Vivavoce.Style

/** A day or a month: what it came to, and of what. */
ColumnLayout {
    id: row

    required property string when
    required property string money
    required property string detail
    required property string parts

    spacing: 2
    Accessible.role: Accessible.ListItem
    Accessible.name: when + ", " + money + ". " + detail + ". " + parts

    RowLayout {
        spacing: Theme.inside

        Words {
            Layout.fillWidth: true
            text: row.when
            isStrong: true
            elide: Text.ElideRight
            Accessible.ignored: true
        }
        Words {
            text: row.money
            Accessible.ignored: true
        }
    }
    Words {
        Layout.fillWidth: true
        text: row.detail
        size: Theme.small
        wrapMode: Text.Wrap
        Accessible.ignored: true
    }
    Words {
        Layout.fillWidth: true
        text: row.parts
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
        Accessible.ignored: true
    }
}
