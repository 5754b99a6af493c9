#include "agent/skills/rule_brain.h"
#include "tests/agent/skills/recording_sink.h"
#include "tests/support/manual_clock.h"

#include <QtTest/QtTest>

using namespace vivavoce;
using agent::BrainRequest;
using agent::DialogueItem;
using agent::skills::RuleBrain;
using agent::skills::RuleBrainFactory;
using Kind = DialogueItem::Kind;

class TestRuleBrain : public QObject {
    Q_OBJECT

    tests::ManualClock m_clock;

    std::string textFor(const std::vector<DialogueItem>& items)
    {
        RuleBrain brain(m_clock, 1);
        tests::RecordingSink sink;
        BrainRequest request;
        request.items = items;
        return brain.reply(request, sink, {}) ? sink.text : "failed";
    }

private slots:
    void reply_FunctionOutputs_AreSpokenTogether()
    {
        const std::string text = textFor({{Kind::UserMessage, "weather and fish", {}, {}, true},
            {Kind::FunctionCall, "{}", "a", "get_weather", true}, {Kind::FunctionCall, "{}", "b", "feed", true},
            {Kind::FunctionOutput, R"({"condition":"sunny"})", "a", "get_weather", true},
            {Kind::FunctionOutput, R"({"error":"no food left"})", "b", "feed", true}});
        QCOMPARE(text, std::string("Condition is sunny. That did not work: no food left."));
    }

    void reply_OutputsOfAnEarlierTurn_AreNotSpokenAgain()
    {
        const std::string text = textFor({{Kind::UserMessage, "one", {}, {}, true},
            {Kind::FunctionOutput, "old", "a", "f", true}, {Kind::AssistantMessage, "Old.", {}, {}, true},
            {Kind::UserMessage, "two", {}, {}, true}, {Kind::FunctionOutput, "new", "b", "f", true}});
        QCOMPARE(text, std::string("New."));
    }

    void reply_WhatWasSaidWhileAFunctionRan_IsAnsweredBehindItsOutput()
    {
        const std::vector<DialogueItem> items{{Kind::UserMessage, "open the page", {}, {}, true},
            {Kind::FunctionCall, "{}", "a", "open_link", true}, {Kind::FunctionCall, "{}", "b", "feed", true},
            {Kind::FunctionOutput, R"({"error":"no such page"})", "a", "open_link", true},
            {Kind::UserMessage, "what is seven times eight", {}, {}, true},
            {Kind::UserMessage, "what is two plus three", {}, {}, true},
            {Kind::FunctionOutput, R"({"condition":"sunny"})", "b", "feed", true}};
        QCOMPARE(textFor(items),
            std::string("That did not work: no such page. Condition is sunny. That is fifty six. That is five."));
    }

    void reply_WhatWasAnsweredWhileAFunctionRan_IsNotAnsweredAgain()
    {
        const std::vector<DialogueItem> items{{Kind::UserMessage, "open the page", {}, {}, true},
            {Kind::FunctionCall, "{}", "a", "open_link", true},
            {Kind::UserMessage, "what is seven times eight", {}, {}, true},
            {Kind::AssistantMessage, "That is fifty six.", {}, {}, true},
            {Kind::FunctionOutput, R"({"condition":"sunny"})", "a", "open_link", true}};
        QCOMPARE(textFor(items), std::string("Condition is sunny."));
    }

    void reply_NothingSaidYet_Greets() { QCOMPARE(textFor({}), std::string("Hello! What can I do for you?")); }

    void reply_RepeatAfterTheDialogue_SaysTheLastAssistantMessage()
    {
        QCOMPARE(textFor({{Kind::AssistantMessage, "The lamp is on.", {}, {}, true},
                     {Kind::UserMessage, "what did you say", {}, {}, true}}),
            std::string("The lamp is on."));
    }

    void reply_StopRequested_SaysNothing()
    {
        RuleBrain brain(m_clock, 1);
        std::stop_source source;
        source.request_stop();
        tests::RecordingSink sink;
        BrainRequest request;
        request.items.push_back({Kind::UserMessage, "hello", {}, {}, true});
        QVERIFY(brain.reply(request, sink, source.get_token()));
        QVERIFY(sink.text.empty());
    }

    void reply_HostileText_IsAnsweredQuickly_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("long") << QByteArray(20'000, 'a');
        QTest::newRow("many words") << QByteArray("and ").repeated(3000);
        QTest::newRow("many numbers") << QByteArray("one plus ").repeated(2000);
        QTest::newRow("bad utf-8") << QByteArray("\xff\xfe\xc3 hello \xe2\x80");
        QTest::newRow("signs") << QByteArray("'''... --- %%% ///");
        QTest::newRow("big numbers") << QByteArray("what is 999999999999999999999999 times 99999999999999999999");
        QTest::newRow("range") << QByteArray("pick a number between -999999999999 and 999999999999");
    }

    void reply_HostileText_IsAnsweredQuickly()
    {
        QFETCH(QByteArray, text);
        QElapsedTimer timer;
        timer.start();
        QVERIFY(!textFor({{Kind::UserMessage, text.toStdString(), {}, {}, true}}).empty());
        QVERIFY(timer.elapsed() < 5000);
    }

    void factory_TwoBrains_KeepTheirOwnMemory()
    {
        RuleBrainFactory factory(m_clock, [] { return 1U; });
        const auto one = factory.create();
        const auto two = factory.create();
        BrainRequest request;
        request.items.push_back({Kind::UserMessage, "set a timer for one minute", {}, {}, true});
        tests::RecordingSink sink;
        QVERIFY(one->reply(request, sink, {}));
        QCOMPARE(one->takeReminders().made.size(), std::size_t(1));
        QVERIFY(two->takeReminders().made.empty());
    }
};

QTEST_GUILESS_MAIN(TestRuleBrain)
#include "test_rule_brain.moc"
