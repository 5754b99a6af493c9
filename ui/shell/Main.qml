import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import Vivavoce.Shell
import Vivavoce.Style

/** The window: a slim top line and the pages. It knows the pages by address only. */
T.ApplicationWindow {
    id: window

    required property ShellViewModel shell
    /** Each is made with {conversation}, {settings}, {account}, {history} or {exporter}; none of them is known here. */
    required property QtObject account
    required property QtObject conversation
    required property QtObject settings
    required property QtObject history
    required property QtObject exporter
    required property url conversationPage
    required property url settingsPage
    required property url accountPage
    required property url historyPage
    required property url exportPage
    /** Null: nothing is counted. Its page is made with {usage}. */
    property QtObject usage: null
    property url usagePage
    /** What the screen leaves for a window; at twice the size of everything it may be little. */
    property size room: Qt.size(Math.min(Screen.width, Screen.desktopAvailableWidth), Math.min(Screen.height, Screen.desktopAvailableHeight))
    /** Nothing is chosen yet, and nothing is looked at but that choice. */
    readonly property bool isFirst: shell.isFirstRun && pages.depth < 2

    /** What of the top line had the keyboard when another page came over the first: it has it again after that. */
    property Item opener: null

    function rememberOpener() {
        let around = window.activeFocusItem;
        while (around && around !== topLine)
            around = around.parent;
        window.opener = around ? window.activeFocusItem : null;
    }

    /** To the page; where the first one is back, to what had it there. */
    function placeKeyboard() {
        if (!pages.visible || !pages.currentItem)
            return;
        const back = pages.depth === 1 ? window.opener : null;
        if (pages.depth === 1)
            window.opener = null;
        if (back && back.visible && back.enabled)
            back.forceActiveFocus(Qt.TabFocusReason);
        else
            pages.currentItem.forceActiveFocus();
    }

    /** The page under all others. */
    function openConversation() {
        if (pages.depth === 0)
            pages.push(window.conversationPage, {
                conversation: window.conversation
            }, T.StackView.Immediate);
    }

    function showAccount() {
        if (pages.depth === 1 && window.shell.hasAccount) {
            window.rememberOpener();
            pages.push(window.accountPage, {
                account: window.account
            });
        }
    }

    function showHistory() {
        if (pages.depth === 1 && !window.shell.isFirstRun) {
            window.rememberOpener();
            pages.push(window.historyPage, {
                history: window.history
            });
        }
    }

    function showSettings() {
        if (pages.depth === 1 && !window.shell.isFirstRun) {
            window.rememberOpener();
            pages.push(window.settingsPage, {
                settings: window.settings
            });
        }
    }

    function showProject() {
        if (pages.depth === 1 && !window.shell.isFirstRun) {
            window.rememberOpener();
            pages.push(window.settingsPage, {
                settings: window.settings,
                isForProject: true
            });
        }
    }

    function showNetwork() {
        const properties = {
            settings: window.settings,
            isForNetwork: true
        };
        window.openConversation();
        if (pages.depth === 1)
            pages.push(window.settingsPage, properties);
        else
            pages.replace(window.settingsPage, properties);
    }

    function showUsage() {
        if (window.usage)
            pages.push(window.usagePage, {
                usage: window.usage
            });
    }

    objectName: "main"
    width: Math.min(420, room.width)
    height: Math.min(720, room.height)
    minimumWidth: Math.min(340, room.width)
    minimumHeight: Math.min(520, room.height)
    visible: true
    title: "Vivavoce"
    color: Theme.paper
    font.pixelSize: Theme.body
    Component.onCompleted: {
        // So much at first: another screen does not undo what somebody has drawn since.
        width = width;
        height = height;
        // A choice that is looked at first does not wait for what it covers.
        if (!isFirst)
            openConversation();
    }
    onIsFirstChanged: if (!isFirst)
        openConversation()
    // The page has it first, so that a space talks.
    onActiveFocusItemChanged: if (activeFocusItem === null || activeFocusItem === contentItem)
        focusLater.restart()

    Timer {
        id: focusLater

        interval: 0
        onTriggered: window.placeKeyboard()
    }
    Binding {
        target: Theme
        property: "scheme"
        value: window.shell.colourScheme
    }
    Binding {
        target: Theme
        property: "isMotionReduced"
        value: window.shell.isMotionReduced
    }
    Connections {
        target: window
        enabled: pages.depth === 0

        function onFrameSwapped() {
            window.openConversation();
        }
    }
    Connections {
        target: window.shell

        function onAccountWanted() {
            window.showAccount();
        }

        function onRaiseWanted() {
            window.show();
            window.raise();
            window.requestActivate();
        }
    }
    Connections {
        target: window.exporter
        // The window knows it by its signal alone.
        ignoreUnknownSignals: true

        function onWanted() {
            // A key that is held asks again and again.
            if (!pages.find(page => page.exporter !== undefined))
                pages.push(window.exportPage, {
                    exporter: window.exporter
                });
        }
    }

    ColumnLayout {
        anchors.fill: parent
        spacing: 0

        NoticeLine {
            objectName: "noticeLine"
            Layout.fillWidth: true
            visible: window.shell.notice !== ""
            shell: window.shell
        }
        TopLine {
            id: topLine

            Layout.fillWidth: true
            visible: pages.depth === 1 && !window.shell.isFirstRun
            shell: window.shell
            // Esc stops the agent wherever the focus is.
            Keys.forwardTo: pages.currentItem ? [pages.currentItem] : []
            onAccountWanted: window.showAccount()
            onHistoryWanted: window.showHistory()
            onSettingsWanted: window.showSettings()
        }
        T.StackView {
            id: pages

            objectName: "pages"
            Layout.fillWidth: true
            Layout.fillHeight: true
            visible: !window.isFirst
            focus: visible
            clip: true
            onCurrentItemChanged: focusLater.restart()
            onVisibleChanged: focusLater.restart()

            pushEnter: Transition { NumberAnimation { property: "opacity"; from: 0; to: 1; duration: Theme.change; easing.type: Easing.OutCubic } }
            pushExit: Transition { NumberAnimation { property: "opacity"; from: 1; to: 0; duration: Theme.change } }
            popEnter: Transition { NumberAnimation { property: "opacity"; from: 0; to: 1; duration: Theme.change; easing.type: Easing.OutCubic } }
            replaceEnter: Transition { NumberAnimation { property: "opacity"; from: 0; to: 1; duration: Theme.change; easing.type: Easing.OutCubic } }
            replaceExit: Transition { NumberAnimation { property: "opacity"; from: 1; to: 0; duration: Theme.change } }
            popExit: Transition { NumberAnimation { property: "opacity"; from: 1; to: 0; duration: Theme.change } }
        }
        Loader {
            Layout.fillWidth: true
            Layout.fillHeight: true
            visible: window.isFirst
            active: window.shell.isFirstRun
            focus: visible
            sourceComponent: FirstRunPage {
                shell: window.shell  // qmllint disable unqualified
                onNetworkWanted: window.showNetwork()  // qmllint disable unqualified
            }
        }
    }
    Connections {
        target: pages.currentItem
        ignoreUnknownSignals: true

        function onBackWanted() {
            pages.pop();
        }

        function onSettingsWanted() {
            window.showSettings();
        }

        function onNetworkWanted() {
            window.showNetwork();
        }

        function onProjectWanted() {
            window.showProject();
        }

        function onTalkWanted() {
            // A space is to mute now, and not to come back.
            window.opener = null;
            pages.pop();
            window.shell.talkWanted();
        }

        function onUsageWanted() {
            window.showUsage();
        }

        function onKeepingWanted() {
            pages.replace(window.settingsPage, {
                settings: window.settings,
                isForKeeping: true
            });
        }

        function onAddressWanted() {
            pages.replace(window.settingsPage, {
                settings: window.settings,
                isForAddress: true
            });
        }
    }
    Shortcut {
        // One only: where the system's standard key is the same, two of them are ambiguous.
        sequence: "Ctrl+,"
        onActivated: window.showSettings()
        onActivatedAmbiguously: window.showSettings()
    }
    Shortcut {
        sequence: "Ctrl+H"
        onActivated: window.showHistory()
        onActivatedAmbiguously: window.showHistory()
    }
    Shortcut {
        sequence: "Ctrl+U"
        enabled: pages.depth === 1 && !window.shell.isFirstRun
        onActivated: window.showUsage()
        onActivatedAmbiguously: window.showUsage()
    }
    Shortcut {
        sequence: "Ctrl+Q"
        onActivated: window.close()
        onActivatedAmbiguously: window.close()
    }
}
