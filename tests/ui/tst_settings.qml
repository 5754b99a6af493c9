import QtQuick
import QtTest
import Vivavoce.Settings
import Vivavoce.Tests

Item {
    id: root

    width: 420
    height: 1100

    Component {
        id: pageOf

        SettingsPage {
            anchors.fill: parent
            settings: World.settings
        }
    }
    TestCase {
        property SettingsPage page

        name: "SettingsPage"
        when: windowShown

        function part(name) {
            const item = findChild(page, name);
            verify(item, "there is a " + name);
            return item;
        }

        function init() {
            World.begin(false);
            page = createTemporaryObject(pageOf, root);
            page.forceActiveFocus();
            waitForRendering(page);
        }

        function test_devices_are_chosen_by_keyboard() {
            const box = part("microphone");
            box.forceActiveFocus(Qt.TabFocusReason);
            compare(World.settings.microphone, 0);
            keyClick(Qt.Key_Return);
            tryVerify(() => box.popup.opened);
            keyClick(Qt.Key_Down);
            keyClick(Qt.Key_Down);
            keyClick(Qt.Key_Return);
            tryVerify(() => !box.popup.visible);
            compare(World.settings.microphone, 2);
        }

        function test_tone_is_played() {
            mouseClick(part("playTone"));
            compare(World.tones, 1);
        }

        function test_switches_hold_by_mouse_and_keyboard() {
            const noise = part("noise");
            verify(World.settings.isNoiseSuppressed);
            mouseClick(noise);
            verify(!World.settings.isNoiseSuppressed);
            noise.forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Space);
            verify(World.settings.isNoiseSuppressed);
            keyClick(Qt.Key_Return);
            verify(!World.settings.isNoiseSuppressed);
            verify(!noise.checked);
        }

        function test_segments_hold() {
            mouseClick(part("talkMode.1"));
            compare(World.settings.talkMode, 1);
            part("colourScheme.2").forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Space);
            compare(World.settings.colourScheme, 2);
            keyClick(Qt.Key_Left);
            verify(part("colourScheme.1").activeFocus);
        }

        function test_bad_address_is_refused_in_words() {
            mouseClick(part("profile.1"));
            const address = part("brokerAddress");
            verify(address.activeFocus);
            address.text = "http://voice.example";
            keyClick(Qt.Key_Return);
            verify(part("addressFault").text.includes("https"));
            compare(World.settings.profile, 0);
            address.text = "https://voice.example/";
            mouseClick(part("useBroker"));
            compare(part("addressFault").text, "");
            compare(World.settings.brokerUrl, "https://voice.example");
            compare(World.settings.profile, 1);
        }

        function test_without_devices_it_says_what_to_do() {
            verify(!part("noMicrophone").visible);
            World.unplugAll();
            verify(part("noMicrophone").visible);
            verify(part("noLoudspeaker").visible);
            verify(!part("microphone").visible);
        }
    }
}
