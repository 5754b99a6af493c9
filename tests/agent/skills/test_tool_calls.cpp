#include "agent/skills/rule_brain.h"
#include "tests/agent/skills/recording_sink.h"
#include "tests/support/manual_clock.h"

#include <QtTest/QtTest>

#include <nlohmann/json.hpp>

using namespace vivavoce;
using agent::BrainRequest;
using agent::DialogueItem;
using agent::Tool;
using agent::ToolChoice;
using agent::skills::RuleBrain;
using nlohmann::json;

namespace {

/// Functions that nobody had in mind when the matcher was written.
const std::vector<Tool>& inventedTools()
{
    static const std::vector<Tool> tools{
        {"get_weather", "Current weather for a city",
            R"({"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["city"]})"},
        {"setLampState", "Switches a lamp of the house on or off",
            R"({"type":"object","properties":{"room":{"type":"string","enum":["kitchen","living_room","bedroom"]},"on":{"type":"boolean"}},"required":["room","on"]})"},
        {"brew_coffee", "Makes a coffee in the machine",
            R"({"type":"object","properties":{"size":{"type":"string","enum":["small","medium","large"]},"sugar":{"type":"integer","minimum":0,"maximum":5},"milk":{"type":"boolean"}},"required":["size"]})"},
        {"book_table", "Books a table in a restaurant",
            R"({"type":"object","properties":{"guests":{"type":"integer","minimum":1,"maximum":12},"day":{"type":"string"}},"required":["guests","day"]})"},
        {"send_message", "Sends a text message to a person",
            R"({"type":"object","properties":{"recipient":{"type":"string"},"text":{"type":"string"}},"required":["recipient","text"]})"},
        {"feed-the-fish", "", R"({"type":"object","properties":{}})"},
        {"order_pizza", "Orders a pizza with toppings",
            R"({"type":"object","properties":{"toppings":{"type":"array","items":{"type":"string","enum":["cheese","mushrooms","olives","ham"]}}},"required":["toppings"]})"},
        {"moveBlind", "Moves the window blind to a position in percent",
            R"({"type":"object","properties":{"target":{"type":"object","properties":{"position":{"type":"number","minimum":0,"maximum":100}},"required":["position"]}},"required":["target"]})"},
        {"start_washing_machine", "Starts the washing machine",
            R"({"type":"object","properties":{"program":{"type":"string","enum":["eco","quick","wool"],"default":"eco"}},"required":["program"]})"},
        {"search_recipes", "Looks up recipes",
            R"({"type":"object","properties":{"query":{"type":"string"}},"required":["query"]})"},
        {"open_garage", "Opens the garage door", R"({"type":"object"})"},
    };
    return tools;
}

BrainRequest requestOf(const std::string& said, bool isCertain = true)
{
    BrainRequest request;
    request.tools = inventedTools();
    request.items.push_back({DialogueItem::Kind::UserMessage, said, {}, {}, isCertain});
    return request;
}

} // namespace

class TestToolCalls : public QObject {
    Q_OBJECT

    tests::ManualClock m_clock;

