import QtQuick
import QtQuick.Templates as T

/** One of two or three, all seen. */
Rectangle {
    id: segments

    required property list<string> options
    property int current: 0
    property string name
    signal chosen(int index)

    /** The keyboard goes to the one that is chosen. */
    function focusCurrent() {
        repeater.itemAt(current).forceActiveFocus(Qt.TabFocusReason);
    }

    /** Each has the same room, unless that is too little for one of them. Measured as it is when chosen: a choice moves nothing. */
    function widthOf(index: int): real {
        const room = width - 6;
        let longest = 0;
        let all = 0;
        for (let i = 0; i < options.length; ++i) {
            const needed = letters.advanceWidth(options[i]) + 2 * Theme.inside;
            longest = Math.max(longest, needed);
            all += needed;
        }
        const even = room / options.length;
        return longest <= even ? even : letters.advanceWidth(options[index]) + 2 * Theme.inside + (room - all) / options.length;
    }

    implicitWidth: 240
    implicitHeight: Theme.target
    radius: Theme.radius
    color: Theme.raised
    border.width: Theme.isHighContrast ? 1 : 0
    border.color: Theme.ink
    Accessible.role: Accessible.Grouping
    Accessible.name: name

    FontMetrics {
        id: letters

        font.pixelSize: Theme.small
        font.weight: Font.DemiBold
    }
    Row {
        anchors.fill: parent
        anchors.margins: 3

        Repeater {
            id: repeater

            model: segments.options

            T.RadioButton {
                id: option

                required property string modelData
                required property int index

                objectName: segments.objectName + "." + index  // qmllint disable unqualified
                width: segments.widthOf(index)  // qmllint disable unqualified
                height: parent ? parent.height : 0
                leftPadding: 4
                rightPadding: 4
                text: modelData
                checked: segments.current === index  // qmllint disable unqualified
                autoExclusive: false
                hoverEnabled: true
                focusPolicy: Qt.StrongFocus
                Accessible.role: Accessible.RadioButton
                Accessible.name: text
                Accessible.checked: checked
                // Of itself the role changes `checked` and tells nobody.
                Accessible.onPressAction: option.clicked()
                Accessible.onToggleAction: option.clicked()
                Keys.onReturnPressed: option.clicked()
                Keys.onEnterPressed: option.clicked()
                Keys.onLeftPressed: repeater.itemAt(Math.max(index - 1, 0)).forceActiveFocus(Qt.TabFocusReason)  // qmllint disable unqualified
                Keys.onRightPressed: repeater.itemAt(Math.min(index + 1, segments.options.length - 1)).forceActiveFocus(Qt.TabFocusReason)  // qmllint disable unqualified
                onClicked: {
                    segments.chosen(index);  // qmllint disable unqualified
                    checked = Qt.binding(() => segments.current === index);  // qmllint disable unqualified
                }

                background: Rectangle {
                    radius: Theme.radius - 3
                    color: option.checked ? Theme.surface : option.hovered ? Theme.hovered : "transparent"
                    border.width: option.checked ? 1 : 0
                    border.color: Theme.isHighContrast ? Theme.ink : Theme.faint

                    FocusRing {
                        around: option
                        corner: parent.radius
                    }
                }
                contentItem: Words {
                    text: option.text
                    size: Theme.small
                    isStrong: option.checked
                    isSoft: !option.checked
                    horizontalAlignment: Text.AlignHCenter
                    verticalAlignment: Text.AlignVCenter
                    elide: Text.ElideRight
                    Accessible.ignored: true
                }
            }
        }
    }
}
