#include "core/tools/tool_box.h"

#include "tests/core/tools/tool_world.h"

#include <QTest>

#include <optional>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

struct World {
    World()
    {
        source.offer("weather", ToolPolicy::Always, R"({"properties":{"city":{"type":"string"}},"required":["city"]})");
        source.offer("delete_file", ToolPolicy::Ask);
        source.offer("format_disk", ToolPolicy::Never);
        source.offer("open_link", ToolPolicy::Ask, "{}", true);
    }
    ToolBox& make()
    {
        box.emplace(ToolBox::Dependencies{
            clock, executor, {&source, &other}, [this](const std::string& name) -> std::optional<ToolPolicy> {
                const auto found = decided.find(name);
                return found == decided.end() ? std::nullopt : std::optional(found->second);
            }});
        box->follow([this] { ++told; });
        return *box;
    }
    void call(const std::string& id, const std::string& name, const std::string& arguments = "{}")
    {
        box->run({id, name, arguments},
            [this, id](Expected<std::string, Error> result) { results.emplace(id, std::move(result)); });
        executor.runPosted();
    }
    [[nodiscard]] std::string resultOf(const std::string& id) const
    {
        const auto found = results.find(id);
        if (found == results.end()) {
            return "nothing";
        }
        return found->second ? *found->second : std::string(codeText(found->second.error().code));
    }

    ManualClock clock;
    ManualExecutor executor{clock};
    FakeToolSource source;
    FakeToolSource other;
    std::map<std::string, ToolPolicy> decided;
    std::multimap<std::string, Expected<std::string, Error>> results;
    int told = 0;
    std::optional<ToolBox> box;
};

} // namespace

