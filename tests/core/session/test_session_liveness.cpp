#include "tests/core/session/story.h"

#include <QTest>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

/// 20 ms of speech, each sample of which says which piece it is of.
Bytes piece(int number)
{
    Bytes pcm(960, 64);
    for (std::size_t i = 0; i < pcm.size(); i += 2) {
        pcm[i] = static_cast<std::uint8_t>(number);
    }
    return pcm;
}

/// A conversation whose speech is told by the number of its pieces.
class SpokenStory : public Story {
public:
    explicit SpokenStory(bool isRelayed = false)
    {
        happens(session_event::Start{});
        auto token = std::make_shared<AccessToken>();
        const TokenPtr made = makeToken(clock.now());
        token->value = made->value;
        token->sessionId = made->sessionId;
        token->expiresAt = made->expiresAt;
        token->refreshAfter = made->refreshAfter;
        token->isRelayed = isRelayed;
        happens(session_event::TokenArrived{token});
        opens();
        pong();
    }

    void speaks(int first, int count)
    {
        for (int i = 0; i < count; ++i) {
            happens(session_event::AudioCaptured{piece((first + i) % 250)});
        }
    }
    /// `at` in pieces of this connection.
    void turnBegins(const std::string& id, int at)
    {
        openai::InputAudioBufferSpeechStarted started;
        started.itemId = id;
        started.audioStartMs = at * 20;
        says(started);
    }
    void turnEnds(const std::string& id, int at)
    {
        openai::InputAudioBufferSpeechStopped stopped;
        stopped.itemId = id;
        stopped.audioEndMs = at * 20;
        says(stopped);
        says(openai::InputAudioBufferCommitted{{}, id, {}});
    }
    void isWrittenDown(const std::string& id, const std::string& words)
    {
        says(openai::InputAudioTranscriptionCompleted{{}, id, 0, words, {}, {}, {}});
    }
    /// The pieces that went out in the last step.
    std::vector<int> sentPieces() const
    {
        std::vector<int> numbers;
        for (const auto& append : sent<openai::InputAudioBufferAppend>()) {
            numbers.push_back(append.audio[0]);
        }
        return numbers;
    }
    void pingIsDue() { happens(session_event::TimedOut{SessionTimer::Liveness}); }
};

std::vector<int> numbers(int first, int count)
{
    std::vector<int> result;
    for (int i = 0; i < count; ++i) {
        result.push_back(first + i);
    }
    return result;
}

} // namespace

