#include "broker/limits/sliding_window.h"
#include "core/base/json.h"
#include "core/base/rfc3339.h"
#include "tests/broker/broker_harness.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <regex>
#include <set>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Milliseconds;

namespace {

std::string revealed(const core::broker::TokenResponse& token)
{
    return std::string(token.token.reveal());
}

} // namespace

class TestBrokerTokens : public QObject {
    Q_OBJECT

private slots:
    void mint_GoodRequest_AnswersAWholeToken()
    {
        BrokerWorld world;
        const auto answer = world.send(world.mintRequest());
        QCOMPARE(answer.status, 200U);
        const auto token = tokenOf(answer);
        QCOMPARE(revealed(token), std::string("ek_marker_1"));
        QCOMPARE(token.tokenType, std::string("Bearer"));
        QVERIFY(std::regex_match(token.sessionId, std::regex("voice_1800000000_[A-Za-z0-9_-]{22}")));
        QCOMPARE(token.expiresIn, std::int64_t(60));
        QCOMPARE(core::formatRfc3339(token.expiresAt), std::string("2027-01-15T08:01:00Z"));
        QCOMPARE(core::formatRfc3339(token.refreshAfter), std::string("2027-01-15T08:00:30Z"));
        QCOMPARE(token.provider, std::string("local"));
        QCOMPARE(token.connect.url, "ws" + world.provider.url().substr(4) + "/v1/realtime?model=gpt-realtime-2.1");
        QCOMPARE(token.connect.auth, std::string("bearer"));
        QCOMPARE(token.connect.dialect, std::string("openai-ga"));
        QCOMPARE(token.connect.audio.rates, core::VoiceRates());
    }

    void mint_Wishes_ReachTheProvider()
    {
        BrokerWorld world([](broker::Config& config) { config.tokenLife = std::chrono::seconds(120); });
        const auto token =
            world.mint(R"({"provider":"local","model":"m /1","voice":"alloy","instructions":"Be\nbrief"})");
        QVERIFY(token.connect.url.ends_with("?model=m%20%2F1"));
        const auto request = world.provider.requests().at(0);
        QCOMPARE(std::string(request.headers.find("Authorization").value_or("")),
            std::string("Bearer ") + BrokerWorld::kProviderKey);
        const auto body = core::parseJson(request.body).value();
        QCOMPARE(body["expires_after"]["seconds"].get<int>(), 120);
        QCOMPARE(body["session"]["type"].get<std::string>(), std::string("realtime"));
        QCOMPARE(body["session"]["model"].get<std::string>(), std::string("m /1"));
        QCOMPARE(body["session"]["instructions"].get<std::string>(), std::string("Be\nbrief"));
        QCOMPARE(body["session"]["audio"]["output"]["voice"].get<std::string>(), std::string("alloy"));
    }

    void mint_ShortLife_IsRefreshedAfterFourFifths()
    {
        BrokerWorld world([](broker::Config& config) { config.tokenLife = std::chrono::seconds(50); });
        const auto token = world.mint();
        QCOMPARE(token.expiresIn, std::int64_t(50));
        QVERIFY(token.expiresAt - token.refreshAfter == std::chrono::seconds(10));
    }

    void refresh_LiveToken_KeepsTheSessionAndRetiresTheToken()
    {
        BrokerWorld world;
        const auto first = world.mint(R"({"model":"m","voice":"alloy","instructions":"hello"})");
        const auto answer = world.send(world.refreshRequest(revealed(first)));
        QCOMPARE(answer.status, 200U);
        const auto second = tokenOf(answer);
        QCOMPARE(second.sessionId, first.sessionId);
        QCOMPARE(revealed(second), std::string("ek_marker_2"));
        QCOMPARE(second.model, std::string("m"));
        const auto body = core::parseJson(world.provider.requests().at(1).body).value();
        QCOMPARE(body["session"]["instructions"].get<std::string>(), std::string("hello"));
        QCOMPARE(body["session"]["audio"]["output"]["voice"].get<std::string>(), std::string("alloy"));
    }

