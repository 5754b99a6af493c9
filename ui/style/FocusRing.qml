import QtQuick

/** Around what has the keyboard. */
Rectangle {
    required property Item around
    /** Of what it surrounds. */
    property real corner: Theme.radius

    anchors.fill: parent
    anchors.margins: -3
    visible: around.activeFocus && (around as Item)["visualFocus"] !== false
    color: "transparent"
    radius: corner + 3
    border.width: 2
    border.color: Theme.focus
}
