import QtQuick
import QtQuick.Templates as T

/** A line to type in. */
T.TextField {
    id: field

    property bool isWrong: false
    /** Half its height for a pill. */
    property real corner: Theme.radius

    implicitWidth: 200
    implicitHeight: Theme.target
    leftPadding: Theme.between
    rightPadding: Theme.between
    verticalAlignment: TextInput.AlignVCenter
    color: Theme.ink
    font.pixelSize: Theme.body
    selectByMouse: true
    selectionColor: Theme.agent
    selectedTextColor: Theme.paper
    placeholderTextColor: Theme.soft
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.EditableText

    background: Rectangle {
        radius: field.corner
        color: Theme.surface
        border.width: field.activeFocus ? 2 : 1
        border.color: field.isWrong ? Theme.bad : field.activeFocus ? Theme.focus : Theme.faint
    }

    Words {
        anchors.fill: parent
        anchors.leftMargin: field.leftPadding
        anchors.rightMargin: field.rightPadding
        visible: field.length === 0 && field.preeditText === ""
        text: field.placeholderText
        color: field.placeholderTextColor
        verticalAlignment: Text.AlignVCenter
        elide: Text.ElideRight
        Accessible.ignored: true
    }
}
