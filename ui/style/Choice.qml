import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import Vivavoce.Style

/** One of a list that may be long. */
T.ComboBox {
    id: choice

    /** Return went down here: one that only comes up here did something elsewhere. */
    property bool isReturnDown: false

    implicitWidth: 240
    implicitHeight: Theme.target
    leftPadding: Theme.between
    rightPadding: Theme.target
    hoverEnabled: true
    focusPolicy: Qt.StrongFocus
    Accessible.role: Accessible.ComboBox
    Accessible.description: displayText
    Accessible.onPressAction: popup.visible ? popup.close() : popup.open()
    // Where it is open, the template takes the key's release for a choice.
    Keys.onReleased: event => {
        if (event.key !== Qt.Key_Return && event.key !== Qt.Key_Enter)
            return;
        if (isReturnDown && !popup.visible) {
            popup.open();
            event.accepted = true;
        }
        isReturnDown = false;
    }
    Keys.onPressed: event => {
        if (event.key === Qt.Key_Return || event.key === Qt.Key_Enter)
            isReturnDown = !popup.visible;
    }
    onActiveFocusChanged: isReturnDown = false

    background: Rectangle {
        radius: Theme.radius
        color: choice.hovered ? Theme.raised : Theme.surface
        border.width: 1
        border.color: Theme.faint

        FocusRing {
            around: choice
        }
    }
    indicator: Icon {
        x: choice.width - width - Theme.between
        anchors.verticalCenter: parent ? parent.verticalCenter : undefined
        width: 18
        height: 18
        name: "chevron-down"
        color: Theme.soft
    }
    contentItem: Words {
        text: choice.displayText
        verticalAlignment: Text.AlignVCenter
        elide: Text.ElideRight
        Accessible.ignored: true
    }
    delegate: T.ItemDelegate {
        id: row

        required property int index
        readonly property bool isCurrent: choice.currentIndex === index  // qmllint disable unqualified

        width: choice.width - 8  // qmllint disable unqualified
        height: Theme.target
        hoverEnabled: true
        text: choice.textAt(index)  // qmllint disable unqualified
        highlighted: choice.highlightedIndex === index  // qmllint disable unqualified
        Accessible.role: Accessible.ListItem
        Accessible.name: text
        Accessible.onPressAction: row.clicked()

        background: Rectangle {
            radius: 8
            color: row.highlighted ? Theme.hovered : "transparent"
        }
        contentItem: RowLayout {
            Words {
                Layout.fillWidth: true
                Layout.leftMargin: Theme.inside
                text: row.text
                isStrong: row.isCurrent
                elide: Text.ElideRight
                Accessible.ignored: true
            }
            Icon {
                // Clear of the scroll bar.
                Layout.rightMargin: Theme.between
                Layout.preferredWidth: 18
                Layout.preferredHeight: 18
                visible: row.isCurrent
                name: "check"
                color: Theme.ink
            }
        }
    }
    popup: T.Popup {
        y: choice.height + 4
        width: choice.width
        // Nine, or else half of one is seen: there is more.
        implicitHeight: contentItem.implicitHeight <= 9 * Theme.target ? contentItem.implicitHeight + 8 : 8.5 * Theme.target + 8
        padding: 4
        margins: Theme.inside

        contentItem: ListView {
            implicitHeight: contentHeight
            clip: true
            model: choice.delegateModel
            currentIndex: choice.highlightedIndex
            boundsBehavior: Flickable.StopAtBounds
            T.ScrollBar.vertical: ScrollStrip {
                policy: T.ScrollBar.AlwaysOn
                // What is not there to be moved does not cover the rows.
                visible: size < 1
            }
        }
        background: Rectangle {
            radius: Theme.radius
            color: Theme.surface
            border.width: 1
            border.color: Theme.faint
        }
    }
}
