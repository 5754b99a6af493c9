import QtQuick
import QtTest
import Vivavoce.Settings
import Vivavoce.Style
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
            root.width = 420;
            root.height = 1100;
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

        function test_turning_off_offers_to_delete_what_is_kept() {
            const toggle = part("keepConversations");
            verify(!toggle.checked, "off until somebody wants it");
            Reader.act(toggle, "Toggle");
            verify(World.settings.keepsConversations);
            World.keep("c", "Hello");
            verify(!part("deleteKept").visible);
            root.height = 520;
            Reader.act(toggle, "Toggle");
            verify(!World.settings.keepsConversations);
            tryVerify(() => part("leaveKept").activeFocus);
            tryVerify(() => seen(part("leaveKept")));
            compare(World.kept, 1);
            Reader.act(part("leaveKept"), "Press");
            tryVerify(() => !part("deleteKept").visible);
            compare(World.kept, 1);
            verify(toggle.activeFocus);
            Reader.act(toggle, "Toggle");
            Reader.act(toggle, "Toggle");
            tryVerify(() => part("deleteKept").visible);
            Reader.act(part("deleteKept"), "Press");
            compare(World.kept, 0);
            tryVerify(() => !part("keptWords").visible);
        }

        function test_sound_is_recorded_only_where_words_are_kept() {
            verify(!part("recordSound").visible);
            Reader.act(part("keepConversations"), "Toggle");
            const record = part("recordSound");
            tryVerify(() => record.visible);
            verify(!record.checked, "off until somebody wants it");
            verify(!part("soundFormat").visible);
            verify(Reader.description(record).indexOf("Whoever speaks near") > 0);
            Reader.act(record, "Toggle");
            verify(World.settings.recordsSound);
            tryVerify(() => part("soundFormat").visible);
            compare(World.settings.soundFormat, 0);
            Reader.act(part("soundFormat.1"), "Press");
            compare(World.settings.soundFormat, 1);
            verify(part("formatWords").text.indexOf("350 MB") > 0);
            Reader.act(part("keepConversations"), "Toggle");
            verify(!World.settings.recordsSound);
            tryVerify(() => !record.visible);
            Reader.act(part("keepConversations"), "Toggle");
            tryVerify(() => record.visible);
            verify(!record.checked, "keeping words again does not turn it on");
        }

        function test_turning_off_says_nothing_where_nothing_is_kept() {
            const toggle = part("keepConversations");
            Reader.act(toggle, "Toggle");
            Reader.act(toggle, "Toggle");
            verify(!part("keptWords").visible);
        }

        function seen(item) {
            const area = part("settingsArea");
            const top = item.mapToItem(area, 0, 0).y;
            return top >= 0 && top + item.height <= area.height;
        }

        function test_keyboard_never_leaves_the_window() {
            root.width = 340;
            root.height = 520;
            waitForRendering(page);
            part("microphone").forceActiveFocus(Qt.TabFocusReason);
            const last = part("profile.1");
            verify(!seen(last), "there is more than fits");
            for (let i = 0; i < 30 && !last.activeFocus; ++i) {
                keyClick(Qt.Key_Tab);
                verify(seen(root.Window.activeFocusItem), "number " + i);
            }
            verify(last.activeFocus);
            for (let i = 0; i < 30 && !part("microphone").activeFocus; ++i) {
                keyClick(Qt.Key_Tab, Qt.ShiftModifier);
                verify(seen(root.Window.activeFocusItem), "number " + i + " on the way back");
            }
            verify(part("microphone").activeFocus);
        }

        function test_tools_are_decided_on() {
            const timer = part("policy_set_timer");
            compare(timer.count, 3);
            compare(timer.currentIndex, 0);
            timer.activated(2);
            compare(World.decisions(), "set_timer:2");
            compare(timer.currentIndex, 2);
            // A link is never opened unasked.
            const link = part("policy_open_link");
            compare(link.count, 2);
            compare(link.currentText, "Asks");
            link.activated(1);
            compare(World.decisions(), "set_timer:2|open_link:2");
            compare(link.currentText, "Never");
        }

        function test_servers_are_shown_whole_and_allowed() {
            World.bringServers();
            compare(part("command_mail").text, "/opt/mail --x");
            verify(!part("withdraw_mail").visible);
            verify(!part("approve_files").visible);
            verify(part("state_files").text.includes("it has ended"));
            part("approve_mail").clicked();
            part("again_files").clicked();
            part("withdraw_files").clicked();
            compare(World.decisions(), "approve mail: 5f0c|again files|withdraw files");
        }

        function test_server_file_that_cannot_be_used_is_told() {
            const path = part("mcpFile");
            path.text = "/missing";
            part("useMcpFile").clicked();
            compare(part("mcpFault").text, "/missing: there is none");
            verify(part("mcpFault").visible);
            path.text = " /there ";
            part("useMcpFile").clicked();
            verify(!part("mcpFault").visible);
            compare(path.text, "/there");
        }

        function test_keys_turn_pages() {
            root.width = 340;
            root.height = 520;
            waitForRendering(page);
            const area = part("settingsArea");
            keyClick(Qt.Key_PageDown);
            verify(area.contentY > 200 && area.contentY < area.height);
            for (let i = 0; i < 10; ++i)
                keyClick(Qt.Key_PageDown);
            verify(area.atYEnd);
            compare(area.contentY, area.contentHeight - area.height);
            part("profile.1").forceActiveFocus(Qt.TabFocusReason);
            for (let i = 0; i < 10; ++i)
                keyClick(Qt.Key_PageUp);
            compare(area.contentY, 0);
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

        function test_screen_reader_changes_what_holds() {
            for (const action of ["Toggle", "Press"]) {
                const was = World.settings.isNoiseSuppressed;
                verify(Reader.act(part("noise"), action));
                compare(World.settings.isNoiseSuppressed, !was);
                compare(part("noise").checked, !was);
                const wanted = World.settings.talkMode === 0 ? 1 : 0;
                verify(Reader.act(part("talkMode." + wanted), action));
                compare(World.settings.talkMode, wanted);
                verify(Reader.isChecked(part("talkMode." + wanted)));
                verify(!Reader.isChecked(part("talkMode." + (1 - wanted))));
            }
            verify(Reader.act(part("playTone"), "Press"));
            compare(World.tones, 1);
        }

        function test_screen_reader_chooses_a_device() {
            const box = part("microphone");
            verify(Reader.act(box, "Press"));
            tryVerify(() => box.popup.opened);
            const list = box.popup.contentItem;
            tryVerify(() => list.itemAtIndex(2) !== null);
            verify(Reader.act(list.itemAtIndex(2), "Press"));
            tryVerify(() => !box.popup.visible);
            compare(World.settings.microphone, 2);
        }

        function over(mark, ground) {
            const mix = part => mark[part] * mark.a + ground[part] * (1 - mark.a);
            return Qt.rgba(mix("r"), mix("g"), mix("b"), 1);
        }

        function test_chosen_segment_is_seen_on_its_track() {
            for (const scheme of [1, 2]) {
                Theme.scheme = scheme;
                const edge = part("talkMode.0").background.border;
                compare(edge.width, 1);
                for (const ground of [part("talkMode").color, part("talkMode.0").background.color])
                    verify(Theme.contrast(over(edge.color, ground), ground) >= 3, "scheme " + scheme);
            }
            Theme.scheme = 0;
        }

        function test_limits_hold() {
            part("spendLimit").activated(3);
            compare(World.settings.spendLimit, 3);
            compare(part("spendLimit").displayText, World.settings.spendLimits[3]);
            part("idleTime").activated(0);
            compare(part("idleTime").displayText, "Never");
        }

        function test_provider_and_model_are_chosen() {
            verify(!part("modelName").visible, "the agent of this computer has none to choose");
            World.useBroker("https://voice.example");
            const choice = World.settings.choice;
            const model = part("modelName");
            verify(model.visible);
            verify(!part("useChoice").enabled);
            model.forceActiveFocus(Qt.TabFocusReason);
            model.text = "two words";
            keyClick(Qt.Key_Return);
            verify(part("choiceFault").text.includes("not a name"));
            compare(choice.model, "");
            compare(model.text, "two words", "what was typed stays");
            keyClick(Qt.Key_Backspace);
            compare(part("choiceFault").text, "", "whoever types is not nagged");
            model.text = " gpt-realtime ";
            verify(Reader.act(part("useChoice"), "Press"));
            compare(choice.model, "gpt-realtime");
            compare(model.text, "gpt-realtime");
            verify(part("choiceNote").text.includes("2027-01-20"));
            verify(Reader.act(part("suggested_gemini"), "Press"));
            compare(choice.provider, "gemini");
            const suggested = part("suggested_gemini-3.8-live");
            verify(findChild(page, "suggested_gpt-realtime-2.1") === null, "of another provider");
            verify(Reader.act(suggested, "Press"));
            compare(choice.model, "gemini-3.8-live");
            compare(part("choiceNote").text, "");
            model.text = "";
            part("providerName").text = "";
            verify(Reader.act(part("useChoice"), "Press"));
            compare(choice.provider + choice.model, "");
        }

        function test_voice_is_chosen_from_those_that_are_known() {
            verify(!part("voice").visible, "the agent of this computer has one");
            World.useBroker("https://voice.example");
            const choice = World.settings.choice;
            const box = part("voice");
            verify(!box.visible, "nobody knows who answers");
            verify(part("voiceName").visible);
            verify(Reader.act(part("suggested_openai"), "Press"));
            tryVerify(() => box.visible && !part("voiceName").visible);
            compare(box.displayText, "As the server chooses");
            box.forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Return);
            tryVerify(() => box.popup.opened);
            keyClick(Qt.Key_Down);
            keyClick(Qt.Key_Down);
            keyClick(Qt.Key_Return);
            tryVerify(() => !box.popup.visible);
            compare(choice.voice, "ash");
            compare(box.displayText, "ash");
            compare(Reader.description(box), "ash");
            // The list is another one, and what holds is shown in it.
            verify(Reader.act(part("suggested_gemini"), "Press"));
            tryCompare(box, "count", 32);
            compare(choice.voice, "");
            compare(box.displayText, "As the server chooses");
        }

        function test_voice_that_is_not_known_is_typed() {
            World.useBroker("https://voice.example");
            verify(Reader.act(part("suggested_openai"), "Press"));
            const choice = World.settings.choice;
            const box = part("voice");
            const name = part("voiceName");
            tryVerify(() => box.visible);
            box.currentIndex = box.count - 1;
            box.activated(box.count - 1);
            tryVerify(() => name.visible && name.activeFocus);
            compare(box.displayText, "Another one…");
            verify(!part("useVoice").enabled);
            name.text = "two words";
            keyClick(Qt.Key_Return);
            verify(part("voiceFault").text.includes("not a name"));
            compare(Reader.description(name), part("voiceFault").text);
            compare(choice.voice, "");
            keyClick(Qt.Key_Backspace);
            compare(part("voiceFault").text, "", "whoever types is not nagged");
            name.text = "voice_0123";
            verify(Reader.act(part("useVoice"), "Press"));
            compare(choice.voice, "voice_0123");
            tryVerify(() => !name.visible);
            compare(box.displayText, "voice_0123");
            box.currentIndex = 0;
            box.activated(0);
            compare(choice.voice, "");
            compare(box.displayText, "As the server chooses");
        }

        function test_voice_that_is_being_typed_outlives_a_list_that_comes() {
            World.useBroker("https://voice.example");
            const choice = World.settings.choice;
            const box = part("voice");
            const name = part("voiceName");
            verify(name.visible && !box.visible, "nobody knows who answers");
            name.forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_V);
            World.serveFrom("openai");
            tryVerify(() => box.visible);
            verify(name.visible && name.activeFocus);
            compare(name.text, "v");
            compare(box.displayText, "Another one…");
            keyClick(Qt.Key_O);
            World.serveFrom("gemini");
            tryCompare(box, "count", 32);
            compare(name.text, "vo");
            keyClick(Qt.Key_Tab);
            verify(part("useVoice").activeFocus);
            World.serveFrom("openai");
            verify(part("useVoice").activeFocus);
            keyClick(Qt.Key_Return);
            compare(choice.voice, "vo");
            tryVerify(() => !name.visible);
            compare(box.displayText, "vo");
            verify(box.activeFocus, "the keyboard is not lost with the field");
            verify(!box.popup.visible, "the key has done its work");
        }

        function test_voice_that_is_typed_is_spelt_as_it_is_listed() {
            World.useBroker("https://voice.example");
            verify(Reader.act(part("suggested_openai"), "Press"));
            const box = part("voice");
            const name = part("voiceName");
            tryVerify(() => box.visible);
            box.activated(box.count - 1);
            tryVerify(() => name.activeFocus);
            name.text = "Marin";
            keyClick(Qt.Key_Return);
            compare(World.settings.choice.voice, "marin");
            compare(box.displayText, "marin");
        }

        function test_keyboard_is_where_it_was_pressed_data() {
            return [
                { tag: "model", button: "useChoice", field: "modelName", words: "m" },
                { tag: "voice", button: "useVoice", field: "voiceName", words: "v" },
                { tag: "proxy", button: "useProxy", field: "proxyAddress", words: "proxy.example:80", first: "proxy.2" },
                { tag: "file", button: "useCaFile", field: "caFile", words: "/etc/ours.pem" },
                { tag: "broker", button: "useBroker", field: "brokerAddress", words: "https://other.example" },
                { tag: "project", button: "useProject", field: "projectName", words: "choir" }
            ];
        }
        function test_keyboard_is_where_it_was_pressed(row) {
            World.useBroker("https://voice.example");
            if (row.first)
                verify(Reader.act(part(row.first), "Press"));
            const button = part(row.button);
            const field = part(row.field);
            field.text = row.words;
            button.forceActiveFocus(Qt.TabFocusReason);
            verify(button.activeFocus);
            keyClick(Qt.Key_Return);
            verify(!button.enabled, "it has done its work");
            compare(field.text, row.words);
            verify(field.activeFocus, "a button that cannot be pressed has no keyboard");
        }

        function test_proxy_holds_once_it_is_whole() {
            const network = World.settings.network;
            verify(!part("proxyAddress").visible);
            verify(Reader.act(part("proxy.2"), "Press"));
            tryVerify(() => part("proxyAddress").activeFocus);
            compare(network.proxy, 0, "an empty address is no proxy");
            part("proxyAddress").text = "proxy.example";
            keyClick(Qt.Key_Return);
            verify(part("proxyFault").text.includes("http://proxy.example:3128"));
            compare(network.proxy, 0);
            keyClick(Qt.Key_Colon);
            compare(part("proxyFault").text, "", "whoever types is not nagged");
            for (const key of [Qt.Key_8, Qt.Key_0, Qt.Key_Return])
                keyClick(key);
            compare(network.proxy, 2);
            compare(network.proxyUrl, "proxy.example:80");
            verify(Reader.act(part("proxy.1"), "Press"));
            compare(network.proxy, 1);
            verify(!part("proxyAddress").visible);
            verify(Reader.act(part("proxy.2"), "Press"));
            compare(network.proxy, 2, "the address of before");
        }

        function test_file_of_authorities_is_judged_before_it_is_used() {
            const network = World.settings.network;
            const field = part("caFile");
            field.text = "/etc/hosts";
            verify(Reader.act(part("useCaFile"), "Press"));
            verify(part("caFault").text.includes("PEM"));
            compare(network.caFile, "");
            compare(field.text, "/etc/hosts", "what was typed stays");
            field.text = "/etc/ours.pem";
            verify(Reader.act(part("useCaFile"), "Press"));
            compare(network.caFile, "/etc/ours.pem");
            verify(!part("useCaFile").enabled);
            field.text = "";
            compare(part("useCaFile").text, "Use none");
            verify(Reader.act(part("useCaFile"), "Press"));
            compare(network.caFile, "");
        }

        function test_why_a_file_is_not_taken_is_seen() {
            root.width = 340;
            root.height = 520;
            waitForRendering(page);
            part("caFile").forceActiveFocus(Qt.TabFocusReason);
            part("caFile").text = "/etc/hosts";
            keyClick(Qt.Key_Return);
            verify(part("caFault").visible);
            tryVerify(() => seen(part("caFault")));
            verify(seen(part("caFile")));
        }

        function labelled(item, words) {
            for (let i = 0; i < item.children.length; ++i) {
                const child = item.children[i];
                const found = child.text === words && child.contentWidth !== undefined ? child : labelled(child, words);
                if (found)
                    return found;
            }
            return null;
        }

        function test_words_stay_in_their_place_where_it_is_narrow() {
            root.width = 340;
            waitForRendering(page);
            const label = labelled(page, "When a conversation cannot begin, try again");
            verify(label);
            tryVerify(() => label.contentWidth <= label.width && label.width <= 340 - 4 * 16);
            const open = part("talkMode.0");
            tryVerify(() => open.width - open.contentItem.contentWidth >= 2 * 8 - 1);
        }

        function test_all_limits_are_seen_at_once() {
            const box = part("spendLimit");
            part("settingsArea").contentY = Math.max(0, box.mapToItem(part("settingsArea").contentItem, 0, 0).y - 100);
            box.popup.open();
            tryVerify(() => box.popup.opened);
            verify(box.count > 7 && box.count <= 9);
            tryCompare(box.popup, "height", box.count * 40 + 8);
            box.popup.close();
            tryVerify(() => !box.popup.visible);
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

        function test_project_is_named_and_taken_back() {
            const name = part("projectName");
            verify(!name.visible, "the agent of this computer knows none");
            World.useBroker("https://voice.example");
            verify(name.visible);
            verify(!part("useProject").enabled);
            name.forceActiveFocus(Qt.TabFocusReason);
            name.text = "two words";
            keyClick(Qt.Key_Return);
            verify(part("projectFault").text.includes("not a name"));
            verify(part("projectFault").visible);
            compare(Reader.description(name), part("projectFault").text);
            compare(World.settings.project.name, "");
            compare(name.text, "two words", "what was typed stays");
            keyClick(Qt.Key_Backspace);
            compare(part("projectFault").text, "", "whoever types is not nagged");
            name.text = " choir ";
            verify(Reader.act(part("useProject"), "Press"));
            compare(World.settings.project.name, "choir");
            compare(name.text, "choir");
            verify(Reader.act(part("profile.0"), "Press"));
            verify(!name.visible);
            verify(Reader.act(part("profile.1"), "Press"));
            compare(name.text, "choir");
            name.text = "";
            verify(Reader.act(part("useProject"), "Press"));
            compare(World.settings.project.name, "");
        }

        function test_project_is_each_brokers_own() {
            World.useBroker("https://one.example");
            const name = part("projectName");
            const address = part("brokerAddress");
            name.text = "choir";
            verify(Reader.act(part("useProject"), "Press"));
            address.text = "https://other.example";
            verify(Reader.act(part("useBroker"), "Press"));
            compare(World.settings.brokerUrl, "https://other.example");
            compare(name.text, "", "what one broker knows is no other's business");
            // With the address it is for, whichever button is pressed.
            address.text = "https://third.example";
            name.text = "band";
            verify(Reader.act(part("useProject"), "Press"));
            compare(World.settings.brokerUrl, "https://third.example");
            compare(World.settings.project.name, "band");
            address.text = "https://one.example";
            name.text = "trio";
            verify(Reader.act(part("useBroker"), "Press"));
            compare(World.settings.brokerUrl, "https://one.example");
            compare(World.settings.project.name, "trio");
            compare(name.text, "trio");
            World.useBroker("https://third.example");
            compare(name.text, "band");
            // Where there is no broker there is nothing to name.
            address.text = "http://voice.example";
            name.text = "choir";
            verify(Reader.act(part("useProject"), "Press"));
            verify(part("addressFault").text.includes("https"));
            compare(World.settings.project.name, "band");
            compare(name.text, "choir");
        }

        function test_half_an_address_outlives_a_new_device() {
            mouseClick(part("profile.1"));
            const address = part("brokerAddress");
            keyClick(Qt.Key_V);
            World.plugHeadphones();
            World.settings.isNoiseSuppressed = false;
            compare(address.text, "v");
            keyClick(Qt.Key_O);
            keyClick(Qt.Key_Return);
            compare(World.settings.brokerUrl, "https://vo");
            compare(address.text, "https://vo");
            keyClick(Qt.Key_Slash);
            keyClick(Qt.Key_Return);
            compare(address.text, "https://vo", "as it was understood");
        }

        function test_everything_is_read_out_once() {
            const names = Reader.names(page);
            verify(names.includes("Just talk. Space mutes and unmutes."));
            verify(names.includes("Works without a network. Nothing leaves this computer."));
            for (const name of ["Settings", "Sound", "Microphone", "Suppress noise", "Play a tone", "Open microphone", "Back"])
                compare(names.filter(each => each === name).length, 1, name);
            for (const name of ["Test", "So that the agent does not hear itself", ""])
                verify(!names.includes(name), name);
        }

        function test_level_is_a_number_to_a_screen_reader() {
            World.settings.isShown = true;
            World.makeNoise(-30);
            tryVerify(() => Reader.description(part("microphoneLevel")) === "5 of 10");
            compare(part("microphoneLevel").value, 50);
            World.settings.isShown = false;
            compare(Reader.description(part("microphoneLevel")), "0 of 10");
        }

        function test_without_an_agent_there_is_only_a_broker() {
            World.begin(false, false);
            page.destroy();
            page = createTemporaryObject(pageOf, root);
            waitForRendering(page);
            verify(!part("profile").visible);
            verify(part("brokerAddress").visible);
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
