import QtQuick
import QtQuick.Templates as T

/** Where one is in what is longer than the window: seen while it moves and while the pointer is on it, or always where it has to be. */
T.ScrollBar {
    id: strip

    implicitWidth: implicitContentWidth + leftPadding + rightPadding
    implicitHeight: implicitContentHeight + topPadding + bottomPadding
    // More of it is taken hold of than is seen.
    padding: 3
    minimumSize: availableHeight > 0 ? Math.min(1, 32 / availableHeight) : 0
    policy: T.ScrollBar.AsNeeded

    contentItem: Rectangle {
        readonly property bool isSeen: (strip.active || strip.policy === T.ScrollBar.AlwaysOn) && strip.size < 1

        implicitWidth: 6
        implicitHeight: 6
        radius: width / 2
        color: strip.pressed ? Theme.ink : Theme.soft
        opacity: isSeen ? 0.75 : 0

        Behavior on opacity {
            SequentialAnimation {
                PauseAnimation { duration: strip.active ? 0 : 450 }
                NumberAnimation { duration: Theme.change }
            }
        }
    }
}
