#include "core/protocol/openai/codec.h"
#include "core/session/session_runner.h"
#include "tests/core/session/story.h"
#include "tests/support/manual_executor.h"

#include <QTest>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

constexpr Milliseconds kHour{3'600'000};

/// A live conversation whose provider has said how long its session lasts.
class LimitedStory : public Story {
public:
    explicit LimitedStory(Milliseconds tokenLife = 2 * kHour, Milliseconds left = kHour)
    {
        happens(session_event::Start{});
        happens(session_event::TokenArrived{makeToken(clock.now(), tokenLife)});
        opensFor(left);
    }

    void opensFor(Milliseconds left)
    {
        happens(session_event::Opened{});
        happens(session_event::ServerSaid{openai::SessionCreated{}, left});
        planned.clear();
        for (const auto& start : all<session_effect::StartTimer>()) {
            if (start.timer == SessionTimer::HandOver) {
                planned.push_back(start.delay);
            }
        }
        says(openai::SessionUpdated{});
    }
    void endComesNear()
    {
        clock.advance(kHour - Milliseconds{120'000});
        happens(session_event::TimedOut{SessionTimer::HandOver});
    }
    void endIsHere() { happens(session_event::TimedOut{SessionTimer::HandOver}); }
    /// The last step let go of the connection, told why, and nothing of a failure.
    bool hasHandedOver() const
    {
        const auto phases = told<session_notice::PhaseChanged>();
        return state.phase == Phase::Waiting && phases.size() == 1 && phases[0].isHandOver
            && phases[0].retryIn == Milliseconds{0} && all<session_effect::DropTransport>().size() == 1
            && told<session_notice::Problem>().empty();
    }
    void isAnswered()
    {
        replyBegins();
        says(openai::ResponseOutputAudioTranscriptDone{{}, "resp_1", "item_resp_1", 0, 0, "It is warm."});
        replyEnds();
    }

    std::vector<Milliseconds> planned;
};

class SilentObserver final : public SessionObserver {
public:
    void sessionTold(const SessionNotice& notice) override
    {
        problems += std::holds_alternative<session_notice::Problem>(notice) ? 1 : 0;
    }
    void replyTook(const ReplyLatency&) override {}
    int problems = 0;
};

} // namespace

/// The provider's session nears its end, and a fresh one takes over.
class SessionHandOverTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sessionOfAnHour_IsHandedOverTwoMinutesBefore()
    {
        const LimitedStory story;
        QVERIFY(story.planned == std::vector<Milliseconds>{kHour - Milliseconds{120'000}});
    }

    void endThatIsTooNear_IsNotBelieved()
    {
        const LimitedStory story(2 * kHour, Milliseconds{239'999});
        QVERIFY(story.planned.empty());
        QCOMPARE(story.state.phase, Phase::Live);
    }

    void quietConversation_IsHandedOverAtOnce()
    {
        LimitedStory story;
        story.endComesNear();
        QVERIFY(story.hasHandedOver());
        QCOMPARE(story.state.attempts, 0);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QCOMPARE(story.state.phase, Phase::Connecting);
        QCOMPARE(story.all<session_effect::OpenTransport>().size(), std::size_t{1});
        QVERIFY(story.all<session_effect::FetchToken>().empty());
        story.opensFor(kHour);
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.planned.size(), std::size_t{1});
        QVERIFY(!story.state.isHandOverDue);
    }

    void tokenThatHasRunOut_IsFetchedAnew()
    {
        LimitedStory story(Milliseconds{60'000});
        story.endComesNear();
        QVERIFY(story.hasHandedOver());
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QCOMPARE(story.state.phase, Phase::FetchingToken);
        const auto fetches = story.all<session_effect::FetchToken>();
        QCOMPARE(fetches.size(), std::size_t{1});
        QCOMPARE(fetches[0].query.resumeSessionId, std::string("voice_1_abc"));
    }

    void reply_IsWaitedForUntilItHasBeenHeard()
    {
        LimitedStory story;
        story.happens(session_event::TextEntered{"How warm is it?"});
        story.replyBegins();
        story.endComesNear();
        QCOMPARE(story.state.phase, Phase::Live);
        story.says(openai::ResponseOutputAudioTranscriptDone{{}, "resp_1", "item_resp_1", 0, 0, "It is warm."});
        story.replyEnds();
        QCOMPARE(story.state.phase, Phase::Live);
        story.happens(session_event::PlaybackDrained{});
        QVERIFY(story.hasHandedOver());
    }

    void speech_IsWaitedForUntilItIsAnsweredAndWrittenDown()
    {
        LimitedStory story;
        story.happens(session_event::AudioCaptured{Bytes(96'000, 1)});
        openai::InputAudioBufferSpeechStarted started;
        started.itemId = "item_u";
        story.says(started);
        story.endComesNear();
        QCOMPARE(story.state.phase, Phase::Live);
        openai::InputAudioBufferSpeechStopped stopped;
        stopped.itemId = "item_u";
        stopped.audioEndMs = 1'500;
        story.says(stopped);
        QCOMPARE(story.state.phase, Phase::Live);
        story.isAnswered();
        story.happens(session_event::PlaybackDrained{});
        // The words often come after the reply to them, and would be lost with the session.
        QCOMPARE(story.state.phase, Phase::Live);
        story.says(openai::InputAudioTranscriptionCompleted{{}, "item_u", 0, "How warm is it?", {}, {}, {}});
        QVERIFY(story.hasHandedOver());
        QCOMPARE(story.told<session_notice::TranscriptChanged>().size(), std::size_t{1});
    }

    void tool_IsWaitedForAndItsReply()
    {
        LimitedStory story;
        story.functionIsCalled();
        story.endComesNear();
        QCOMPARE(story.state.phase, Phase::Live);
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        QCOMPARE(story.state.phase, Phase::Live);
        story.isAnswered();
        story.happens(session_event::PlaybackDrained{});
        QVERIFY(story.hasHandedOver());
    }

    void endThatIsHere_WaitsForNothing()
    {
        LimitedStory story;
        story.happens(session_event::TextEntered{"How warm is it?"});
        story.endComesNear();
        const auto timers = story.all<session_effect::StartTimer>();
        QVERIFY(std::any_of(timers.begin(), timers.end(), [](const auto& start) {
            return start.timer == SessionTimer::HandOver && start.delay == Milliseconds{110'000};
        }));
        story.endIsHere();
        QVERIFY(story.hasHandedOver());
        // The question has no answer yet, and gets it from the next one.
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.opensFor(kHour);
        QCOMPARE(story.sent<openai::ConversationItemCreate>().size(), std::size_t{1});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void conversation_IsToldAsTextOnceAndNobodyIsAskedTwice()
    {
        LimitedStory story;
        story.happens(session_event::TextEntered{"How warm is it?"});
        story.isAnswered();
        story.happens(session_event::PlaybackDrained{});
        for (int handOver = 1; handOver <= 3; ++handOver) {
            story.endComesNear();
            QVERIFY(story.hasHandedOver());
            story.happens(session_event::TimedOut{SessionTimer::Backoff});
            // The first token has run out by the second time.
            if (story.state.phase == Phase::FetchingToken) {
                story.happens(session_event::TokenArrived{makeToken(story.clock.now(), 2 * kHour)});
            }
            story.opensFor(kHour);
            const auto items = story.sent<openai::ConversationItemCreate>();
            QCOMPARE(items.size(), std::size_t{2});
            QCOMPARE(items[0].item.content[0].text.value_or(""), std::string("How warm is it?"));
            QCOMPARE(items[1].item.content[0].text.value_or(""), std::string("It is warm."));
            QVERIFY(story.sent<openai::ResponseCreate>().empty());
            QVERIFY(story.told<session_notice::TranscriptChanged>().empty());
        }
        QCOMPARE(story.state.log.entries().size(), std::size_t{2});
    }

    void whatIsSaidMeanwhile_IsSentToTheNextOne()
    {
        LimitedStory story;
        story.endComesNear();
        story.happens(session_event::AudioCaptured{Bytes(960, 1)});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.happens(session_event::AudioCaptured{Bytes(960, 2)});
        story.opensFor(kHour);
        const auto appends = story.sent<openai::InputAudioBufferAppend>();
        QCOMPARE(appends.size(), std::size_t{2});
        QCOMPARE(int{appends[0].audio[0]}, 1);
        QCOMPARE(int{appends[1].audio[0]}, 2);
        QVERIFY(story.told<session_notice::AudioLost>().empty());
    }

    void userWhoStopsMeanwhile_IsLeftAlone()
    {
        LimitedStory story;
        story.endComesNear();
        story.happens(session_event::Stop{});
        QCOMPARE(story.state.phase, Phase::Ended);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QCOMPARE(story.state.phase, Phase::Ended);
    }

    void lostConnection_ForgetsThatAnEndWasNear()
    {
        LimitedStory story;
        story.happens(session_event::TextEntered{"How warm is it?"});
        story.endComesNear();
        story.happens(session_event::Closed{{1006, {}}});
        QVERIFY(!story.state.isHandOverDue);
        const auto stops = story.all<session_effect::StopTimer>();
        QVERIFY(std::any_of(
            stops.begin(), stops.end(), [](const auto& stop) { return stop.timer == SessionTimer::HandOver; }));
    }

    void sessionThatEndsBySurprise_GoesOnInAFreshOne()
    {
        LimitedStory story;
        openai::ErrorEvent expired;
        expired.error.type = "invalid_request_error";
        expired.error.code = "session_expired";
        story.says(expired);
        story.happens(session_event::Closed{{1001, {}}});
        QCOMPARE(story.state.phase, Phase::Waiting);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.opensFor(kHour);
        QCOMPARE(story.state.phase, Phase::Live);
    }

    /// The whole of it, by the clocks: the wall's for what the provider says, the other one for waiting.
    void runner_HandsOverByTheProvidersWord_data()
    {
        QTest::addColumn<int>("expiresIn");
        QTest::addColumn<bool>("isHandedOver");
        QTest::newRow("an hour") << 3'600 << true;
        QTest::newRow("not told") << 0 << false;
        QTest::newRow("over before it began") << -60 << false;
    }
    void runner_HandsOverByTheProvidersWord()
    {
        QFETCH(const int, expiresIn);
        QFETCH(const bool, isHandedOver);
        ManualClock clock;
        ManualExecutor executor(clock);
        FakeTokenSource source;
        CachingTokenSource tokens(source, clock, executor);
        FakeTransportFactory transports;
        transports.pongs = &executor;
        FakeVoiceIo voice;
        FakeToolRunner tools;
        SilentObserver observer;
        SessionRunner runner({tokens, transports, voice, tools, clock, executor, observer, {}});
        runner.start();
        source.answer(makeToken(clock.now(), 2 * kHour));
        transports.last().listener->transportOpened();
        openai::SessionCreated created;
        if (expiresIn != 0) {
            created.session.expiresAt =
                std::chrono::floor<std::chrono::seconds>(clock.wallNow()).time_since_epoch().count() + expiresIn;
        }
        transports.last().listener->textReceived(openai::encode(openai::ServerEvent(created)));
        transports.last().listener->textReceived(openai::encode(openai::ServerEvent(openai::SessionUpdated{})));
        // Setting the clock afterwards changes nothing.
        clock.jumpWall(kHour);
        executor.advance(kHour - Milliseconds{121'000});
        QCOMPARE(transports.wires.size(), std::size_t{1});
        executor.advance(Milliseconds{2'000});
        QCOMPARE(transports.wires.size(), std::size_t{isHandedOver ? 2U : 1U});
        QCOMPARE(observer.problems, 0);
    }
};

QTEST_GUILESS_MAIN(SessionHandOverTest)
#include "test_session_hand_over.moc"
