#include "tests/core/session/gemini_world.h"

#include <QTest>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

class SessionGeminiTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void start_SetsUpAndIsLiveOnceThatIsConfirmed()
    {
        GeminiWorld world;
        world.server.confirms = false;
        world.start();
        world.hears(Milliseconds{100});
        QCOMPARE(world.state().phase, Phase::Configuring);
        QCOMPARE(world.transports.last().sent.size(), std::size_t{1});
        QCOMPARE(world.transports.last().target.auth, AuthStyle::Token);
        world.gemini().completeSetup();
        world.settle();
        QCOMPARE(world.state().phase, Phase::Live);
        const gemini::Setup& setup = world.session().setup;
        QCOMPARE(setup.model, std::string("models/gemini-3.8-live"));
        QVERIFY(setup.generationConfig->responseModalities == Lines{"AUDIO"});
        QCOMPARE(*setup.systemInstruction->parts.at(0).text, std::string("Be brief."));
        QCOMPARE(setup.tools->at(0).functionDeclarations->at(0).name, std::string("get_weather"));
        QVERIFY(setup.inputAudioTranscription && setup.outputAudioTranscription);
        QVERIFY(setup.contextWindowCompression->slidingWindow);
        QVERIFY(setup.sessionResumption && !setup.sessionResumption->handle);
        QVERIFY(!setup.historyConfig);
        QCOMPARE(*setup.realtimeInputConfig->automaticActivityDetection->silenceDurationMs, std::int64_t{500});
        // What was said before is not lost.
        QCOMPARE(world.session().soundBytes, std::size_t{4'800});
    }

    void setup_ThatIsNotConfirmed_IsNoConnection()
    {
        GeminiWorld world;
        world.server.confirms = false;
        world.start();
        world.executor.advance(Milliseconds{9'900});
        QCOMPARE(world.state().phase, Phase::Configuring);
        world.executor.advance(Milliseconds{200});
        QCOMPARE(world.state().phase, Phase::Waiting);
        QCOMPARE(world.observer.told<session_notice::Problem>().back().error.code, ErrorCode::ProviderSilent);
    }

    void spokenTurn_IsHeardWrittenDownAndAnswered()
    {
        GeminiWorld world;
        world.start();
        world.hears(Milliseconds{600});
        world.gemini().userWords("Che tempo ");
        world.gemini().userWords("fa?");
        world.settle();
        QCOMPARE(world.state().activity, Activity::HearingUser);
        world.gemini().sound(Milliseconds{100});
        world.gemini().words("Piove");
        world.settle();
        QCOMPARE(world.state().activity, Activity::Speaking);
        QCOMPARE(world.voice.played.size(), std::size_t{2'400});
        world.gemini().usage(10, 20, 30);
        world.gemini().generationComplete();
        world.gemini().words(" forte.");
        world.gemini().turnComplete();
        world.settle();
        world.drained();
        QVERIFY((world.log() == Lines{"user: Che tempo fa?", "model: Piove forte."}));
        QCOMPARE(world.state().activity, Activity::Listening);
        const auto ended = world.observer.told<session_notice::ReplyEnded>();
        QCOMPARE(ended.size(), std::size_t{1});
        QVERIFY(ended[0].wasCompleted && ended[0].isAnswer);
        const auto usage = world.observer.told<session_notice::ReplyUsage>();
        QCOMPARE(usage.size(), std::size_t{1});
        QCOMPARE(usage[0].usage.inputDetails->tokens.audio, std::int64_t{20});
        QCOMPARE(usage[0].usage.outputDetails->audio, std::int64_t{30});
        // Nobody knows when the user stopped: nothing is made up.
        QCOMPARE(world.observer.latencies, 0);
        QVERIFY(!world.gemini().isOver());
    }

    void reply_IsPlayedAtTheRateThatItsTypeNames()
    {
        GeminiWorld world;
        world.start();
        const auto says = [&](const char* type, std::uint32_t rate) {
            world.transports.last().listener->binaryReceived(
                std::string("{\"serverContent\":{\"modelTurn\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"") + type
                + "\",\"data\":\"AQACAA==\"}}]}}}");
            world.settle();
            QCOMPARE(world.state().rates.output.hz(), rate);
            QCOMPARE(world.state().rates.input.hz(), 24'000U);
        };
        says("audio/pcm;rate=24000", 24'000U);
        says("audio/pcm;rate=16000", 16'000U);
        says("audio/pcm", 16'000U);
        says("audio/pcm;rate=1", 16'000U);
        says("audio/pcm; rate=24000", 24'000U);
        QCOMPARE(world.state().phase, Phase::Live);
        QVERIFY(world.observer.told<session_notice::SettingDiffers>().empty());
    }

    void userWords_ThatComeAfterTheReplyBegan_AreOfTheTurnBeforeIt()
    {
        GeminiWorld world;
        world.start();
        world.hears(Milliseconds{600});
        world.gemini().sound(Milliseconds{100});
        world.gemini().userWords("Hello");
        world.gemini().words("Hi.");
        world.gemini().generationComplete();
        world.gemini().userWords(" there");
        world.gemini().turnComplete();
        world.settle();
        QVERIFY((world.log() == Lines{"user: Hello there", "model: Hi."}));
        QCOMPARE(world.voice.interrupts, 0);
        QVERIFY(world.state().speech.isWrittenDown());
    }

    void typedWords_AreAnswered()
    {
        GeminiWorld world;
        world.server.answer = [](GeminiStandIn::Connection& gemini) { gemini.reply("Hi."); };
        world.start();
        world.runner.say("hello");
        world.settle();
        QVERIFY(world.session().texts == Lines{"hello"});
        QVERIFY((world.log() == Lines{"user: hello", "model: Hi."}));
        QVERIFY(world.state().reply.isFree());
        QCOMPARE(world.voice.played.size(), std::size_t{960});
    }

    void typedWords_DuringAReply_EndIt()
    {
        GeminiWorld world;
        world.start();
        world.runner.say("first");
        world.settle();
        world.gemini().sound(Milliseconds{100});
        world.settle();
        world.runner.say("second");
        world.settle();
        QCOMPARE(world.voice.interrupts, 1);
        QVERIFY((world.session().texts == Lines{"first", "second"}));
        world.gemini().sound(Milliseconds{100});
        world.gemini().interrupt();
        world.gemini().turnComplete();
        world.settle();
        QVERIFY(world.voice.played.empty());
        world.gemini().reply("Second.");
        world.settle();
        QCOMPARE(world.voice.played.size(), std::size_t{960});
        QCOMPARE(world.log().back(), std::string("model: Second."));
        QCOMPARE(world.log().size(), std::size_t{4});
    }

    void interruption_SilencesTheReplyUntilItsTurnIsOver()
    {
        GeminiWorld world;
        world.start();
        world.hears(Milliseconds{400});
        world.gemini().userWords("Tell me a story");
        world.gemini().sound(Milliseconds{200});
        world.gemini().words("Once upon a time");
        world.settle();
        world.voice.heard.heard = Milliseconds{100};
        world.hears(Milliseconds{400});
        world.gemini().interrupt();
        world.settle();
        QCOMPARE(world.voice.interrupts, 1);
        QCOMPARE(world.state().activity, Activity::HearingUser);
        world.gemini().sound(Milliseconds{200});
        world.gemini().words(" there was");
        world.settle();
        QVERIFY(world.voice.played.empty());
        world.gemini().turnComplete();
        world.gemini().userWords("Stop");
        world.gemini().reply("Fine.");
        world.settle();
        QCOMPARE(world.voice.played.size(), std::size_t{960});
        QVERIFY(
            (world.log() == Lines{"user: Tell me a story", "model: Once upon a time", "user: Stop", "model: Fine."}));
        QVERIFY(world.state().log.entries()[1].wasInterrupted);
        QVERIFY(!world.gemini().isOver());
    }

    void stop_IsSilenceAtOnce_AndTheNextReplyIsHeard()
    {
        GeminiWorld world;
        world.start();
        world.runner.say("story");
        world.settle();
        world.gemini().sound(Milliseconds{100});
        world.settle();
        const std::size_t sent = world.transports.last().sent.size();
        world.runner.interrupt();
        world.settle();
        QCOMPARE(world.transports.last().sent.size(), sent);
        QVERIFY(world.state().reply.isFree());
        world.gemini().sound(Milliseconds{100});
        world.gemini().generationComplete();
        world.gemini().turnComplete();
        world.settle();
        QVERIFY(world.voice.played.empty());
        world.runner.say("again");
        world.settle();
        world.gemini().reply("Again.");
        world.settle();
        QCOMPARE(world.voice.played.size(), std::size_t{960});
    }

    void turn_WithoutAReply_LeavesNobodyWaiting()
    {
        GeminiWorld world;
        world.start();
        world.hears(Milliseconds{400});
        world.gemini().userWords("Hm");
        world.gemini().turnComplete();
        world.settle();
        QCOMPARE(world.state().activity, Activity::Listening);
        QVERIFY(world.state().reply.isFree());
        world.runner.say("nothing to say to");
        world.settle();
        world.gemini().turnComplete();
        world.settle();
        QVERIFY(world.state().reply.isFree());
    }

    void goAway_BetweenTurns_ResumesTheSessionOverAnotherConnection()
    {
        GeminiWorld world;
        world.start();
        world.talks("Hello", "Hi.");
        world.gemini().handle();
        world.gemini().goAway(Milliseconds{50'000});
        world.settle();
        QCOMPARE(world.state().phase, Phase::Waiting);
        const auto changes = world.observer.told<session_notice::PhaseChanged>();
        QVERIFY(changes.back().isHandOver);
        QVERIFY(world.transports.wires[0]->isGone);
        world.comesBack();
        QCOMPARE(world.state().phase, Phase::Live);
        QCOMPARE(*world.session().setup.sessionResumption->handle, std::string("handle_1"));
        QVERIFY(world.session().history.empty());
        world.talks("And now?", "Now this.");
        QVERIFY(world.session().texts.empty());
        QVERIFY((world.log() == Lines{"user: Hello", "model: Hi.", "user: And now?", "model: Now this."}));
        QVERIFY(!world.gemini().isOver());
        QVERIFY(world.observer.told<session_notice::Problem>().empty());
    }

    void goAway_DuringAReply_WaitsForItsEnd()
    {
        GeminiWorld world;
        world.start();
        world.hears(Milliseconds{400});
        world.gemini().userWords("Hello");
        world.gemini().sound(Milliseconds{100});
        world.gemini().goAway(Milliseconds{50'000});
        world.settle();
        QCOMPARE(world.state().phase, Phase::Live);
        world.gemini().reply("Hi.");
        world.settle();
        QCOMPARE(world.state().phase, Phase::Live);
        world.drained();
        QCOMPARE(world.state().phase, Phase::Waiting);
    }

    void goAway_DuringAReplyThatDoesNotEnd_WaitsUntilTenSecondsBefore()
    {
        GeminiWorld world;
        world.start();
        world.hears(Milliseconds{400});
        world.gemini().userWords("Hello");
        world.gemini().goAway(Milliseconds{30'000});
        world.settle();
        for (int second = 0; second < 19; ++second) {
            world.gemini().sound(Milliseconds{20});
            world.executor.advance(Milliseconds{1'000});
        }
        QCOMPARE(world.state().phase, Phase::Live);
        world.executor.advance(Milliseconds{1'100});
        QCOMPARE(world.state().phase, Phase::Waiting);
    }

    void handle_ThatIsOlderThanTheConversation_IsNotUsed()
    {
        GeminiWorld world;
        world.start();
        world.gemini().handle();
        world.talks("Hello", "Hi.");
        world.gemini().hangUp(1011, "Deadline expired");
        world.comesBack();
        QCOMPARE(world.state().phase, Phase::Live);
        QVERIFY(!world.session().setup.sessionResumption->handle);
        world.hears(Milliseconds{20});
        const auto& history = world.session().history;
        QCOMPARE(history.size(), std::size_t{2});
        QCOMPARE(history[0].role, std::string("user"));
        QCOMPARE(*history[0].parts.at(0).text, std::string("Hello"));
        QCOMPARE(history[1].role, std::string("model"));
        QCOMPARE(*history[1].parts.at(0).text, std::string("Hi."));
        QVERIFY(!world.gemini().isOver());
    }

    void handle_ThatIsRefused_IsForgotten()
    {
        GeminiWorld world;
        world.start();
        world.talks("Hello", "Hi.");
        world.gemini().handle();
        world.server = GeminiStandIn();
        world.gemini().goAway(Milliseconds{50'000});
        world.settle();
        world.comesBack();
        QVERIFY(world.gemini().isOver());
        QCOMPARE(world.state().phase, Phase::Waiting);
        world.comesBack();
        QCOMPARE(world.state().phase, Phase::Live);
        QVERIFY(!world.session().setup.sessionResumption->handle);
        QVERIFY(world.session().setup.historyConfig.has_value());
    }

    void typedWords_WhileTheConnectionIsAway_AreAnsweredAfterwards()
    {
        GeminiWorld world;
        world.start();
        world.talks("Hello", "Hi.");
        world.gemini().hangUp(1011, "gone");
        world.runner.say("still there?");
        world.comesBack();
        QCOMPARE(world.session().history.size(), std::size_t{2});
        QVERIFY(world.session().texts == Lines{"still there?"});
        world.gemini().reply("Yes.");
        world.settle();
        QCOMPARE(world.log().back(), std::string("model: Yes."));
    }

    void speech_ThatNobodyHasAnswered_IsSaidAgain()
    {
        GeminiWorld world;
        world.start();
        world.hears(Milliseconds{3'000});
        world.executor.advance(Milliseconds{2'000});
        world.gemini().hangUp(1011, "gone");
        world.comesBack();
        QCOMPARE(world.session().soundBytes, std::size_t{3'000 * 48});
    }

    void pushToTalk_SendsWhatIsSaidWhileTheKeyIsDown()
    {
        GeminiWorld world;
        world.runner.makeTurnsByHand(true);
        world.server.answer = [](GeminiStandIn::Connection& gemini) { gemini.reply("Hi."); };
        world.start();
        QCOMPARE(*world.session().setup.realtimeInputConfig->automaticActivityDetection->disabled, true);
        world.hears(Milliseconds{400});
        QCOMPARE(world.session().soundBytes, std::size_t{0});
        world.runner.holdTalk(true);
        world.hears(Milliseconds{400});
        world.gemini().userWords("Hello");
        world.runner.holdTalk(false);
        world.executor.advance(Milliseconds{250});
        world.settle();
        QCOMPARE(world.session().activities, 1);
        QCOMPARE(world.session().heldSoundBytes, std::size_t{400 * 48});
        QVERIFY((world.log() == Lines{"user: Hello", "model: Hi."}));
        world.drained();
        world.hears(Milliseconds{400});
        QCOMPARE(world.session().soundBytes, std::size_t{400 * 48});
        // A key that was only touched is no turn.
        world.runner.holdTalk(true);
        world.hears(Milliseconds{60});
        world.runner.holdTalk(false);
        world.executor.advance(Milliseconds{250});
        world.hears(Milliseconds{400});
        QCOMPARE(world.session().activities, 1);
        QVERIFY(!world.gemini().isOver());
    }

    void pushToTalk_InALiveConversation_GoesOnInAConnectionThatKnowsOfIt()
    {
        GeminiWorld world;
        world.start();
        world.talks("Hello", "Hi.");
        world.gemini().handle();
        world.runner.makeTurnsByHand(true);
        world.settle();
        QCOMPARE(world.state().phase, Phase::Waiting);
        world.runner.holdTalk(true);
        world.comesBack();
        QCOMPARE(*world.session().setup.realtimeInputConfig->automaticActivityDetection->disabled, true);
        QCOMPARE(*world.session().setup.sessionResumption->handle, std::string("handle_1"));
        world.hears(Milliseconds{400});
        world.runner.holdTalk(false);
        world.executor.advance(Milliseconds{250});
        world.settle();
        QCOMPARE(world.session().activities, 1);
        QVERIFY(!world.gemini().isOver());
    }

    void close_IsToldWithItsReason_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<QByteArray>("reason");
        QTest::addColumn<int>("expected");
        const auto row = [](const char* name, int code, const char* reason, ErrorCode expected) {
            QTest::newRow(name) << code << QByteArray(reason) << static_cast<int>(expected);
        };
        row("bad message", 1007, "Request contains an invalid argument.", ErrorCode::BadConfiguration);
        row("region", 1007, "User location is not supported for the API use.", ErrorCode::BadConfiguration);
        row("old key", 1007, "API key expired. Please renew the API key.", ErrorCode::ProviderRefused);
        row("model", 1008, "models/x is not found for API version v1beta", ErrorCode::ChoiceRefused);
        row("permission", 1008, "Permission denied", ErrorCode::ProviderRefused);
        row("quota", 1011, "You exceeded your current quota", ErrorCode::ProviderQuota);
    }
    void close_IsToldWithItsReason()
    {
        QFETCH(int, code);
        QFETCH(QByteArray, reason);
        QFETCH(int, expected);
        GeminiWorld world;
        world.server.confirms = false;
        world.start();
        world.gemini().hangUp(static_cast<std::uint16_t>(code), reason.toStdString());
        world.settle();
        QCOMPARE(world.state().phase, Phase::Ended);
        QCOMPARE(static_cast<int>(world.state().failure->code), expected);
        QVERIFY(world.state().failure->detail.find(reason.toStdString()) != std::string::npos);
    }

    void usage_OutsideAReply_IsToldToo()
    {
        GeminiWorld world;
        world.start();
        world.gemini().usage(1, 2, 0);
        world.gemini().usage(3, 4, 0);
        world.gemini().sound(Milliseconds{20});
        world.gemini().usage(5, 6, 7);
        world.gemini().hangUp(1011, "gone");
        world.settle();
        std::int64_t in = 0;
        std::vector<std::string> ids;
        for (const auto& told : world.observer.told<session_notice::ReplyUsage>()) {
            in += told.usage.inputTokens;
            QVERIFY(std::find(ids.begin(), ids.end(), told.responseId) == ids.end());
            ids.push_back(told.responseId);
        }
        QCOMPARE(in, std::int64_t{1 + 2 + 3 + 4 + 5 + 6});
    }

    void usage_InPieces_IsOneTurnAReply()
    {
        GeminiWorld world;
        world.start();
        for (const bool isEarly : {false, true}) {
            world.observer.notices.clear();
            world.gemini().sound(Milliseconds{20});
            if (isEarly) {
                world.gemini().usage(1, 2, 3);
            }
            world.gemini().generationComplete();
            world.gemini().usage(1, 2, 3);
            world.gemini().turnComplete();
            world.gemini().usage(1, 2, 3);
            world.settle();
            const auto usage = world.observer.told<session_notice::ReplyUsage>();
            QCOMPARE(usage.size(), std::size_t{isEarly ? 3U : 2U});
            QVERIFY(usage[0].isTurn);
            QVERIFY(std::none_of(usage.begin() + 1, usage.end(), [](const auto& one) { return one.isTurn; }));
        }
    }

    void usage_OfAReplyThatIsCutOff_IsToldBeforeTheEnd_data()
    {
        QTest::addColumn<int>("how");
        QTest::newRow("the user stops it") << 0;
        QTest::newRow("it ends of an error") << 1;
        QTest::newRow("the connection fails") << 2;
        QTest::newRow("it is handed over") << 3;
        QTest::newRow("the provider falls silent") << 4;
        QTest::newRow("the provider hangs up") << 5;
    }
    void usage_OfAReplyThatIsCutOff_IsToldBeforeTheEnd()
    {
        QFETCH(int, how);
        GeminiWorld world;
        world.start();
        world.gemini().sound(Milliseconds{20});
        world.gemini().usage(5, 6, 7);
        world.gemini().usage(1, 1, 1);
        world.settle();
        QVERIFY(world.observer.told<session_notice::ReplyUsage>().empty());
        switch (how) {
        case 0:
            world.runner.stop();
            break;
        case 1:
            world.runner.abort({ErrorCode::ChildDied, "gone", std::nullopt, {}});
            break;
        case 2:
            world.transports.last().listener->transportFailed(
                {ErrorCode::ProviderUnreachable, "reset", std::nullopt, {}});
            break;
        case 3:
            world.gemini().goAway(Milliseconds{10'000});
            world.executor.advance(Milliseconds{1});
            break;
        case 4:
            world.executor.advance(Milliseconds{30'000});
            break;
        default:
            world.gemini().hangUp(1011, "gone");
        }
        QVERIFY(world.state().phase != Phase::Live);
        const auto usage = world.observer.told<session_notice::ReplyUsage>();
        QCOMPARE(usage.size(), std::size_t{1});
        QCOMPARE(usage[0].usage.inputTokens, std::int64_t{5 + 6 + 1 + 1});
        QVERIFY(!usage[0].isTurn);
    }

    void whateverHappens_NothingIsSaidThatGeminiRefuses_data()
    {
        QTest::addColumn<bool>("isByHand");
        QTest::addColumn<bool>("isSlow");
        QTest::newRow("by ear") << false << false;
        QTest::newRow("by hand") << true << false;
        QTest::newRow("by ear, functions beside it") << false << true;
        QTest::newRow("by hand, functions beside it") << true << true;
    }
    void whateverHappens_NothingIsSaidThatGeminiRefuses()
    {
        QFETCH(bool, isByHand);
        QFETCH(bool, isSlow);
        std::size_t connections = 0;
        for (std::uint32_t seed = 1; seed <= 150; ++seed) {
            GeminiWorld world;
            world.tools.isSlow = isSlow;
            std::minstd_rand random(seed);
            world.runner.makeTurnsByHand(isByHand);
            world.runner.start();
            int calls = 0;
            std::string story;
            for (int step = 0; step < 80; ++step) {
                world.serve();
                if (world.state().phase == Phase::Live && world.connections.size() == world.transports.wires.size()) {
                    const auto action = std::uniform_int_distribution<int>(0, 16)(random);
                    story += " " + std::to_string(action);
                    world.does(action, calls);
                } else {
                    world.executor.advance(Milliseconds{300});
                }
                world.serve();
                if (world.connections.empty()) {
                    continue;
                }
                const std::string what =
                    "seed " + std::to_string(seed) + ":" + story + " " + world.gemini().close().reason;
                QVERIFY2(!world.gemini().isOver(), what.c_str());
            }
            // And whatever has happened, the next question is answered.
            world.comesToRest();
            QVERIFY2(world.state().phase == Phase::Live, story.c_str());
            world.runner.say("last");
            world.settle();
            world.gemini().reply("Last.");
            world.settle();
            const std::string what = "seed " + std::to_string(seed) + ":" + story;
            QVERIFY2(world.log().back() == "model: Last.", what.c_str());
            QVERIFY2(!world.voice.played.empty(), what.c_str());
            QVERIFY2(world.state().reply.isFree(), what.c_str());
            connections += world.connections.size();
        }
        QVERIFY(connections > 300);
    }

    void message_ThatIsNone_IsToldAndSurvived()
    {
        GeminiWorld world;
        world.start();
        world.gemini().sayText("not JSON");
        world.gemini().sayText(R"({"serverContent":{}})");
        world.gemini().sayText(R"({"usageMetadata":{}})");
        world.settle();
        QCOMPARE(world.observer.told<session_notice::Problem>().size(), std::size_t{1});
        QCOMPARE(world.state().phase, Phase::Live);
        QVERIFY(world.state().reply.isFree());
    }
};

QTEST_GUILESS_MAIN(SessionGeminiTest)
#include "test_session_gemini.moc"
