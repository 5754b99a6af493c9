import QtQuick
import Vivavoce.Style

/** Empties as the token ages, refills with a soft turn. */
Item {
    id: ring

    /** 1: fresh, 0: used up. */
    property real freshness: 0
    property int secondsToRenewal: 0
    property int renewals: 0
    readonly property string text: qsTr("renews in %1 s").arg(secondsToRenewal)

    implicitWidth: 16
    implicitHeight: 16
    Accessible.role: Accessible.StaticText
    Accessible.name: text
    onRenewalsChanged: turn.restart()

    Arc {
        id: arc

        anchors.fill: parent
        fraction: ring.freshness
        color: Theme.soft
        track: Theme.line
        Behavior on fraction { NumberAnimation { duration: Theme.arrival; easing.type: Easing.OutCubic } }

        RotationAnimation on rotation {
            id: turn

            running: false
            from: 0
            to: 360
            duration: Theme.arrival
            easing.type: Easing.OutCubic
        }
    }
    HoverHandler {
        id: pointer
    }
    Hint {
        text: ring.text
        visible: pointer.hovered
    }
}
