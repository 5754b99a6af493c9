import QtQuick
import QtQuick.Layouts
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

    implicitHeight: column.implicitHeight + 2 * Theme.between
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
    ColumnLayout {
        id: column

        anchors.left: parent.left
        anchors.right: remove.left
        anchors.leftMargin: Theme.edge
        anchors.verticalCenter: parent.verticalCenter
        spacing: 2

        RowLayout {
            spacing: Theme.inside

            Words {
                text: row.when
                size: Theme.small
                isStrong: true
                Accessible.ignored: true
            }
            Words {
                Layout.fillWidth: true
                text: row.detail
                size: Theme.small
                isSoft: true
                elide: Text.ElideRight
                Accessible.ignored: true
            }
        }
        Words {
            Layout.fillWidth: true
            text: row.words
            textFormat: Text.PlainText
            maximumLineCount: 2
            wrapMode: Text.Wrap
            elide: Text.ElideRight
            Accessible.ignored: true
        }
    }
    IconButton {
        id: remove

        objectName: "deleteRow"
        anchors.right: parent.right
        anchors.rightMargin: Theme.inside
        anchors.verticalCenter: parent.verticalCenter
        // By keyboard it is the Delete key on the row.
        focusPolicy: Qt.NoFocus
        glyph: "close"
        text: qsTr("Delete the conversation of %1").arg(row.when)
        hint: qsTr("Delete")
        hue: Theme.soft
        onClicked: row.deletionWanted()
    }
}
