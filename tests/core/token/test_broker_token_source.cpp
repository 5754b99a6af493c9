#include "core/base/json.h"
#include "core/token/broker_token_source.h"
#include "tests/support/fake_ports.h"
#include "tests/support/manual_clock.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <optional>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

// In pieces: moc loses its way in raw strings of several lines.
std::string good()
{
    return R"({"token":"ek_live","tokenType":"Bearer","sessionId":"voice_1_x","expiresIn":60,)"
           R"("expiresAt":"2031-01-01T00:01:00Z","refreshAfter":"2031-01-01T00:00:48Z","provider":"openai","model":"model-x",)"
           R"("connect":{"url":"wss://api.example/v1/realtime?model=model-x","auth":"bearer","dialect":"openai-ga",)"
           R"("audio":{"encoding":"pcm16","rate":24000}},"limits":{}})";
}

/// "user-1", then "user-2"; or nothing, a little later.
class ChangingCredential final : public CredentialSource {
public:
    void fetch(CredentialCallback done) override
    {
        if (isGone) {
            m_waiting = std::move(done);
        } else {
            done(m_current);
        }
    }
    bool replace(const CredentialPtr& refused) override
    {
        if (refused == m_current) {
            m_current = std::make_shared<const Secret>("user-" + std::to_string(++number));
        }
        return true;
    }
    void later() const { m_waiting(fail(ErrorCode::ProviderUnreachable, "the issuer is away")); }

    int number = 1;
    bool isGone = false;

private:
    CredentialPtr m_current = std::make_shared<const Secret>("user-1");
    CredentialCallback m_waiting;
};

} // namespace

class BrokerTokenSourceTest : public QObject {
    Q_OBJECT

    using Answer = std::shared_ptr<std::optional<Expected<TokenPtr, Error>>>;

    struct World {
        ManualClock clock;
        FakeHttpClient http;
        BrokerTokenSource source{{http, clock, "https://broker.example",
            std::make_shared<LiteralCredential>(std::make_shared<const Secret>("credential")), {"", "model-x", "", ""},
            "instance-1"}};

        Answer fetch(TokenQuery query = {})
        {
            auto answer = std::make_shared<std::optional<Expected<TokenPtr, Error>>>();
            source.fetch(query, [answer](Expected<TokenPtr, Error> result) { *answer = std::move(result); });
            return answer;
        }
        const HttpClient::Request& request() { return http.sent.front().request; }
    };

private Q_SLOTS:
    void fetch_ShowsTheCredentialInTheHeaderOnly()
    {
        World world;
        (void)world.fetch();
        QCOMPARE(world.request().method, std::string("POST"));
        QCOMPARE(world.request().url, std::string("https://broker.example/api/voice-agent/token"));
        QCOMPARE(world.request().bearer->reveal(), std::string_view("credential"));
        QVERIFY(world.request().body.find("credential") == std::string::npos);
        const auto body = parseJson(world.request().body);
        QCOMPARE((*body)["model"].get<std::string>(), std::string("model-x"));
        QCOMPARE((*body)["clientInstance"].get<std::string>(), std::string("instance-1"));
        QVERIFY(!body->contains("voice"));
    }

    void answer_BecomesATokenInMonotonicTime()
    {
        World world;
        const MonotonicTime asked = world.clock.now();
        const auto answer = world.fetch();
        // The broker's wall clock is years off, and its answer takes two seconds: neither may lengthen the life.
        world.clock.advance(Milliseconds{2000});
        world.http.answer(200, good());
        const TokenPtr token = (*answer)->value();
        QCOMPARE(token->value->reveal(), std::string_view("ek_live"));
        QVERIFY(token->expiresAt == asked + std::chrono::seconds(60));
        QVERIFY(token->refreshAfter == asked + std::chrono::seconds(48));
        QCOMPARE(token->sessionId, std::string("voice_1_x"));
        QVERIFY(token->auth == AuthStyle::Bearer);
    }

