import QtQuick
import Vivavoce.Style

/** A kept conversation in the list: a press opens it, the button asks whether to delete it. */
Rectangle {
    id: row

    required property string conversationId
    required property string when
    required property string detail
    required property string words
    signal clicked()
    signal deletionWanted()

    // Right from the start: a long list is gone through by it.
    implicitHeight: said.y + said.implicitHeight + Theme.between
    radius: Theme.radius
    color: hover.hovered ? Theme.raised : Theme.surface
    border.width: 1
    border.color: Theme.line
    Accessible.role: Accessible.ListItem
    Accessible.name: when + ", " + detail + ": " + words
    Accessible.onPressAction: row.clicked()

    HoverHandler {
        id: hover
    }
    TapHandler {
        onTapped: row.clicked()
    }
    FocusRing {
        around: row
        anchors.margins: -1
        isWanted: row.ListView.isCurrentItem && (row.ListView.view?.activeFocus ?? false)
    }
    Words {
        id: title

        x: Theme.edge
        y: Theme.between
        text: row.when
        size: Theme.small
        isStrong: true
        Accessible.ignored: true
    }
    Words {
        x: title.x + title.width + Theme.inside
        y: title.y
        width: Math.max(0, remove.x - x)
        text: row.detail
        size: Theme.small
        isSoft: true
        elide: Text.ElideRight
        Accessible.ignored: true
    }
    Words {
        id: said

        x: Theme.edge
        y: title.y + title.implicitHeight + 2
        width: Math.max(0, remove.x - x)
        text: row.words
        textFormat: Text.PlainText
        maximumLineCount: 2
        wrapMode: Text.Wrap
        elide: Text.ElideRight
        Accessible.ignored: true
    }
    IconButton {
        id: remove

        objectName: "deleteRow"
        x: row.width - width - Theme.inside
        y: (row.height - height) / 2
        // By keyboard it is the Delete key on the row.
        focusPolicy: Qt.NoFocus
        glyph: "close"
        text: qsTr("Delete the conversation of %1").arg(row.when)
        hint: qsTr("Delete")
        hue: Theme.soft
        onClicked: row.deletionWanted()
    }
}
