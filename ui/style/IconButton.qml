import QtQuick
import QtQuick.Templates as T
import Vivavoce.Style

/** A sign to press. `text` is its name: in the tool tip, and for who cannot see it. */
T.AbstractButton {
    id: button

    required property string glyph
    property color hue: Theme.ink
    property bool isOutlined: false
    property string hint: text

    implicitWidth: Theme.target
    implicitHeight: Theme.target
    hoverEnabled: true
    focusPolicy: Qt.StrongFocus
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.Button
    Accessible.name: text
    Accessible.checkable: checkable
    Accessible.checked: checked
    Keys.onReturnPressed: button.click()
    Keys.onEnterPressed: button.click()

    background: Rectangle {
        radius: height / 2
        color: button.checked ? Theme.ink : button.down ? Theme.pressed : button.hovered ? Theme.hovered : "transparent"
        border.width: button.isOutlined && !button.checked ? 1 : 0
        border.color: Theme.isHighContrast ? Theme.ink : Theme.tint(Theme.ink, 0.22)

        FocusRing {
            around: button
            corner: parent.radius
        }
    }
    contentItem: Item {
        Icon {
            anchors.centerIn: parent
            width: 22
            height: 22
            name: button.glyph
            color: button.checked ? Theme.paper : button.hue
        }
    }

    Hint {
        text: button.hint
        visible: button.hint !== "" && (button.hovered || button.visualFocus)
    }
}
