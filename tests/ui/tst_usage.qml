import QtQuick
import QtTest
import Vivavoce.Usage
import Vivavoce.Tests

Item {
    id: root

    width: 340
    height: 520

    Component {
        id: pageOf

        UsagePage {
            anchors.fill: parent
            usage: World.usage
        }
    }
    SignalSpy {
        id: back

        signalName: "backWanted"
    }
    TestCase {
        property Item page

        name: "UsagePage"
        when: windowShown

        function part(name) {
            const item = findChild(page, name);
            verify(item, "there is a " + name);
            return item;
        }

        function show() {
            page = createTemporaryObject(pageOf, root);
            back.target = page;
            back.clear();
            page.forceActiveFocus();
            waitForRendering(page);
        }

        function init() {
            World.begin(false);
        }

        function test_empty_says_what_will_be_kept() {
            show();
            verify(part("emptyUsage").visible);
            verify(part("emptyUsage").text.includes("never words"));
            verify(!part("clearUsage").visible);
            verify(!part("spanList").visible);
            verify(part("monthLimit").visible);
            verify(!part("brokerCard").visible);
        }

        function test_figures_are_read_as_a_table() {
            World.count();
            show();
            verify(!part("emptyUsage").visible);
            const names = Reader.names(page);
            verify(names.some(name => name === "Tokens in: today 100, this month 100"), names.join("\n"));
            verify(names.some(name => name === "From cache: today 40, this month 40"));
            verify(names.some(name => name.includes("≈ $1.00. 1 conversation")));
            verify(part("pricesOf").text.includes("2026-10-09"));
        }

        function test_everything_is_reached_by_keyboard() {
            World.count();
            show();
            const seen = [];
            for (let i = 0; i < 12; ++i) {
                keyClick(Qt.Key_Tab);
                for (let item = page.Window.activeFocusItem; item; item = item.parent)
                    if (item.objectName !== "") {
                        seen.push(item.objectName);
                        break;
                    }
            }
            for (const name of ["monthLimit", "spans.0", "clearUsage"])
                verify(seen.includes(name), name + " in " + seen.join(", "));
        }

        function test_months_are_chosen() {
            World.count();
            show();
            part("spans").chosen(1);
            verify(World.usage.isByMonth);
            compare(part("spanRow").detail, "1 conversation · 1.5 min · replies: 1");
        }

        function test_nothing_is_deleted_before_it_is_confirmed() {
            World.count();
            show();
            verify(Reader.act(part("clearUsage"), "Press"));
            tryVerify(() => part("cancelClear").activeFocus, 5000, "return keeps it");
            verify(part("clearQuestion").text.includes("stays there"));
            keyClick(Qt.Key_Escape);
            compare(back.count, 0);
            verify(!World.usage.isClearing);
            verify(!World.usage.isEmpty);
            verify(Reader.act(part("clearUsage"), "Press"));
            verify(Reader.act(part("confirmClear"), "Press"));
            verify(World.usage.isEmpty);
            keyClick(Qt.Key_Escape);
            compare(back.count, 1);
        }

        function test_broker_that_does_not_answer_is_said() {
            World.useBroker("https://voice.example");
            World.count();
            show();
            verify(part("brokerCard").visible);
            verify(part("comparison").text.includes("being asked"));
            World.answerUsage(false);
            verify(part("comparison").text.includes("does not answer"));
            verify(Reader.act(part("askBroker"), "Press"));
            World.answerUsage(true);
            verify(part("comparison").text.includes("$1.00"), part("comparison").text);
            compare(part("explanation").text, "They agree.");
        }
    }
}