    void refresh_SpentToken_EndsTheSession()
    {
        BrokerWorld world;
        const auto first = world.mint();
        const auto second = tokenOf(world.send(world.refreshRequest(revealed(first))));
        const auto reuse = world.send(world.refreshRequest(revealed(first)));
        QCOMPARE(reuse.status, 401U);
        QCOMPARE(codeOf(reuse), std::string("token_reused"));
        QCOMPARE(codeOf(world.send(world.refreshRequest(revealed(second)))), std::string("invalid_token"));
    }

    void refresh_LostAnswer_IsRepeatedForFiveSeconds()
    {
        BrokerWorld world;
        const auto first = world.mint();
        const auto second = tokenOf(world.send(world.refreshRequest(revealed(first), "k")));
        world.clock.advance(Milliseconds{5'000});
        const auto again = tokenOf(world.send(world.refreshRequest(revealed(first), "k")));
        QCOMPARE(revealed(again), revealed(second));
        QCOMPARE(again.expiresIn, std::int64_t(55));
        QVERIFY(again.expiresAt == second.expiresAt && again.refreshAfter == second.refreshAfter);
        QCOMPARE(world.provider.requests().size(), std::size_t(2));
        world.clock.advance(Milliseconds{1});
        QCOMPARE(codeOf(world.send(world.refreshRequest(revealed(first), "k"))), std::string("token_reused"));
    }

    void refresh_FiftyOfTheSameKey_MakeOneChain()
    {
        BrokerWorld world;
        const auto first = world.mint();
        world.provider.hold();
        std::vector<std::future<net::ClientResponse>> answers;
        for (int i = 0; i < 50; ++i) {
            answers.push_back(world.begin(world.refreshRequest(revealed(first), "k")));
        }
        QTRY_COMPARE(world.provider.requests().size(), std::size_t(2));
        world.provider.release();
        std::set<std::string> tokens;
        for (auto& answer : answers) {
            const auto got = BrokerWorld::wait(std::move(answer));
            QCOMPARE(got.status, 200U);
            tokens.insert(revealed(tokenOf(got)));
        }
        QCOMPARE(tokens, std::set<std::string>{"ek_marker_2"});
        QCOMPARE(world.provider.requests().size(), std::size_t(2));
        QCOMPARE(world.send(world.refreshRequest("ek_marker_2")).status, 200U);
    }

    void refresh_FiftyOfDifferentKeys_OneWinsAndTheSessionLives()
    {
        BrokerWorld world;
        const auto first = world.mint();
        world.provider.hold();
        auto winner = world.begin(world.refreshRequest(revealed(first), "winner"));
        QTRY_COMPARE(world.provider.requests().size(), std::size_t(2));
        std::vector<std::future<net::ClientResponse>> others;
        for (int i = 0; i < 49; ++i) {
            others.push_back(world.begin(world.refreshRequest(revealed(first), "k" + std::to_string(i))));
        }
        for (auto& other : others) {
            const auto got = BrokerWorld::wait(std::move(other));
            QCOMPARE(codeOf(got), std::string("refresh_in_progress"));
            QCOMPARE(header(got, "Retry-After"), std::string("1"));
        }
        world.provider.release();
        QCOMPARE(BrokerWorld::wait(std::move(winner)).status, 200U);
        QCOMPARE(world.send(world.refreshRequest("ek_marker_2")).status, 200U);
    }

    void refresh_ProviderFault_LeavesTheTokenGoodForAll()
    {
        BrokerWorld world;
        const auto first = world.mint();
        world.provider.hold();
        world.provider.answerWith(net::HttpResponse::json(500, "{}"));
        auto leader = world.begin(world.refreshRequest(revealed(first), "k"));
        QTRY_COMPARE(world.provider.requests().size(), std::size_t(2));
        auto follower = world.begin(world.refreshRequest(revealed(first), "k"));
        QCOMPARE(
            codeOf(world.send(world.refreshRequest(revealed(first), "other"))), std::string("refresh_in_progress"));
        world.provider.release();
        QCOMPARE(codeOf(BrokerWorld::wait(std::move(leader))), std::string("provider_failed"));
        QCOMPARE(codeOf(BrokerWorld::wait(std::move(follower))), std::string("provider_failed"));
        world.provider.answerWith(std::nullopt);
        QCOMPARE(world.send(world.refreshRequest(revealed(first), "k")).status, 200U);
    }

    void destroy_WithARefreshUnderWay_TouchesNothingDead()
    {
        BrokerWorld world;
        const auto first = world.mint();
        world.provider.hold();
        auto leader = world.begin(world.refreshRequest(revealed(first), "k"));
        QTRY_COMPARE(world.provider.requests().size(), std::size_t(2));
        // Left as it is: what is suspended goes with the io_context, after the broker. The sanitizers judge.
        QVERIFY(leader.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
    }

    void refresh_ExpiredToken_SaysSoAndTheSessionResumes()
    {
        BrokerWorld world;
        const auto first = world.mint(R"({"model":"m"})");
        world.clock.advance(Milliseconds{60'000});
        const auto refused = world.send(world.refreshRequest(revealed(first)));
        QCOMPARE(refused.status, 401U);
        QCOMPARE(codeOf(refused), std::string("token_expired"));
        const auto answer = world.send(world.mintRequest("{\"resumeSessionId\":\"" + first.sessionId + "\"}"));
        const auto resumed = tokenOf(answer);
        QCOMPARE(resumed.sessionId, first.sessionId);
        QCOMPARE(resumed.model, std::string("m"));
        QCOMPARE(header(answer, "RateLimit-Policy"), std::string("\"refresh\";q=60;w=60"));
    }

    void resume_UnknownSession_IsNotFoundAndChargedAsAMint()
    {
        BrokerWorld world;
        const auto answer = world.send(world.mintRequest(R"({"resumeSessionId":"voice_1_x"})"));
        QCOMPARE(answer.status, 404U);
        QCOMPARE(codeOf(answer), std::string("session_not_found"));
        QCOMPARE(header(answer, "RateLimit"), std::string("\"mint\";r=9;t=60"));
    }

    void mint_MoreThanTheLimit_IsRefusedUntilRetryAfter()
    {
        BrokerWorld world([](broker::Config& config) { config.mintsPerMinute = 3; });
        for (const char* left : {"2", "1", "0"}) {
            const auto answer = world.send(world.mintRequest());
            QCOMPARE(answer.status, 200U);
            QCOMPARE(header(answer, "RateLimit-Policy"), std::string("\"mint\";q=3;w=60"));
            QVERIFY(header(answer, "RateLimit").starts_with(std::string("\"mint\";r=") + left + ";t="));
        }
        const auto refused = world.send(world.mintRequest());
        QCOMPARE(refused.status, 429U);
        QCOMPARE(codeOf(refused), std::string("rate_limited"));
        QCOMPARE(header(refused, "RateLimit"), std::string("\"mint\";r=0;t=60"));
        QCOMPARE(header(refused, "Retry-After"), std::string("60"));
        QVERIFY(header(refused, "Cache-Control").starts_with("no-store"));
        QCOMPARE(core::broker::decodeProblem(refused.body)->type,
            std::string("https://iana.org/assignments/http-problem-types#quota-exceeded"));
        QCOMPARE(world.provider.requests().size(), std::size_t(3));
        world.clock.advance(std::chrono::seconds(60));
        QCOMPARE(world.send(world.mintRequest()).status, 200U);
    }

    void refresh_HasItsOwnBucketPerSession()
    {
        BrokerWorld world([](broker::Config& config) { config.refreshesPerMinute = 1; });
        const auto a = world.mint();
        const auto b = world.mint();
        const auto second = tokenOf(world.send(world.refreshRequest(revealed(a))));
        const auto refused = world.send(world.refreshRequest(revealed(second)));
        QCOMPARE(codeOf(refused), std::string("rate_limited"));
        QCOMPARE(header(refused, "RateLimit-Policy"), std::string("\"refresh\";q=1;w=60"));
        QCOMPARE(world.send(world.refreshRequest(revealed(b))).status, 200U);
        world.clock.advance(std::chrono::seconds(50));
        QCOMPARE(codeOf(world.send(world.refreshRequest(revealed(second)))), std::string("rate_limited"));
    }

    void mint_RegistryFull_IsRefusedBeforeTheProviderIsAsked()
    {
        BrokerWorld world([](broker::Config& config) { config.maxSessions = 1; });
        QVERIFY(!world.mint().token.empty());
        const auto refused = world.send(world.mintRequest());
        QCOMPARE(refused.status, 503U);
        QCOMPARE(codeOf(refused), std::string("sessions_full"));
        QVERIFY(!header(refused, "Retry-After").empty());
        QCOMPARE(world.provider.requests().size(), std::size_t(1));
    }

    void mints_AtTheSameTime_FillTheRegistryAndNoMore()
    {
        BrokerWorld world([](broker::Config& config) { config.maxSessions = 3; });
        world.provider.hold();
        std::vector<std::future<BrokerWorld::Answer>> all;
        for (int i = 0; i < 8; ++i) {
            all.push_back(world.begin(world.mintRequest()));
        }
        QTRY_COMPARE_WITH_TIMEOUT(world.provider.requests().size(), std::size_t(8), 20'000);
        world.provider.release();
        int minted = 0;
        for (auto& one : all) {
            minted += BrokerWorld::wait(std::move(one)).status == 200 ? 1 : 0;
        }
        QVERIFY2(minted <= 3 && minted > 0, qPrintable(QString::number(minted)));
    }

    void token_LivesNoLongerThanItsSession()
    {
        BrokerWorld world([](broker::Config& config) {
            config.policy.longestSession = std::chrono::seconds(12);
            config.tokenLife = std::chrono::seconds(60);
        });
        QCOMPARE(world.mint().expiresIn, 12);
    }

    void log_OfAllThis_HoldsNoSecret()
    {
        BrokerWorld world;
        const auto first = world.mint(R"({"instructions":"text-marker"})");
        (void)world.send(world.refreshRequest(revealed(first), "idempotency-marker"));
        (void)world.send(world.refreshRequest(revealed(first)));
        (void)world.send(world.request("GET", "/healthz?key=query-marker"));
        auto wrong = world.request("POST", "/api/voice-agent/token", "{}");
        wrong.headers.add("Authorization", "Bearer wrong-marker");
        (void)world.send(std::move(wrong));
        world.provider.answerWith(net::HttpResponse::json(401, R"({"error":{"message":"bad key body-marker"}})"));
        (void)world.send(world.mintRequest());
        QVERIFY(world.log.text().find("provider.failed") != std::string::npos);
        QVERIFY(world.log.text().find("token.reused") != std::string::npos);
        QVERIFY2(world.log.text().find("marker") == std::string::npos, world.log.text().c_str());
    }

    void policy_IsFilledInOrRefused_NeverRewritten()
    {
        BrokerWorld world([](broker::Config& config) {
            config.policy.models = broker::Allowed({"small", "large"});
            config.policy.voices = broker::Allowed({"alto"});
            config.policy.instructions = "be brief";
        });
        QCOMPARE(world.mint().model, std::string("small"));
        QCOMPARE(world.mint(R"({"model": "large"})").model, std::string("large"));
        const std::string asked = world.provider.requests().back().body;
        QVERIFY(asked.find("alto") != std::string::npos && asked.find("be brief") != std::string::npos);
        const std::size_t minted = world.provider.requests().size();
        for (const char* body : {R"({"model": "huge"})", R"({"voice": "bass"})", R"({"instructions": "sing"})"}) {
            const auto answer = world.send(world.mintRequest(body));
            QCOMPARE(answer.status, 403U);
            QCOMPARE(codeOf(answer), std::string("not_allowed"));
        }
        QCOMPARE(world.provider.requests().size(), minted);
        // Nor by continuing a session.
        const auto session = world.mint();
        const auto resumed =
            world.send(world.mintRequest("{\"model\":\"huge\",\"resumeSessionId\":\"" + session.sessionId + "\"}"));
        QCOMPARE(codeOf(resumed), std::string("not_allowed"));
        const auto large = world.mint(R"({"model": "large"})");
        const auto same = world.send(world.mintRequest("{\"resumeSessionId\":\"" + large.sessionId + "\"}"));
        QCOMPARE(tokenOf(same).model, std::string("large"));
    }
};

QTEST_GUILESS_MAIN(TestBrokerTokens)
#include "test_broker_tokens.moc"
