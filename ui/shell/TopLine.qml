import QtQuick
import QtQuick.Layouts
import Vivavoce.Shell
import Vivavoce.Style

/** Profile, connection, token, and the way to the settings. */
Item {
    id: line

    required property ShellViewModel shell
    signal accountWanted()
    signal historyWanted()
    signal settingsWanted()

    implicitHeight: 48

    RowLayout {
        anchors.fill: parent
        anchors.leftMargin: Theme.edge
        anchors.rightMargin: Theme.inside
        spacing: Theme.inside

        Words {
            objectName: "profile"
            Layout.fillWidth: true
            text: line.shell.profileName
            size: Theme.small
            isStrong: true
            elide: Text.ElideMiddle
        }
        StatusDot {
            objectName: "connection"
            kind: line.shell.connection
            text: line.shell.connectionText
        }
        TokenRing {
            objectName: "token"
            visible: line.shell.hasToken
            freshness: line.shell.tokenFreshness
            secondsToRenewal: line.shell.secondsToRenewal
            renewals: line.shell.tokenRenewals
            Layout.rightMargin: 0
        }
        IconButton {
            objectName: "account"
            visible: line.shell.hasAccount
            glyph: "person"
            text: qsTr("Account")
            hue: Theme.soft
            onClicked: line.accountWanted()
        }
        IconButton {
            objectName: "history"
            glyph: "history"
            text: qsTr("Conversations")
            hue: Theme.soft
            onClicked: line.historyWanted()
        }
        IconButton {
            objectName: "menu"
            glyph: "settings"
            text: qsTr("Settings")
            hue: Theme.soft
            onClicked: line.settingsWanted()
        }
    }
}
