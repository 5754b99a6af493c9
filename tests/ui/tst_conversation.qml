import QtQuick
import QtTest
import Vivavoce.Conversation
import Vivavoce.Style
import Vivavoce.Tests

Item {
    id: root

    width: 420
    height: 720

    Component {
        id: pageOf

        ConversationPage {
            anchors.fill: parent
            conversation: World.conversation
        }
    }
    TestCase {
        id: test

        property ConversationPage page
        property int settingsWanted: 0

        name: "ConversationPage"
        when: windowShown

        function part(name) {
            const item = findChild(page, name);
            verify(item, "there is a " + name);
            return item;
        }

        function init() {
            World.begin(false);
            root.width = 420;
            root.height = 720;
            page = createTemporaryObject(pageOf, root);
            page.forceActiveFocus();
            waitForRendering(page);
        }

        Component {
            id: lineOf

            TranscriptLine {
                width: 400
                isUser: false
                words: "<img src=\"http://127.0.0.1:1/x.png\"> & <b>so on</b>"
                isFinal: true
                wasInterrupted: false
                heardLength: 12
                index: 0
            }
        }

        function test_foreign_words_are_never_markup() {
            const line = createTemporaryObject(lineOf, root);
            const words = findChild(line, "words");
            const cut = findChild(line, "partlyHeard");
            for (const wasInterrupted of [false, true, false]) {
                line.wasInterrupted = wasInterrupted;
                compare(words.visible, !wasInterrupted);
                compare(cut.visible, wasInterrupted);
                // Each keeps its format: while one changes, its words would be taken for what they look like.
                compare(words.textFormat, Text.PlainText);
                compare(cut.textFormat, Text.StyledText);
                verify(!/<(img|b)/.test(cut.text));
                verify(cut.text.startsWith("&lt;img src="));
            }
        }

        function test_what_does_not_fit_scrolls() {
            const area = part("conversationArea");
            verify(area.contentHeight <= area.height, "as a rule all of it fits");
            root.width = 340;
            root.height = 352;
            World.goLive();
            World.meetKeeper(true);
            ask("c1");
            const seen = item => {
                const top = item.mapToItem(area, 0, 0).y;
                return top >= -0.5 && top + item.height <= area.height + 0.5;
            };
            const talk = part("talk");
            tryVerify(() => talk.mapToItem(page, 0, talk.height).y <= page.height);
            tryVerify(() => area.contentHeight > area.height && area.atYEnd);
            tryVerify(() => seen(part("allowTool")), 5000, "what is asked is seen");
            verify(!seen(part("stateText")));
            part("denyTool").forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Home);
            tryCompare(area, "contentY", 0);
            // Whoever looks elsewhere is not taken away from there, but for another question.
            root.height = 351;
            wait(0);
            compare(area.contentY, 0);
            ask("c2");
            keyClick(Qt.Key_Space);
            tryVerify(() => seen(part("denyTool")));
        }

        function test_talk_starts_and_ends() {
            mouseClick(part("talk"));
            compare(World.starts, 1);
            World.goLive();
            compare(part("stateText").text, "Listening");
            tryCompare(part("begun"), "running", false);
            mouseClick(part("talk"));
            compare(World.stops, 1);
        }

        function test_second_half_of_a_double_click_ends_nothing() {
            const talk = part("talk");
            mouseClick(talk);
            World.goLive();
            mouseClick(talk);
            compare(World.starts, 1);
            compare(World.stops, 0);
            // Nobody presses a key twice by mistake for once.
            talk.forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Space);
            compare(World.stops, 1);
            keyClick(Qt.Key_Return);
            compare(World.stops, 2);
        }

        function test_key_that_was_let_go_elsewhere_makes_no_click_of_the_next_one() {
            const talk = part("talk");
            talk.forceActiveFocus(Qt.TabFocusReason);
            keyPress(Qt.Key_Space);
            verify(talk.pressed);
            part("text").forceActiveFocus();
            verify(!talk.pressed);
            keyRelease(Qt.Key_Space);
            compare(World.starts, 0);
            mouseClick(talk);
            World.goLive();
            mouseClick(talk);
            compare(World.starts, 1);
            compare(World.stops, 0, "the second half of a double click");
        }

        function test_end_of_a_model_is_told_until_it_is_read() {
            const note = part("modelNote");
            World.useBroker("https://voice.example");
            World.meetModel("gpt-realtime-2.1");
            World.goLive();
            verify(!note.visible);
            World.meetModel("gpt-realtime");
            tryVerify(() => note.visible);
            verify(Reader.name(note).indexOf("2027-01-20") > 0);
            const words = part("modelNoteText");
            for (const width of [420, 340]) {
                root.width = width;
                // It keeps its words to itself, however they are wrapped.
                tryVerify(() => words.lineCount > 2 && note.height >= words.contentHeight + 16);
                tryVerify(() => words.mapToItem(note, 0, 0).y >= 0);
            }
            mouseClick(part("dismissModelNote"));
            verify(!note.visible);
            World.meetModel("gpt-realtime");
            verify(!note.visible);
        }

        function test_recording_is_seen_and_read_out() {
            const sign = part("recordingSign");
            verify(!sign.visible);
            World.setRecording(true);
            verify(!sign.visible, "nothing is said yet");
            World.goLive();
            verify(sign.visible);
            compare(Reader.name(sign), "Recording");
            verify(Reader.description(sign).indexOf("Both sides") === 0);
            World.setRecording(false);
            verify(!sign.visible);
        }

        function ask(callId) {
            World.askFor(callId, "write_file", '{"path":"a.txt"}');
            waitForRendering(page);
        }

        function test_approval_is_shown_and_answered_data() {
            return [
                { tag: "once", button: "allowTool", answer: "c1:0" },
                { tag: "conversation", button: "allowToolForConversation", answer: "c1:1" },
                { tag: "no", button: "denyTool", answer: "c1:2" }
            ];
        }
        function test_approval_is_shown_and_answered(row) {
            const card = part("approvalCard");
            verify(!card.visible);
            World.goLive();
            ask("c1");
            verify(card.visible);
            verify(part("approvalQuestion").text.includes("write_file"));
            verify(part("approvalQuestion").text.includes("files"));
            compare(part("approvalArguments").visible, true);
            tryCompare(part("allowTool"), "enabled", true);
            tryVerify(() => card.height >= card.implicitHeight);
            mouseClick(part(row.button));
            compare(World.answers(), row.answer);
            verify(!card.visible);
        }

        function test_approval_of_a_link_is_for_once() {
            World.goLive();
            World.askForALink("c1");
            verify(!part("allowToolForConversation").visible);
            verify(part("allowTool").visible);
            World.forgetQuestions();
            ask("c2");
            verify(part("allowToolForConversation").visible);
        }

        function test_approval_leaves_the_keyboard_and_is_reached_by_it() {
            World.goLive();
            ask("c1");
            // Whoever mutes does not allow anything.
            keyClick(Qt.Key_Space);
            compare(World.answers(), "");
            verify(World.isSoundMuted);
            tryCompare(part("allowTool"), "enabled", true);
            part("denyTool").forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Tab);
            verify(part("allowTool").activeFocus);
            keyClick(Qt.Key_Return);
            compare(World.answers(), "c1:0");
        }

        function test_approval_that_has_just_come_cannot_be_given_by_mistake() {
            World.goLive();
            ask("c1");
            mouseClick(part("allowTool"));
            compare(World.answers(), "");
            tryCompare(part("allowTool"), "enabled", true);
            ask("c2");
            mouseClick(part("allowTool"));
            compare(World.answers(), "c1:0");
            // The next one is another question.
            verify(!part("allowTool").enabled);
            mouseClick(part("allowTool"));
            compare(World.answers(), "c1:0");
            mouseClick(part("denyTool"));
            compare(World.answers(), "c1:0|c2:2");
        }

        function test_approval_of_much_says_that_there_is_more() {
            World.goLive();
            ask("c1");
            verify(!part("approvalTime").text.includes("Scroll"));
            World.forgetQuestions();
            World.askFor("c2", "write_file", JSON.stringify({ text: "much ".repeat(300) }));
            tryVerify(() => part("approvalTime").text.includes("Scroll"));
            const area = part("approvalArguments");
            area.forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_End);
            tryVerify(() => area.contentY > 0);
            verify(area.atYEnd);
        }

        function test_approval_goes_when_its_time_is_over() {
            World.goLive();
            ask("c1");
            verify(part("approvalTime").text.includes("30 s") || part("approvalTime").text.includes("29 s"));
            World.forgetQuestions();
            verify(!part("approvalCard").visible);
        }

        function test_escape_stops_the_tools() {
            World.goLive();
            World.useTool();
            compare(part("stateText").text, "look_up");
            verify(part("hint").text.includes("Esc"));
            keyClick(Qt.Key_Escape);
            compare(World.interruptions, 1);
            ask("c1");
            verify(!part("hint").text.includes("Esc"));
        }

        function test_timer_is_told_until_it_is_read() {
            verify(!part("timerNote").visible);
            World.endTimer("tea");
            verify(part("timerNote").visible);
            compare(part("timerText").text, "Time is up: tea.");
            World.endTimer("");
            compare(part("timerText").text, "2 timers are over: tea.");
            mouseClick(part("dismissTimer"));
            verify(!part("timerNote").visible);
        }

        function test_space_starts_then_mutes() {
            keyClick(Qt.Key_Space);
            compare(World.starts, 1);
            World.goLive();
            keyClick(Qt.Key_Space);
            verify(World.isSoundMuted);
            compare(part("stateText").text, "Muted");
            keyClick(Qt.Key_Space);
            verify(!World.isSoundMuted);
        }

        function test_space_held_talks_where_one_pushes_to_talk() {
            World.settings.talkMode = 1;
            World.goLive();
            verify(World.isSoundMuted);
            keyPress(Qt.Key_Space);
            verify(!World.isSoundMuted);
            keyRelease(Qt.Key_Space);
            verify(World.isSoundMuted);
        }

        function test_button_held_talks_where_one_pushes_to_talk() {
            World.settings.talkMode = 1;
            World.goLive();
            mousePress(part("talk"));
            verify(!World.isSoundMuted);
            mouseRelease(part("talk"));
            verify(World.isSoundMuted);
            compare(World.stops, 0);
            mouseClick(part("end"));
            compare(World.stops, 1);
        }

        function test_mute_works_by_mouse_and_keyboard() {
            World.goLive();
            mouseClick(part("mute"));
            verify(World.isSoundMuted);
            part("mute").forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Return);
            verify(!World.isSoundMuted);
            keyClick(Qt.Key_Space);
            verify(World.isSoundMuted);
        }

        function test_space_in_an_empty_field_mutes() {
            World.goLive();
            const field = part("text");
            field.forceActiveFocus();
            keyClick(Qt.Key_Space);
            verify(World.isSoundMuted);
            compare(field.text, "");
            keyClick(Qt.Key_Space);
            verify(!World.isSoundMuted);
        }

        function test_space_held_in_an_empty_field_talks() {
            World.settings.talkMode = 1;
            World.goLive();
            const field = part("text");
            field.forceActiveFocus();
            keyPress(Qt.Key_Space);
            verify(!World.isSoundMuted);
            keyRelease(Qt.Key_Space);
            verify(World.isSoundMuted);
            compare(field.text, "");
        }

        function test_blank_words_are_not_sent() {
            World.goLive();
            const field = part("text");
            field.forceActiveFocus();
            field.text = "  ";
            verify(!part("send").visible);
            keyClick(Qt.Key_Return);
            compare(World.said, "");
            compare(field.text, "");
        }

        function test_typed_words_are_said() {
            World.goLive();
            const field = part("text");
            field.forceActiveFocus();
            keyClick(Qt.Key_H);
            keyClick(Qt.Key_Space);
            keyClick(Qt.Key_I);
            verify(!World.isSoundMuted, "a space in the text is a space");
            keyClick(Qt.Key_Return);
            compare(World.said, "h i");
            compare(field.text, "");
        }

        function test_tab_reaches_every_control() {
            World.goLive();
            part("mute").forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Tab);
            verify(part("talk").activeFocus);
            keyClick(Qt.Key_Tab);
            verify(part("text").activeFocus);
            keyClick(Qt.Key_Tab, Qt.ShiftModifier);
            verify(part("talk").activeFocus);
        }

        function test_failure_shows_what_to_do() {
            World.goLive();
            World.fail("broker.unreachable");
            verify(part("stateText").text.startsWith("The agent on this computer does not answer."));
            const action = part("errorAction");
            compare(action.text, "Try again");
            waitForRendering(page);
            mouseClick(action);
            compare(World.starts, 1);
            compare(part("stateText").text, "Press space or the button to talk");
        }

        function test_try_again_is_offered_only_after_the_end() {
            World.goLive();
            World.problem("broker.unreachable");
            const banner = part("errorBanner");
            verify(banner.visible);
            verify(!findChild(banner, "errorAction").visible, "it still runs");
            verify(findChild(banner, "copyError").visible);
            World.fail("broker.unreachable");
            verify(part("errorAction").visible);
        }

        function test_problem_in_three_lines_fits_its_banner() {
            root.width = 340;
            root.height = 520;
            World.goLive();
            World.problem("provider.malformed", "invalid_request_error.conversation_item_truncate_audio_end_ms");
            const banner = part("errorBanner");
            const copy = findChild(banner, "copyError");
            waitForRendering(page);
            tryVerify(() => copy.mapToItem(banner, 0, copy.height).y <= banner.height - 8);
        }

        function test_escape_interrupts_before_it_leaves_the_field() {
            World.goLive();
            const field = part("text");
            field.forceActiveFocus();
            keyClick(Qt.Key_H);
            World.speak();
            keyClick(Qt.Key_Escape);
            compare(World.interruptions, 1);
            verify(field.activeFocus);
            compare(field.text, "h");
            World.listen();
            keyClick(Qt.Key_Escape);
            compare(World.interruptions, 1);
            verify(part("talk").activeFocus);
        }

        function test_hint_interrupts_where_the_voice_cannot() {
            World.goLive();
            World.speak();
            waitForRendering(page);
            mouseClick(part("hint"));
            compare(World.interruptions, 0);
            mouseClick(part("mute"));
            compare(part("hint").text, "Press Esc or here to interrupt");
            waitForRendering(page);
            mouseClick(part("hint"));
            compare(World.interruptions, 1);
            verify(Reader.act(part("hint"), "Press"));
            compare(World.interruptions, 2);
        }

        function test_missing_microphone_is_told_in_one_place() {
            root.width = 340;
            root.height = 520;
            World.goLive();
            World.problem("sound.no_microphone");
            compare(part("stateText").text, "No microphone");
            verify(!part("errorBanner").visible, "the words tell it");
            waitForRendering(page);
            const action = part("errorAction");
            const copy = part("copyError");
            verify(action.visible && copy.visible);
            compare(action.mapToItem(page, 0, 0).y, copy.mapToItem(page, 0, 0).y, "side by side");
            verify(copy.mapToItem(page, copy.width, 0).x <= page.width - 16);
            compare(Reader.name(copy), "Copy the code sound.no_microphone");
            verify(!part("mute").enabled);
            keyClick(Qt.Key_Space);
            verify(!World.conversation.isMuted, "there is nothing to mute");
            World.problem("sound.no_loudspeaker");
            compare(part("stateText").text, "No microphone and no loudspeaker");
            verify(!part("errorBanner").visible);
            World.fail("child.died");
            verify(part("mute").enabled);
        }

        function test_transcript_goes_softly_where_it_is_cut() {
            World.write("x", true, "Hello");
            verify(!part("topFade").visible);
            for (let i = 0; i < 40; ++i)
                World.write("id" + i, i % 2 === 0, "Words that were said, number " + i);
            const list = part("transcript");
            tryVerify(() => list.atYEnd);
            tryVerify(() => part("topFade").visible);
            verify(!part("bottomFade").visible);
            list.positionViewAtBeginning();
            tryVerify(() => part("bottomFade").visible);
            tryVerify(() => !part("topFade").visible);
        }

        function test_problem_can_be_dismissed() {
            World.goLive();
            World.problem("session.ended");
            const banner = part("errorBanner");
            verify(banner.visible);
            mouseClick(findChild(banner, "dismissError"));
            verify(!banner.visible);
            compare(part("stateText").text, "Listening");
        }

        function test_transcript_follows_the_end_until_the_reader_scrolls() {
            verify(part("emptyTranscript").visible);
            for (let i = 0; i < 40; ++i)
                World.write("id" + i, i % 2 === 0, "Words that were said, number " + i);
            const list = part("transcript");
            tryVerify(() => !part("emptyTranscript").visible);
            tryVerify(() => list.atYEnd);
            list.forceActiveFocus();
            keyClick(Qt.Key_Home);
            tryVerify(() => list.atYBeginning);
            World.write("more", true, "One more");
            wait(50);
            verify(!list.atYEnd, "it stays where the reader is");
            mouseClick(part("showEnd"));
            tryVerify(() => list.atYEnd);
        }

        function test_transcript_turns_pages() {
            for (let i = 0; i < 40; ++i)
                World.write("id" + i, i % 2 === 0, "Words that were said, number " + i);
            const list = part("transcript");
            tryVerify(() => list.count === 40 && list.atYEnd);
            waitForRendering(page);
            list.forceActiveFocus();
            const was = list.contentY;
            keyClick(Qt.Key_PageUp);
            verify(list.contentY < was - list.height / 3 && !list.atYEnd);
            keyClick(Qt.Key_PageDown);
            keyClick(Qt.Key_PageDown);
            tryVerify(() => list.atYEnd);
        }

        function test_transcript_stays_under_a_dragged_scroll_bar() {
            for (let i = 0; i < 40; ++i)
                World.write("id" + i, i % 2 === 0, "Words that were said, number " + i);
            const list = part("transcript");
            const bar = part("transcriptBar");
            tryVerify(() => list.atYEnd);
            waitForRendering(page);
            mousePress(bar, bar.width / 2, bar.height - 4);
            verify(bar.pressed);
            mouseMove(bar, bar.width / 2, bar.height / 2);
            verify(!list.atYEnd);
            const was = list.contentY;
            World.write("more", false, "While it is dragged");
            wait(50);
            verify(Math.abs(list.contentY - was) < 20 && !list.atYEnd);
            mouseRelease(bar, bar.width / 2, bar.height / 2);
            World.write("even more", false, "After it was let go");
            wait(50);
            verify(Math.abs(list.contentY - was) < 20 && !list.atYEnd);
            mousePress(bar, bar.width / 2, bar.height / 2);
            mouseMove(bar, bar.width / 2, bar.height);
            mouseRelease(bar, bar.width / 2, bar.height);
            World.write("last", false, "At the end again");
            tryVerify(() => list.atYEnd);
        }

        function test_transcript_shows_that_it_has_the_keyboard() {
            World.write("x", true, "Hello");
            verify(!part("transcriptRing").visible);
            part("transcript").forceActiveFocus(Qt.TabFocusReason);
            verify(part("transcriptRing").visible);
        }

        function test_markup_is_shown_as_it_is() {
            World.write("x", false, "<b>bold</b>");
            tryVerify(() => part("transcript").itemAtIndex(0) !== null);
            compare(part("transcript").itemAtIndex(0).words, "<b>bold</b>");
        }

        function test_screen_reader_starts_mutes_and_ends() {
            verify(Reader.act(part("talk"), "Press"));
            compare(World.starts, 1);
            World.goLive();
            verify(Reader.act(part("mute"), "Press"));
            verify(World.isSoundMuted);
            verify(Reader.isChecked(part("mute")));
            compare(Reader.name(part("mute")), "Mute", "or else it were on and off at once");
            verify(Reader.act(part("talk"), "Press"));
            compare(World.stops, 1);
        }

        function test_everything_is_read_out_once() {
            verify(Reader.names(page).includes("What you say and hear will be written here."));
            root.width = 1000;
            World.goLive();
            World.spend();
            World.write("x", false, "Good morning");
            tryVerify(() => part("transcript").itemAtIndex(0) !== null);
            const names = Reader.names(page);
            for (const name of ["Listening", "Mute", "Agent: Good morning", "Type a message", "Usage", "Path: Straight to the provider", "Time: 0:00", "look_up, done"])
                compare(names.filter(each => each === name).length, 1, name + " of " + names);
            for (const name of ["Good morning", "Agent", "End", "Tokens", "look_up", "done", "Time"])
                verify(!names.includes(name), name);
        }

        function test_without_a_finger_on_it_the_talk_button_stays_down_until_pressed_again_data() {
            return [
                { tag: "return", press: () => keyClick(Qt.Key_Return) },
                { tag: "screen reader", press: () => Reader.act(part("talk"), "Press") }
            ];
        }

        function test_without_a_finger_on_it_the_talk_button_stays_down_until_pressed_again(row) {
            World.settings.talkMode = 1;
            World.goLive();
            part("talk").forceActiveFocus(Qt.TabFocusReason);
            row.press();
            verify(!World.isSoundMuted);
            verify(Reader.isChecked(part("talk")));
            row.press();
            verify(World.isSoundMuted);
            compare(World.stops, 0);
        }

        function test_side_panel_comes_with_room() {
            compare(findChild(page, "sidePanel"), null);
            root.width = 1000;
            verify(part("sidePanel").visible);
        }

        function test_words_that_are_kept_are_said_to_be() {
            const line = part("keptLine");
            World.goLive();
            World.meetKeeper(false);
            verify(!line.visible);
            World.meetKeeper(true);
            verify(line.visible);
            compare(line.Accessible.role, Accessible.AlertMessage);
            const words = "What is said is kept by the project, and its admins can read it.";
            root.width = 340;
            tryVerify(() => line.lineCount > 1 && line.height >= line.contentHeight);
            for (const width of [340, 1000]) {
                root.width = width;
                compare(Reader.names(page).filter(each => each === words).length, 1, width);
            }
            World.fail("provider.closed");
            verify(!line.visible, "nothing is said any more");
            World.goLive();
            verify(!line.visible, "whether these are kept is not known yet");
        }

        function test_conversation_that_outlives_its_token_is_still_told_of() {
            root.width = 1000;
            verify(!part("connectionPath").visible);
            World.goLive();
            World.meetKeeper(true);
            World.outliveToken();
            verify(part("keptLine").visible);
            verify(part("connectionPath").visible);
            verify(!Reader.names(page).includes("Not connected."));
            World.fail("provider.closed");
            verify(!part("connectionPath").visible);
            verify(Reader.names(page).includes("Not connected."));
        }

        function test_side_panel_says_which_provider_answers() {
            root.width = 1000;
            World.goLive();
            World.meetModel("m");
            verify(!part("connectionProvider").visible, "the agent of this computer is nobody's");
            World.fail("provider.closed");
            World.useBroker("https://voice.example");
            World.goLive();
            World.meetModel("m");
            verify(part("connectionProvider").visible);
            compare(part("connectionProvider").value, "openai");
        }

        function test_side_panel_says_what_waits_for_whom() {
            root.width = 1000;
            World.goLive();
            World.useTool();
            const outcome = () => part("outcome_look_up").text;
            tryVerify(() => outcome() === "running");
            World.askFor("c1", "look_up", "{}");
            compare(outcome(), "waits for you");
            World.forgetQuestions();
            compare(outcome(), "running");
        }

        function test_words_that_are_too_many_are_not_cut() {
            const field = part("text");
            const most = World.conversation.longestMessage;
            field.text = "a".repeat(most + 12);
            verify(part("tooLong").visible);
            for (const figure of [most + 12, most])
                verify(part("tooLong").text.includes(Number(figure).toLocaleString(Qt.locale(), "f", 0)));
            field.forceActiveFocus();
            field.cursorPosition = field.length;
            keyClick(Qt.Key_Return);
            verify(!part("send").enabled);
            compare(World.said, "");
            compare(field.length, most + 12, "nothing is lost");
            compare(Reader.description(field), part("tooLong").text);
            for (let i = 0; i < 12; ++i)
                keyClick(Qt.Key_Backspace);
            verify(!part("tooLong").visible);
            keyClick(Qt.Key_Return);
            compare(World.said.length, most);
            compare(field.text, "");
        }

        function test_words_beyond_all_measure_are_told_to_be_cut() {
            const field = part("text");
            field.text = "b".repeat(field.maximumLength + 5);
            verify(part("tooLong").text.startsWith("Cut off after "));
        }

        function test_proxy_leads_to_the_network() {
            let network = 0;
            page.networkWanted.connect(() => ++network);
            World.fail("broker.unreachable", "proxy.password");
            compare(part("errorAction").text, "Open network settings");
            verify(Reader.act(part("errorAction"), "Press"));
            compare(network, 1);
        }

        function test_project_leads_to_its_field() {
            let wanted = 0;
            page.projectWanted.connect(() => ++wanted);
            World.fail("choice.not_allowed", "project_not_allowed");
            verify(part("stateText").text.includes("not one of yours"));
            compare(part("errorAction").text, "Name the project");
            verify(Reader.act(part("errorAction"), "Press"));
            compare(wanted, 1);
            // Not any more, while the conversation goes on.
            World.goLive();
            World.problem("auth.refused", "project_not_allowed");
            const banner = part("errorBanner");
            tryVerify(() => banner.visible);
            verify(Reader.act(findChild(banner, "errorAction"), "Press"));
            compare(wanted, 2);
        }

        function test_side_panel_names_the_project() {
            root.width = 1000;
            World.useBroker("https://voice.example");
            World.settings.project.use("choir");
            verify(!part("connectionProject").visible, "not connected");
            World.goLive();
            World.meetModel("m");
            verify(part("connectionProject").visible);
            compare(part("connectionProject").value, "choir");
            World.settings.project.use("band");
            compare(part("connectionProject").value, "choir", "that is the next one's");
            World.fail("provider.closed");
            World.settings.useThisComputer();
            World.goLive();
            World.meetModel("m");
            verify(!part("connectionProject").visible);
        }

        function test_usage_is_reached_from_the_field() {
            let wanted = 0;
            page.usageWanted.connect(() => ++wanted);
            const field = part("text");
            field.forceActiveFocus();
            field.text = "half a sentence";
            field.cursorPosition = field.length;
            keyClick(Qt.Key_U, Qt.ControlModifier);
            compare(wanted, 1);
            compare(field.text, "half a sentence");
            keyClick(Qt.Key_U);
            compare(field.text, "half a sentenceu");
            compare(wanted, 1);
        }

        function test_failure_stands_in_the_middle_with_its_code() {
            root.width = 1100;
            World.goLive();
            World.fail("configuration.bad");
            waitForRendering(page);
            const middle = item => item.mapToItem(page, item.width / 2, 0).x;
            tryVerify(() => Math.abs(middle(part("stateText")) - middle(part("string"))) <= 1);
            const actions = part("copyError").parent;
            verify(Math.abs(middle(actions) - middle(part("string"))) <= 1);
            compare(part("copyError").text, "configuration.bad");
        }

        function test_string_is_still_at_rest() {
            const string = part("string");
            tryVerify(() => !string.isMoving);
            World.goLive();
            wait(60);
            verify(!string.isMoving, "nobody speaks");
            string.userLevel = 0.5;
            verify(string.isMoving);
            string.userLevel = 0;
            tryVerify(() => !string.isMoving);
        }
    }
}
