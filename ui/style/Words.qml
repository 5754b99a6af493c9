import QtQuick

/** Text. Never markup: much of it was written by others. */
Text {
    property bool isStrong: false
    property bool isSoft: false
    property int size: Theme.body

    color: isSoft ? Theme.soft : Theme.ink
    font.pixelSize: size
    font.weight: isStrong ? Font.DemiBold : Font.Normal
    textFormat: Text.PlainText
}
