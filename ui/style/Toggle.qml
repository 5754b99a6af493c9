import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T

/** On or off: words on the left, a switch on the right. */
T.Switch {
    id: toggle

    property string explanation

    implicitWidth: 240
    implicitHeight: Math.max(Theme.target, implicitContentHeight)
    hoverEnabled: true
    focusPolicy: Qt.StrongFocus
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.CheckBox
    Accessible.name: text
    Accessible.description: explanation
    Accessible.checkable: true
    Accessible.checked: checked
    // Of itself the role changes `checked` and tells nobody.
    Accessible.onPressAction: flip()
    Accessible.onToggleAction: flip()
    Keys.onReturnPressed: flip()
    Keys.onEnterPressed: flip()

    function flip() {
        if (!toggle.enabled)
            return;
        toggle.toggle();
        toggle.toggled();
    }

    contentItem: RowLayout {
        spacing: Theme.between

        ColumnLayout {
            Layout.fillWidth: true
            spacing: 2

            Words {
                Layout.fillWidth: true
                text: toggle.text
                wrapMode: Text.Wrap
                Accessible.ignored: true
            }
            Words {
                Layout.fillWidth: true
                visible: toggle.explanation !== ""
                text: toggle.explanation
                size: Theme.small
                isSoft: true
                wrapMode: Text.Wrap
                Accessible.ignored: true
            }
        }
        Rectangle {
            Layout.preferredWidth: 44
            Layout.preferredHeight: 24
            radius: 12
            color: toggle.checked ? Theme.ink : "transparent"
            border.width: toggle.checked ? 0 : 2
            border.color: Theme.faint

            Rectangle {
                x: toggle.checked ? 23 : 5
                anchors.verticalCenter: parent.verticalCenter
                width: toggle.checked ? 18 : 14
                height: width
                radius: width / 2
                color: toggle.checked ? Theme.paper : Theme.faint
                Behavior on x { NumberAnimation { duration: Theme.feedback; easing.type: Easing.OutCubic } }
            }
            FocusRing {
                around: toggle
                corner: 12
            }
        }
    }
}
