import QtQuick
import QtQuick.Layouts
import Vivavoce.Account
import Vivavoce.Style

/** A code to be typed on another device, and where. */
ColumnLayout {
    id: code

    required property AccountViewModel account
    readonly property alias copy: copyButton

    spacing: Theme.inside

    Words {
        objectName: "verificationUrl"
        Layout.fillWidth: true
        text: code.account.verificationUrl
        wrapMode: Text.WrapAnywhere
    }
    Words {
        objectName: "userCode"
        Layout.fillWidth: true
        text: code.account.userCode
        size: Theme.display
        isStrong: true
        wrapMode: Text.WrapAnywhere
        // A code is spelt, not read as a word.
        Accessible.name: qsTr("The code: %1").arg(Array.from(code.account.userCode).join(" "))
    }
    PushButton {
        id: copyButton

        objectName: "copyUserCode"
        text: copied.running ? qsTr("Copied") : qsTr("Copy the code")
        glyph: copied.running ? "check" : "copy"
        onClicked: {
            code.account.copyUserCode();
            copied.restart();
        }

        Timer {
            id: copied

            interval: 1500
        }
    }
}
