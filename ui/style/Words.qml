import QtQuick

/** Text. Never markup: much of it was written by others. A screen reader reads it, unless what is around it has its name already. */
Text {
    property bool isStrong: false
    property bool isSoft: false
    property int size: Theme.body

    color: isSoft ? Theme.soft : Theme.ink
    font.pixelSize: size
    font.weight: isStrong ? Font.DemiBold : Font.Normal
    textFormat: Text.PlainText
    Accessible.role: Accessible.StaticText
    Accessible.name: text
    Accessible.ignored: text === ""
}
