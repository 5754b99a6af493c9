import QtQuick

/** How loud it is, from 0 to 1. */
Rectangle {
    id: meter

    property real level: 0
    property color hue: Theme.you
    // By these names a screen reader asks for them.
    readonly property int value: Math.round(100 * Math.min(1, Math.max(0, level)))
    readonly property int minimumValue: 0
    readonly property int maximumValue: 100

    implicitWidth: 120
    implicitHeight: 6
    radius: height / 2
    color: Theme.isHighContrast ? Theme.paper : Theme.raised
    border.width: Theme.isHighContrast ? 1 : 0
    border.color: Theme.ink
    Accessible.role: Accessible.ProgressBar
    Accessible.name: qsTr("Level")
    // Qt 6.4 gives this role no numbers. In tens: each change is an event for whoever listens.
    Accessible.description: qsTr("%1 of 10").arg(Math.round(value / 10))

    Rectangle {
        width: Math.max(parent.height, parent.width * Math.min(1, Math.max(0, meter.level)))
        height: parent.height
        radius: parent.radius
        visible: meter.level > 0.01
        color: meter.hue
    }
}
