import QtQuick
import QtQuick.Layouts
import Vivavoce.Account
import Vivavoce.Style

/** Signing in and out. */
FocusScope {
    id: page

    required property AccountViewModel account
    readonly property int stage: account.stage
    signal backWanted()
    /** To where the broker's address is typed. */
    signal addressWanted()
    /** To where the proxy is chosen. */
    signal networkWanted()
    /** Whoever is signed in wants to talk. */
    signal talkWanted()

    focus: true
    // The button that had the keyboard may be gone, and nothing can be pressed that is not seen.
    onStageChanged: settled.restart()
    Keys.onEscapePressed: page.backWanted()
    Keys.onPressed: event => area.turn(event)

    /** To the first button that there is. No other page loses it: this one's own focus moves. */
    function moveKeyboard() {
        const first = code.copy.visible ? code.copy : Array.from(buttons.children).find(button => button.visible);
        if (first)
            first.focus = true;
    }

    // When all of them are what they become.
    Timer {
        id: settled

        interval: 0
        onTriggered: page.moveKeyboard()
    }

    ColumnLayout {
        anchors.fill: parent
        spacing: 0

        PageHeader {
            Layout.fillWidth: true
            Layout.leftMargin: Theme.inside
            Layout.rightMargin: Theme.edge
            Layout.preferredHeight: 48
            title: qsTr("Account")
            onBackWanted: page.backWanted()
        }
        Scroller {
            id: area

            objectName: "accountArea"
            Layout.fillWidth: true
            Layout.fillHeight: true
            contentHeight: card.implicitHeight + Theme.edge + Theme.inside

            Card {
                id: card

                x: Math.max(Theme.edge, (area.width - width) / 2)
                y: Theme.inside
                width: Math.min(area.width - 2 * Theme.edge, 560)
                title: page.account.broker

                Words {
                    objectName: "accountWords"
                    Layout.fillWidth: true
                    text: page.account.words
                    color: page.stage === AccountViewModel.Failed ? Theme.bad : Theme.ink
                    wrapMode: Text.Wrap
                    // What happens in a browser elsewhere is told here when it has happened.
                    Accessible.role: Accessible.AlertMessage
                    Accessible.name: text
                }
                DeviceCode {
                    id: code

                    Layout.fillWidth: true
                    visible: page.stage === AccountViewModel.WaitingForDevice
                    account: page.account
                }
                Flow {
                    id: buttons

                    Layout.fillWidth: true
                    spacing: Theme.inside

                    PushButton {
                        objectName: "signIn"
                        visible: page.stage === AccountViewModel.SignedOut || page.stage === AccountViewModel.Failed
                        focus: true
                        isPrimary: true
                        text: qsTr("Sign in")
                        onClicked: page.account.signIn()
                    }
                    PushButton {
                        objectName: "changeAddress"
                        visible: page.stage === AccountViewModel.SignedOut || page.stage === AccountViewModel.Failed
                        text: qsTr("Change the address")
                        onClicked: page.addressWanted()
                    }
                    PushButton {
                        objectName: "showNetwork"
                        visible: page.account.isWayWrong
                        text: qsTr("Open network settings")
                        onClicked: page.networkWanted()
                    }
                    PushButton {
                        objectName: "openAgain"
                        visible: page.stage === AccountViewModel.WaitingForBrowser
                        text: qsTr("Open the browser again")
                        onClicked: page.account.openAgain()
                    }
                    PushButton {
                        objectName: "useCode"
                        visible: page.account.isCodeOffered
                        text: qsTr("Use another device")
                        onClicked: page.account.useCode()
                    }
                    PushButton {
                        objectName: "cancelSignIn"
                        visible: page.stage === AccountViewModel.Busy || page.stage === AccountViewModel.WaitingForBrowser || page.stage === AccountViewModel.WaitingForDevice
                        text: qsTr("Cancel")
                        onClicked: page.account.cancel()
                    }
                    PushButton {
                        objectName: "startTalking"
                        visible: page.stage === AccountViewModel.SignedIn
                        isPrimary: true
                        text: qsTr("Talk")
                        onClicked: page.talkWanted()
                    }
                    PushButton {
                        objectName: "signOut"
                        visible: page.stage === AccountViewModel.SignedIn
                        text: qsTr("Sign out")
                        onClicked: page.account.signOut()
                    }
                    PushButton {
                        objectName: "copyAccountError"
                        width: Math.min(implicitWidth, buttons.width)
                        visible: page.account.errorCode !== ""
                        text: copied.running ? qsTr("Copied") : page.account.errorCode
                        glyph: copied.running ? "check" : "copy"
                        hue: Theme.soft
                        size: Theme.small
                        isStrong: false
                        Accessible.name: qsTr("Copy the code %1").arg(page.account.errorCode)
                        onClicked: {
                            page.account.copyErrorCode();
                            copied.restart();
                        }

                        Timer {
                            id: copied

                            interval: 1500
                        }
                    }
                }
            }
        }
    }
}
