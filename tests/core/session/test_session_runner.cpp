#include "core/base/json.h"
#include "core/ports/sound_fault.h"
#include "core/protocol/openai/codec.h"
#include "core/session/session_runner.h"
#include "tests/support/fake_ports.h"
#include "tests/support/manual_executor.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

class RecordingObserver final : public SessionObserver {
public:
    void sessionTold(const SessionNotice& notice) override { notices.push_back(notice); }
    void replyTook(const ReplyLatency& latency) override { latencies.push_back(latency); }

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
    std::vector<ReplyLatency> latencies;
};

class SessionRunnerTest : public QObject {
    Q_OBJECT

    /// A runner in a world that the test turns.
    struct World {
        ManualClock clock;
        ManualExecutor executor{clock};
        FakeTokenSource source;
        CachingTokenSource tokens{source, clock, executor};
        FakeTransportFactory transports;
        FakeVoiceIo voice;
        FakeToolRunner tools;
        RecordingObserver observer;
        SessionRunner runner{{tokens, transports, voice, tools, clock, executor, observer, {}}};

        void says(const openai::ServerEvent& event)
        {
            transports.last().listener->textReceived(openai::encode(event));
            executor.runPosted();
        }
        World() { transports.pongs = &executor; }
        void goLive()
        {
            runner.start();
            source.answer(makeToken(clock.now()));
            transports.last().listener->transportOpened();
            says(openai::SessionCreated{});
            says(openai::SessionUpdated{});
        }
        /// As it came, from a server whose words are not ours.
        void hears(const std::string& text)
        {
            transports.last().listener->textReceived(text);
            executor.runPosted();
        }
        void opens(std::string dialect = {})
        {
            auto token = std::make_shared<AccessToken>(*makeToken(clock.now()));
            token->dialect = std::move(dialect);
            runner.start();
            source.answer(token);
            transports.last().listener->transportOpened();
        }
        /// The latest that was sent.
        Json lastSent() { return parseJson(transports.last().sent.back()).value(); }
        void replyBegins()
        {
            openai::ResponseCreated created;
            created.response.id = "resp_1";
            says(created);
        }
        template <typename Event>
        std::vector<Event> sent()
        {
            std::vector<Event> found;
            for (const std::string& text : transports.last().sent) {
                auto event = openai::decodeClientEvent(text);
                if (!event) {
                    qFatal("%s", event.error().message.c_str());
                }
                if (auto* one = std::get_if<Event>(&*event)) {
                    found.push_back(std::move(*one));
                }
            }
            return found;
        }
    };

private Q_SLOTS:
    void start_OpensWithTheTokenAndNothingElse()
    {
        World world;
        world.runner.start();
        world.source.answer(makeToken(world.clock.now()));
        QCOMPARE(world.transports.wires.size(), std::size_t{1});
        QCOMPARE(world.transports.last().target.url, std::string("ws://127.0.0.1:9/v1/realtime"));
        QCOMPARE(world.transports.last().target.credential->reveal(), std::string_view("ek_test"));
        QVERIFY(world.transports.last().sent.empty());
    }

    void everythingSent_IsValidForAStrictServer()
    {
        World world;
        world.goLive();
        world.runner.say("hello");
        const std::vector<std::int16_t> samples(480, 7);
        world.voice.listener->voiceCaptured(samples);
        QCOMPARE(world.sent<openai::SessionUpdate>().size(), std::size_t{1});
        QCOMPARE(world.sent<openai::ConversationItemCreate>().size(), std::size_t{1});
        QCOMPARE(world.sent<openai::InputAudioBufferAppend>().at(0).audio.size(), std::size_t{960});
    }

