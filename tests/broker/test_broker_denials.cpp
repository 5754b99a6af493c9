#include "broker/audit/audit_verifier.h"
#include "broker/audit/denial_digest.h"
#include "tests/broker/operator_world.h"
#include "tests/broker/test_secrets.h"
#include "tests/support/manual_clock.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::tests;
using core::Json;
using core::Milliseconds;
using World = OperatorWorld;

namespace {

constexpr const char* kMint = "/api/voice-agent/token";
constexpr const char* kHealth = "/api/voice-agent/health";
constexpr const char* kBlocks = "/api/admin/blocks";
constexpr Milliseconds kWindow{60'000};

AuditRecord denialOf(const std::string& subject, const std::string& why)
{
    AuditRecord record;
    record.why = why;
    record.subject = subject;
    record.peer = "192.0.2.7";
    return record;
}

/// The lines of denials that the audit has, once there are so many.
std::vector<Json> denials(World& world, std::size_t atLeast)
{
    std::vector<Json> found;
    (void)QTest::qWaitFor([&] {
        found = world.lines(0);
        found.erase(std::remove_if(found.begin(), found.end(),
                        [](const Json& line) { return line.at("event") != "request.deny"; }),
            found.end());
        return found.size() >= atLeast;
    });
    return found;
}

} // namespace

class TestBrokerDenials : public QObject {
    Q_OBJECT

private slots:
    void take_OverAndOver_TellsTheFirstAndASum()
    {
        ManualClock clock;
        DenialDigest digest({kWindow, 10}, clock);
        const auto first = digest.take("a", denialOf("a", "blocked"));
        QCOMPARE(first.size(), std::size_t{1});
        QCOMPARE(first[0].count, std::uint64_t{0});
        for (int i = 0; i < 1'000; ++i) {
            QVERIFY(digest.take("a", denialOf("a", "blocked")).empty());
        }
        QCOMPARE(digest.take("b", denialOf("b", "blocked")).size(), std::size_t{1});
        QCOMPARE(digest.take("a", denialOf("a", "rate_limited")).size(), std::size_t{1});
        clock.advance(kWindow - Milliseconds{1});
        QVERIFY(digest.takeDue().empty());
        clock.advance(Milliseconds{1});
        const auto sums = digest.takeDue();
        QCOMPARE(sums.size(), std::size_t{1});
        QCOMPARE(sums[0].subject, std::string("a"));
        QCOMPARE(sums[0].count, std::uint64_t{1'000});
        QVERIFY(digest.takeDue().empty() && digest.takeAll().empty());
        QCOMPARE(digest.take("a", denialOf("a", "blocked")).size(), std::size_t{1});
    }

    void take_WhenTheWindowIsOverAndNobodyAsked_TellsTheSumBefore()
    {
        ManualClock clock;
        DenialDigest digest({kWindow, 10}, clock);
        (void)digest.take("a", denialOf("a", "blocked"));
        (void)digest.take("a", denialOf("a", "blocked"));
        clock.advance(kWindow);
        const auto told = digest.take("a", denialOf("a", "blocked"));
        QCOMPARE(told.size(), std::size_t{2});
        QCOMPARE(told[0].count, std::uint64_t{1});
        QCOMPARE(told[1].count, std::uint64_t{0});
    }

    void take_OfMoreCallersThanThereIsRoomFor_SumsThemUpWithoutNames()
    {
        ManualClock clock;
        DenialDigest digest({kWindow, 2}, clock);
        std::size_t told = 0;
        for (int i = 0; i < 100; ++i) {
            const std::string name = std::to_string(i);
            told += digest.take(name, denialOf(name, "bad_signature")).size();
        }
        QCOMPARE(told, std::size_t{3});
        const auto sums = digest.takeAll();
        QCOMPARE(sums.size(), std::size_t{1});
        QCOMPARE(sums[0].count, std::uint64_t{97});
        QCOMPARE(sums[0].why, std::string("bad_signature"));
        QVERIFY(sums[0].subject.empty() && sums[0].peer.empty());
    }

    void callerWhoIsRefusedOverAndOver_WritesTwoLines()
    {
        World world;
        const std::string user = world.user();
        for (int i = 0; i < 20; ++i) {
            QCOMPARE(world.as(user, "GET", kBlocks).status, 403U);
        }
        QCOMPARE(world.as(world.user("u2"), "GET", kBlocks).status, 403U);
        QCOMPARE(denials(world, 2).size(), std::size_t{2});
        world.broker.clock.advance(kWindow);
        const auto lines = denials(world, 3);
        QCOMPARE(lines.size(), std::size_t{3});
        QVERIFY(!lines[0].contains("count"));
        QCOMPARE(lines[2].at("count").get<int>(), 19);
        QCOMPARE(lines[2].at("subject").get<std::string>(), std::string("u1"));
        QCOMPARE(lines[2].at("why").get<std::string>(), std::string("insufficient_scope"));
        QVERIFY(AuditVerifier::verify(world.audit.path().toStdString()).has_value());
    }

    void drain_TellsWhatWasSummedUp()
    {
        World world;
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(world.as("wrong", "POST", kMint, "{}").status, 401U);
        }
        QCOMPARE(denials(world, 1).size(), std::size_t{1});
        world.broker.drain();
        const auto lines = denials(world, 2);
        QCOMPARE(lines.size(), std::size_t{2});
        QCOMPARE(lines[1].at("count").get<int>(), 2);
    }

    void requestsThatNoBucketCounts_AreBoundedByCredential_AndNoIssuerIsAskedAboutMore()
    {
        World world([](Config& config) {
            config.issuers[0].tokens = auth::IssuerSettings::Tokens::Opaque;
            config.issuers[0].clientId = "broker";
            config.strangersPerMinute = 10;
        });
        for (int i = 0; i < 120; ++i) {
            QCOMPARE(world.as("opaque", "DELETE", "/api/voice/session/none").status, 404U);
        }
        QCOMPARE(world.login.introspections(), 120);
        for (int i = 0; i < 30; ++i) {
            const auto refused = world.as("opaque", "GET", kBlocks);
            QCOMPARE(codeOf(refused), std::string("rate_limited"));
            QCOMPARE(header(refused, "RateLimit-Policy"), std::string("\"credential\";q=120;w=60"));
        }
        QCOMPARE(world.as("opaque", "POST", kMint, "{}").status, 429U);
        QCOMPARE(world.login.introspections(), 120);
        // Nobody else is in the way, not even a stranger at the same address.
        QCOMPARE(world.as(world.serviceKey(), "POST", kMint, "{}").status, 200U);
        const auto lines = denials(world, 2);
        QVERIFY(std::any_of(
            lines.begin(), lines.end(), [](const Json& line) { return line.value("why", "") == "rate_limited"; }));
        QCOMPARE(world.as("wrong", "POST", kMint, "{}").status, 401U);
        world.broker.clock.advance(kWindow);
        QCOMPARE(world.as("opaque", "POST", kMint, "{}").status, 200U);
    }

    void mints_CountInTheirOwnBucketAlone_UnlessItRefuses()
    {
        World world([](Config& config) {
            config.mintsPerMinute = 25;
            config.othersPerMinute = 20;
            config.sessionsPerUser = 1'000;
            config.violationsToBlock = 0;
        });
        const std::string user = world.user();
        for (int i = 0; i < 25; ++i) {
            QCOMPARE(world.as(user, "POST", kMint, "{}").status, 200U);
        }
        for (int i = 0; i < 20; ++i) {
            QCOMPARE(
                header(world.as(user, "POST", kMint, "{}"), "RateLimit-Policy"), std::string("\"mint\";q=25;w=60"));
        }
        QCOMPARE(
            header(world.as(user, "POST", kMint, "{}"), "RateLimit-Policy"), std::string("\"credential\";q=20;w=60"));
    }

    void guessAtTheHealthPage_IsInTheAudit()
    {
        World world;
        QCOMPARE(world.as("wrong", "GET", kHealth).body, std::string("{\"status\":\"ok\"}"));
        QCOMPARE(world.as(world.serviceKey() + "x", "GET", kHealth).status, 200U);
        const auto lines = denials(world, 2);
        QCOMPARE(lines.size(), std::size_t{2});
        QCOMPARE(lines[0].at("why").get<std::string>(), std::string("malformed"));
        QCOMPARE(lines[1].at("why").get<std::string>(), std::string("unknown_service_key"));
        // Who bears nothing, or bears what is good, is no denial.
        QCOMPARE(world.broker.send(world.broker.request("GET", kHealth)).status, 200U);
        QCOMPARE(world.as(world.user(), "GET", kHealth).status, 200U);
        world.broker.drain();
        QCOMPARE(denials(world, 2).size(), std::size_t{2});
    }

    void foreignSession_EndedOrResumed_IsInTheAuditWithItsName()
    {
        World world;
        const auto minted = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        const std::string path = "/api/voice/session/" + minted.sessionId;
        QCOMPARE(world.as(world.user("u2"), "DELETE", path).status, 404U);
        const std::string body = Json({{"resumeSessionId", minted.sessionId}}).dump();
        QCOMPARE(world.as(world.user("u3"), "POST", kMint, body).status, 404U);
        const auto lines = denials(world, 2);
        QCOMPARE(lines.size(), std::size_t{2});
        for (const std::size_t i : {0U, 1U}) {
            QCOMPARE(lines[i].at("subject").get<std::string>(), std::string(i == 0 ? "u2" : "u3"));
            QCOMPARE(lines[i].at("why").get<std::string>(), std::string("session_not_found"));
            QCOMPARE(lines[i].at("target").get<std::string>(), minted.sessionId);
        }
    }

    void refresh_ThatIsRefused_IsInTheAuditWithWhoseItIs()
    {
        World world([](Config& config) { config.refreshesPerMinute = 1; });
        const std::string instance = Json({{"clientInstance", "mine"}}).dump();
        const auto refresh = [&](const core::broker::TokenResponse& minted, const std::string& body) {
            return codeOf(world.as(std::string(minted.token.reveal()), "POST", "/api/voice-agent/refresh-token", body));
        };
        const auto one = tokenOf(world.as(world.user(), "POST", kMint, instance));
        const auto two = tokenOf(world.as(world.user("u2"), "POST", kMint, instance));
        const std::string foreign = Json({{"clientInstance", "another"}}).dump();
        QCOMPARE(refresh(one, foreign), std::string("invalid_token"));
        QCOMPARE(refresh(two, foreign), std::string("invalid_token"));
        auto lines = denials(world, 2);
        QCOMPARE(lines.size(), std::size_t{2});
        for (const std::size_t i : {0U, 1U}) {
            QCOMPARE(lines[i].at("subject").get<std::string>(), std::string(i == 0 ? "u1" : "u2"));
            QCOMPARE(lines[i].at("issuer").get<std::string>(), world.login.url());
            QCOMPARE(lines[i].at("target").get<std::string>(), (i == 0 ? one : two).sessionId);
        }
        const auto next =
            tokenOf(world.as(std::string(one.token.reveal()), "POST", "/api/voice-agent/refresh-token", instance));
        QCOMPARE(next.sessionId, one.sessionId);
        QCOMPARE(refresh(next, instance), std::string("rate_limited"));
        lines = denials(world, 3);
        QCOMPARE(lines.size(), std::size_t{3});
        QCOMPARE(lines[2].at("why").get<std::string>(), std::string("rate_limited"));
        QCOMPARE(lines[2].at("subject").get<std::string>(), std::string("u1"));
        QCOMPARE(lines[2].at("target").get<std::string>(), one.sessionId);
    }

    /// Or an outage would look like an attack.
    void refresh_ThatFails_IsNoDenial()
    {
        World world;
        const auto minted = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        const auto refresh = [&](std::string_view token) {
            return codeOf(world.as(std::string(token), "POST", "/api/voice-agent/refresh-token", "{}"));
        };
        world.broker.provider.answerWith(net::HttpResponse::json(500, "{}"));
        QCOMPARE(refresh(minted.token.reveal()), std::string("provider_failed"));
        // After that one's line, if it had one.
        QCOMPARE(refresh("ek_wrong"), std::string("invalid_token"));
        const auto lines = denials(world, 1);
        QCOMPARE(lines.size(), std::size_t{1});
        QCOMPARE(lines[0].at("why").get<std::string>(), std::string("invalid_token"));
    }

    void project_ThatIsAToken_IsRefusedAndKeptNowhere()
    {
        World world;
        const auto minted = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        for (const std::string& token : {std::string(minted.token.reveal()), world.user(), world.serviceKey(),
                 std::string("sk-proj-marker"), std::string("auth_tokens/marker")}) {
            const auto refused = world.as(world.user("u2"), "POST", kMint, Json({{"projectId", token}}).dump());
            QCOMPARE(codeOf(refused), std::string("invalid_body"));
            QVERIFY(refused.body.find(token) == std::string::npos);
            world.broker.clock.advance(std::chrono::seconds(10));
        }
        QCOMPARE(codeOf(world.as(world.user("u3"), "POST", kMint, "{\"model\":\"\"}")), std::string("invalid_body"));
        world.broker.drain();
        QCOMPARE(world.lines(1).size(), std::size_t{1});
    }

    void forgiving_IsInTheAuditWithItsAdmin_AlsoWhereNoBlockRan()
    {
        World world;
        const Json name{{"user", "somebody"}};
        const auto lifted = world.as(world.admin(), "POST", "/api/admin/blocks/lift", name.dump());
        QCOMPARE(lifted.status, 200U);
        QVERIFY(!Json::parse(lifted.body).at("lifted").get<bool>());
        // Stored before the answer left: nobody waits here.
        const auto lines = world.lines(0);
        QCOMPARE(lines.size(), std::size_t{1});
        const Json& line = lines[0];
        QCOMPARE(line.at("event").get<std::string>(), std::string("subject.unblock"));
        QCOMPARE(line.at("outcome").get<std::string>(), std::string("done"));
        QCOMPARE(line.at("issuer").get<std::string>(), world.login.url());
        QCOMPARE(line.at("subject").get<std::string>(), std::string("root"));
        QCOMPARE(line.at("peer").get<std::string>(), std::string("127.0.0.1"));
        QCOMPARE(line.at("request").get<std::string>(), header(lifted, "X-Request-Id"));
        QCOMPARE(line.at("target").get<std::string>(), std::string("somebody"));
    }

    void forgiving_WhileTheLimitsAreAway_IsToldTwice()
    {
        World world([](Config& config) {
            // Nobody listens there.
            config.redisUrl = core::Secret("redis://127.0.0.1:1");
            config.secret = core::Secret(kTestSecret);
            config.limitsDegrade = true;
        });
        const auto lifted = world.as(world.admin(), "POST", "/api/admin/blocks/lift", Json({{"user", "u"}}).dump());
        QCOMPARE(lifted.status, 503U);
        const auto lines = world.lines(0);
        QCOMPARE(lines.size(), std::size_t{2});
        QCOMPARE(lines[1].at("event").get<std::string>(), std::string("subject.unblock"));
        QCOMPARE(lines[1].at("outcome").get<std::string>(), std::string("failed"));
        QCOMPARE(lines[1].at("subject").get<std::string>(), std::string("root"));
    }

    void resume_OverTheLimit_IsInTheAudit()
    {
        World world([](Config& config) { config.refreshesPerMinute = 1; });
        const auto minted = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        const std::string body = Json({{"resumeSessionId", minted.sessionId}}).dump();
        world.broker.clock.advance(std::chrono::seconds(61));
        QCOMPARE(world.as(world.user(), "POST", kMint, body).status, 200U);
        QCOMPARE(world.as(world.user(), "POST", kMint, body).status, 429U);
        const auto lines = denials(world, 1);
        QCOMPARE(lines.size(), std::size_t{1});
        QCOMPARE(lines[0].at("why").get<std::string>(), std::string("rate_limited"));
        QCOMPARE(lines[0].at("target").get<std::string>(), minted.sessionId);
    }

    void sessionIds_AreKnownByTheirForm()
    {
        const std::string id = broker::makeSessionId(1'800'000'000);
        QVERIFY(broker::isSessionId(id));
        QVERIFY(broker::isSessionId("voice_1_abcdefghijklmnopqrst-_"));
        for (const std::string& other :
            {std::string(), std::string("voice_"), std::string("voice_1"), std::string("voice_1_"),
                std::string("voice__abcdefghijklmnopqrstuv"), std::string("voice_x_abcdefghijklmnopqrstuv"), id + "x",
                id.substr(0, id.size() - 1), "x" + id, id.substr(0, id.size() - 1) + "/",
                id.substr(0, id.size() - 1) + " ", std::string("voice_1234567890123_abcdefghijklmnopqrstuv"),
                std::string("ek_68af296e8e408191a1120ab6383263c2")}) {
            QVERIFY2(!broker::isSessionId(other), other.c_str());
        }
    }

    void whatIsNoSession_IsNotKeptForOne()
    {
        OperatorWorld world;
        QCOMPARE(world.as(world.user(), "DELETE", "/api/voice/session/ek_marker").status, 404U);
        QCOMPARE(
            world.as(world.user(), "POST", kMint, core::Json({{"resumeSessionId", "ek_marker"}}).dump()).status, 404U);
        for (const core::Json& line : world.lines(1)) {
            QVERIFY2(line.dump().find("marker") == std::string::npos, line.dump().c_str());
        }
        // A name that can be one tells whom somebody is after.
        const std::string id = broker::makeSessionId(1'800'000'000);
        QCOMPARE(world.as(world.user("u2"), "DELETE", "/api/voice/session/" + id).status, 404U);
        QCOMPARE(world.lines(2).back().at("target").get<std::string>(), id);
    }
};

QTEST_GUILESS_MAIN(TestBrokerDenials)
#include "test_broker_denials.moc"
