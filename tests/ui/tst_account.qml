import QtQuick
import QtTest
import Vivavoce.Account
import Vivavoce.Style
import Vivavoce.Tests

Item {
    id: root

    width: 340
    height: 520

    Component {
        id: pageOf

        AccountPage {
            anchors.fill: parent
            account: World.account
        }
    }
    TestCase {
        property AccountPage page

        name: "AccountPage"
        when: windowShown

        function part(name) {
            const item = findChild(page, name);
            verify(item, "there is a " + name);
            return item;
        }

        function shown() {
            return ["signIn", "openAgain", "useCode", "cancelSignIn", "startTalking", "signOut", "showNetwork", "copyAccountError"].filter(name => part(name).visible);
        }

        // Not by pointer: what has just appeared is laid out with the next frame.
        function press(name) {
            verify(Reader.act(part(name), "Press"), name);
        }

        function init() {
            World.begin(false);
            World.useBroker("https://voice.example");
            page = createTemporaryObject(pageOf, root);
            page.forceActiveFocus();
            waitForRendering(page);
        }

        function test_signing_in_by_keyboard() {
            compare(shown(), ["signIn"]);
            tryVerify(() => part("signIn").activeFocus);
            keyClick(Qt.Key_Return);
            compare(shown(), ["openAgain", "useCode", "cancelSignIn"]);
            press("openAgain");
            compare(World.openings, 1);
            World.becomeSignedIn();
            compare(part("accountWords").text, "Signed in as ada");
            compare(shown(), ["startTalking", "signOut"]);
            press("signOut");
            compare(shown(), ["signIn"]);
        }

        // By keyboard alone: wherever it is, something is there that return presses.
        function pressReturnOn(name) {
            tryVerify(() => part(name).activeFocus, 5000, name + " has the keyboard");
            keyClick(Qt.Key_Return);
        }

        function test_keyboard_is_where_something_is_to_be_pressed() {
            pressReturnOn("signIn");
            pressReturnOn("openAgain");
            compare(World.openings, 1);
            keyClick(Qt.Key_Tab);
            pressReturnOn("useCode");
            pressReturnOn("copyUserCode");
            compare(part("copyUserCode").text, "Copied");
            keyClick(Qt.Key_Tab);
            pressReturnOn("cancelSignIn");
            tryVerify(() => part("signIn").activeFocus);
            World.becomeSignedIn();
            tryVerify(() => part("startTalking").activeFocus);
            keyClick(Qt.Key_Tab);
            pressReturnOn("signOut");
            tryVerify(() => part("signIn").activeFocus);
            World.failToSignIn("auth.refused");
            pressReturnOn("signIn");
            compare(shown(), ["openAgain", "useCode", "cancelSignIn"]);
        }

        function test_keyboard_of_another_page_is_left_alone() {
            const other = createTemporaryQmlObject("import QtQuick; Item { focus: true }", root);
            other.forceActiveFocus();
            World.becomeSignedIn();
            // Until it has moved within the page.
            tryVerify(() => part("startTalking").focus);
            verify(other.activeFocus);
            page.forceActiveFocus();
            verify(part("startTalking").activeFocus);
        }

        function test_another_device_is_not_offered_where_there_is_none() {
            World.offerBrowserOnly();
            press("signIn");
            compare(shown(), ["openAgain", "cancelSignIn"]);
        }

        function test_code_is_shown_to_be_typed_elsewhere() {
            press("signIn");
            verify(!part("userCode").visible);
            press("useCode");
            verify(part("userCode").visible);
            compare(part("userCode").text, "WDJB-MJHT");
            compare(part("verificationUrl").text, "https://login.example/device");
            compare(shown(), ["cancelSignIn"]);
            press("copyUserCode");
            compare(part("copyUserCode").text, "Copied");
            press("cancelSignIn");
            verify(!part("userCode").visible);
        }

        function test_failure_is_told_in_words_with_its_code() {
            World.failToSignIn("auth.refused");
            compare(shown(), ["signIn", "copyAccountError"]);
            verify(Qt.colorEqual(part("accountWords").color, Theme.bad));
            compare(part("copyAccountError").text, "auth.refused");
            press("signIn");
            compare(shown(), ["openAgain", "useCode", "cancelSignIn"]);
        }

        function test_talk_asks_for_a_conversation() {
            let talks = 0;
            let left = 0;
            page.talkWanted.connect(() => ++talks);
            page.backWanted.connect(() => ++left);
            World.becomeSignedIn();
            press("startTalking");
            compare(talks, 1);
            compare(left, 0);
        }

        function test_wrong_way_leads_to_the_network() {
            let network = 0;
            page.networkWanted.connect(() => ++network);
            World.failToSignIn("provider.unreachable", "certificate.untrusted");
            compare(shown(), ["signIn", "showNetwork", "copyAccountError"]);
            verify(part("accountWords").text.includes("certificate"));
            waitForRendering(page);
            const code = part("copyAccountError");
            verify(code.x + code.width <= code.parent.width, "all of it is in its card");
            press("showNetwork");
            compare(network, 1);
        }

        function test_everything_has_a_name() {
            compare(Reader.name(part("signIn")), "Sign in");
            press("signIn");
            compare(Reader.name(part("openAgain")), "Open the browser again");
            press("useCode");
            compare(Reader.name(part("userCode")), "The code: W D J B - M J H T", "a code is spelt");
            compare(Reader.name(part("copyUserCode")), "Copy the code");
            World.failToSignIn("auth.refused");
            compare(Reader.name(part("copyAccountError")), "Copy the code auth.refused");
        }

        function test_escape_leaves() {
            let left = 0;
            page.backWanted.connect(() => ++left);
            keyClick(Qt.Key_Escape);
            compare(left, 1);
        }
    }
}