    void settings_SayWhenATokenIsRenewed_data()
    {
        QTest::addColumn<int>("threshold");
        QTest::addColumn<bool>("isRefreshed");
        QTest::addColumn<int>("renewedAfter");
        QTest::newRow("the broker wants it earlier") << 10 << true << 588;
        QTest::newRow("the client wants it earlier") << 60 << true << 540;
        QTest::newRow("never before most of its life is over") << 3'000 << true << 480;
        QTest::newRow("not at all") << 30 << false << 600;
    }
    void settings_SayWhenATokenIsRenewed()
    {
        QFETCH(const int, threshold);
        QFETCH(const bool, isRefreshed);
        QFETCH(const int, renewedAfter);
        ManualClock clock;
        FakeHttpClient http;
        BrokerTokenSource source({http, clock, "https://broker.example",
            std::make_shared<LiteralCredential>(std::make_shared<const Secret>("credential")), {}, "i",
            {std::chrono::seconds(threshold), 3, isRefreshed}});
        const MonotonicTime asked = clock.now();
        TokenPtr token;
        source.fetch({}, [&](const Expected<TokenPtr, Error>& result) { token = result.value(); });
        std::string text = good();
        text.replace(text.find("\"expiresIn\":60"), 14, "\"expiresIn\":600");
        http.answer(200, text);
        QVERIFY(token->refreshAfter == asked + std::chrono::seconds(renewedAfter));
        QVERIFY(token->expiresAt == asked + std::chrono::seconds(600));
    }

    void answer_OfGemini_SaysHowItsTokenIsShown()
    {
        World world;
        const auto answer = world.fetch();
        std::string text = good();
        for (const auto& [from, to] :
            {std::pair<std::string, std::string>{R"("bearer")", R"("token")"}, {R"("openai-ga")", R"("gemini")"}}) {
            text.replace(text.find(from), from.size(), to);
        }
        world.http.answer(200, text);
        QVERIFY((*answer)->value()->auth == AuthStyle::Token);
        QVERIFY((*answer)->value()->isForGemini());
    }

    void answer_SaysWhichKindOfServerItIs()
    {
        World world;
        auto answer = world.fetch();
        world.http.answer(200, good());
        QCOMPARE((*answer)->value()->profile, std::string("openai"));
        answer = world.fetch();
        std::string text = good();
        text.replace(text.find(R"("dialect")"), 0, R"("profile":"azure",)");
        world.http.answer(200, text);
        QCOMPARE((*answer)->value()->profile, std::string("azure"));
        QCOMPARE((*answer)->value()->provider, std::string("openai"));
    }

    void renewal_ShowsTheOldTokenAndAKey()
    {
        World world;
        const TokenPtr old = makeToken(world.clock.now());
        (void)world.fetch({old, {}});
        QCOMPARE(world.request().url, std::string("https://broker.example/api/voice-agent/refresh-token"));
        QCOMPARE(world.request().bearer->reveal(), std::string_view("ek_test"));
        QVERIFY(world.request().headers.find("Idempotency-Key").value_or("").size() >= 16);
    }

    void renewal_WhoseAnswerWasLost_IsRepeatedWithTheSameKey()
    {
        World world;
        const TokenPtr old = makeToken(world.clock.now());
        (void)world.fetch({old, {}});
        const std::string key(*world.request().headers.find("Idempotency-Key"));
        world.http.answer(fail(ErrorCode::BrokerUnreachable, "reset"));
        (void)world.fetch({old, {}});
        QCOMPARE(std::string(*world.request().headers.find("Idempotency-Key")), key);
        world.http.answer(200, good());
        (void)world.fetch({makeToken(world.clock.now()), {}});
        QVERIFY(std::string(*world.request().headers.find("Idempotency-Key")) != key);
    }

