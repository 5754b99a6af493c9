import QtQuick
import QtQuick.Templates as T
import Vivavoce.Style

/** A sign to press. `text` is its name: in the tool tip, and for who cannot see it. */
T.AbstractButton {
    id: button

    required property string glyph
    property color hue: Theme.ink
    property bool isOutlined: false
    /** A button that stays down: whether it is. */
    property bool isOn: false
    property bool isToggle: false
    property string hint: text

    implicitWidth: Theme.target
    implicitHeight: Theme.target
    hoverEnabled: true
    // A click leaves the keyboard where it was: a space still talks.
    focusPolicy: Qt.TabFocus
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.Button
    Accessible.name: text
    Accessible.checkable: isToggle
    Accessible.checked: isOn
    // The template presses by pointer and space alone.
    Accessible.onPressAction: button.act()
    Keys.onReturnPressed: event => button.actOn(event)
    Keys.onEnterPressed: event => button.actOn(event)

    function act() {
        if (!button.enabled)
            return;
        button.clicked();
    }

    function actOn(event: var) {
        if (!event.isAutoRepeat)
            button.act();
    }

    background: Rectangle {
        radius: height / 2
        color: button.isOn ? Theme.ink : button.down ? Theme.pressed : button.hovered ? Theme.hovered : "transparent"
        border.width: button.isOutlined && !button.isOn ? 1 : 0
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
            color: button.isOn ? Theme.paper : button.hue
        }
    }

    Hint {
        text: button.hint
        visible: button.hint !== "" && (button.hovered || button.visualFocus)
    }
}
