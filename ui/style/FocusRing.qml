import QtQuick
import QtQuick.Templates as T

/** Around what has the keyboard. */
Rectangle {
    required property Item around
    property bool isWanted: around instanceof T.Control ? (around as T.Control).visualFocus : around.activeFocus
    /** Of what it surrounds. */
    property real corner: Theme.radius

    anchors.fill: parent
    anchors.margins: -3
    visible: isWanted
    color: "transparent"
    radius: corner + 3
    border.width: 2
    border.color: Theme.focus
}