    void telephoneServer_IsSentWhatItHears()
    {
        World world;
        world.goLive();
        openai::SessionUpdated updated;
        updated.session.inputFormat = openai::AudioFormat{openai::AudioEncoding::Pcmu, SampleRate{8'000}};
        world.says(updated);
        const std::vector<std::int16_t> samples{0, 32'767, -32'768};
        world.voice.listener->voiceCaptured(samples);
        QCOMPARE(world.sent<openai::InputAudioBufferAppend>().at(0).audio, (Bytes{0xFF, 0x80, 0x00}));
    }

    void betaServer_IsFoundOut_AndSpokenToInItsOwnWords()
    {
        World world;
        const auto isGreeted = [&] {
            world.hears(R"({"type":"session.created","event_id":"event_1","session":{"id":"sess_1","model":"m",)"
                        R"("modalities":["audio","text"],"voice":"af_heart","input_audio_format":"pcm16",)"
                        R"("output_audio_format":"pcm16","turn_detection":{"type":"server_vad"}}})");
        };
        world.opens("openai-ga");
        isGreeted();
        const Json session = world.lastSent()["session"];
        QVERIFY(!session.contains("type") && !session.contains("audio") && !session.contains("output_modalities"));
        QCOMPARE(writeJson(session["modalities"]), std::string(R"(["audio","text"])"));
        QCOMPARE(session["input_audio_format"].get<std::string>(), std::string("pcm16"));
        QCOMPARE(session["output_audio_format"].get<std::string>(), std::string("pcm16"));
        QCOMPARE(session["turn_detection"]["type"].get<std::string>(), std::string("server_vad"));
        world.hears(R"({"type":"session.updated","session":{"modalities":["audio","text"],"voice":"af_heart"}})");
        QCOMPARE(world.runner.state().phase, Phase::Live);
        world.hears(R"({"type":"response.created","response":{"id":"resp_1","status":"incomplete","output":[]}})");
        world.hears(R"({"type":"response.audio.delta","response_id":"resp_1","item_id":"item_1","delta":"AQACAA=="})");
        world.hears(
            R"({"type":"response.audio_transcript.done","response_id":"resp_1","item_id":"item_1","transcript":"Hi."})");
        world.hears(R"({"type":"response.done","response":{"id":"resp_1","status":"completed","output":[]}})");
        QVERIFY(world.voice.played == (std::vector<std::int16_t>{1, 2}));
        QVERIFY(world.runner.state().reply.isFree());
        world.runner.makeTurnsByHand(true);
        QCOMPARE(writeJson(world.lastSent()["session"]), std::string(R"({"turn_detection":null})"));
        // The next connection is told what was said, in its words, too.
        world.transports.last().listener->transportClosed({1006, {}});
        world.executor.advance(Milliseconds{300});
        world.transports.last().listener->transportOpened();
        isGreeted();
        world.hears(R"({"type":"session.updated","session":{}})");
        const Json item = world.lastSent()["item"];
        QCOMPARE(item["role"].get<std::string>(), std::string("assistant"));
        QCOMPARE(writeJson(item["content"]), std::string(R"([{"text":"Hi.","type":"text"}])"));
    }

    void serverThatSaysThingsInBothWays_IsSpokenToAsGa()
    {
        World world;
        world.opens();
        world.hears(R"({"type":"conversation.created","conversation":{"id":"conv_1"}})");
        world.hears(R"({"type":"session.created","session":{"type":"realtime","voice":"eve","turn_detection":null}})");
        QCOMPARE(world.sent<openai::SessionUpdate>().size(), std::size_t{1});
        QVERIFY(world.lastSent()["session"].contains("audio"));
        QCOMPARE(world.lastSent()["session"]["type"].get<std::string>(), std::string("realtime"));
    }

    void greetingThatDoesNotTell_LeavesItToTheToken_data()
    {
        QTest::addColumn<std::string>("dialect");
        QTest::addColumn<bool>("isFlat");
        QTest::newRow("beta") << std::string("openai-beta") << true;
        QTest::newRow("ga") << std::string("openai-ga") << false;
    }
    void greetingThatDoesNotTell_LeavesItToTheToken()
    {
        QFETCH(std::string, dialect);
        QFETCH(bool, isFlat);
        World world;
        world.opens(dialect);
        world.hears(R"({"type":"session.created","session":{}})");
        QCOMPARE(world.lastSent()["session"].contains("modalities"), isFlat);
    }

    void bargeIn_TellsTheProviderWhatTheSpeakerReallyPlayed()
    {
        World world;
        world.goLive();
        world.replyBegins();
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes(9600)});
        world.voice.heard.heard = Milliseconds{130};
        world.says(openai::InputAudioBufferSpeechStarted{});
        QCOMPARE(world.voice.interrupts, 1);
        const auto truncates = world.sent<openai::ConversationItemTruncate>();
        QCOMPARE(truncates.size(), std::size_t{1});
        QCOMPARE(truncates[0].audioEndMs, std::int64_t{130});
    }

