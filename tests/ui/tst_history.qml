import QtQuick
import QtTest
import Vivavoce.History
import Vivavoce.Style
import Vivavoce.Tests

Item {
    id: root

    width: 340
    height: 520

    Component {
        id: pageOf

        HistoryPage {
            anchors.fill: parent
            history: World.history
        }
    }
    Component {
        id: exportOf

        ExportPage {
            anchors.fill: parent
            exporter: World.exporter
        }
    }
    SignalSpy {
        id: back

        signalName: "backWanted"
    }
    TestCase {
        property Item page

        name: "HistoryPage"
        when: windowShown

        function part(name) {
            const item = findChild(page, name);
            verify(item, "there is a " + name);
            return item;
        }

        function press(name) {
            verify(Reader.act(part(name), "Press"), name);
        }

        function show(component) {
            page = createTemporaryObject(component, root);
            back.target = page;
            back.clear();
            page.forceActiveFocus();
            waitForRendering(page);
        }

        function init() {
            World.begin(false);
            root.width = 340;
        }

        function test_empty_says_whether_anything_will_be_kept() {
            show(pageOf);
            verify(part("emptyHistory").text.includes("not kept"));
            verify(part("keepingWanted").visible);
            verify(!part("search").visible);
            verify(!part("deleteAll").visible);
            World.settings.keepsConversations = true;
            tryVerify(() => part("emptyHistory").text.includes("kept here"));
            verify(!part("keepingWanted").visible);
        }

        function test_conversations_are_found_opened_and_left_by_keyboard() {
            World.keep("one", "About mountains");
            World.keep("two", "About the <b>sea</b>");
            show(pageOf);
            tryVerify(() => part("search").activeFocus);
            compare(part("savedList").count, 2);
            for (const letter of "mount")
                keyClick(letter);
            compare(part("savedList").count, 1);
            keyClick(Qt.Key_Down);
            verify(part("savedList").activeFocus);
            keyClick(Qt.Key_Return);
            verify(World.history.isOpen);
            tryVerify(() => part("savedLines").activeFocus);
            tryVerify(() => Reader.names(page).some(name => name.startsWith("You, 0:00: About mountains")));
            verify(Reader.names(page).some(name => name === "Agent, 0:00: As you say., interrupted"));
            keyClick(Qt.Key_Escape);
            verify(!World.history.isOpen);
            compare(part("search").text, "mount", "the search is as it was");
            keyClick(Qt.Key_Escape);
            compare(back.count, 1);
        }

        function test_words_that_nobody_said_are_not_found() {
            World.keep("one", "About mountains");
            show(pageOf);
            for (const letter of "xyz")
                keyClick(letter);
            tryVerify(() => part("emptyHistory").visible);
            verify(part("emptyHistory").text.includes("these words"));
            verify(part("search").visible, "to look for something else");
            root.width = 1100;
            waitForRendering(page);
            const words = part("emptyHistory");
            tryVerify(() => Math.abs(words.mapToItem(page, words.width / 2, 0).x - 550) <= 1);
        }

        function test_many_become_one_without_a_word_of_the_list() {
            failOnWarning(/DelegateModel/);
            for (let i = 0; i < 40; ++i)
                World.keep("c" + i, i === 7 ? "About mountains" : "About the sea");
            show(pageOf);
            for (const words of ["mountains", "", "mountains", ""]) {
                World.history.words = words;
                tryCompare(part("savedList"), "count", words === "" ? 40 : 1);
            }
        }

        function test_nothing_is_deleted_before_it_is_confirmed() {
            World.keep("one", "About mountains");
            show(pageOf);
            part("savedList").forceActiveFocus();
            keyClick(Qt.Key_Delete);
            tryVerify(() => part("cancelDeletion").activeFocus, 5000, "return keeps it");
            verify(part("deletionQuestion").text.includes("cannot be brought back"));
            keyClick(Qt.Key_Return);
            tryVerify(() => !part("deletionCard").visible);
            compare(World.kept, 1);
            compare(back.count, 0);
            part("savedList").forceActiveFocus();
            keyClick(Qt.Key_Delete);
            keyClick(Qt.Key_Escape);
            tryVerify(() => !part("deletionCard").visible);
            compare(World.kept, 1);
            compare(back.count, 0);
            press("deleteRow");
            tryVerify(() => part("deletionCard").visible);
            press("confirmDeletion");
            compare(World.kept, 0);
            tryVerify(() => part("emptyHistory").visible);
        }

        function test_open_one_is_deleted_alone() {
            failOnWarning(/DelegateModel/);
            World.keep("one", "About mountains");
            World.keep("two", "About the sea");
            show(pageOf);
            World.history.open("one");
            tryVerify(() => part("deleteOpen").visible);
            press("deleteOpen");
            press("confirmDeletion");
            verify(!World.history.isOpen);
            compare(World.kept, 1);
            compare(part("savedList").count, 1);
        }

        function test_all_are_deleted_at_once() {
            World.keep("one", "About mountains");
            World.keep("two", "About the sea");
            show(pageOf);
            press("deleteAll");
            verify(part("deletionQuestion").text.includes("all"));
            press("confirmDeletion");
            compare(World.kept, 0);
        }

        function test_fault_is_told_in_words() {
            World.keep("one", "About mountains");
            World.breakHistory();
            show(pageOf);
            tryVerify(() => part("historyFault").visible);
            verify(!part("emptyHistory").visible);
            verify(part("deleteAll").visible, "what cannot be read can be deleted");
            root.width = 1100;
            waitForRendering(page);
            const words = part("historyFault");
            tryVerify(() => Math.abs(words.mapToItem(page, words.width / 2, 0).x - 550) <= 1);
        }

        function test_format_and_name_say_the_same() {
            World.keep("one", "About mountains");
            World.history.open("one");
            World.history.exportOpen();
            show(exportOf);
            tryVerify(() => part("exportPath").activeFocus);
            verify(part("exportPath").text.endsWith(".md"));
            compare(part("exportFormat").currentIndex, 1);
            part("exportFormat").activated(3);
            tryVerify(() => part("exportPath").text.endsWith(".srt"));
            compare(part("exportFormat").currentIndex, 3);
        }

        function test_file_that_is_there_is_replaced_at_the_second_press() {
            World.keep("one", "About mountains");
            World.history.open("one");
            World.history.exportOpen();
            World.exporter.path = "/home/a.txt";
            World.exporter.save();
            World.history.exportOpen();
            World.exporter.path = "/home/a.txt";
            show(exportOf);
            press("exportSave");
            compare(part("exportSave").text, "Replace it");
            verify(part("exportWords").text.includes("already"));
            press("exportSave");
            tryVerify(() => part("exportBack").activeFocus);
            compare(part("exportBack").text, "Done");
            keyClick(Qt.Key_Return);
            compare(back.count, 1);
        }

        function test_name_that_does_not_do_is_told_until_it_is_changed() {
            World.keep("one", "About mountains");
            World.history.open("one");
            World.history.exportOpen();
            show(exportOf);
            part("exportPath").selectAll();
            for (const letter of "/nowhere/a.txt")
                keyClick(letter);
            keyClick(Qt.Key_Return);
            verify(part("exportPath").isWrong);
            compare(Reader.description(part("exportPath")), part("exportWords").text);
            keyClick("x");
            verify(!part("exportPath").isWrong);
            compare(World.written, "");
        }

        function test_line_is_played_and_stopped() {
            World.keepWithSound("c", "What was that?");
            show(pageOf);
            World.history.open("c");
            tryVerify(() => World.history.isOpen);
            const list = part("savedLines");
            tryCompare(list, "count", 2);
            tryVerify(() => list.itemAtIndex(1) !== null);
            const play = findChild(list.itemAtIndex(0), "playLine");
            verify(play.visible && play.enabled);
            compare(Reader.name(play), "Play from here, You, 0:00");
            verify(!part("playBar").visible);
            // By keyboard, as by pointer and screen reader.
            play.forceActiveFocus(Qt.TabFocusReason);
            keyClick(Qt.Key_Return);
            verify(World.isPlaying());
            tryVerify(() => part("playBar").visible);
            compare(Reader.name(play), "Stop");
            verify(play.activeFocus, "the keyboard stays");
            World.playOn(12000);
            compare(part("playTime").text, "0:12 of 0:30");
            compare(Reader.name(play), "Play from here, You, 0:00");
            compare(Reader.name(findChild(list.itemAtIndex(1), "playLine")), "Stop");
            verify(list.itemAtIndex(1).Accessible.name.indexOf("is being played") > 0);
            press("stopPlaying");
            verify(!World.isPlaying());
            tryVerify(() => !part("playBar").visible);
            verify(Reader.act(play, "Press"));
            verify(World.isPlaying());
            World.endPlaying();
            tryVerify(() => !part("playBar").visible);
        }

        function test_nothing_is_played_beside_a_conversation_or_without_a_file() {
            World.keepWithSound("c", "Hello");
            show(pageOf);
            World.history.open("c");
            const list = part("savedLines");
            tryCompare(list, "count", 2);
            tryVerify(() => list.itemAtIndex(1) !== null);
            World.history.playFrom(0);
            verify(World.isPlaying());
            World.setTalking(true);
            verify(!World.isPlaying());
            verify(!findChild(list.itemAtIndex(0), "playLine").enabled);
            World.setTalking(false);
            World.loseSound();
            World.history.open("c");
            verify(!findChild(list.itemAtIndex(0), "playLine").visible);
            verify(part("historyFault").text.indexOf("missing") > 0);
        }

        function isWhole(list, item) {
            if (!item)
                return false;
            const top = item.mapToItem(list, 0, 0).y;
            return top >= -0.5 && top + item.height <= list.height + 0.5;
        }

        function test_keyboard_in_a_long_list_is_always_seen() {
            for (let i = 0; i < 120; ++i)
                World.keep("c" + i, i % 3 === 0 ? "Short" : "About mountains, and a good many other things that take more than a line");
            show(pageOf);
            const list = part("savedList");
            list.forceActiveFocus();
            tryVerify(() => isWhole(list, list.currentItem));
            keyClick(Qt.Key_End);
            compare(list.currentIndex, 119);
            verify(isWhole(list, list.currentItem), "the last");
            keyClick(Qt.Key_PageUp);
            verify(list.currentIndex < 119 && list.currentIndex > 100);
            verify(isWhole(list, list.currentItem), "a page up");
            for (let i = 0; i < 8; ++i) {
                keyClick(Qt.Key_Up);
                verify(isWhole(list, list.currentItem), "up " + i);
            }
            keyClick(Qt.Key_Home);
            compare(list.currentIndex, 0);
            verify(isWhole(list, list.currentItem), "the first");
            keyClick(Qt.Key_PageDown);
            verify(list.currentIndex > 0 && list.currentIndex < 20);
            verify(isWhole(list, list.currentItem), "a page down");
            // What was scrolled away is brought back with the keyboard.
            list.positionViewAtEnd();
            part("search").forceActiveFocus();
            list.forceActiveFocus();
            tryVerify(() => isWhole(list, list.currentItem));
        }

        function test_long_conversation_is_gone_through_by_keyboard() {
            World.keepLines("c", 300);
            show(pageOf);
            World.history.open("c");
            const list = part("savedLines");
            tryVerify(() => list.activeFocus && list.itemAtIndex(0) !== null);
            keyClick(Qt.Key_End);
            tryVerify(() => list.atYEnd);
            verify(isWhole(list, list.itemAtIndex(299)), "the last line");
            const was = list.contentY;
            keyClick(Qt.Key_PageUp);
            verify(list.contentY < was - list.height / 2);
            keyClick(Qt.Key_PageDown);
            tryVerify(() => list.atYEnd);
            keyClick(Qt.Key_Home);
            tryVerify(() => list.atYBeginning);
            verify(isWhole(list, list.itemAtIndex(0)), "the first line");
        }

        function test_conversation_opens_at_what_was_looked_for() {
            World.keepLines("c", 120);
            show(pageOf);
            World.history.words = "number 89";
            World.history.open("c");
            compare(World.history.foundRow, 89);
            const list = part("savedLines");
            tryVerify(() => list.itemAtIndex(89) !== null && Math.abs(list.itemAtIndex(89).mapToItem(list, 0, 0).y) <= 1);
            tryVerify(() => list.activeFocus);
            keyClick(Qt.Key_Home);
            tryVerify(() => list.atYBeginning);
        }

        function test_scroll_bars_are_clear_of_the_words() {
            World.keepLines("c", 300);
            for (let i = 0; i < 60; ++i)
                World.keep("c" + i, "About mountains");
            show(pageOf);
            for (const [listName, barName] of [["savedList", "savedListBar"], ["savedLines", "savedBar"]]) {
                if (listName === "savedLines")
                    World.history.open("c");
                const list = part(listName);
                const bar = part(barName);
                tryVerify(() => list.visible && list.itemAtIndex(0) !== null);
                tryVerify(() => bar.mapToItem(page, bar.width, 0).x === page.width);
                const row = list.itemAtIndex(0);
                verify(row.mapToItem(page, row.width, 0).x <= bar.mapToItem(page, 0, 0).x, listName);
                verify(bar.width >= 12, "there is enough to take hold of");
                tryVerify(() => bar.contentItem.height >= 31.9);
                verify(bar.contentItem.width <= 6);
            }
        }

        function test_line_without_sound_has_nothing_to_play() {
            World.keep("c", "Hello");
            show(pageOf);
            World.history.open("c");
            const list = part("savedLines");
            tryCompare(list, "count", 2);
            tryVerify(() => list.itemAtIndex(1) !== null);
            verify(!findChild(list.itemAtIndex(0), "playLine").visible);
        }
    }
}
