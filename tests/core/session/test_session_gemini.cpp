#include "core/session/session_runner.h"
#include "tests/support/fake_ports.h"
#include "tests/support/gemini_stand_in.h"
#include "tests/support/manual_executor.h"

#include <QTest>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

class RecordingObserver final : public SessionObserver {
public:
    void sessionTold(const SessionNotice& notice) override { notices.push_back(notice); }
    void replyTook(const ReplyLatency&) override { ++latencies; }

    template <typename Notice>
    std::vector<Notice> told() const
    {
        std::vector<Notice> found;
        for (const SessionNotice& notice : notices) {
            if (const auto* one = std::get_if<Notice>(&notice)) {
                found.push_back(*one);
            }
        }
        return found;
    }

    std::vector<SessionNotice> notices;
    int latencies = 0;
};

SessionOptions options()
{
    SessionOptions wanted;
    wanted.transcriptionModel = "any";
    wanted.instructions = "Be brief.";
    openai::FunctionTool tool;
    tool.name = "get_weather";
    tool.parameters = openai::RawJson{R"({"type":"object"})"};
    wanted.tools = {tool};
    return wanted;
}

/// A runner that talks to what stands in for Gemini; the test turns both.
struct World {
    ManualClock clock;
    ManualExecutor executor{clock};
    FakeTokenSource source;
    CachingTokenSource tokens{source, clock, executor};
    FakeTransportFactory transports;
    FakeVoiceIo voice;
    FakeToolRunner tools;
    RecordingObserver observer;
    GeminiStandIn server;
    std::vector<std::unique_ptr<GeminiStandIn::Connection>> connections;
    SessionRunner runner{{tokens, transports, voice, tools, clock, executor, observer, options()}};
    std::size_t fed = 0;
    std::size_t served = 0;
    std::string model = "gemini-3.8-live";

    World() { transports.pongs = &executor; }

    GeminiStandIn::Connection& gemini() { return *connections.back(); }
    GeminiStandIn::Session& session() { return gemini().session(); }

    TokenPtr token()
    {
        auto token = std::make_shared<AccessToken>(*makeToken(clock.now()));
        token->dialect = "gemini";
        token->auth = AuthStyle::Token;
        token->provider = "gemini";
        token->model = model;
        return token;
    }

    /// The connection that the runner has asked for is there.
    void opens()
    {
        const auto wire = transports.wires.back();
        const auto whileThere = [wire](const auto& tell) {
            if (!wire->isGone) {
                tell(*wire->listener);
            }
        };
        connections.push_back(std::make_unique<GeminiStandIn::Connection>(
            server,
            [whileThere](const std::string& text) {
                whileThere([&](TransportListener& listener) { listener.binaryReceived(text); });
            },
            [whileThere](const TransportClose& close) {
                whileThere([&](TransportListener& listener) { listener.transportClosed(close); });
            }));
        fed = 0;
        wire->listener->transportOpened();
        settle();
    }

    /// Until nobody has anything more to say.
    void settle()
    {
        std::size_t known = 0;
        do {
            executor.runPosted();
            if (transports.wires.empty()) {
                return;
            }
            const auto wire = transports.wires.back();
            known = fed;
            while (!connections.empty() && connections.size() == transports.wires.size() && fed < wire->sent.size()) {
                gemini().heard(wire->sent[fed++]);
            }
        } while (fed != known);
        executor.runPosted();
    }

    void start()
    {
        server.model = "models/" + model;
        runner.start();
        source.answer(token());
        opens();
    }

    /// After a connection: the next one, with a token of its own.
    void comesBack()
    {
        executor.advance(Milliseconds{300});
        settle();
        source.answer(token());
        settle();
        opens();
    }