/// A connection that dies without a word, and the speech that is on its way then.
class SessionLivenessTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void liveSession_IsPingedEverySecond()
    {
        Story story;
        story.goLive();
        QCOMPARE(story.all<session_effect::Ping>().size(), std::size_t{1});
        story.happens(session_event::TimedOut{SessionTimer::Liveness});
        QCOMPARE(story.all<session_effect::Ping>().size(), std::size_t{1});
        const auto timers = story.all<session_effect::StartTimer>();
        QVERIFY(std::any_of(timers.begin(), timers.end(), [](const auto& start) {
            return start.timer == SessionTimer::Liveness && start.delay == Milliseconds{1'000};
        }));
    }

    void tokenThatARenewalHasSpent_IsNotTakenForARefusedOne_data()
    {
        QTest::addColumn<bool>("hasSuccessor");
        QTest::newRow("its successor has come") << true;
        QTest::newRow("the answer was lost") << false;
    }
    void tokenThatARenewalHasSpent_IsNotTakenForARefusedOne()
    {
        QFETCH(const bool, hasSuccessor);
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::TimedOut{SessionTimer::Renewal});
        if (hasSuccessor) {
            story.happens(session_event::TokenArrived{
                makeToken(story.clock.now(), Milliseconds{60'000}, "voice_1_abc", "ek_next")});
        } else {
            story.happens(session_event::TokenFailed{{ErrorCode::BrokerUnreachable, "reset", std::nullopt, {}}});
        }
        story.happens(session_event::OpenFailed{{ErrorCode::ProviderRefused, "HTTP 401", std::nullopt, "401"}});
        QCOMPARE(story.state.phase, Phase::Waiting);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QCOMPARE(story.state.phase, hasSuccessor ? Phase::Connecting : Phase::FetchingToken);
        if (hasSuccessor) {
            QCOMPARE(
                story.all<session_effect::OpenTransport>().at(0).token->value->reveal(), std::string_view("ek_next"));
            // The second refusal is one.
            story.happens(session_event::OpenFailed{{ErrorCode::ProviderRefused, "HTTP 401", std::nullopt, "401"}});
            QCOMPARE(story.state.phase, Phase::Ended);
        }
    }

    void renewalWithoutAnAnswer_IsRepeatedWhileTheBrokerStillRepeatsIt()
    {
        Story story;
        story.goLive();
        Milliseconds waited{0};
        for (int i = 0; i < 4; ++i) {
            story.happens(session_event::TimedOut{SessionTimer::Renewal});
            story.happens(session_event::TokenFailed{{ErrorCode::BrokerUnreachable, "reset", std::nullopt, {}}});
            for (const auto& start : story.all<session_effect::StartTimer>()) {
                waited += start.timer == SessionTimer::Renewal ? start.delay : Milliseconds{0};
            }
        }
        QCOMPARE(waited, Milliseconds{250 + 500 + 1'000 + 2'000});
    }

    void silentRelay_IsLostAfterFiveSeconds()
    {
        SpokenStory story(true);
        for (int second = 1; second < 5; ++second) {
            story.pingIsDue();
            QCOMPARE(story.state.phase, Phase::Live);
        }
        story.pingIsDue();
        QCOMPARE(story.state.phase, Phase::Waiting);
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.code, ErrorCode::ProviderSilent);
        QCOMPARE(story.all<session_effect::DropTransport>().size(), std::size_t{1});
    }

    void silentProvider_IsWaitedForAfterFiveSecondsAndLostAfterThirty()
    {
        SpokenStory story;
        for (int second = 1; second < 5; ++second) {
            story.pingIsDue();
            QCOMPARE(story.state.activity, Activity::Listening);
        }
        story.pingIsDue();
        QCOMPARE(story.state.activity, Activity::Stalled);
        for (int second = 6; second < 30; ++second) {
            story.pingIsDue();
            QCOMPARE(story.state.phase, Phase::Live);
        }
        story.pingIsDue();
        QCOMPARE(story.state.phase, Phase::Waiting);
    }

    void anySignOfLife_StartsTheCountAnew_data()
    {
        QTest::addColumn<bool>("isPong");
        QTest::newRow("pong") << true;
        QTest::newRow("event") << false;
    }
    void anySignOfLife_StartsTheCountAnew()
    {
        QFETCH(bool, isPong);
        SpokenStory story(true);
        for (int second = 0; second < 60; ++second) {
            story.pingIsDue();
            if (second % 4 == 3) {
                isPong ? story.pong() : story.says(openai::RateLimitsUpdated{});
            }
        }
        QCOMPARE(story.state.phase, Phase::Live);
    }

    void speechOfAStall_IsKeptAndSentWhenItIsOver()
    {
        SpokenStory story;
        for (int second = 1; second <= 5; ++second) {
            story.pingIsDue();
        }
        story.speaks(1, 3);
        QVERIFY(story.sentPieces().empty());
        story.pong();
        QCOMPARE(story.sentPieces(), numbers(1, 3));
        QCOMPARE(story.state.activity, Activity::Listening);
    }

    void speechIntoADeadConnection_IsSaidAgain()
    {
        SpokenStory story;
        story.speaks(0, 60);
        story.pingIsDue();
        story.pong();
        // That much was heard by the provider, and was no speech but for the last second, of which it might not have known yet.
        story.speaks(60, 30);
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(10, 80));
        QVERIFY(story.told<session_notice::AudioLost>().empty());
    }

    void unansweredTurn_IsSaidAgainAndAnsweredOnce()
    {
        SpokenStory story;
        story.speaks(0, 100);
        story.turnBegins("item_u", 40);
        story.speaks(100, 20);
        story.turnEnds("item_u", 110);
        story.says(openai::InputAudioTranscriptionDelta{{}, "item_u", 0, "hel", {}});
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(40, 80));
        QVERIFY2(story.sent<openai::ConversationItemCreate>().empty(), "half of the turn is told as text, too");
        // The provider hears the turn and answers it of its own accord.
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        QVERIFY(story.told<session_notice::AudioLost>().empty());
    }

    void turnThatIsWrittenDown_IsToldAsTextAndNotSaidAgain()
    {
        SpokenStory story;
        story.speaks(0, 100);
        story.turnBegins("item_u", 40);
        story.turnEnds("item_u", 100);
        story.isWrittenDown("item_u", "hello");
        story.speaks(100, 5);
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(100, 5));
        QCOMPARE(story.sent<openai::ConversationItemCreate>().size(), std::size_t{1});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void turnThatIsAnsweredButNotWrittenDown_IsToldAsLost()
    {
        SpokenStory story;
        story.speaks(0, 100);
        story.turnBegins("item_u", 50);
        story.turnEnds("item_u", 100);
        story.replyBegins();
        story.reconnects();
        QVERIFY2(story.sentPieces().empty(), "it would be answered twice");
        QCOMPARE(story.told<session_notice::AudioLost>().at(0).amount, Milliseconds{1'000});
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
    }

    void turnWithoutAnyReply_IsNotSaidAgainForEver()
    {
        SpokenStory story;
        story.speaks(0, 100);
        story.turnBegins("item_u", 50);
        story.turnEnds("item_u", 100);
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        story.speaks(100, 100);
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(100, 100));
    }

    void turnLongerThanTenSeconds_LosesItsBeginningAndSaysSo()
    {
        SpokenStory story;
        story.turnBegins("item_u", 0);
        story.speaks(0, 600);
        story.reconnects();
        QCOMPARE(story.sentPieces().size(), std::size_t{500});
        QCOMPARE(story.told<session_notice::AudioLost>().at(0).amount, Milliseconds{2'000});
    }

    void speechOfTheGap_ComesBehindWhatIsSaidAgain()
    {
        SpokenStory story;
        story.speaks(0, 10);
        story.happens(session_event::Closed{{1006, {}}});
        story.speaks(10, 5);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.opens();
        QCOMPARE(story.sentPieces(), numbers(0, 15));
    }

    void speechThatIsKept_WhenNothingComesBack_IsToldAsLost()
    {
        SpokenStory story;
        story.speaks(0, 50);
        story.happens(session_event::Closed{{1006, {}}});
        story.speaks(50, 50);
        story.happens(session_event::Abort{{ErrorCode::ChildDied, "gone", std::nullopt, {}}});
        QCOMPARE(story.state.phase, Phase::Ended);
        QCOMPARE(story.told<session_notice::AudioLost>().at(0).amount, Milliseconds{2'000});
    }

    void positions_AreThoseOfTheConnection()
    {
        SpokenStory story;
        story.speaks(0, 100);
        story.reconnects();
        const int before = static_cast<int>(story.sentPieces().size());
        QCOMPARE(before, 100);
        story.turnBegins("item_u", 90);
        story.turnEnds("item_u", 100);
        story.isWrittenDown("item_u", "hello");
        story.speaks(100, 3);
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(100, 3));
    }

    void providerThatNamesNoTurns_IsUnderstoodAllTheSame()
    {
        SpokenStory story;
        story.speaks(0, 100);
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.says(openai::InputAudioBufferSpeechStopped{});
        story.says(openai::InputAudioBufferCommitted{{}, "item_u", {}});
        story.isWrittenDown("item_u", "hello");
        story.speaks(100, 2);
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(100, 2));
    }

    void speechThroughARelay_IsNotSettledByTheRelaysOwnPongs()
    {
        SpokenStory story(true);
        story.speaks(0, 90);
        story.pingIsDue();
        story.pong();
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(0, 90));
        QVERIFY(story.told<session_notice::AudioLost>().empty());
    }

    void speechThroughARelay_IsSettledByWhatTheProviderSays()
    {
        SpokenStory story(true);
        story.speaks(0, 100);
        story.turnBegins("item_u", 40);
        story.turnEnds("item_u", 90);
        story.isWrittenDown("item_u", "hello");
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(90, 10));
    }

    void silenceThroughARelay_IsNotToldAsLost()
    {
        SpokenStory story(true);
        for (int i = 0; i < 1'000; ++i) {
            story.happens(session_event::AudioCaptured{Bytes(960, 0)});
        }
        story.reconnects();
        QCOMPARE(story.sentPieces().size(), std::size_t{500});
        QVERIFY(story.told<session_notice::AudioLost>().empty());
    }

    void speechOfAGap_IsToldAsLostWithoutItsSilence()
    {
        SpokenStory story;
        story.happens(session_event::Closed{{1006, {}}});
        story.speaks(0, 50);
        for (int i = 0; i < 550; ++i) {
            story.happens(session_event::AudioCaptured{Bytes(960, 0)});
        }
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.opens();
        QCOMPARE(story.told<session_notice::AudioLost>().at(0).amount, Milliseconds{1'000});
    }

    void pong_SettlesUpToItsOwnPing()
    {
        SpokenStory story;
        story.speaks(0, 100);
        story.pingIsDue();
        const std::uint64_t first = story.pings;
        story.speaks(100, 100);
        story.pingIsDue();
        story.happens(session_event::PingAnswered{first});
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(50, 150));
    }

    void pongThatSkipsPings_SettlesThemAll()
    {
        SpokenStory story;
        story.speaks(0, 100);
        story.pingIsDue();
        story.speaks(100, 100);
        story.pingIsDue();
        story.pong();
        story.reconnects();
        QCOMPARE(story.sentPieces(), numbers(150, 50));
    }

    void providerThatAnswersNoPings_IsNotWaitedFor()
    {
        Story story;
        story.goLive();
        for (int second = 0; second < 60; ++second) {
            story.happens(session_event::TimedOut{SessionTimer::Liveness});
            QCOMPARE(story.all<session_effect::Ping>().size(), std::size_t{1});
        }
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.state.activity, Activity::Listening);
        story.happens(session_event::AudioCaptured{piece(1)});
        QCOMPARE(story.sent<openai::InputAudioBufferAppend>().size(), std::size_t{1});
    }

    void unreadableMessage_IsASignOfLife()
    {
        SpokenStory story;
        for (int second = 0; second < 5; ++second) {
            story.pingIsDue();
        }
        QCOMPARE(story.state.activity, Activity::Stalled);
        story.happens(session_event::ServerGarbled{{ErrorCode::ProviderMalformed, "x", std::nullopt, {}}});
        QCOMPARE(story.state.activity, Activity::Listening);
    }

    void keptSpeech_GoesBehindThePingAndHasTheTimeThatItTakes()
    {
        SpokenStory story(true);
        story.happens(session_event::Closed{{1006, {}}});
        story.speaks(0, 250);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.opens();
        const auto isPing = [](const SessionEffect& effect) {
            return std::holds_alternative<session_effect::Ping>(effect);
        };
        const auto isAudio = [](const SessionEffect& effect) {
            const auto* send = std::get_if<session_effect::Send>(&effect);
            return send != nullptr && std::holds_alternative<openai::InputAudioBufferAppend>(send->event);
        };
        QVERIFY(std::find_if(story.effects.begin(), story.effects.end(), isPing)
            < std::find_if(story.effects.begin(), story.effects.end(), isAudio));
        story.happens(session_event::PingAnswered{1});
        // Five seconds of speech are on their way before the next answer.
        for (int second = 1; second < 10; ++second) {
            story.pingIsDue();
            QCOMPARE(story.state.phase, Phase::Live);
        }
        story.pong();
        for (int second = 1; second <= 5; ++second) {
            QCOMPARE(story.state.phase, Phase::Live);
            story.pingIsDue();
        }
        QCOMPARE(story.state.phase, Phase::Waiting);
    }

    void connectionThatDiesUnheard_IsAFailedAttempt()
    {
        SpokenStory story;
        for (int attempt = 1; attempt < story.state.options->maxAttemptsOnceLive; ++attempt) {
            story.reconnects();
            QCOMPARE(story.state.attempts, attempt);
        }
        story.happens(session_event::Closed{{1006, {}}});
        QCOMPARE(story.state.phase, Phase::Ended);
    }

    void connectionThatIsHeardOf_CountsAttemptsAnew_data() { anySignOfLife_StartsTheCountAnew_data(); }
    void connectionThatIsHeardOf_CountsAttemptsAnew()
    {
        QFETCH(bool, isPong);
        SpokenStory story;
        story.reconnects();
        isPong ? story.pong() : story.says(openai::RateLimitsUpdated{});
        QCOMPARE(story.state.attempts, 0);
    }

    void turnThatIsSaidAgain_LeavesTheTranscript()
    {
        SpokenStory story;
        story.speaks(0, 100);
        story.turnBegins("item_u", 40);
        story.turnEnds("item_u", 100);
        story.says(openai::InputAudioTranscriptionDelta{{}, "item_u", 0, "hel", {}});
        story.happens(session_event::Closed{{1006, {}}});
        QCOMPARE(story.told<session_notice::TranscriptRemoved>().at(0).itemId, std::string("item_u"));
        QVERIFY(story.state.log.entries().empty());
    }

    void itemThatTheProviderDeletes_LeavesTheTranscript()
    {
        SpokenStory story;
        story.isWrittenDown("item_u", "hello");
        story.says(openai::ConversationItemDeleted{{}, "item_u"});
        QCOMPARE(story.told<session_notice::TranscriptRemoved>().at(0).itemId, std::string("item_u"));
        story.says(openai::ConversationItemDeleted{{}, "item_x"});
        QVERIFY(story.told<session_notice::TranscriptRemoved>().empty());
    }

    void answerOfATool_IsOwedWhateverTheAgentSaidBefore_data()
    {
        QTest::addColumn<bool>("isAnswered");
        QTest::addColumn<bool>("isReplyBegun");
        QTest::newRow("while it runs") << false << false;
        QTest::newRow("when the reply was asked for") << true << false;
        QTest::newRow("when the reply has said nothing yet") << true << true;
    }
    void answerOfATool_IsOwedWhateverTheAgentSaidBefore()
    {
        QFETCH(bool, isAnswered);
        QFETCH(bool, isReplyBegun);
        SpokenStory story;
        story.happens(session_event::TextEntered{"weather?"});
        story.replyBegins();
        story.says(openai::ResponseOutputAudioTranscriptDone{{}, "resp_1", "item_resp_1", 0, 0, "Let me look."});
        story.replyEnds();
        story.functionIsCalled();
        if (isAnswered) {
            story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
            QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        }
        if (isReplyBegun) {
            openai::ResponseCreated created;
            created.response.id = "resp_2";
            story.says(created);
        }
        story.reconnects();
        // The words of both, and what was answered: a call and its output.
        QCOMPARE(story.sent<openai::ConversationItemCreate>().size(), std::size_t(isAnswered ? 4 : 2));
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void answerOfAToolThatIsHeard_IsNotAskedForAgain()
    {
        SpokenStory story;
        story.happens(session_event::TextEntered{"weather?"});
        story.functionIsCalled();
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        story.replyBegins("resp_2");
        story.says(openai::ResponseOutputAudioTranscriptDelta{{}, "resp_2", "item_resp_2", 0, 0, "Sunny"});
        story.reconnects();
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
    }
};

QTEST_GUILESS_MAIN(SessionLivenessTest)
#include "test_session_liveness.moc"
