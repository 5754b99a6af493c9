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
            page = createTemporaryObject(pageOf, root);
            page.forceActiveFocus();
            waitForRendering(page);
        }

        function test_talk_starts_and_ends() {
            mouseClick(part("talk"));
            compare(World.starts, 1);
            World.goLive();
            compare(part("stateText").text, "Listening");
            mouseClick(part("talk"));
            compare(World.stops, 1);
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
            World.fail(7);
            verify(part("stateText").text.startsWith("The broker does not answer."));
            const action = part("errorAction");
            compare(action.text, "Try again");
            waitForRendering(page);
            mouseClick(action);
            compare(World.starts, 1);
            compare(part("stateText").text, "Press space or the button to talk");
        }

        function test_problem_can_be_dismissed() {
            World.goLive();
            World.problem(23);
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

        function test_markup_is_shown_as_it_is() {
            World.write("x", false, "<b>bold</b>");
            tryVerify(() => part("transcript").itemAtIndex(0) !== null);
            compare(part("transcript").itemAtIndex(0).words, "<b>bold</b>");
        }

        function test_side_panel_comes_with_room() {
            verify(!part("sidePanel").visible);
            root.width = 1000;
            verify(part("sidePanel").visible);
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
