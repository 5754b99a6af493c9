import QtQuick
import QtQuick.Layouts
import Vivavoce.History
import Vivavoce.Style

/** A conversation into a file: how, and where. */
FocusScope {
    id: page

    required property ExportViewModel exporter
    signal backWanted()

    focus: true
    Keys.onEscapePressed: page.backWanted()
    Keys.onPressed: event => area.turn(event)

    ColumnLayout {
        anchors.fill: parent
        spacing: 0

        PageHeader {
            Layout.fillWidth: true
            Layout.leftMargin: Theme.inside
            Layout.rightMargin: Theme.edge
            Layout.preferredHeight: 48
            title: qsTr("Save as a file")
            onBackWanted: page.backWanted()
        }
        Scroller {
            id: area

            objectName: "exportArea"
            Layout.fillWidth: true
            Layout.fillHeight: true
            contentHeight: card.implicitHeight + Theme.edge + Theme.inside

            Card {
                id: card

                x: Math.max(Theme.edge, (area.width - width) / 2)
                y: Theme.inside
                width: Math.min(area.width - 2 * Theme.edge, 560)

                Words {
                    Layout.fillWidth: true
                    Layout.bottomMargin: -6
                    text: qsTr("Written as")
                    size: Theme.small
                    isSoft: true
                    // What is chosen from below it has its name.
                    Accessible.ignored: true
                }
                Choice {
                    objectName: "exportFormat"
                    Layout.fillWidth: true
                    model: page.exporter.formats
                    currentIndex: page.exporter.format
                    Accessible.name: qsTr("Written as")
                    onActivated: index => page.exporter.format = index
                }
                Words {
                    Layout.fillWidth: true
                    Layout.bottomMargin: -6
                    text: qsTr("File")
                    size: Theme.small
                    isSoft: true
                    Accessible.ignored: true
                }
                Field {
                    id: path

                    objectName: "exportPath"
                    Layout.fillWidth: true
                    focus: true
                    text: page.exporter.path
                    isWrong: page.exporter.fault !== ""
                    maximumLength: 4000
                    Accessible.name: qsTr("File")
                    Accessible.description: page.exporter.fault
                    onTextEdited: page.exporter.path = text
                    onAccepted: page.exporter.save()
                    // The end of it is the name.
                    Component.onCompleted: cursorPosition = length
                }
                Words {
                    objectName: "exportWords"
                    Layout.fillWidth: true
                    readonly property string told: page.exporter.fault !== "" ? page.exporter.fault : page.exporter.isSaved ? qsTr("Saved as %1. Only you can read it.").arg(page.exporter.path) : page.exporter.isReplacing ? qsTr("There is such a file already.") : ""
                    text: told !== "" ? told : qsTr("What was said, as far as it was heard. Nobody else can read the file.")
                    color: page.exporter.fault !== "" ? Theme.bad : told === "" ? Theme.soft : Theme.ink
                    size: Theme.small
                    wrapMode: Text.Wrap
                    Accessible.role: Accessible.AlertMessage
                    Accessible.name: text
                }
                Flow {
                    Layout.fillWidth: true
                    spacing: Theme.inside

                    PushButton {
                        objectName: "exportSave"
                        visible: !page.exporter.isSaved
                        isPrimary: true
                        text: page.exporter.isReplacing ? qsTr("Replace it") : qsTr("Save")
                        onClicked: page.exporter.save()
                    }
                    PushButton {
                        objectName: "exportBack"
                        isPrimary: page.exporter.isSaved
                        text: page.exporter.isSaved ? qsTr("Done") : qsTr("Cancel")
                        onClicked: page.backWanted()
                        onIsPrimaryChanged: if (isPrimary)
                            forceActiveFocus()
                    }
                }
            }
        }
    }
}
