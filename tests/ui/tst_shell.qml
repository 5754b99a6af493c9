import QtQuick
import QtTest
import Vivavoce.Shell
import Vivavoce.Tests

TestCase {
    id: test

    property Main window

    name: "Main"
    when: windowShown

    Component {
        id: mainOf

        Main {
            shell: World.shell
            conversation: World.conversation
            settings: World.settings
            account: World.account
            history: World.history
            exporter: World.exporter
            usage: World.usage
            usagePage: "qrc:/qt/qml/Vivavoce/Usage/UsagePage.qml"
            historyPage: "qrc:/qt/qml/Vivavoce/History/HistoryPage.qml"
            exportPage: "qrc:/qt/qml/Vivavoce/History/ExportPage.qml"
            accountPage: "qrc:/qt/qml/Vivavoce/Account/AccountPage.qml"
            conversationPage: "qrc:/qt/qml/Vivavoce/Conversation/ConversationPage.qml"
            settingsPage: "qrc:/qt/qml/Vivavoce/Settings/SettingsPage.qml"
        }
    }

    function part(name) {
        const item = findChild(window, name);
        verify(item, "there is a " + name);
        return item;
    }

    function open(isFirstRun, hasAgent = true) {
        World.begin(isFirstRun, hasAgent);
        window = createTemporaryObject(mainOf, test);
        verify(window);
        window.requestActivate();
        tryVerify(() => window.active);
        waitForRendering(window.contentItem);
    }

    function test_window_is_no_larger_than_its_screen() {
        World.begin(false);
        window = createTemporaryObject(mainOf, test);
        verify(window.height <= Screen.height && window.width <= Screen.width);
        compare(window.width, Math.min(420, window.room.width));
        // A small screen at twice the size of everything.
        window = createTemporaryObject(mainOf, test, { room: Qt.size(640, 400) });
        compare(window.width, 420);
        compare(window.height, 400);
        verify(window.minimumHeight <= 400);
        // It comes to a larger one.
        window.room = Qt.size(1900, 1000);
        compare(window.minimumHeight, 520);
        verify(window.height < 720, "its size is not set anew");
    }

    function test_first_run_ends_with_one_click() {
        open(true);
        verify(!part("pages").visible);
        mouseClick(part("tryHere"));
        verify(!World.shell.isFirstRun);
        verify(part("pages").visible);
        compare(part("profile").text, "This computer");
    }

    function test_first_run_ends_with_return() {
        open(true);
        tryVerify(() => part("tryHere").activeFocus);
        keyClick(Qt.Key_Return);
        verify(!World.shell.isFirstRun);
    }

    function test_first_run_without_an_agent_asks_for_an_address() {
        open(true, false);
        verify(!part("tryHere").visible);
        tryVerify(() => part("brokerAddress").activeFocus);
        verify(!part("tryHere").activeFocus);
    }

    function test_first_run_refuses_a_bad_address() {
        open(true);
        tryVerify(() => part("tryHere").activeFocus);
        const fault = part("addressFault");
        verify(!fault.visible);
        part("brokerAddress").text = "http://voice.example";
        part("useBroker").forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_Return);
        verify(fault.text.includes("https"));
        verify(fault.visible, "it comes, and is read out");
        verify(part("brokerAddress").activeFocus, "where it is to be put right");
        verify(World.shell.isFirstRun);
    }

    function test_first_run_names_a_project() {
        open(true);
        const name = part("projectName");
        part("brokerAddress").text = "https://voice.example";
        name.text = "two words";
        part("useBroker").forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_Return);
        verify(World.shell.isFirstRun);
        verify(part("projectFault").visible);
        verify(part("projectFault").text.includes("not a name"));
        compare(part("addressFault").text, "");
        verify(name.activeFocus, "where it is to be put right");
        keyClick(Qt.Key_Backspace);
        verify(!part("projectFault").visible);
        name.text = "choir";
        keyClick(Qt.Key_Return);
        verify(!World.shell.isFirstRun);
        compare(World.settings.brokerUrl, "https://voice.example");
        compare(World.settings.project.name, "choir");
    }

    function test_first_run_with_a_broker_leads_to_its_account() {
        open(true);
        part("brokerAddress").text = "https://voice.example";
        mouseClick(part("useBroker"));
        tryCompare(part("pages"), "depth", 2);
        verify(part("accountWords").text.includes("voice.example"));
        tryVerify(() => part("signIn").activeFocus);
    }

    function test_account_leads_to_the_brokers_address() {
        open(false);
        World.useBroker("http://127.0.0.1:9");
        mouseClick(part("account"));
        const pages = part("pages");
        tryCompare(pages, "depth", 2);
        tryCompare(pages, "busy", false);
        World.failToSignIn("broker.unreachable");
        verify(Reader.names(window.contentItem).includes("127.0.0.1:9"), "with its port");
        waitForRendering(window.contentItem);
        mouseClick(part("changeAddress"));
        tryVerify(() => findChild(window, "settingsArea") !== null);
        tryVerify(() => part("brokerAddress").activeFocus);
        compare(part("brokerAddress").text, "http://127.0.0.1:9");
        keyClick(Qt.Key_Escape);
        tryCompare(pages, "depth", 1);
    }

    function hasKeyboard(name) {
        return window.activeFocusItem !== null && window.activeFocusItem.objectName === name;
    }

    function test_talk_of_the_account_begins_a_conversation() {
        open(false);
        World.useBroker("https://voice.example");
        mouseClick(part("account"));
        settled(2);
        World.becomeSignedIn();
        waitForRendering(window.contentItem);
        verify(Reader.act(part("startTalking"), "Press"));
        tryCompare(part("pages"), "depth", 1);
        compare(World.starts, 1);
    }

    function test_wrong_way_leads_to_the_network_and_back() {
        open(true);
        World.spoilTheWay("proxy.unreachable");
        part("brokerAddress").text = "https://voice.example";
        mouseClick(part("useBroker"));
        verify(World.shell.isFirstRun);
        verify(part("addressFault").text.includes("proxy"));
        waitForRendering(window.contentItem);
        mouseClick(part("showNetwork"));
        settled(2);
        tryVerify(() => hasKeyboard("proxy.0"));
        keyClick(Qt.Key_Right);
        keyClick(Qt.Key_Space);
        compare(World.settings.network.proxy, 1);
        keyClick(Qt.Key_Escape);
        tryCompare(part("pages"), "depth", 1);
        verify(!part("pages").visible);
        // The page that goes has such a field, too.
        tryVerify(() => part("brokerAddress").text === "https://voice.example", 5000, "what was typed is still there");
        World.spoilTheWay("");
        waitForRendering(window.contentItem);
        mouseClick(part("useBroker"));
        verify(!World.shell.isFirstRun);
    }

    function test_failed_conversation_leads_to_the_network() {
        open(false);
        World.fail("broker.unreachable", "certificate.untrusted");
        waitForRendering(window.contentItem);
        mouseClick(part("errorAction"));
        settled(2);
        tryVerify(() => hasKeyboard("proxy.0"));
        const area = part("settingsArea");
        const field = part("caFile");
        const top = () => field.mapToItem(area, 0, 0).y;
        tryVerify(() => top() >= 0 && top() + field.height <= area.height, 5000, "what is asked for is seen");
    }

    function test_project_that_is_needed_is_named_where_the_error_leads() {
        open(false);
        World.useBroker("https://voice.example");
        World.fail("choice.not_allowed", "project_needed");
        waitForRendering(window.contentItem);
        mouseClick(part("errorAction"));
        settled(2);
        tryVerify(() => hasKeyboard("projectName"));
        const area = part("settingsArea");
        const field = part("projectName");
        const top = () => field.mapToItem(area, 0, 0).y;
        tryVerify(() => top() >= 0 && top() + field.height <= area.height, 5000, "what is asked for is seen");
        keyClick(Qt.Key_C);
        keyClick(Qt.Key_Return);
        compare(World.settings.project.name, "c");
        keyClick(Qt.Key_Escape);
        settled(1);
        verify(!World.conversation.hasError, "it is not what is wrong any more");
    }

    function test_broker_that_does_not_answer_leads_to_the_network() {
        open(true);
        World.spoilTheWay("host_not_found");
        part("brokerAddress").text = "https://voice.example";
        mouseClick(part("useBroker"));
        verify(part("addressFault").text.includes("does not answer"));
        compare(part("copyAddressFault").text, "broker.unreachable (host_not_found)");
        verify(part("copyAddressFault").visible);
        waitForRendering(window.contentItem);
        mouseClick(part("showNetwork"));
        settled(2);
        tryVerify(() => hasKeyboard("proxy.0"));
    }

    function test_keyboard_comes_back_to_what_opened_the_page() {
        open(false);
        for (const name of ["menu", "history"]) {
            part(name).forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Return);
            settled(2);
            tryVerify(() => !part(name).activeFocus);
            keyClick(Qt.Key_Escape);
            settled(1);
            tryVerify(() => part(name).activeFocus);
        }
    }

    function test_damaged_settings_are_told_until_it_is_read() {
        open(true);
        verify(!part("noticeLine").visible);
        World.tellDamagedSettings();
        tryVerify(() => part("noticeLine").visible);
        verify(part("notice").text.includes("/vivavoce.ini.damaged"));
        waitForRendering(window.contentItem);
        mouseClick(part("dismissNotice"));
        verify(!part("noticeLine").visible);
    }

    function test_account_is_there_for_brokers_only() {
        open(false);
        verify(!part("account").visible);
        World.useBroker("https://voice.example");
        verify(part("account").visible);
        mouseClick(part("account"));
        tryCompare(part("pages"), "depth", 2);
        tryCompare(part("pages"), "busy", false);
        keyClick(Qt.Key_Escape);
        tryCompare(part("pages"), "depth", 1);
    }

    function test_settings_open_and_close_and_preview_with_them() {
        open(false);
        const pages = part("pages");
        verify(!World.isPreview);
        mouseClick(part("menu"));
        tryCompare(pages, "depth", 2);
        tryVerify(() => World.isPreview);
        tryCompare(pages, "busy", false);
        keyClick(Qt.Key_Escape);
        tryCompare(pages, "depth", 1);
        verify(!World.isPreview);
    }

    function settled(depth) {
        tryCompare(part("pages"), "depth", depth);
        tryCompare(part("pages"), "busy", false);
    }

    function test_what_was_said_goes_into_a_file_and_back() {
        open(false);
        keyClick(Qt.Key_S, Qt.ControlModifier);
        compare(part("pages").depth, 1);
        World.goLive();
        World.write("q", true, "Hello");
        keyClick(Qt.Key_S, Qt.ControlModifier);
        keyClick(Qt.Key_S, Qt.ControlModifier);
        settled(2);
        tryVerify(() => part("exportPath").activeFocus);
        keyClick(Qt.Key_Return);
        verify(World.written.startsWith("/home/Vivavoce "));
        tryVerify(() => part("exportBack").activeFocus);
        keyClick(Qt.Key_Return);
        settled(1);
        tryVerify(() => part("pages").currentItem.activeFocus);
    }

    function test_kept_conversation_goes_into_a_file_and_back_to_it() {
        open(false);
        World.keep("c", "Hello");
        mouseClick(part("history"));
        settled(2);
        World.history.open("c");
        waitForRendering(window.contentItem);
        mouseClick(part("exportOpen"));
        settled(3);
        keyClick(Qt.Key_Escape);
        settled(2);
        verify(World.history.isOpen);
        tryVerify(() => part("savedLines").activeFocus);
        keyClick(Qt.Key_Escape);
        verify(!World.history.isOpen);
        keyClick(Qt.Key_Escape);
        settled(1);
    }

    function test_nothing_kept_leads_to_the_setting() {
        open(false);
        keyClick(Qt.Key_H, Qt.ControlModifier);
        settled(2);
        tryVerify(() => part("keepingWanted").activeFocus);
        keyClick(Qt.Key_Return);
        tryVerify(() => findChild(window, "keepConversations") !== null);
        tryVerify(() => part("keepConversations").activeFocus);
        keyClick(Qt.Key_Space);
        verify(World.settings.keepsConversations);
    }

    function test_usage_is_reached_from_the_limits_and_by_its_key() {
        open(false);
        keyClick(Qt.Key_Comma, Qt.ControlModifier);
        settled(2);
        part("usageWanted").clicked();
        settled(3);
        verify(part("emptyUsage").visible);
        keyClick(Qt.Key_Escape);
        settled(2);
        keyClick(Qt.Key_Escape);
        settled(1);
        keyClick(Qt.Key_U, Qt.ControlModifier);
        settled(2);
        keyClick(Qt.Key_U, Qt.ControlModifier);
        compare(part("pages").depth, 2);
    }

    function test_keys_of_the_window() {
        open(false);
        keyClick(Qt.Key_Comma, Qt.ControlModifier);
        tryCompare(part("pages"), "depth", 2);
        keyClick(Qt.Key_Q, Qt.ControlModifier);
        tryVerify(() => !window.visible);
    }

    function test_escape_stops_the_agent_wherever_the_focus_is() {
        open(false);
        World.goLive();
        World.speak();
        part("menu").forceActiveFocus();
        verify(part("menu").activeFocus);
        keyClick(Qt.Key_Escape);
        compare(World.interruptions, 1);
    }

    function test_space_talks_from_the_start() {
        open(false);
        tryVerify(() => part("pages").currentItem.activeFocus);
        keyClick(Qt.Key_Space);
        compare(World.starts, 1);
    }
}