    void renewal_ThatAGatewayAnswered_IsRepeatedWithTheSameKey()
    {
        World world;
        const TokenPtr old = makeToken(world.clock.now());
        (void)world.fetch({old, {}});
        const std::string key(*world.request().headers.find("Idempotency-Key"));
        // The broker repeats its answer for five seconds.
        QVERIFY(world.request().timeout < Milliseconds{5'000});
        world.http.answer(503, "busy");
        (void)world.fetch({old, {}});
        QCOMPARE(std::string(*world.request().headers.find("Idempotency-Key")), key);
    }

    void renewal_OfAnExpiredToken_MintsAndResumes()
    {
        World world;
        const TokenPtr old = makeToken(world.clock.now(), Milliseconds{1000});
        world.clock.advance(Milliseconds{1000});
        (void)world.fetch({old, "voice_1_x"});
        QCOMPARE(world.request().url, std::string("https://broker.example/api/voice-agent/token"));
        QCOMPARE((*parseJson(world.request().body))["resumeSessionId"].get<std::string>(), std::string("voice_1_x"));
    }

    void badAnswers_AreToldApart_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<std::string>("body");
        QTest::addColumn<int>("code");
        const auto code = [](ErrorCode c) { return static_cast<int>(c); };
        QTest::newRow("401") << 401 << std::string("{}") << code(ErrorCode::NotAuthorised);
        QTest::newRow("403") << 403 << std::string() << code(ErrorCode::NotAuthorised);
        QTest::newRow("429") << 429 << std::string() << code(ErrorCode::RateLimited);
        QTest::newRow("a spent budget") << 429
                                        << std::string(
                                               R"({"title":"t","status":429,"detail":"d","code":"budget_exhausted"})")
                                        << code(ErrorCode::BudgetExhausted);
        QTest::newRow("a session that it has forgotten")
            << 404 << std::string(R"({"title":"t","status":404,"detail":"d","code":"session_not_found"})")
            << code(ErrorCode::TokenExpired);
        const auto problem = [](int status, const char* which) {
            return Json{{"title", "t"}, {"status", status}, {"detail", "d"}, {"code", which}}.dump();
        };
        QTest::newRow("a provider that it has not")
            << 422 << problem(422, "unknown_provider") << code(ErrorCode::ProviderUnknown);
        QTest::newRow("a model that the provider has not")
            << 422 << problem(422, "provider_rejected") << code(ErrorCode::ChoiceRefused);
        QTest::newRow("a model that is not allowed")
            << 403 << problem(403, "not_allowed") << code(ErrorCode::ChoiceNotAllowed);
        QTest::newRow("another project's")
            << 403 << problem(403, "project_not_allowed") << code(ErrorCode::ChoiceNotAllowed);
        QTest::newRow("a key that the provider does not take")
            << 502 << problem(502, "provider_refused") << code(ErrorCode::ProviderRefused);
        QTest::newRow("an empty account") << 502 << problem(502, "provider_quota") << code(ErrorCode::ProviderQuota);
        QTest::newRow("a provider that makes no sense")
            << 502 << problem(502, "provider_malformed") << code(ErrorCode::ProviderMalformed);
        QTest::newRow("a provider that fails")
            << 502 << problem(502, "provider_failed") << code(ErrorCode::ProviderFailed);
        QTest::newRow("a provider that is not there")
            << 503 << problem(503, "provider_unreachable") << code(ErrorCode::ProviderUnreachable);
        QTest::newRow("a provider that is slow")
            << 504 << problem(504, "provider_timeout") << code(ErrorCode::ProviderUnreachable);
        QTest::newRow("500") << 500 << std::string("<html>") << code(ErrorCode::BrokerFailed);
        QTest::newRow("503") << 503 << std::string() << code(ErrorCode::BrokerFailed);
        QTest::newRow("400") << 400 << std::string() << code(ErrorCode::BrokerMalformed);
        QTest::newRow("redirect") << 302 << std::string() << code(ErrorCode::BrokerMalformed);
        QTest::newRow("garbage") << 200 << std::string("hello") << code(ErrorCode::BrokerMalformed);
        QTest::newRow("empty") << 200 << std::string() << code(ErrorCode::BrokerMalformed);
        QTest::newRow("no token") << 200 << std::string("{}") << code(ErrorCode::BrokerMalformed);
    }
    void badAnswers_AreToldApart()
    {
        QFETCH(int, status);
        QFETCH(std::string, body);
        QFETCH(int, code);
        World world;
        const auto answer = world.fetch();
        world.http.answer(status, body);
        QVERIFY(!(*answer)->has_value());
        QCOMPARE(static_cast<int>((*answer)->error().code), code);
    }

    void troubleOfTheProvider_IsNotToldAsTheBrokers()
    {
        World world;
        const auto answer = world.fetch();
        world.http.answer(
            502, R"({"title":"t","status":502,"detail":"its answer is not the protocol","code":"provider_malformed"})");
        QCOMPARE((*answer)->error().detail,
            std::string(
                "the broker answered HTTP 502: the provider's answer makes no sense (its answer is not the protocol)"));
        QCOMPARE((*answer)->error().foreignCode, std::string("provider_malformed"));
    }

    void renewal_ThatTheProviderRefuses_MayBeTriedAgain()
    {
        World world;
        const auto answer = world.fetch({makeToken(world.clock.now()), {}});
        world.http.answer(502, R"({"title":"t","status":502,"detail":"d","code":"provider_refused"})");
        QCOMPARE((*answer)->error().code, ErrorCode::BrokerFailed);
    }

    void renewal_ThatIsNotAllowed_SaysNothingOfAChoice()
    {
        World world;
        const auto answer = world.fetch({makeToken(world.clock.now()), {}});
        world.http.answer(403, R"({"title":"t","status":403,"detail":"d","code":"not_allowed"})");
        QCOMPARE((*answer)->error().code, ErrorCode::NotAuthorised);
    }

    void wishes_GoIntoTheRequest_AndNothingWhereThereAreNone()
    {
        ManualClock clock;
        FakeHttpClient http;
        const auto credential = std::make_shared<LiteralCredential>(std::make_shared<const Secret>("credential"));
        BrokerTokenSource source(
            {http, clock, "https://broker.example", credential, {"gemini", "gemini-3.8-live", "", ""}, "i"});
        source.fetch({}, [](const Expected<TokenPtr, Error>&) {});
        const Json asked = *parseJson(http.sent.front().request.body);
        QCOMPARE(asked["provider"].get<std::string>(), std::string("gemini"));
        QCOMPARE(asked["model"].get<std::string>(), std::string("gemini-3.8-live"));
        QVERIFY(!asked.contains("voice"));
        World world;
        (void)world.fetch();
        QVERIFY(!parseJson(world.request().body)->contains("provider"));
    }

    void project_IsNamedWhereASessionBeginsOrIsResumed_AndNotWhereItIsRenewed()
    {
        ManualClock clock;
        FakeHttpClient http;
        const auto credential = std::make_shared<LiteralCredential>(std::make_shared<const Secret>("credential"));
        BrokerTokenSource source({http, clock, "https://broker.example", credential, {"", "", "", "", "choir"}, "i"});
        const auto asked = [&](const TokenQuery& query) {
            source.fetch(query, [](const Expected<TokenPtr, Error>&) {});
            return *parseJson(http.sent.back().request.body);
        };
        QVERIFY(asked({}) == Json({{"clientInstance", "i"}, {"projectId", "choir"}}));
        QVERIFY(asked({nullptr, "voice_1_x"})
            == Json({{"clientInstance", "i"}, {"projectId", "choir"}, {"resumeSessionId", "voice_1_x"}}));
        // The broker keeps it with the session, and refuses fields that it does not know.
        QVERIFY(asked({makeToken(clock.now()), {}}) == Json({{"clientInstance", "i"}}));
        World world;
        (void)world.fetch();
        QVERIFY(!parseJson(world.request().body)->contains("projectId"));
    }

    void project_ThatIsNotTheCallers_IsToldApartFromNone_data()
    {
        QTest::addColumn<std::string>("project");
        QTest::addColumn<bool>("isRenewal");
        QTest::addColumn<std::string>("fault");
        QTest::newRow("none") << std::string() << false << std::string("project_needed");
        QTest::newRow("another's") << std::string("choir") << false << std::string("project_not_allowed");
        QTest::newRow("not any more") << std::string("choir") << true << std::string("project_not_allowed");
        QTest::newRow("needed by now") << std::string() << true << std::string("project_needed");
    }
    void project_ThatIsNotTheCallers_IsToldApartFromNone()
    {
        QFETCH(const std::string, project);
        QFETCH(const bool, isRenewal);
        QFETCH(const std::string, fault);
        ManualClock clock;
        FakeHttpClient http;
        const auto credential = std::make_shared<LiteralCredential>(std::make_shared<const Secret>("credential"));
        BrokerTokenSource source({http, clock, "https://broker.example", credential, {"", "", "", "", project}, "i"});
        std::optional<Expected<TokenPtr, Error>> answer;
        source.fetch({isRenewal ? makeToken(clock.now()) : nullptr, {}},
            [&](Expected<TokenPtr, Error> result) { answer = std::move(result); });
        http.answer(403, R"({"title":"t","status":403,"detail":"d","code":"project_not_allowed"})");
        // Of a renewal it is the session that is refused.
        QCOMPARE(answer->error().code, isRenewal ? ErrorCode::NotAuthorised : ErrorCode::ChoiceNotAllowed);
        QCOMPARE(answer->error().foreignCode, fault);
        QCOMPARE(exitCode(answer->error().code), 3);
    }

    void problem_BringsItsCodeAndWhenToComeBack()
    {
        World world;
        const auto answer = world.fetch();
        world.http.answer(429,
            R"({"title":"Too many requests","status":429,"detail":"10 a minute","code":"rate.mint"})",
            {{"Retry-After", "7"}});
        const Error& error = (*answer)->error();
        QCOMPARE(error.retryAfter.value(), Milliseconds{7000});
        QCOMPARE(error.foreignCode, std::string("rate.mint"));
    }

    void malformedAnswer_DoesNotQuoteTheToken()
    {
        World world;
        const auto answer = world.fetch();
        world.http.answer(200, R"({"token":"ek_leak","expiresIn":"soon"})");
        QVERIFY((*answer)->error().detail.find("ek_leak") == std::string::npos);
    }

    void credential_ThatIsRefused_IsReplacedOnce()
    {
        ManualClock clock;
        FakeHttpClient http;
        const auto credential = std::make_shared<ChangingCredential>();
        BrokerTokenSource source({http, clock, "https://broker.example", credential, {}, "i"});
        std::optional<Expected<TokenPtr, Error>> answer;
        source.fetch({nullptr, "voice_1_x"}, [&](Expected<TokenPtr, Error> result) { answer = std::move(result); });
        QCOMPARE(http.sent.front().request.bearer->reveal(), std::string_view("user-1"));
        http.answer(401, "{}");
        QVERIFY(!answer);
        QCOMPARE(http.sent.front().request.bearer->reveal(), std::string_view("user-2"));
        QCOMPARE((*parseJson(http.sent.front().request.body))["resumeSessionId"].get<std::string>(),
            std::string("voice_1_x"));
        http.answer(401, "{}");
        QCOMPARE(static_cast<int>(answer->error().code), static_cast<int>(ErrorCode::NotAuthorised));
        QVERIFY(http.sent.empty());
        // What somebody may not do is no reason for another credential.
        answer.reset();
        source.fetch({}, [&](Expected<TokenPtr, Error> result) { answer = std::move(result); });
        http.answer(403, "{}");
        QCOMPARE(credential->number, 2);
        QVERIFY(!answer->has_value());
    }

    void credential_ThatCannotBeHad_IsTheError()
    {
        ManualClock clock;
        FakeHttpClient http;
        const auto credential = std::make_shared<ChangingCredential>();
        credential->isGone = true;
        BrokerTokenSource source({http, clock, "https://broker.example", credential, {}, "i"});
        std::optional<Expected<TokenPtr, Error>> answer;
        source.fetch({}, [&](Expected<TokenPtr, Error> result) { answer = std::move(result); });
        credential->later();
        QCOMPARE(static_cast<int>(answer->error().code), static_cast<int>(ErrorCode::ProviderUnreachable));
        QVERIFY(http.sent.empty());
    }

    void destroyed_BeforeTheCredentialIsThere_SendsNothing()
    {
        ManualClock clock;
        FakeHttpClient http;
        const auto credential = std::make_shared<ChangingCredential>();
        credential->isGone = true;
        {
            BrokerTokenSource source({http, clock, "https://broker.example", credential, {}, "i"});
            source.fetch({}, [](const auto&) { QFAIL("answered after its end"); });
        }
        credential->later();
        QVERIFY(http.sent.empty());
    }

    void destroyed_WithARequestUnderWay_CancelsIt()
    {
        ManualClock clock;
        FakeHttpClient http;
        {
            BrokerTokenSource source(
                {http, clock, "https://broker.example", std::make_shared<LiteralCredential>(nullptr), {}, "i"});
            source.fetch({}, [](const auto&) { QFAIL("answered after its end"); });
        }
        QVERIFY(*http.sent.front().wasCancelled);
    }
};

QTEST_GUILESS_MAIN(BrokerTokenSourceTest)
#include "test_broker_token_source.moc"