    static tests::RecordingSink run(RuleBrain& brain, const BrainRequest& request)
    {
        tests::RecordingSink sink;
        if (!brain.reply(request, sink, {})) {
            sink.text = "failed";
        }
        return sink;
    }

private slots:
    void reply_WordsForADeclaredFunction_CallItWithWhatWasSaid_data()
    {
        QTest::addColumn<QString>("said");
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("arguments");
        const auto row = [](const char* said, const char* name, const char* arguments) {
            QTest::newRow(said) << said << name << arguments;
        };
        row("What's the weather in Berlin?", "get_weather", R"({"city":"Berlin"})");
        row("what is the weather like in new york in fahrenheit", "get_weather",
            R"({"city":"new york","unit":"fahrenheit"})");
        row("how is the weather in london today", "get_weather", R"({"city":"london"})");
        row("turn on the kitchen lamp", "setLampState", R"({"room":"kitchen","on":true})");
        row("switch the living room light off please", "setLampState", R"({"room":"living_room","on":false})");
        row("brew a large coffee with milk and two sugars", "brew_coffee", R"({"size":"large","milk":true,"sugar":2})");
        row("make me a small coffee without milk", "brew_coffee", R"({"size":"small","milk":false})");
        row("book a table for four guests on friday", "book_table", R"({"guests":4,"day":"friday"})");
        row("reserve a table tomorrow for six", "book_table", R"({"guests":6,"day":"tomorrow"})");
        row("send a message to Anna saying I am late", "send_message", R"({"recipient":"Anna","text":"I am late"})");
        row("please feed the fish", "feed-the-fish", "{}");
        row("order a pizza with cheese and olives", "order_pizza", R"({"toppings":["cheese","olives"]})");
        row("move the blind to fifty percent", "moveBlind", R"({"target":{"position":50}})");
        row("start the washing machine", "start_washing_machine", R"({"program":"eco"})");
        row("start the washing machine with wool", "start_washing_machine", R"({"program":"wool"})");
        row("search recipes for apple pie", "search_recipes", R"({"query":"apple pie"})");
        row("open the garage door", "open_garage", "{}");
    }

    void reply_WordsForADeclaredFunction_CallItWithWhatWasSaid()
    {
        QFETCH(QString, said);
        QFETCH(QString, name);
        QFETCH(QString, arguments);
        RuleBrain brain(m_clock, 1);
        const auto sink = run(brain, requestOf(said.toStdString()));
        QVERIFY2(sink.calls.size() == 1, sink.text.c_str());
        QCOMPARE(QString::fromStdString(sink.calls[0].first), name);
        QCOMPARE(sink.calls[0].second, json::parse(arguments.toStdString()).dump());
        QVERIFY(sink.text.empty());
    }

    void reply_WordsForSomethingElse_CallNothing_data()
    {
        QTest::addColumn<QString>("said");
        for (const char* text : {"what time is it", "what is twelve times seven", "hello", "tell me a joke",
                 "close the garage door", "stop", "do not open the garage", "the window is dirty", "repeat that",
                 "i like fish", "set a timer for five minutes"}) {
            QTest::newRow(text) << text;
        }
    }

    void reply_WordsForSomethingElse_CallNothing()
    {
        QFETCH(QString, said);
        RuleBrain brain(m_clock, 1);
        const auto sink = run(brain, requestOf(said.toStdString()));
        QVERIFY2(sink.calls.empty(), sink.calls.empty() ? "" : sink.calls[0].first.c_str());
        QVERIFY(!sink.text.empty());
    }

    void reply_MissingArgument_IsAskedForAndCompletesTheCall()
    {
        RuleBrain brain(m_clock, 1);
        const auto question = run(brain, requestOf("what is the weather"));
        QCOMPARE(question.text, std::string("Which city?"));
        QVERIFY(question.calls.empty());
        const auto answer = run(brain, requestOf("in Paris"));
        QCOMPARE(answer.calls.size(), std::size_t(1));
        QCOMPARE(answer.calls[0].second, std::string(R"({"city":"Paris"})"));
    }

    void reply_TwoMissingArguments_AreAskedForOneByOne()
    {
        RuleBrain brain(m_clock, 1);
        QCOMPARE(run(brain, requestOf("book a table")).text, std::string("Which day?"));
        QCOMPARE(run(brain, requestOf("on sunday")).text, std::string("What guests?"));
        const auto refused = run(brain, requestOf("forty"));
        QVERIFY2(refused.text.find("between one and twelve") != std::string::npos, refused.text.c_str());
        QVERIFY(refused.calls.empty());
        const auto done = run(brain, requestOf("for"));
        QCOMPARE(done.calls.size(), std::size_t(1));
        QCOMPARE(done.calls[0].second, std::string(R"({"day":"sunday","guests":4})"));
    }

