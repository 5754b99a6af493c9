import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import Vivavoce.Style
import Vivavoce.Usage

/** What was used: today, this month, day by day, and beside the broker's books. */
FocusScope {
    id: page

    required property UsageBookViewModel usage
    readonly property bool isClearing: usage.isClearing
    readonly property bool hasFigures: usage.spans.count > 0
    signal backWanted()

    function goBack() {
        if (page.isClearing)
            page.usage.cancelClear();
        else
            page.backWanted();
    }

    focus: true
    Keys.onEscapePressed: page.goBack()
    Keys.onPressed: event => area.turn(event)
    T.StackView.onActivated: page.usage.refresh()
    Component.onCompleted: page.usage.refresh()
    onIsClearingChanged: settled.restart()

    // When the page has made room for the question: where the keyboard goes, it scrolls to.
    Timer {
        id: settled

        interval: 0
        onTriggered: {
            if (page.isClearing) {
                keep.forceActiveFocus(Qt.TabFocusReason);
                area.reveal(question);
            } else if (spans.visible) {
                spans.focusCurrent();
            }
        }
    }
    ColumnLayout {
        anchors.fill: parent
        spacing: 0

        PageHeader {
            Layout.fillWidth: true
            Layout.leftMargin: Theme.inside
            Layout.rightMargin: Theme.edge
            Layout.preferredHeight: 48
            title: qsTr("Usage")
            onBackWanted: page.goBack()
        }
        Scroller {
            id: area

            objectName: "usageArea"
            Layout.fillWidth: true
            Layout.fillHeight: true
            contentHeight: column.implicitHeight + Theme.edge + Theme.inside
            onContentHeightChanged: if (page.isClearing)
                settled.restart()

            ColumnLayout {
                id: column

                x: Math.max(Theme.edge, (area.width - width) / 2)
                y: Theme.inside
                width: Math.min(area.width - 2 * Theme.edge, 560)
                spacing: Theme.between

                Words {
                    objectName: "usageFault"
                    Layout.fillWidth: true
                    visible: text !== ""
                    text: page.usage.fault
                    color: Theme.bad
                    size: Theme.small
                    wrapMode: Text.Wrap
                    Accessible.role: Accessible.AlertMessage
                    Accessible.name: text
                }
                Words {
                    objectName: "emptyUsage"
                    Layout.fillWidth: true
                    Layout.margins: Theme.edge
                    visible: page.usage.isEmpty
                    text: qsTr("Nothing is counted yet. After the first reply you see here what was used and what it costs. Only figures are kept, never words, and only on this computer.")
                    isSoft: true
                    horizontalAlignment: Text.AlignHCenter
                    wrapMode: Text.Wrap
                }
                Card {
                    Layout.fillWidth: true
                    visible: page.hasFigures

                    FiguresTable {
                        objectName: "figures"
                        Layout.fillWidth: true
                        today: page.usage.today
                        month: page.usage.month
                    }
                }
                MonthLimitCard {
                    Layout.fillWidth: true
                    usage: page.usage
                }
                BrokerCard {
                    objectName: "brokerCard"
                    Layout.fillWidth: true
                    visible: page.usage.hasBroker && page.hasFigures
                    usage: page.usage
                }
                Segments {
                    id: spans

                    objectName: "spans"
                    Layout.fillWidth: true
                    visible: page.hasFigures
                    name: qsTr("Told apart by")
                    options: [qsTr("Days"), qsTr("Months")]
                    current: page.usage.isByMonth ? 1 : 0
                    onChosen: index => page.usage.isByMonth = index === 1
                }
                Card {
                    objectName: "spanList"
                    Layout.fillWidth: true
                    visible: rows.count > 0
                    Accessible.role: Accessible.List
                    Accessible.name: page.usage.isByMonth ? qsTr("By month") : qsTr("By day")

                    Repeater {
                        id: rows

                        model: page.usage.spans

                        SpanRow {
                            objectName: "spanRow"
                            Layout.fillWidth: true
                        }
                    }
                }
                PushButton {
                    objectName: "clearUsage"
                    Layout.alignment: Qt.AlignHCenter
                    visible: !page.usage.isEmpty && !page.isClearing
                    text: qsTr("Delete the figures")
                    isStrong: false
                    size: Theme.small
                    hue: Theme.bad
                    onClicked: page.usage.askToClear()
                }
                Card {
                    id: question

                    objectName: "clearCard"
                    Layout.fillWidth: true
                    visible: page.isClearing

                    Words {
                        objectName: "clearQuestion"
                        Layout.fillWidth: true
                        text: qsTr("Delete all figures of this computer? A limit of a month then begins at nothing; what the broker has in its books stays there.")
                        wrapMode: Text.Wrap
                        Accessible.role: Accessible.AlertMessage
                        Accessible.name: text
                    }
                    Flow {
                        Layout.fillWidth: true
                        spacing: Theme.inside

                        PushButton {
                            id: keep

                            objectName: "cancelClear"
                            isPrimary: true
                            text: qsTr("Keep")
                            onClicked: page.usage.cancelClear()
                        }
                        PushButton {
                            objectName: "confirmClear"
                            text: qsTr("Delete")
                            hue: Theme.bad
                            onClicked: page.usage.confirmClear()
                        }
                    }
                }
            }
        }
    }
}
