#include "tests/core/session/story.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

struct HeldStory : Story {
    explicit HeldStory(bool isLive = true)
    {
        happens(session_event::TurnsByHand{true});
        if (isLive) {
            goLive();
        }
    }
    void down() { happens(session_event::TalkHeld{true}); }
    void up() { happens(session_event::TalkHeld{false}); }
    void timeIsUp() { happens(session_event::TimedOut{SessionTimer::TurnEnd}); }
    void hears(Milliseconds length)
    {
        happens(session_event::AudioCaptured{Bytes(static_cast<std::size_t>(length.count()) * 48, 64)});
    }
    /// In the order of sending: what was sent in the last step, but for words and pings.
    [[nodiscard]] std::string order() const
    {
        std::string all;
        for (const auto& send : sends()) {
            if (std::holds_alternative<openai::InputAudioBufferAppend>(send.event)) {
                all += 'a';
            } else if (std::holds_alternative<openai::InputAudioBufferClear>(send.event)) {
                all += 'x';
            } else if (std::holds_alternative<openai::InputAudioBufferCommit>(send.event)) {
                all += 'c';
            } else if (std::holds_alternative<openai::ResponseCreate>(send.event)) {
                all += 'r';
            } else if (std::holds_alternative<openai::ResponseCancel>(send.event)) {
                all += 's';
            }
        }
        return all;
    }

private:
    [[nodiscard]] std::vector<session_effect::Send> sends() const { return all<session_effect::Send>(); }
};

} // namespace