    void reply_MissingChoice_NamesTheChoices()
    {
        RuleBrain brain(m_clock, 1);
        QCOMPARE(run(brain, requestOf("brew a coffee")).text, std::string("Which size: small, medium or large?"));
        QCOMPARE(run(brain, requestOf("huge")).text, std::string("Which size: small, medium or large?"));
        QCOMPARE(run(brain, requestOf("medium please")).calls.at(0).second, std::string(R"({"size":"medium"})"));
    }

    void reply_QuestionAnsweredWithAnotherCommand_DropsTheQuestion()
    {
        RuleBrain brain(m_clock, 1);
        run(brain, requestOf("what is the weather"));
        QCOMPARE(run(brain, requestOf("never mind")).text, std::string("Okay."));
        QVERIFY(run(brain, requestOf("Paris")).calls.empty());
    }

    void reply_ValueOutOfRange_IsNotCalled()
    {
        RuleBrain brain(m_clock, 1);
        const auto sink = run(brain, requestOf("move the blind to two hundred percent"));
        QVERIFY(sink.calls.empty());
        QVERIFY2(sink.text.find("between zero and one hundred") != std::string::npos, sink.text.c_str());
    }

    void reply_TwoThings_CallsBoth()
    {
        RuleBrain brain(m_clock, 1);
        const auto sink = run(brain, requestOf("feed the fish and turn off the bedroom lamp"));
        QCOMPARE(sink.calls.size(), std::size_t(2));
        QCOMPARE(sink.calls[0].first, std::string("feed-the-fish"));
        QCOMPARE(sink.calls[1].second, std::string(R"({"on":false,"room":"bedroom"})"));
    }

    void reply_ToolChoiceNone_CallsNothing()
    {
        RuleBrain brain(m_clock, 1);
        auto request = requestOf("feed the fish");
        request.toolChoice = ToolChoice::None;
        QVERIFY(run(brain, request).calls.empty());
    }

    void reply_ToolChoiceRequired_CallsTheNamedOneOrAsks()
    {
        RuleBrain brain(m_clock, 1);
        auto request = requestOf("hello there");
        request.toolChoice = ToolChoice::Required;
        request.requiredTool = "open_garage";
        QCOMPARE(run(brain, request).calls.at(0).first, std::string("open_garage"));
        request.requiredTool = "book_table";
        const auto asked = run(brain, request);
        QVERIFY(asked.calls.empty());
        QVERIFY(!asked.text.empty());
    }

    void reply_UncertainWords_CallOnlyOnAStrongMatch()
    {
        RuleBrain brain(m_clock, 1);
        QCOMPARE(run(brain, requestOf("feed the fish", false)).calls.size(), std::size_t(1));
        QVERIFY(run(brain, requestOf("pizza", false)).calls.empty());
    }

    void reply_DeclaredTimer_WinsOverTheBuiltInOne()
    {
        RuleBrain brain(m_clock, 1);
        auto request = requestOf("set a timer for five minutes");
        request.tools = {{"set_timer", "Sets a kitchen timer",
            R"({"type":"object","properties":{"seconds":{"type":"integer"}},"required":["seconds"]})"}};
        const auto sink = run(brain, request);
        QCOMPARE(sink.calls.size(), std::size_t(1));
        QCOMPARE(sink.calls[0].second, std::string(R"({"seconds":300})"));
        QVERIFY(brain.takeReminders().made.empty());
    }

    void reply_BrokenSchemas_DoNoHarm()
    {
        for (const char* schema : {"", "[]", "{", R"({"properties":7})", R"({"properties":{"a":5}})",
                 R"({"properties":{"a":{"enum":[]}},"required":7})",
                 R"({"properties":{"a":{"type":["null",3]}},"required":["a","b"]})"}) {
            RuleBrain brain(m_clock, 1);
            auto request = requestOf("launch the rocket");
            request.tools = {{"launch_rocket", "", schema}};
            const auto sink = run(brain, request);
            QVERIFY2(sink.calls.size() == 1 || !sink.text.empty(), schema);
        }
    }
};

QTEST_GUILESS_MAIN(TestToolCalls)
#include "test_tool_calls.moc"
