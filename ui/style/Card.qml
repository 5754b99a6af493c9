import QtQuick
import QtQuick.Layouts

/** A surface with things one below the other. */
Rectangle {
    id: card

    default property alias content: column.data
    property string title

    implicitWidth: column.implicitWidth + 2 * Theme.edge
    implicitHeight: column.implicitHeight + 2 * Theme.edge
    radius: Theme.radius
    color: Theme.surface
    border.width: 1
    border.color: Theme.line

    ColumnLayout {
        id: column

        anchors.fill: parent
        anchors.margins: Theme.edge
        spacing: Theme.between

        Words {
            Layout.fillWidth: true
            visible: card.title !== ""
            text: card.title
            isStrong: true
            wrapMode: Text.Wrap
            Accessible.role: Accessible.Heading
            Accessible.name: text
        }
    }
}