/// Push to talk: the key alone makes turns.
class SessionHeldTurnsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void provider_IsToldToDetectNoTurns()
    {
        HeldStory story(false);
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        QVERIFY(story.sent<openai::SessionUpdate>().at(0).session.turnDetection.isNull());
        story.says(openai::SessionUpdated{});
        // Changed while it is live: only that is sent.
        story.happens(session_event::TurnsByHand{false});
        const openai::Session changed = story.sent<openai::SessionUpdate>().at(0).session;
        QVERIFY(changed.turnDetection.hasValue());
        QVERIFY(changed.transcription.isAbsent() && !changed.inputFormat && !changed.outputModalities);
        story.happens(session_event::TurnsByHand{false});
        QVERIFY(story.effects.empty());
    }

    void keyDownAndUp_IsOneTurn_HoweverLongThePauses()
    {
        HeldStory story;
        story.down();
        QCOMPARE(story.order(), std::string("x"));
        QCOMPARE(story.state.activity, Activity::HearingUser);
        story.hears(Milliseconds{600});
        story.hears(Milliseconds{600});
        QCOMPARE(story.order(), std::string("a"));
        story.up();
        QCOMPARE(story.order(), std::string());
        // What the microphone heard before the key went up.
        story.hears(Milliseconds{40});
        QCOMPARE(story.order(), std::string("a"));
        story.timeIsUp();
        QCOMPARE(story.order(), std::string("cr"));
        QCOMPARE(story.told<session_notice::SpeechStopped>().at(0).audioEnd, Milliseconds{1'240});
        QVERIFY(!story.told<session_notice::SpeechStopped>().at(0).wasNone);
        QCOMPARE(story.state.activity, Activity::Thinking);
    }

    void keyThatIsOnlyTouched_IsNoTurn()
    {
        HeldStory story;
        story.down();
        story.hears(Milliseconds{99});
        story.up();
        story.timeIsUp();
        QCOMPARE(story.order(), std::string("x"));
        QCOMPARE(story.state.activity, Activity::Listening);
        QVERIFY(story.told<session_notice::SpeechStopped>().at(0).wasNone);
        // Nothing of it is said again.
        story.reconnects();
        QCOMPARE(story.order().find('c'), std::string::npos);
    }

    void keyThatIsPressedAgainAtOnce_IsTheSameTurn()
    {
        HeldStory story;
        story.down();
        story.hears(Milliseconds{500});
        story.up();
        story.down();
        QCOMPARE(story.order(), std::string());
        story.hears(Milliseconds{500});
        story.up();
        story.timeIsUp();
        QCOMPARE(story.order(), std::string("cr"));
        // One that was not started any more.
        story.timeIsUp();
        QCOMPARE(story.order(), std::string());
    }

    void keyDown_StopsTheReply()
    {
        HeldStory story;
        story.replyBegins();
        story.down();
        QCOMPARE(story.order(), std::string("sx"));
        QCOMPARE(story.all<session_effect::CutPlayback>().size(), std::size_t{1});
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{50}, false}});
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().size(), std::size_t{1});
        story.hears(Milliseconds{500});
        story.up();
        story.timeIsUp();
        QCOMPARE(story.order(), std::string("c"));
        // There is one reply at a time.
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        QCOMPARE(story.order(), std::string("r"));
    }

    void answerOfAFunction_WaitsForTheKey()
    {
        HeldStory story;
        story.functionIsCalled();
        story.down();
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        QCOMPARE(story.order(), std::string());
        story.hears(Milliseconds{500});
        story.up();
        story.timeIsUp();
        QCOMPARE(story.order(), std::string("cr"));
    }

    void turnThatEndsWhileAFunctionRuns_IsHeardNoLonger()
    {
        HeldStory story;
        story.functionIsCalled();
        story.down();
        story.hears(Milliseconds{500});
        QCOMPARE(story.state.activity, Activity::HearingUser);
        story.up();
        story.timeIsUp();
        QCOMPARE(story.order(), std::string("c"));
        QCOMPARE(story.state.activity, Activity::RunningTool);
    }

    void turnOfAConnectionThatIsNotThereYet_IsSentWhole()
    {
        HeldStory story(false);
        story.happens(session_event::Start{});
        story.down();
        story.hears(Milliseconds{500});
        story.up();
        story.timeIsUp();
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.opens();
        QCOMPARE(story.order(), std::string("acr"));
        // It has been told.
        story.hears(Milliseconds{100});
        QCOMPARE(story.order(), std::string("a"));
    }

    void connectionLost_WhileTheKeyIsDown_LosesNothing()
    {
        HeldStory story;
        story.down();
        story.hears(Milliseconds{500});
        story.happens(session_event::Closed{{1006, {}}});
        story.hears(Milliseconds{500});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.opens();
        QCOMPARE(story.order(), std::string("aa"));
        QCOMPARE(story.state.activity, Activity::HearingUser);
        story.up();
        story.timeIsUp();
        QCOMPARE(story.order(), std::string("cr"));
        QCOMPARE(story.told<session_notice::SpeechStopped>().at(0).audioEnd, Milliseconds{1'000});
    }

    void connectionLost_BeforeTheAnswer_SaysTheTurnAgain()
    {
        HeldStory story;
        story.down();
        story.hears(Milliseconds{500});
        story.up();
        story.timeIsUp();
        story.says(openai::InputAudioBufferCommitted{{}, "item_u", {}});
        story.reconnects();
        QCOMPARE(story.order(), std::string("acr"));
        // Once it is answered it is not.
        story.says(openai::InputAudioBufferCommitted{{}, "item_v", {}});
        story.says(openai::InputAudioTranscriptionCompleted{{}, "item_v", 0, "hello", {}, {}, {}});
        story.replyBegins();
        story.replyEnds();
        story.reconnects();
        QCOMPARE(story.order(), std::string());
    }

    void connectionLost_BetweenTheKeysReleaseAndTheEnd_EndsTheTurnOnce()
    {
        HeldStory story;
        story.down();
        story.hears(Milliseconds{500});
        story.up();
        story.reconnects();
        QCOMPARE(story.order(), std::string("a"));
        story.timeIsUp();
        QCOMPARE(story.order(), std::string("cr"));
        story.reconnects();
        QCOMPARE(story.order(), std::string("acr"));
    }

    void stall_IsWaitedOut()
    {
        HeldStory story;
        story.pong();
        story.down();
        story.hears(Milliseconds{500});
        while (!story.state.isStalled) {
            story.happens(session_event::TimedOut{SessionTimer::Liveness});
        }
        story.hears(Milliseconds{500});
        story.up();
        story.timeIsUp();
        QCOMPARE(story.order(), std::string());
        story.pong();
        QCOMPARE(story.order(), std::string("acr"));
    }

    void modeThatIsLeftWithTheKeyDown_EndsTheTurn()
    {
        HeldStory story;
        story.down();
        story.hears(Milliseconds{500});
        story.happens(session_event::TurnsByHand{false});
        QCOMPARE(story.order(), std::string("cr"));
        QVERIFY(story.sent<openai::SessionUpdate>().at(0).session.turnDetection.hasValue());
        story.up();
        QVERIFY(story.effects.empty());
    }

    void modeThatIsChosenInMidSentence_EndsTheTurn()
    {
        Story story;
        story.goLive();
        story.happens(session_event::AudioCaptured{Bytes(48'000, 64)});
        openai::InputAudioBufferSpeechStarted started;
        started.itemId = "item_u";
        story.says(started);
        story.happens(session_event::TurnsByHand{true});
        QVERIFY(story.sent<openai::SessionUpdate>().at(0).session.turnDetection.isNull());
        QCOMPARE(story.sent<openai::InputAudioBufferCommit>().size(), std::size_t{1});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        QCOMPARE(story.state.activity, Activity::Thinking);
        story.replyBegins();
        story.says(openai::InputAudioTranscriptionCompleted{{}, "item_u", 0, "hello", {}, {}, {}});
        story.replyEnds();
        // It is not said again.
        story.reconnects();
        QVERIFY(story.sent<openai::InputAudioBufferCommit>().empty());
    }

    void key_WhereTurnsAreHeard_DoesNothing()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TalkHeld{true});
        QVERIFY(story.effects.empty());
    }
};

QTEST_GUILESS_MAIN(SessionHeldTurnsTest)
#include "test_session_held_turns.moc"