    void audio_SplitInsideASample_IsJoined()
    {
        World world;
        world.goLive();
        world.replyBegins();
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes{0x01, 0x00, 0x02}});
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes{0x00, 0x03, 0x00}});
        QVERIFY(world.voice.played == (std::vector<std::int16_t>{1, 2, 3}));
    }

    void oddByte_OfAnotherItem_IsDropped()
    {
        World world;
        world.goLive();
        world.replyBegins();
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes{0x01, 0x00, 0x02}});
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_2", 1, 0, Bytes{0x03, 0x00}});
        QVERIFY(world.voice.played == (std::vector<std::int16_t>{1, 3}));
    }

    void lateWordsOfADroppedConnection_AreNotHeard()
    {
        World world;
        world.goLive();
        auto* old = world.transports.last().listener;
        old->transportClosed({1006, {}});
        world.executor.advance(Milliseconds{300});
        QCOMPARE(world.transports.wires.size(), std::size_t{2});
        QVERIFY(world.transports.wires[0]->isGone);
        QCOMPARE(world.runner.state().phase, Phase::Connecting);
    }

    void backPressure_DropsAudioAndTellsTheLossOnce()
    {
        World world;
        world.goLive();
        const std::vector<std::int16_t> samples(480, 5'000);
        world.transports.last().buffered = 2'000'000;
        for (int i = 0; i < 50; ++i) {
            world.voice.listener->voiceCaptured(samples);
        }
        QVERIFY(world.sent<openai::InputAudioBufferAppend>().empty());
        world.transports.last().buffered = 0;
        world.voice.listener->voiceCaptured(samples);
        const auto lost = world.observer.told<session_notice::AudioLost>();
        QCOMPARE(lost.size(), std::size_t{1});
        QCOMPARE(lost[0].amount, Milliseconds{1000});
    }

    void backPressureThatLasts_TellsTheLossMeanwhile()
    {
        World world;
        world.goLive();
        world.transports.last().buffered = 2'000'000;
        for (int i = 0; i < 125; ++i) {
            world.voice.listener->voiceCaptured(std::vector<std::int16_t>(480, 5'000));
            world.voice.listener->voiceCaptured(std::vector<std::int16_t>(480, 0));
        }
        const auto lost = world.observer.told<session_notice::AudioLost>();
        QCOMPARE(lost.size(), std::size_t{2});
        QCOMPARE(lost[1].amount, Milliseconds{1'000});
    }

    void unreadableMessage_InALiveSession_IsToldAndSurvived_data()
    {
        QTest::addColumn<QByteArray>("message");
        QTest::newRow("not JSON") << QByteArray("{\"type\":");
        QTest::newRow("array") << QByteArray("[]");
        QTest::newRow("no type") << QByteArray("{}");
        QTest::newRow("deep") << QByteArray(100'000, '[');
        QTest::newRow("bad base64") << QByteArray(
            R"({"type":"response.output_audio.delta","event_id":"e","response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":"%%"})");
    }
    void unreadableMessage_InALiveSession_IsToldAndSurvived()
    {
        QFETCH(QByteArray, message);
        World world;
        world.goLive();
        world.transports.last().listener->textReceived(message.toStdString());
        const auto problems = world.observer.told<session_notice::Problem>();
        QCOMPARE(problems.size(), std::size_t{1});
        QCOMPARE(problems[0].error.code, ErrorCode::ProviderMalformed);
        QCOMPARE(world.runner.state().phase, Phase::Live);
    }

    void binaryMessage_IsToldAndSurvived()
    {
        World world;
        world.goLive();
        world.transports.last().listener->binaryReceived("\x01\x02");
        QCOMPARE(world.observer.told<session_notice::Problem>().size(), std::size_t{1});
        QCOMPARE(world.runner.state().phase, Phase::Live);
    }

    void unknownEvents_AreIgnored()
    {
        World world;
        world.goLive();
        const std::size_t before = world.observer.notices.size();
        world.transports.last().listener->textReceived(R"({"type":"response.sparkles","event_id":"e"})");
        QCOMPARE(world.observer.notices.size(), before);
    }

    void tool_ThatNeverAnswers_IsAnsweredForAtItsDeadline()
    {
        World world;
        world.goLive();
        world.replyBegins();
        openai::ResponseDone done;
        done.response.id = "resp_1";
        done.response.status = openai::ResponseStatus::Completed;
        openai::Item call;
        call.type = openai::ItemType::FunctionCall;
        call.id = "item_c";
        call.callId = "call_1";
        call.name = "slow";
        call.arguments = "{}";
        done.response.output.push_back(call);
        world.says(done);
        QCOMPARE(world.tools.calls.size(), std::size_t{1});
        world.executor.advance(Milliseconds{30'000});
        QCOMPARE(world.sent<openai::ConversationItemCreate>().at(0).item.output, std::string(R"({"error":"timeout"})"));
        QCOMPARE(world.tools.cancelled, std::vector<std::string>{"call_1"});
        // The real answer comes after all: nobody waits for it any more.
        world.tools.open.front()(std::string("{}"));
        QCOMPARE(world.sent<openai::ConversationItemCreate>().size(), std::size_t{1});
    }

    void latency_OfATypedTurn_IsTold()
    {
        World world;
        world.goLive();
        world.runner.say("hello");
        world.clock.advance(Milliseconds{85});
        world.replyBegins();
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes(480)});
        QCOMPARE(world.observer.latencies.size(), std::size_t{1});
        QCOMPARE(world.observer.latencies[0].fromTurnEnd, Milliseconds{85});
    }

    void loudspeakerThatGoesAway_EndsWhatWasHeard_data()
    {
        QTest::addColumn<bool>("isMade");
        QTest::newRow("of a reply that is there as a whole") << true;
        QTest::newRow("of a reply that is still made") << false;
    }
    void loudspeakerThatGoesAway_EndsWhatWasHeard()
    {
        QFETCH(bool, isMade);
        World world;
        world.goLive();
        world.replyBegins();
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes(9600)});
        world.says(openai::ResponseOutputAudioTranscriptDone{{}, "resp_1", "item_1", 0, 0, "one two three four"});
        if (isMade) {
            openai::ResponseDone done;
            done.response.id = "resp_1";
            done.response.status = openai::ResponseStatus::Completed;
            world.says(done);
        }
        world.voice.heard.heard = Milliseconds{100};
        const Error gone{ErrorCode::SoundNoLoudspeaker, "there is no loudspeaker", std::nullopt, sound_fault::kGone};
        world.voice.listener->voiceImpaired(gone);
        QCOMPARE(world.voice.interrupts, 1);
        const ConversationEntry cut = world.observer.told<session_notice::TranscriptChanged>().back().entry;
        QVERIFY(cut.wasInterrupted);
        QCOMPARE(cut.heardText(), std::string_view("one two"));
        const auto truncates = world.sent<openai::ConversationItemTruncate>();
        QCOMPARE(truncates.size(), std::size_t{1});
        QCOMPARE(truncates[0].audioEndMs, std::int64_t{100});
        // People are told of the loudspeaker alone.
        QCOMPARE(world.observer.told<session_notice::Problem>().back().error.foreignCode, std::string());
        // The next reply is read from its beginning.
        world.voice.listener->voiceImpaired(gone);
        QCOMPARE(world.voice.interrupts, 1);
    }

    void loudspeakerThatGoesAway_WhileThereIsNoConnection_EndsWhatWasHeard()
    {
        World world;
        world.goLive();
        world.replyBegins();
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes(9600)});
        world.says(openai::ResponseOutputAudioTranscriptDone{{}, "resp_1", "item_1", 0, 0, "one two three four"});
        world.transports.last().listener->transportClosed({1006, {}});
        QCOMPARE(world.runner.state().phase, Phase::Waiting);
        world.voice.heard.heard = Milliseconds{100};
        world.voice.listener->voiceImpaired(
            {ErrorCode::SoundNoLoudspeaker, "there is no loudspeaker", std::nullopt, sound_fault::kGone});
        QCOMPARE(world.voice.interrupts, 1);
        QCOMPARE(world.observer.told<session_notice::TranscriptChanged>().back().entry.heardText(),
            std::string_view("one two"));
        QVERIFY(!world.runner.state().isPlaying);
        QCOMPARE(world.runner.state().phase, Phase::Waiting);
    }

    void loudspeakerThatNeverWas_CutsNothing()
    {
        World world;
        world.goLive();
        world.replyBegins();
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes(9600)});
        world.voice.listener->voiceImpaired(
            {ErrorCode::SoundNoLoudspeaker, "there is no loudspeaker", std::nullopt, {}});
        QCOMPARE(world.voice.interrupts, 0);
    }

    void end_WhileTheAgentSpeaks_IsTheLastThingTold()
    {
        World world;
        world.goLive();
        world.replyBegins();
        world.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes(9600)});
        world.says(openai::ResponseOutputAudioTranscriptDelta{{}, "resp_1", "item_1", 0, 0, "one two three four"});
        world.voice.heard.heard = Milliseconds{100};
        world.runner.abort({ErrorCode::ChildDied, "gone", std::nullopt, {}});
        QCOMPARE(world.runner.state().phase, Phase::Ended);
        QVERIFY(std::holds_alternative<session_notice::Ended>(world.observer.notices.back()));
        QCOMPARE(world.observer.told<session_notice::Ended>().at(0).error->code, ErrorCode::ChildDied);
        // And what was heard of the reply is told before it.
        const ConversationEntry last = world.observer.told<session_notice::TranscriptChanged>().back().entry;
        QVERIFY(last.wasInterrupted);
        QCOMPARE(last.heardText(), std::string_view("one two"));
    }

    void deadConnection_IsNoticedAndComesBackWithTheSpeech()
    {
        World world;
        world.goLive();
        world.executor.advance(Milliseconds{60'000});
        QCOMPARE(world.transports.wires.size(), std::size_t{1});
        QVERIFY(world.transports.last().pings >= 60);
        world.transports.last().pongs = nullptr;
        const std::vector<std::int16_t> samples(480, 7);
        world.voice.listener->voiceCaptured(samples);
        world.executor.advance(Milliseconds{29'000});
        QCOMPARE(world.runner.state().activity, Activity::Stalled);
        world.executor.advance(Milliseconds{1'000});
        world.executor.advance(Milliseconds{250});
        // The token has run out meanwhile.
        world.source.answer(makeToken(world.clock.now()));
        QCOMPARE(world.transports.wires.size(), std::size_t{2});
        QVERIFY(world.transports.wires[0]->isGone);
        world.transports.last().listener->transportOpened();
        world.says(openai::SessionCreated{});
        world.says(openai::SessionUpdated{});
        QCOMPARE(world.sent<openai::InputAudioBufferAppend>().size(), std::size_t{1});
    }

    void voiceThatTheSoundSideLost_IsTold()
    {
        World world;
        world.goLive();
        world.voice.listener->voiceLost(Milliseconds{300});
        QCOMPARE(world.observer.told<session_notice::AudioLost>().at(0).amount, Milliseconds{300});
    }

    void handshakeThatIsNeverAnswered_EndsWithTheTransportsWord()
    {
        World world;
        world.runner.start();
        world.source.answer(makeToken(world.clock.now(), Milliseconds{600'000}));
        for (int i = 0; i < 8 && world.runner.state().phase != Phase::Ended; ++i) {
            world.transports.last().listener->transportFailed({ErrorCode::Timeout, "no answer", std::nullopt, {}});
            world.executor.advance(Milliseconds{5'000});
        }
        const auto ended = world.observer.told<session_notice::Ended>();
        QCOMPARE(ended.size(), std::size_t{1});
        QCOMPARE(ended[0].error->code, ErrorCode::Timeout);
    }

    void destroyed_WithEverythingUnderWay_LetsGoOfAll()
    {
        ManualClock clock;
        ManualExecutor executor(clock);
        FakeTokenSource source;
        CachingTokenSource tokens(source, clock, executor);
        FakeTransportFactory transports;
        FakeVoiceIo voice;
        FakeToolRunner tools;
        RecordingObserver observer;
        {
            SessionRunner runner({tokens, transports, voice, tools, clock, executor, observer, {}});
            runner.start();
            source.answer(makeToken(clock.now()));
            runner.stop();
            runner.start();
        }
        executor.advance(Milliseconds{60'000});
        QVERIFY(transports.last().isGone);
        QVERIFY(voice.wasStopped);
        QCOMPARE(executor.pendingTimers(), std::size_t{0});
    }
};

QTEST_GUILESS_MAIN(SessionRunnerTest)
#include "test_session_runner.moc"
