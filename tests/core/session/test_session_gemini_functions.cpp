#include "tests/core/session/gemini_world.h"

#include <QTest>

#include <string>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

/// Functions in a conversation with Gemini: those that the model waits for, and those that run beside it.
class SessionGeminiFunctionsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void functions_AreCalledAndAnsweredTogether()
    {
        GeminiWorld world;
        world.start();
        world.runner.say("weather");
        world.settle();
        world.gemini().call("call_1", "get_weather", R"({"city":"Rome"})");
        world.gemini().call("call_2", "get_weather", R"({"city":"Oslo"})");
        world.settle();
        QCOMPARE(world.tools.calls.size(), std::size_t{2});
        QCOMPARE(world.tools.calls[0].arguments, std::string(R"({"city":"Rome"})"));
        world.tools.open[0](std::string(R"({"sky":"blue"})"));
        world.settle();
        QVERIFY(world.session().answers.empty());
        world.server.answer = [](GeminiStandIn::Connection& gemini) { gemini.reply("Blue and grey."); };
        world.tools.open[1](std::string("grey"));
        world.settle();
        QCOMPARE(world.session().answers.size(), std::size_t{2});
        QCOMPARE(world.session().answers[0].response->text, std::string(R"({"sky":"blue"})"));
        QCOMPARE(world.session().answers[1].response->text, std::string(R"({"output":"grey"})"));
        QCOMPARE(world.log().back(), std::string("model: Blue and grey."));
        QVERIFY(world.state().reply.isFree());
        QVERIFY(!world.gemini().isOver());
    }

    void call_ThatIsCancelled_IsNotAnsweredAndNobodyWaits()
    {
        GeminiWorld world;
        world.start();
        world.runner.say("weather");
        world.settle();
        world.gemini().call("call_1", "get_weather", "{}");
        world.settle();
        world.gemini().cancelCall("call_1");
        world.settle();
        world.tools.open[0](std::string("{}"));
        world.settle();
        QVERIFY(world.session().answers.empty());
        QVERIFY(world.state().reply.isFree());
        QVERIFY(!world.gemini().isOver());
    }

    void functions_AreDeclaredAsTheModelTakesThem_data()
    {
        QTest::addColumn<std::string>("model");
        QTest::addColumn<bool>("isSlow");
        QTest::addColumn<std::string>("behavior");
        const auto row = [](const char* model, bool isSlow, const char* behavior) {
            QTest::addRow("%s, %s", model, isSlow ? "slow" : "quick")
                << std::string(model) << isSlow << std::string(behavior);
        };
        row("gemini-2.5-flash-native-audio-preview-12-2025", false, "");
        row("gemini-2.5-flash-native-audio-preview-12-2025", true, "NON_BLOCKING");
        row("gemini-3.1-flash-live-preview", true, "");
        row("gemini-3.8-live", false, "BLOCKING");
        row("gemini-3.8-live", true, "NON_BLOCKING");
        row("gemini-3.8-live-extended-thinking", false, "NON_BLOCKING");
        row("gemini-9-live", true, "");
    }
    void functions_AreDeclaredAsTheModelTakesThem()
    {
        QFETCH(std::string, model);
        QFETCH(bool, isSlow);
        QFETCH(std::string, behavior);
        GeminiWorld world;
        world.model = model;
        world.tools.isSlow = isSlow;
        world.start();
        QCOMPARE(
            world.session().setup.tools->at(0).functionDeclarations->at(0).behavior.value_or(std::string()), behavior);
        world.runner.say("weather");
        world.settle();
        world.gemini().call("call_1", "get_weather", "{}");
        world.settle();
        world.tools.open[0](std::string("{}"));
        world.settle();
        const std::string scheduling = behavior == "NON_BLOCKING" ? "WHEN_IDLE" : "";
        QCOMPARE(world.session().answers.at(0).scheduling.value_or(std::string()), scheduling);
        QVERIFY(!world.gemini().isOver());
    }

    void slowFunctions_AreAnsweredOneByOne_WhileTheModelGoesOn()
    {
        GeminiWorld world;
        world.tools.isSlow = true;
        world.start();
        world.runner.say("weather");
        world.settle();
        world.gemini().call("call_1", "get_weather", R"({"city":"Rome"})");
        world.gemini().call("call_2", "get_weather", R"({"city":"Oslo"})");
        world.gemini().reply("One moment.");
        world.settle();
        QCOMPARE(world.voice.played.size(), std::size_t{960});
        QVERIFY2(!world.observer.told<session_notice::ReplyEnded>().back().isAnswer, "the answer is still to come");
        world.drained();
        QCOMPARE(world.state().activity, Activity::RunningTool);
        world.tools.open[0](std::string("{}"));
        world.settle();
        QCOMPARE(world.session().answers.size(), std::size_t{1});
        world.gemini().reply("Rome is fine.");
        world.settle();
        world.drained();
        world.tools.open[1](std::string("{}"));
        world.settle();
        QCOMPARE(world.session().answers.size(), std::size_t{2});
        world.gemini().reply("So is Oslo.");
        world.settle();
        QVERIFY(world.observer.told<session_notice::ReplyEnded>().back().isAnswer);
        QVERIFY((
            world.log() == Lines{"user: weather", "model: One moment.", "model: Rome is fine.", "model: So is Oslo."}));
        QVERIFY(world.state().reply.isFree());
        QCOMPARE(world.voice.interrupts, 0);
        QVERIFY(!world.gemini().isOver());
    }

    void slowFunction_IsSpokenOfBehindWhatTheUserHasAskedMeanwhile()
    {
        GeminiWorld world;
        world.tools.isSlow = true;
        world.start();
        world.talks("Book a table", "One moment.");
        world.gemini().call("call_1", "get_weather", "{}");
        world.settle();
        world.talks("What day is it?", "Monday.");
        world.hears(Milliseconds{400});
        world.gemini().userWords("And tomorrow?");
        world.settle();
        // The answer comes while the user speaks: nobody talks over them.
        world.tools.open[0](std::string("{}"));
        world.settle();
        QCOMPARE(world.session().answers.at(0).scheduling, std::optional<std::string>("WHEN_IDLE"));
        world.gemini().reply("Tuesday.");
        world.settle();
        // The room goes on being heard; that is nobody's turn.
        world.hears(Milliseconds{400}, 0);
        world.gemini().reply("Your table is booked.");
        world.settle();
        QCOMPARE(world.voice.interrupts, 0);
        QVERIFY((world.log()
            == Lines{"user: Book a table", "model: One moment.", "user: What day is it?", "model: Monday.",
                "user: And tomorrow?", "model: Tuesday.", "model: Your table is booked."}));
        QVERIFY(world.state().reply.isFree());
        QVERIFY(!world.gemini().isOver());
    }

    void replyWhileASlowFunctionRuns_AnswersWhatWasSaidBeforeIt()
    {
        GeminiWorld world;
        world.tools.isSlow = true;
        world.start();
        world.talks("Book a table", "One moment.");
        world.gemini().call("call_1", "get_weather", "{}");
        world.gemini().turnComplete();
        world.settle();
        world.hears(Milliseconds{400});
        // Its words come behind the answer.
        world.gemini().sound(Milliseconds{20});
        world.gemini().userWords("What day is it?");
        world.gemini().words("Monday.");
        world.gemini().generationComplete();
        world.gemini().turnComplete();
        world.settle();
        QVERIFY((world.log()
            == Lines{"user: Book a table", "model: One moment.", "user: What day is it?", "model: Monday."}));
    }

    void wordsBehindACall_AreOfTheSameTurn()
    {
        GeminiWorld world;
        world.tools.isSlow = true;
        world.start();
        world.hears(Milliseconds{400});
        world.gemini().userWords("Book a table");
        world.gemini().call("call_1", "get_weather", "{}");
        world.settle();
        // The room goes on being heard; that is nobody's turn.
        world.hears(Milliseconds{400}, 0);
        world.gemini().reply("One moment.");
        world.settle();
        QCOMPARE(world.voice.interrupts, 0);
        QVERIFY((world.log() == Lines{"user: Book a table", "model: One moment."}));
    }

    void slowFunctions_ThatAreAnsweredTogether_AreSpokenOfOneByOne()
    {
        GeminiWorld world;
        world.tools.isSlow = true;
        world.start();
        world.talks("Rome and Oslo", "One moment.");
        world.gemini().call("call_1", "get_weather", "{}");
        world.gemini().call("call_2", "get_weather", "{}");
        world.gemini().turnComplete();
        world.settle();
        world.tools.open[0](std::string("{}"));
        world.tools.open[1](std::string("{}"));
        world.settle();
        QCOMPARE(world.session().answers.size(), std::size_t{2});
        for (const char* words : {"Rome is fine.", "So is Oslo."}) {
            world.hears(Milliseconds{400}, 0);
            world.gemini().reply(words);
            world.settle();
        }
        QCOMPARE(world.voice.interrupts, 0);
        QVERIFY((world.log()
            == Lines{"user: Rome and Oslo", "model: One moment.", "model: Rome is fine.", "model: So is Oslo."}));
        QVERIFY(world.state().reply.isFree());
    }

    void wordsTypedWhileASlowFunctionRuns_DoNotWaitForIt()
    {
        GeminiWorld world;
        world.tools.isSlow = true;
        world.start();
        world.talks("Book a table", "One moment.");
        world.gemini().call("call_1", "get_weather", "{}");
        world.gemini().turnComplete();
        world.settle();
        world.runner.say("What day is it?");
        world.settle();
        QVERIFY((world.session().texts == Lines{"What day is it?"}));
        // It is done before that is answered: it is spoken of behind it.
        world.tools.open[0](std::string("{}"));
        world.settle();
        for (const char* words : {"Monday.", "Your table is booked."}) {
            world.gemini().reply(words);
            world.settle();
            world.drained();
            world.hears(Milliseconds{400}, 0);
        }
        QCOMPARE(world.voice.interrupts, 0);
        QVERIFY((world.log()
            == Lines{"user: Book a table", "model: One moment.", "user: What day is it?", "model: Monday.",
                "model: Your table is booked."}));
        QVERIFY(world.state().reply.isFree());
        QCOMPARE(world.state().activity, Activity::Listening);
        QVERIFY(!world.gemini().isOver());
    }

    void wordsTypedWhileASlowFunctionRuns_ThatAreNotAnswered_KeepNobodyWaiting()
    {
        GeminiWorld world;
        world.tools.isSlow = true;
        world.start();
        world.talks("Book a table", "One moment.");
        world.gemini().call("call_1", "get_weather", "{}");
        world.gemini().turnComplete();
        world.settle();
        world.runner.say("Take your time.");
        world.settle();
        QCOMPARE(world.session().texts.size(), std::size_t{1});
        world.gemini().turnComplete();
        world.settle();
        QVERIFY(world.state().reply.isFree());
        QCOMPARE(world.state().activity, Activity::RunningTool);
    }

    void wordsTypedWhileTheModelWaits_AreAnsweredWithTheFunction()
    {
        GeminiWorld world;
        world.start();
        world.talks("Book a table", "One moment.");
        world.gemini().call("call_1", "get_weather", "{}");
        world.settle();
        world.runner.say("What day is it?");
        world.settle();
        QVERIFY(world.session().texts.empty());
        world.tools.open[0](std::string("{}"));
        world.settle();
        QVERIFY((world.session().texts == Lines{"What day is it?"}));
        QVERIFY(!world.gemini().isOver());
    }

    void slowFunction_ThatIsStopped_IsAnsweredInSilence()
    {
        GeminiWorld world;
        world.tools.isSlow = true;
        world.start();
        world.runner.say("weather");
        world.settle();
        world.gemini().call("call_1", "get_weather", "{}");
        world.settle();
        world.runner.interrupt();
        world.settle();
        QCOMPARE(world.session().answers.at(0).scheduling, std::optional<std::string>("SILENT"));
        world.runner.say("again");
        world.settle();
        world.gemini().reply("Again.");
        world.settle();
        QCOMPARE(world.log().back(), std::string("model: Again."));
        QVERIFY(world.state().reply.isFree());
    }

    void slowFunction_ThatIsCancelled_IsNotAnsweredAndNobodyWaits()
    {
        GeminiWorld world;
        world.tools.isSlow = true;
        world.start();
        world.runner.say("weather");
        world.settle();
        world.gemini().call("call_1", "get_weather", "{}");
        world.gemini().call("call_2", "get_weather", "{}");
        world.settle();
        world.gemini().cancelCall("call_1");
        world.settle();
        world.tools.open[0](std::string("{}"));
        world.settle();
        QVERIFY(world.session().answers.empty());
        world.tools.open[1](std::string("{}"));
        world.settle();
        QCOMPARE(world.session().answers.size(), std::size_t{1});
        world.gemini().reply("Fine.");
        world.settle();
        QCOMPARE(world.log().back(), std::string("model: Fine."));
        QVERIFY(world.state().reply.isFree());
        QVERIFY(!world.gemini().isOver());
    }

    // Reported as: 1011 while a tool runs, and no handle meanwhile.
    void call_OfAConnectionThatIsGone_IsVoid_AndItsLastHandleIsNotLost_data()
    {
        QTest::addColumn<bool>("isSlow");
        QTest::newRow("waited for") << false;
        QTest::newRow("beside the conversation") << true;
    }
    void call_OfAConnectionThatIsGone_IsVoid_AndItsLastHandleIsNotLost()
    {
        QFETCH(bool, isSlow);
        GeminiWorld world;
        world.tools.isSlow = isSlow;
        world.start();
        world.talks("Hello", "Hi.");
        world.gemini().handle();
        world.runner.say("weather");
        world.settle();
        world.gemini().call("call_1", "get_weather", "{}");
        world.gemini().sayText(R"({"sessionResumptionUpdate":{"newHandle":"","resumable":false}})");
        world.settle();
        world.gemini().hangUp(1011, "Deadline expired before operation could complete.");
        world.settle();
        QVERIFY(world.tools.wasCancelled);
        // It comes too late, and concerns nobody.
        world.tools.open[0](std::string("{}"));
        world.comesBack();
        QCOMPARE(world.state().phase, Phase::Live);
        QVERIFY(world.session().answers.empty());
        QVERIFY(!world.gemini().isOver());
        world.gemini().reply("Where were we?");
        world.settle();
        QCOMPARE(world.log().back(), std::string("model: Where were we?"));
    }
};

QTEST_GUILESS_MAIN(SessionGeminiFunctionsTest)
#include "test_session_gemini_functions.moc"
