import QtQuick
import QtQuick.Layouts

/** The top of a page that one can leave. */
RowLayout {
    id: header

    required property string title
    signal backWanted()

    spacing: Theme.inside

    IconButton {
        objectName: "back"
        glyph: "back"
        text: qsTr("Back")
        onClicked: header.backWanted()
    }
    Words {
        Layout.fillWidth: true
        text: header.title
        size: Theme.title
        isStrong: true
        elide: Text.ElideRight
        Accessible.role: Accessible.Heading
        Accessible.name: text
    }
}
