#include "tests/core/session/story.h"

#include <QTest>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

/// Connections and tokens that are lost, refused, renewed: what goes on, what is told, and when it is enough.
class SessionConnectionTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void connectionLost_ComesBackWithinTheFirstBackoffAndKnowsTheConversation()
    {
        Story story;
        story.goLive();
        story.says(openai::InputAudioTranscriptionCompleted{{}, "item_u", 0, "what is two plus two", {}, {}, {}});
        story.replyBegins();
        story.says(openai::ResponseOutputAudioTranscriptDelta{{}, "resp_1", "item_resp_1", 0, 0, "It is"});
        story.happens(session_event::Closed{{1006, {}}});
        QCOMPARE(story.state.phase, Phase::Waiting);
        const auto timers = story.all<session_effect::StartTimer>();
        QVERIFY(std::any_of(timers.begin(), timers.end(), [](const auto& timer) {
            return timer.timer == SessionTimer::Backoff && timer.delay <= Milliseconds{250};
        }));
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        // The token has not expired, and OpenAI lets it open another session.
        QCOMPARE(story.all<session_effect::OpenTransport>().size(), std::size_t{1});
        QVERIFY(story.all<session_effect::FetchToken>().empty());
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        const auto items = story.sent<openai::ConversationItemCreate>();
        QCOMPARE(items.size(), std::size_t{2});
        QCOMPARE(items[0].item.content[0].text.value(), std::string("what is two plus two"));
        QCOMPARE(items[1].item.content[0].text.value(), std::string("It is"));
        QVERIFY(items[1].item.content[0].type == openai::ContentType::OutputText);
        QVERIFY(story.all<session_effect::StartVoice>().empty());
        // Part of the answer was heard already.
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        // The provider tells us of the items that we gave it: they are the same ones.
        story.says(openai::ConversationItemAdded{{}, items[0].item, {}});
        QCOMPARE(story.state.log.entries().size(), std::size_t{2});
    }

    void handshakeThatIsRefused_EndsNoConversationThatWasLive_data()
    {
        QTest::addColumn<bool>("isRelayed");
        QTest::newRow("by a proxy that starts anew") << false;
        QTest::newRow("as the broker tells it") << true;
    }
    void handshakeThatIsRefused_EndsNoConversationThatWasLive()
    {
        QFETCH(bool, isRelayed);
        Story story;
        const auto isRefused = [&] {
            if (isRelayed) {
                story.happens(session_event::Opened{});
                story.happens(session_event::Closed{{1011, "provider_rejected"}});
            } else {
                story.happens(session_event::OpenFailed{{ErrorCode::ChoiceRefused, "404", std::nullopt, {}}});
            }
        };
        story.goLive();
        story.happens(session_event::Closed{{1006, {}}});
        for (int i = 0; i < 2; ++i) {
            story.happens(session_event::TimedOut{SessionTimer::Backoff});
            isRefused();
            QCOMPARE(story.state.phase, Phase::Waiting);
        }
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.opens();
        QCOMPARE(story.state.phase, Phase::Live);
        // Not for ever.
        story.happens(session_event::Closed{{1006, {}}});
        for (int i = 0; i < story.state.options->maxAttemptsOnceLive; ++i) {
            story.happens(session_event::TimedOut{SessionTimer::Backoff});
            isRefused();
        }
        QCOMPARE(story.state.phase, Phase::Ended);
        QCOMPARE(story.state.failure->code, ErrorCode::ChoiceRefused);
    }

    void connectionLost_BeforeTheAnswer_AsksForItAgain()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"what time is it"});
        QCOMPARE(story.state.log.entries().at(0).text, std::string("what time is it"));
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        QCOMPARE(story.sent<openai::ConversationItemCreate>().size(), std::size_t{1});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void connectionLost_WithAnExpiredToken_ResumesTheBrokersSession()
    {
        Story story;
        story.goLive();
        story.clock.advance(Milliseconds{61'000});
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        const auto fetches = story.all<session_effect::FetchToken>();
        QCOMPARE(fetches.size(), std::size_t{1});
        QVERIFY(fetches[0].query.previous == nullptr);
        QCOMPARE(fetches[0].query.resumeSessionId, std::string("voice_1_abc"));
    }

    void connectionLost_WhileAFunctionRuns_AsksForTheAnswerAgain()
    {
        Story story;
        story.goLive();
        story.says(openai::InputAudioTranscriptionCompleted{{}, "item_u", 0, "what is the weather", {}, {}, {}});
        story.functionIsCalled();
        story.reconnects();
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void activityAfterAReconnect_IsWhatGoesOn()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"what time is it"});
        story.reconnects();
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        QCOMPARE(story.state.activity, Activity::Thinking);
    }

    void earlierError_DoesNotHideWhyTheConnectionEnds_data()
    {
        QTest::addColumn<int>("between");
        QTest::addColumn<int>("close");
        QTest::addColumn<int>("expected");
        QTest::newRow("the broker's word stands") << 0 << 4403 << int(ErrorCode::SessionEnded);
        QTest::newRow("so does the budget") << 0 << 4402 << int(ErrorCode::BudgetExhausted);
        QTest::newRow("what came right before is why") << 0 << 4000 << int(ErrorCode::ProviderFailed);
        QTest::newRow("not after another event") << 1 << 4000 << int(ErrorCode::BadConfiguration);
        QTest::newRow("not after a sign of life") << 2 << 4000 << int(ErrorCode::BadConfiguration);
    }
    void earlierError_DoesNotHideWhyTheConnectionEnds()
    {
        QFETCH(int, between);
        QFETCH(int, close);
        QFETCH(int, expected);
        Story story;
        story.goLive();
        story.says(errorOf("server_error"));
        if (between == 1) {
            story.says(openai::RateLimitsUpdated{});
        } else if (between == 2) {
            story.pong();
        }
        story.happens(session_event::Closed{{static_cast<std::uint16_t>(close), "r"}});
        const auto ends = story.told<session_notice::Ended>();
        const auto problems = story.told<session_notice::Problem>();
        QCOMPARE(int(ends.empty() ? problems.at(0).error.code : ends.at(0).error->code), expected);
    }

    void refusedCredential_AtTheFirstConnection_EndsAtOnce()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.says(errorOf("invalid_api_key"));
        QCOMPARE(story.state.phase, Phase::Ended);
        QCOMPARE(story.told<session_notice::Ended>().at(0).error->code, ErrorCode::ProviderRefused);
        QCOMPARE(story.all<session_effect::DiscardToken>().size(), std::size_t{1});
    }

    void refusedCredential_OnAReconnect_IsTriedOnceWithAFreshToken()
    {
        Story story;
        story.goLive();
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.happens(session_event::Closed{{3000, "invalid_request_error.invalid_api_key"}});
        QCOMPARE(story.state.phase, Phase::Waiting);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QCOMPARE(story.all<session_effect::FetchToken>().size(), std::size_t{1});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Closed{{3000, "invalid_request_error.invalid_api_key"}});
        QCOMPARE(story.state.phase, Phase::Ended);
    }

    void brokersRetryAfter_WithinReason_IsWaitedFor()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenFailed{{ErrorCode::RateLimited, "slow down", Milliseconds{3000}, {}}});
        QCOMPARE(story.state.phase, Phase::Waiting);
        const auto timers = story.all<session_effect::StartTimer>();
        QCOMPARE(timers.back().delay, Milliseconds{3000});
        QCOMPARE(timers.back().jitter, Milliseconds{0});
    }

    void brokersRetryAfter_TooLong_IsLeftToTheUser()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenFailed{{ErrorCode::RateLimited, "slow down", Milliseconds{42'000}, {}}});
        QCOMPARE(story.state.phase, Phase::Ended);
        QCOMPARE(story.told<session_notice::Ended>().at(0).error->retryAfter.value(), Milliseconds{42'000});
    }

    void attempts_AreCountedAndEnd()
    {
        Story story;
        story.happens(session_event::Start{});
        int waits = 0;
        while (story.state.phase != Phase::Ended && waits < 20) {
            story.happens(session_event::TokenFailed{{ErrorCode::BrokerUnreachable, "no", std::nullopt, {}}});
            if (story.state.phase == Phase::Waiting) {
                ++waits;
                story.happens(session_event::TimedOut{SessionTimer::Backoff});
            }
        }
        QCOMPARE(waits, story.state.options->maxAttempts - 1);
    }

    void keyOfTheBroker_ThatTheProviderRefuses_IsTheEnd()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenFailed{{ErrorCode::ProviderRefused, "no", std::nullopt, "provider_refused"}});
        QCOMPARE(story.state.phase, Phase::Ended);
        QCOMPARE(story.told<session_notice::Ended>().at(0).error->code, ErrorCode::ProviderRefused);
    }

    void renewal_KeepsTheConversationGoing()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TimedOut{SessionTimer::Renewal});
        const auto fetches = story.all<session_effect::FetchToken>();
        QCOMPARE(fetches.size(), std::size_t{1});
        QCOMPARE(fetches[0].query.previous, story.state.token);
        story.happens(
            session_event::TokenArrived{makeToken(story.clock.now(), Milliseconds{60'000}, "voice_1_abc", "ek_2")});
        QCOMPARE(story.state.phase, Phase::Live);
        QVERIFY(story.told<session_notice::TokenChanged>().at(0).news == TokenNews::Refreshed);
        QVERIFY(story.all<session_effect::OpenTransport>().empty());
    }

    void token_ThatServesUntilItsEnd_IsNotRenewed()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TimedOut{SessionTimer::Renewal});
        auto token =
            std::make_shared<AccessToken>(*makeToken(story.clock.now(), Milliseconds{60'000}, "voice_1_abc", "ek_2"));
        token->refreshAfter = token->expiresAt;
        story.happens(session_event::TokenArrived{token});
        QCOMPARE(story.told<session_notice::TokenChanged>().at(0).renewIn, Milliseconds{0});
        const auto starts = story.all<session_effect::StartTimer>();
        QVERIFY(std::none_of(
            starts.begin(), starts.end(), [](const auto& start) { return start.timer == SessionTimer::Renewal; }));
        const auto stops = story.all<session_effect::StopTimer>();
        QVERIFY(std::any_of(
            stops.begin(), stops.end(), [](const auto& stop) { return stop.timer == SessionTimer::Renewal; }));
    }

    void renewalRefused_LeavesTheOpenConversationAlone()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TimedOut{SessionTimer::Renewal});
        story.happens(session_event::TokenFailed{{ErrorCode::NotAuthorised, "no", std::nullopt, {}}});
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.told<session_notice::Problem>().size(), std::size_t{1});
        // It opens nothing any more, and is not tried again.
        QVERIFY(story.told<session_notice::TokenChanged>().at(0).news == TokenNews::Revoked);
        QCOMPARE(story.all<session_effect::DiscardToken>().size(), std::size_t{1});
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QCOMPARE(story.all<session_effect::FetchToken>().size(), std::size_t{1});
    }

    /// Its answer was lost, and the repetition comes too late: the token is spent, and the sign-in is as good as it was.
    void exchangeRefused_MintsOnceBeforeItEnds_data()
    {
        QTest::addColumn<bool>("isSignedIn");
        QTest::newRow("signed in") << true;
        QTest::newRow("not any more") << false;
    }
    void exchangeRefused_MintsOnceBeforeItEnds()
    {
        QFETCH(const bool, isSignedIn);
        Story story;
        AccessToken token = *makeToken(story.clock.now());
        token.dialect = "gemini";
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{std::make_shared<const AccessToken>(token)});
        story.opens();
        QCOMPARE(story.state.phase, Phase::Live);
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QVERIFY(story.all<session_effect::FetchToken>().at(0).query.previous != nullptr);
        story.happens(session_event::TokenFailed{{ErrorCode::NotAuthorised, "no", std::nullopt, "token_reused"}});
        QCOMPARE(story.state.phase, Phase::Waiting);
        const auto news = story.told<session_notice::TokenChanged>();
        QCOMPARE(news.size(), std::size_t{1});
        QVERIFY(news[0].news == TokenNews::Revoked);
        QCOMPARE(story.all<session_effect::DiscardToken>().size(), std::size_t{1});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        const auto fetch = story.all<session_effect::FetchToken>().at(0);
        QVERIFY(fetch.query.previous == nullptr && fetch.query.resumeSessionId.empty());
        if (isSignedIn) {
            story.happens(
                session_event::TokenArrived{makeToken(story.clock.now(), Milliseconds{60'000}, "voice_2_def", "ek_2")});
            QCOMPARE(story.state.phase, Phase::Connecting);
            QVERIFY(story.told<session_notice::TokenChanged>().at(0).news == TokenNews::Acquired);
        } else {
            story.happens(session_event::TokenFailed{{ErrorCode::NotAuthorised, "no", std::nullopt, {}}});
            QCOMPARE(story.state.phase, Phase::Ended);
            QCOMPARE(story.state.failure->code, ErrorCode::NotAuthorised);
        }
    }

    void expiry_IsToldOnceAndTheConversationGoesOn()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TimedOut{SessionTimer::Renewal});
        story.happens(session_event::TokenFailed{{ErrorCode::BrokerUnreachable, "no", std::nullopt, {}}});
        QVERIFY(story.told<session_notice::TokenChanged>().at(0).news == TokenNews::Failed);
        story.happens(session_event::TimedOut{SessionTimer::Expiry});
        QVERIFY2(story.effects.empty(), "not yet");
        story.clock.advance(Milliseconds{60'000});
        story.happens(session_event::TimedOut{SessionTimer::Expiry});
        QVERIFY(story.told<session_notice::TokenChanged>().at(0).news == TokenNews::Expired);
        story.happens(session_event::TimedOut{SessionTimer::Expiry});
        QVERIFY(story.effects.empty());
        QCOMPARE(story.state.phase, Phase::Live);
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QCOMPARE(story.all<session_effect::FetchToken>().at(0).query.resumeSessionId, std::string("voice_1_abc"));
        story.happens(
            session_event::TokenArrived{makeToken(story.clock.now(), Milliseconds{60'000}, "voice_1_abc", "ek_2")});
        QVERIFY(story.told<session_notice::TokenChanged>().at(0).news == TokenNews::Refreshed);
    }

    void closeOfTheRelay_TellsWhatBecameOfTheToken_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<bool>("isExpired");
        QTest::addColumn<bool>("isRevoked");
        QTest::newRow("expired") << 4401 << true << false;
        QTest::newRow("ended") << 4403 << false << true;
        QTest::newRow("taken over: it is good elsewhere") << 4409 << false << false;
    }
    void closeOfTheRelay_TellsWhatBecameOfTheToken()
    {
        QFETCH(int, code);
        QFETCH(bool, isExpired);
        QFETCH(bool, isRevoked);
        Story story;
        story.goLive();
        story.happens(session_event::Closed{{static_cast<std::uint16_t>(code), "r"}});
        const auto news = story.told<session_notice::TokenChanged>();
        const auto isTold = [&](TokenNews what) {
            return std::any_of(news.begin(), news.end(), [&](const auto& one) { return one.news == what; });
        };
        QCOMPARE(isTold(TokenNews::Expired), isExpired);
        QCOMPARE(isTold(TokenNews::Revoked), isRevoked);
        if (isExpired) {
            story.happens(session_event::TimedOut{SessionTimer::Backoff});
            QCOMPARE(story.all<session_effect::FetchToken>().size(), std::size_t{1});
        }
    }

    void silentProvider_AfterTheHandshake_IsNamedSo()
    {
        Story story;
        auto options = std::make_shared<SessionOptions>();
        options->maxAttempts = 1;
        story.state.options = options;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.happens(session_event::TimedOut{SessionTimer::FirstEvent});
        QCOMPARE(story.told<session_notice::Ended>().at(0).error->code, ErrorCode::ProviderSilent);
    }

    void closeOfTheRelay_IsToldAsWhatItIs_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<QByteArray>("reason");
        QTest::addColumn<int>("expected");
        QTest::addColumn<bool>("comesBack");
        const auto row = [](int code, const char* reason, ErrorCode expected, bool comesBack) {
            QTest::addRow("%d %s", code, reason)
                << code << QByteArray(reason) << static_cast<int>(expected) << comesBack;
        };
        row(4401, "token_expired", ErrorCode::TokenExpired, true);
        row(4402, "budget_exhausted", ErrorCode::BudgetExhausted, false);
        row(4403, "session_ended", ErrorCode::SessionEnded, false);
        row(4409, "taken_over", ErrorCode::SessionEnded, false);
        row(4408, "session_too_long", ErrorCode::SessionExpired, true);
        row(1008, "rate_limited", ErrorCode::RateLimited, true);
        row(1008, "invalid_json", ErrorCode::ProviderRefused, false);
        row(1011, "provider_refused", ErrorCode::ProviderRefused, false);
        row(1011, "provider_quota", ErrorCode::ProviderQuota, false);
        row(1011, "provider_rejected", ErrorCode::ChoiceRefused, false);
        row(1013, "provider_unreachable", ErrorCode::ProviderUnreachable, true);
        row(1013, "provider_lost", ErrorCode::ProviderClosed, true);
        row(4013, "provider_unreachable", ErrorCode::ProviderUnreachable, true);
        row(1011, "provider_refused: bad key", ErrorCode::ProviderRefused, false);
        row(4013, "provider_rate_limited: no room", ErrorCode::RateLimited, true);
        row(4013, "provider_timeout", ErrorCode::ProviderUnreachable, true);
        row(4013, "provider_failed", ErrorCode::ProviderFailed, true);
        row(4013, "provider_rate_limited", ErrorCode::RateLimited, true);
        row(4013, "unavailable", ErrorCode::ProviderClosed, true);
        row(1011, "", ErrorCode::ProviderClosed, true);
    }

    void closeOfTheRelay_IsToldAsWhatItIs()
    {
        QFETCH(int, code);
        QFETCH(QByteArray, reason);
        QFETCH(int, expected);
        QFETCH(bool, comesBack);
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.happens(session_event::Closed{{static_cast<std::uint16_t>(code), reason.toStdString()}});
        QCOMPARE(story.state.phase == Phase::Waiting, comesBack);
        const auto problems = story.told<session_notice::Problem>();
        const auto ends = story.told<session_notice::Ended>();
        QCOMPARE(static_cast<int>(comesBack ? problems.at(0).error.code : ends.at(0).error->code), expected);
    }
};

QTEST_GUILESS_MAIN(SessionConnectionTest)
#include "test_session_connection.moc"
