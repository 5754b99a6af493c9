import QtQuick
import QtQuick.Layouts
import Vivavoce.Style

/** A sign and words, in the middle. */
Item {
    id: content

    required property string glyph
    required property string text
    required property color hue
    required property int size
    required property bool isStrong

    implicitWidth: row.implicitWidth
    implicitHeight: row.implicitHeight

    RowLayout {
        id: row

        anchors.centerIn: parent
        width: Math.min(implicitWidth, parent.width)
        spacing: Theme.inside

        Icon {
            Layout.preferredWidth: 20
            Layout.preferredHeight: 20
            visible: content.glyph !== ""
            name: content.glyph
            color: content.hue
        }
        Words {
            Layout.fillWidth: true
            visible: text !== ""
            text: content.text
            color: content.hue
            size: content.size
            isStrong: content.isStrong
            elide: Text.ElideRight
            Accessible.ignored: true
        }
    }
}