class TestToolBox : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void call_ThatFits_IsRunAndAnswered()
    {
        World world;
        world.make();
        world.call("1", "weather", " { \"city\" : \"Oslo\" } ");
        QCOMPARE(world.source.calls.size(), std::size_t{1});
        QCOMPARE(world.source.calls[0].arguments, std::string(R"({"city":"Oslo"})"));
        QCOMPARE(world.resultOf("1"), std::string("nothing"));
        world.source.answer("1", std::string("{\"degrees\":3}"));
        QCOMPARE(world.resultOf("1"), std::string("{\"degrees\":3}"));
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }

    void call_ThatDoesNotFit_IsToldWhy_AndDoesNotRun_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("arguments");
        QTest::addColumn<QString>("result");
        QTest::newRow("missing") << "weather" << QByteArray("{}") << "tool.arguments";
        QTest::newRow("no JSON") << "weather" << QByteArray("Oslo") << "tool.arguments";
        QTest::newRow("too long") << "weather"
                                  << "{\"city\":\"" + QByteArray(70'000, 'x') + "\"}"
                                  << "tool.arguments";
        QTest::newRow("unknown") << "whether" << QByteArray("{}") << "tool.failed";
        QTest::newRow("never") << "format_disk" << QByteArray("{}") << "tool.denied";
    }
    void call_ThatDoesNotFit_IsToldWhy_AndDoesNotRun()
    {
        QFETCH(QString, name);
        QFETCH(QByteArray, arguments);
        QFETCH(QString, result);
        World world;
        world.make();
        bool wasWithin = false;
        world.box->run({"1", name.toStdString(), arguments.toStdString()}, [&](const auto&) { wasWithin = true; });
        QVERIFY(!wasWithin);
        world.box->cancelAll();
        world.executor.runPosted();
        QVERIFY2(!wasWithin, "a cancelled call is answered");
        world.call("1", name.toStdString(), arguments.toStdString());
        QCOMPARE(world.resultOf("1"), result.toStdString());
        QVERIFY(world.source.calls.empty());
        QVERIFY(world.box->pending().empty());
    }

    void call_ThatAsks_WaitsForThePerson()
    {
        World world;
        world.make();
        world.call("1", "delete_file", "{\"path\":\"a\"}");
        QVERIFY(world.source.calls.empty());
        QCOMPARE(world.box->pending().size(), std::size_t{1});
        const ApprovalRequest& request = world.box->pending()[0];
        QCOMPARE(request.tool, std::string("delete_file"));
        QCOMPARE(request.source, std::string("the test"));
        QCOMPARE(request.arguments, std::string("{\"path\":\"a\"}"));
        QCOMPARE(world.told, 1);
        world.box->answer("1", Approval::Once);
        QVERIFY(world.box->pending().empty());
        QCOMPARE(world.source.calls.size(), std::size_t{1});
        world.box->answer("1", Approval::Deny);
        world.source.answer("1", std::string("gone"));
        QCOMPARE(world.resultOf("1"), std::string("gone"));
        world.call("2", "delete_file");
        QCOMPARE(world.box->pending().size(), std::size_t{1});
    }

    void denied_IsToldToTheModel_AndDoesNotRun()
    {
        World world;
        world.make();
        world.call("1", "delete_file");
        world.box->answer("1", Approval::Deny);
        world.box->answer("1", Approval::Once);
        QCOMPARE(world.resultOf("1"), std::string("tool.denied"));
        QCOMPARE(world.results.count("1"), std::size_t{1});
        QVERIFY(world.source.calls.empty());
    }

    void silence_IsNo()
    {
        World world;
        world.make();
        world.call("1", "delete_file");
        world.executor.advance(Milliseconds{29'999});
        QCOMPARE(world.box->pending().size(), std::size_t{1});
        world.executor.advance(Milliseconds{1});
        QVERIFY(world.box->pending().empty());
        QCOMPARE(world.resultOf("1"), std::string("tool.denied"));
        QCOMPARE(world.told, 2);
        world.box->answer("1", Approval::Once);
        QVERIFY(world.source.calls.empty());
    }

    void allowedForTheConversation_AsksNoMore_UntilTheNext()
    {
        World world;
        ToolBox& box = world.make();
        (void)box.begin();
        world.call("1", "delete_file");
        world.call("2", "delete_file");
        world.call("3", "open_link");
        box.answer("1", Approval::Conversation);
        QCOMPARE(world.source.calls.size(), std::size_t{2});
        QCOMPARE(box.pending().size(), std::size_t{1});
        QCOMPARE(box.pending()[0].callId, std::string("3"));
        world.call("4", "delete_file");
        QCOMPARE(world.source.calls.size(), std::size_t{3});
        (void)box.begin();
        world.call("5", "delete_file");
        QCOMPARE(world.source.calls.size(), std::size_t{3});
    }

    void functionThatAlwaysAsks_IsNotAllowedForTheConversation()
    {
        World world;
        ToolBox& box = world.make();
        (void)box.begin();
        world.call("1", "open_link");
        world.call("2", "open_link");
        QVERIFY(box.pending()[0].alwaysAsks);
        box.answer("1", Approval::Conversation);
        QCOMPARE(world.source.calls.size(), std::size_t{1});
        QCOMPARE(box.pending().size(), std::size_t{1});
        box.answer("2", Approval::Once);
        world.call("3", "open_link");
        QCOMPARE(world.source.calls.size(), std::size_t{2});
        QCOMPARE(box.pending().size(), std::size_t{1});
        world.call("4", "delete_file");
        QVERIFY(!box.pending()[1].alwaysAsks);
    }

    void functionThatAlwaysAsksFromNowOn_IsAskedForAgain()
    {
        World world;
        ToolBox& box = world.make();
        (void)box.begin();
        world.call("1", "delete_file");
        box.answer("1", Approval::Conversation);
        world.source.offered[1].alwaysAsks = true;
        world.source.follower();
        world.call("2", "delete_file");
        QCOMPARE(world.source.calls.size(), std::size_t{1});
        QCOMPARE(box.pending().size(), std::size_t{1});
    }

    void run_ThatTakesTooLong_IsCancelled()
    {
        World world;
        world.make();
        world.call("1", "delete_file");
        world.executor.advance(Milliseconds{20'000});
        world.box->answer("1", Approval::Once);
        world.executor.advance(Milliseconds{29'999});
        QCOMPARE(world.resultOf("1"), std::string("nothing"));
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.resultOf("1"), std::string("timeout"));
        QCOMPARE(world.source.cancelled, (std::vector<std::string>{"1"}));
        QCOMPARE(world.box->longest(), Milliseconds{60'000});
    }

    void answer_ThatIsTooLong_IsNotPassedOn()
    {
        World world;
        world.make();
        world.call("1", "weather", R"({"city":"Oslo"})");
        world.source.answer("1", std::string(64 * 1024 + 1, 'x'));
        QCOMPARE(world.resultOf("1"), std::string("tool.failed"));
    }

    void cancelled_IsNotAnsweredAnyMore()
    {
        World world;
        world.make();
        world.call("1", "weather", R"({"city":"Oslo"})");
        world.call("2", "delete_file");
        const auto late = world.source.open.at("1");
        world.box->cancelAll();
        QCOMPARE(world.source.cancelled, (std::vector<std::string>{"1"}));
        QVERIFY(world.box->pending().empty());
        QCOMPARE(world.told, 2);
        // Another call with the number of the old one does not get the old one's answer.
        world.call("1", "weather", R"({"city":"Bergen"})");
        world.box->cancel("2");
        late(std::string("of Oslo"));
        world.executor.advance(Milliseconds{60'000});
        QCOMPARE(world.resultOf("2"), std::string("nothing"));
        QCOMPARE(world.resultOf("1"), std::string("timeout"));
    }

    void policy_OfThePerson_Counts_ButNeverMakesALinkOpenByItself()
    {
        World world;
        world.decided = {
            {"weather", ToolPolicy::Never}, {"delete_file", ToolPolicy::Always}, {"open_link", ToolPolicy::Always}};
        ToolBox& box = world.make();
        std::vector<std::string> names;
        for (const auto& tool : box.begin()) {
            names.push_back(tool.name);
        }
        QCOMPARE(names, (std::vector<std::string>{"delete_file", "open_link"}));
        QCOMPARE(box.tools().size(), std::size_t{4});
        world.call("1", "delete_file");
        QCOMPARE(world.source.calls.size(), std::size_t{1});
        world.call("2", "open_link");
        QCOMPARE(box.pending().size(), std::size_t{1});
    }

    void names_AreUnique_AndWhatIsLeftOutIsTold()
    {
        World world;
        world.other.offer("weather", ToolPolicy::Always);
        world.other.offer("no such name", ToolPolicy::Always);
        world.other.offer("round", ToolPolicy::Always, "{\"$ref\":\"#\"}");
        world.other.offer("partly", ToolPolicy::Always, R"({"properties":{"a":{"pattern":"x"}}})");
        ToolBox& box = world.make();
        QCOMPARE(box.tools().size(), std::size_t{5});
        QCOMPARE(box.remarks().size(), std::size_t{4});
        world.call("1", "weather", R"({"city":"Oslo"})");
        QVERIFY(world.other.calls.empty());
    }

    void remarks_HoldNothingThatCouldDeceive_AndThoseOfTheSources()
    {
        World world;
        world.other.offer("\x1b[8m\nweather", ToolPolicy::Always);
        world.other.remarked = {"gpj\xe2\x80\xae.exe is left out"};
        ToolBox& box = world.make();
        QCOMPARE(box.remarks(),
            (std::vector<std::string>{
                "\xef\xbf\xbd[8m \xe2\x86\xb5 weather of the test is left out: such a name is not taken by providers",
                "gpj\xef\xbf\xbd.exe is left out"}));
    }

    void functions_BeyondTheMost_AreLeftOut_AndThatIsTold_data()
    {
        QTest::addColumn<int>("count");
        QTest::addColumn<int>("bytes");
        QTest::addColumn<int>("offered");
        QTest::newRow("as many as there may be") << 124 << 10 << 128;
        QTest::newRow("too many") << 200 << 10 << 128;
        QTest::newRow("too long") << 10 << 100'000 << 6;
    }
    void functions_BeyondTheMost_AreLeftOut_AndThatIsTold()
    {
        QFETCH(int, count);
        QFETCH(int, bytes);
        QFETCH(int, offered);
        World world;
        for (int i = 0; i < count; ++i) {
            world.other.offer("f" + std::to_string(i), ToolPolicy::Ask,
                "{\"title\":\"" + std::string(static_cast<std::size_t>(bytes), 'x') + "\"}");
        }
        ToolBox& box = world.make();
        QCOMPARE(box.begin().size() + 1, static_cast<std::size_t>(offered));
        QCOMPARE(box.tools().size(), static_cast<std::size_t>(offered));
        const int leftOut = count + 4 - offered;
        QCOMPARE(box.remarks().size(), static_cast<std::size_t>(leftOut > 0 ? 1 : 0));
        if (leftOut > 0) {
            QVERIFY(QByteArray::fromStdString(box.remarks()[0]).startsWith(QByteArray::number(leftOut) + " more"));
        }
    }

    void schema_IsMadeReadyOnce_WhateverASourceTells()
    {
        World world;
        world.other.offer("round", ToolPolicy::Always, "{\"$ref\":\"#\"}");
        int made = 0;
        ToolBox box({world.clock, world.executor, {&world.source, &world.other}, {}, [&made](std::string_view text) {
                         ++made;
                         return ArgumentSchema::create(text);
                     }});
        // Three of the five functions take anything.
        QCOMPARE(made, 3);
        world.source.follower();
        world.other.follower();
        QCOMPARE(made, 3);
        QCOMPARE(box.tools().size(), std::size_t{4});
        QCOMPARE(box.remarks().size(), std::size_t{1});
        world.other.offered[0].declaration.parameters->text = R"({"type":"object"})";
        world.other.follower();
        QCOMPARE(made, 4);
        QCOMPARE(box.tools().size(), std::size_t{5});
    }

    void function_ThatAsksOrWhoseSourceIsSlow_TakesTime()
    {
        World world;
        world.source.isSlow = false;
        world.other.offer("ask_the_network", ToolPolicy::Always);
        ToolBox& box = world.make();
        QVERIFY(!box.takesTime("weather"));
        QVERIFY(box.takesTime("delete_file"));
        QVERIFY(box.takesTime("open_link"));
        QVERIFY(box.takesTime("ask_the_network"));
        QVERIFY(!box.takesTime("there_is_no_such"));
        // A person who has decided is not waited for any more.
        world.decided["delete_file"] = ToolPolicy::Always;
        QVERIFY(!box.takesTime("delete_file"));
    }

    void tools_ThatVanish_AreNotThereAnyMore()
    {
        World world;
        ToolBox& box = world.make();
        int changes = 0;
        box.followTools([&] { ++changes; });
        world.source.offered.clear();
        world.source.follower();
        QCOMPARE(changes, 1);
        QVERIFY(box.begin().empty());
        world.call("1", "weather", R"({"city":"Oslo"})");
        QCOMPARE(world.resultOf("1"), std::string("tool.failed"));
    }
};

QTEST_APPLESS_MAIN(TestToolBox)
#include "test_tool_box.moc"