    void hears(Milliseconds duration, std::int16_t level = 5'000)
    {
        const std::vector<std::int16_t> samples(480, level);
        for (Milliseconds done{0}; done < duration; done += Milliseconds{20}) {
            voice.listener->voiceCaptured(samples);
        }
        settle();
    }

    /// All that was given out has been heard.
    void drained()
    {
        voice.played.clear();
        voice.listener->playbackDrained();
        settle();
    }

    /// The user asks aloud, and is answered.
    void talks(const std::string& question, const std::string& reply)
    {
        hears(Milliseconds{400});
        gemini().userWords(question);
        gemini().reply(reply);
        settle();
        drained();
    }

    std::vector<std::string> log()
    {
        std::vector<std::string> lines;
        for (const ConversationEntry& entry : runner.state().log.entries()) {
            lines.push_back((entry.speaker == Speaker::User ? "user: " : "model: ") + entry.text);
        }
        return lines;
    }

    /// Whoever waits for a token or a connection gets it.
    void serve()
    {
        settle();
        while (served < source.queries.size()) {
            ++served;
            source.answer(token());
            settle();
        }
        if (connections.size() < transports.wires.size()) {
            opens();
        }
    }

    /// Nobody says anything more; what was begun ends.
    void comesToRest()
    {
        runner.holdTalk(false);
        for (int i = 0; i < 8; ++i) {
            executor.advance(Milliseconds{300});
            serve();
            while (!tools.open.empty()) {
                const auto answer = std::move(tools.open.front());
                tools.open.pop_front();
                answer(std::string("{}"));
            }
            gemini().turnComplete();
            drained();
        }
    }

    /// One of the things that can happen.
    void does(int action, int& calls)
    {
        GeminiStandIn::Connection& line = gemini();
        const auto callId = [](int number) { return "call_" + std::to_string(number); };
        switch (action) {
        case 0:
            return hears(Milliseconds{200});
        case 1:
            return runner.say("words");
        case 2:
            return runner.interrupt();
        case 3:
            return line.userWords("said");
        case 4:
        case 5:
            return line.sound(Milliseconds{20});
        case 6:
            return line.words("heard");
        case 7:
            return line.generationComplete();
        case 8:
            return line.turnComplete();
        case 9:
            return line.interrupt();
        case 10:
            return line.call(callId(++calls), "get_weather", "{}");
        case 11:
            return line.cancelCall(callId(calls));
        case 12:
            return line.usage(1, 2, 3);
        case 13:
            line.handle();
            return;
        case 14:
            return line.goAway(Milliseconds{12'000});
        case 15:
            if (!tools.open.empty()) {
                const auto answer = std::move(tools.open.front());
                tools.open.pop_front();
                answer(std::string("{}"));
            }
            return drained();
        default:
            runner.holdTalk(!state().held.isDown);
            return executor.advance(Milliseconds{250});
        }
    }

    [[nodiscard]] const SessionState& state() const { return runner.state(); }
};

using Lines = std::vector<std::string>;

} // namespace

class SessionGeminiTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void start_SetsUpAndIsLiveOnceThatIsConfirmed()
    {
        World world;
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
        World world;
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
        World world;
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

    void userWords_ThatComeAfterTheReplyBegan_AreOfTheTurnBeforeIt()
    {
        World world;
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
        World world;
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
        World world;
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
        World world;
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
        World world;
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

    void functions_AreCalledAndAnsweredTogether()
    {
        World world;
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
        World world;
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
        World world;
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
        World world;
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
        World world;
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

    void slowFunction_ThatIsStopped_IsAnsweredInSilence()
    {
        World world;
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
        World world;
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
        World world;
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

    void turn_WithoutAReply_LeavesNobodyWaiting()
    {
        World world;
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
        World world;
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
        World world;
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
        World world;
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
        World world;
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
        World world;
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
        World world;
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
        World world;
        world.start();
        world.hears(Milliseconds{3'000});
        world.executor.advance(Milliseconds{2'000});
        world.gemini().hangUp(1011, "gone");
        world.comesBack();
        QCOMPARE(world.session().soundBytes, std::size_t{3'000 * 48});
    }

    void pushToTalk_SendsWhatIsSaidWhileTheKeyIsDown()
    {
        World world;
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
        World world;
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
        row("model", 1008, "models/x is not found for API version v1beta", ErrorCode::BadConfiguration);
        row("permission", 1008, "Permission denied", ErrorCode::ProviderRefused);
        row("quota", 1011, "You exceeded your current quota", ErrorCode::ProviderQuota);
    }
    void close_IsToldWithItsReason()
    {
        QFETCH(int, code);
        QFETCH(QByteArray, reason);
        QFETCH(int, expected);
        World world;
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
        World world;
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
        World world;
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
        World world;
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
            World world;
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
        World world;
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
