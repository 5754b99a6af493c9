#include "broker/audit/audit_verifier.h"
#include "broker/store/connection.h"
#include "broker/store/database.h"
#include "tests/broker/operator_world.h"
#include "tests/broker/test_secrets.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <future>
#include <set>

#include <csignal>
#include <sys/resource.h>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::broker::auth;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr const char* kMint = "/api/voice-agent/token";

using World = OperatorWorld;

/// No file of this process may grow any more: what a full disk does. Nothing can be said in between.
struct FullDisk {
    FullDisk()
    {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        const rlimit none{1, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &none);
    }
    ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before); }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

    rlimit before{};
};

} // namespace

class TestBrokerAccess : public QObject {
    Q_OBJECT

private slots:
    void userServiceAndNobody_GetWhatTheyMay()
    {
        World world;
        QCOMPARE(world.as(world.user(), "POST", kMint, "{}").status, 200U);
        QCOMPARE(world.as(world.serviceKey(), "POST", kMint, "{}").status, 200U);
        const auto unscoped = world.as(world.login.token("u2", "openid"), "POST", kMint, "{}");
        QCOMPARE(unscoped.status, 403U);
        QCOMPARE(codeOf(unscoped), std::string("insufficient_scope"));
        QCOMPARE(header(unscoped, "WWW-Authenticate"),
            std::string("Bearer realm=\"vivavoce\", error=\"insufficient_scope\", scope=\"voice:mint\""));
        const auto forged = world.as(world.user() + "x", "POST", kMint, "{}");
        QCOMPARE(forged.status, 401U);
        QVERIFY(header(forged, "WWW-Authenticate").find("invalid_token") != std::string::npos);
        // Somewhere on the way, what is behind a NUL may be lost: that is alice's name.
        QCOMPARE(codeOf(world.as(world.user(std::string("alice\0x", 7)), "POST", kMint, "{}")),
            std::string("invalid_token"));
        world.broker.clock.advance(std::chrono::seconds(631));
        QCOMPARE(codeOf(world.as(world.user(), "POST", kMint, "{}")), std::string("token_expired"));
        QCOMPARE(world.broker.provider.requests().size(), std::size_t{2});
    }

    void credentialsThatAreNotGood_GetTheSameAnswer_WhateverIsWrongWithThem()
    {
        World world;
        const std::string known = world.serviceKey();
        std::string other = known;
        other.back() = other.back() == 'A' ? 'B' : 'A';
        const Json elsewhere{{"iss", "https://elsewhere.example"}};
        const Json forOthers{{"aud", "somebody-else"}};
        std::set<std::string> answers;
        std::size_t count = 0;
        const NewServiceKey ofNobody = makeServiceKey("nobody");
        for (const std::string& wrong :
            {std::string("x"), other, std::string(ofNobody.key.reveal()), world.user() + "x", world.user().substr(1),
                world.login.token("u1", "voice:mint", elsewhere), world.login.token("u1", "voice:mint", forOthers)}) {
            const auto answer = world.as(wrong, "POST", kMint, "{}");
            std::string text = std::to_string(answer.status) + "\n" + answer.body;
            for (const auto& field : answer.headers.fields()) {
                const bool isOfThisOne =
                    core::equalsIgnoreCase(field.name, "X-Request-Id") || core::equalsIgnoreCase(field.name, "Date");
                text += isOfThisOne ? std::string() : "\n" + field.name + ": " + field.value;
            }
            answers.insert(text);
            ++count;
        }
        QCOMPARE(count, std::size_t{7});
        QVERIFY2(answers.size() == 1, answers.rbegin()->c_str());
        QVERIFY(answers.begin()->starts_with("401"));
    }

    void everyDecision_IsInTheAudit_AndNoSecretIs()
    {
        World world;
        const std::string user = world.user("Ada \"\\ Lovelace");
        const auto minted = tokenOf(world.as(user, "POST", kMint, "{}"));
        QVERIFY(!minted.sessionId.empty());
        const std::string first(minted.token.reveal());
        const auto renewed = tokenOf(world.broker.send(world.broker.refreshRequest(first)));
        QCOMPARE(renewed.sessionId, minted.sessionId);
        QCOMPARE(codeOf(world.broker.send(world.broker.refreshRequest(first))), std::string("token_reused"));
        world.as("not-a-credential", "POST", kMint, "{}");
        const auto lines = world.lines(5);
        std::vector<std::string> events;
        std::string whole;
        for (const Json& line : lines) {
            events.push_back(line.at("event").get<std::string>());
            whole += line.dump();
        }
        QCOMPARE(events,
            (std::vector<std::string>{"token.mint", "token.refresh", "token.reuse", "request.deny", "request.deny"}));
        QCOMPARE(lines[0].at("subject").get<std::string>(), std::string("Ada \"\\ Lovelace"));
        QCOMPARE(lines[0].at("issuer").get<std::string>(), world.login.url());
        QCOMPARE(lines[0].at("session").get<std::string>(), minted.sessionId);
        QCOMPARE(lines[1].at("session").get<std::string>(), minted.sessionId);
        QVERIFY(lines[0].at("token") != lines[1].at("token"));
        QVERIFY(lines[2].at("token") == lines[0].at("token"));
        for (const std::string& secret :
            {first, std::string(renewed.token.reveal()), user, std::string("not-a-credential")}) {
            QVERIFY(whole.find(secret) == std::string::npos);
            QVERIFY(world.broker.log.text().find(secret) == std::string::npos);
        }
        QVERIFY(AuditVerifier::verify(world.audit.path().toStdString()).has_value());
    }

    void withoutAnAudit_NothingIsMinted_UntilThereIsOneAgain()
    {
        World world;
        const std::string folder = world.audit.path().toStdString();
        QVERIFY(!tokenOf(world.as(world.user(), "POST", kMint, "{}")).sessionId.empty());
        net::ClientResponse refused;
        std::size_t minted = 0;
        {
            const FullDisk disk;
            refused = world.as(world.user(), "POST", kMint, "{}");
            minted = world.broker.provider.requests().size();
            // Now it is known: what would be thrown away is not asked for.
            QCOMPARE(world.as(world.user(), "POST", kMint, "{}").status, 503U);
            QCOMPARE(world.broker.provider.requests().size(), minted);
        }
        QCOMPARE(refused.status, 503U);
        QCOMPARE(codeOf(refused), std::string("unavailable"));
        QVERIFY(refused.body.find("ek_marker") == std::string::npos);
        // The line of the sign-in may have shown already that there is no audit.
        QVERIFY(minted == 1 || minted == 2);
        // And without a restart.
        QVERIFY(!tokenOf(world.as(world.user(), "POST", kMint, "{}")).sessionId.empty());
        QVERIFY(AuditVerifier::verify(folder).has_value());
    }

    void reuse_WithoutAnAudit_IsToldByTheNextOne()
    {
        World world;
        const auto first = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        const std::string spent(first.token.reveal());
        const auto second = tokenOf(world.broker.send(world.broker.refreshRequest(spent)));
        QVERIFY(!second.sessionId.empty());
        {
            const FullDisk disk;
            QCOMPARE(world.broker.send(world.broker.refreshRequest(spent)).status, 503U);
        }
        QCOMPARE(codeOf(world.broker.send(world.broker.refreshRequest(spent))), std::string("token_reused"));
        const auto lines = world.lines(3);
        QVERIFY(std::any_of(lines.begin(), lines.end(),
            [](const Json& line) { return line.at("event").get<std::string>() == "token.reuse"; }));
        QCOMPARE(codeOf(world.broker.send(world.broker.refreshRequest(second.token.reveal()))),
            std::string("invalid_token"));
    }

    /// The line before said what was to follow.
    void reuse_WhoseSessionCannotBeEnded_IsToldAsFailed()
    {
        const QTemporaryDir folder;
        const std::string url = "sqlite://" + folder.path().toStdString() + "/broker.db";
        World world([&](Config& config) { config.databaseUrl = core::Secret(url); });
        const auto first = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        const std::string spent(first.token.reveal());
        (void)tokenOf(world.broker.send(world.broker.refreshRequest(spent)));
        CapturedLog log;
        Database::Settings settings;
        settings.url = core::Secret(url);
        const auto database = Database::open(std::move(settings), log);
        QVERIFY(database.has_value());
        std::promise<void> done;
        (*database)->post([](broker::Connection& sql) {
            sql << "CREATE TRIGGER stays BEFORE DELETE ON sessions BEGIN SELECT RAISE(ABORT, 'no'); END";
        });
        (*database)->post([&](broker::Connection&) { done.set_value(); });
        done.get_future().wait();
        const auto answer = world.broker.send(world.broker.refreshRequest(spent));
        QCOMPARE(answer.status, 503U);
        auto lines = world.lines(4);
        std::erase_if(lines, [](const Json& line) { return line.at("event") != "token.reuse"; });
        QCOMPARE(lines.size(), std::size_t{2});
        QCOMPARE(lines[1].at("outcome").get<std::string>(), std::string("failed"));
        QCOMPARE(lines[1].at("why").get<std::string>(), std::string("unavailable"));
        QCOMPARE(lines[1].at("request").get<std::string>(), lines[0].at("request").get<std::string>());
    }

    void forgiving_WithoutAnAudit_ForgivesNobody()
    {
        World world([](Config& config) {
            config.mintsPerMinute = 1;
            config.violationsToBlock = 1;
        });
        for (int i = 0; i < 3; ++i) {
            (void)world.as(world.user(), "POST", kMint, "{}");
        }
        const auto blocks = [&] {
            return Json::parse(world.as(world.admin(), "GET", "/api/admin/blocks").body).at("blocks");
        };
        QCOMPARE(blocks().size(), std::size_t{1});
        const std::string body = Json({{"user", blocks()[0].at("user")}}).dump();
        net::ClientResponse refused;
        {
            const FullDisk disk;
            refused = world.as(world.admin(), "POST", "/api/admin/blocks/lift", body);
        }
        QCOMPARE(codeOf(refused), std::string("unavailable"));
        QCOMPARE(blocks().size(), std::size_t{1});
    }

    void readiness_FollowsTheAudit_ThereAndBack()
    {
        World world;
        const auto status = [&](const char* path) {
            return world.broker.send(world.broker.request("GET", path)).status;
        };
        QCOMPARE(status("/readyz"), 200U);
        unsigned ready = 0;
        unsigned alive = 0;
        {
            const FullDisk disk;
            (void)world.as(world.user(), "POST", kMint, "{}");
            ready = status("/readyz");
            alive = status("/healthz");
        }
        QCOMPARE(ready, 503U);
        QCOMPARE(alive, 200U);
        // A load balancer sends nothing here now; it has to mend all the same.
        QTRY_COMPARE(status("/readyz"), 200U);
        QVERIFY(!tokenOf(world.as(world.user(), "POST", kMint, "{}")).sessionId.empty());
        QVERIFY(AuditVerifier::verify(world.audit.path().toStdString()).has_value());
    }

    void readiness_FollowsTheLimits_WhereTheyFailClosed_data()
    {
        QTest::addColumn<bool>("degrades");
        QTest::addColumn<uint>("status");
        QTest::newRow("fail closed") << false << 503U;
        QTest::newRow("degrade to memory") << true << 200U;
    }
    void readiness_FollowsTheLimits_WhereTheyFailClosed()
    {
        QFETCH(bool, degrades);
        QFETCH(uint, status);
        World world([&](Config& config) {
            // Nobody listens there.
            config.redisUrl = core::Secret("redis://127.0.0.1:1");
            config.secret = core::Secret(kTestSecret);
            config.limitsDegrade = degrades;
        });
        QCOMPARE(world.as(world.user(), "POST", kMint, "{}").status, status);
        QCOMPARE(world.broker.send(world.broker.request("GET", "/readyz")).status, status);
        QCOMPARE(world.broker.send(world.broker.request("GET", "/healthz")).status, 200U);
    }

    void tooMany_IsRefusedPerUser_AndBlocksWhoGoesOn()
    {
        World world([](Config& config) {
            config.mintsPerMinute = 2;
            config.sessionsPerUser = 100;
        });
        const std::string user = world.user();
        for (int i = 0; i < 2; ++i) {
            QCOMPARE(world.as(user, "POST", kMint, "{}").status, 200U);
        }
        const auto refused = world.as(user, "POST", kMint, "{}");
        QCOMPARE(codeOf(refused), std::string("rate_limited"));
        QVERIFY(!header(refused, "Retry-After").empty());
        QCOMPARE(header(refused, "RateLimit-Policy"), std::string("\"mint\";q=2;w=60"));
        // Somebody else from the same address is not in the way.
        QCOMPARE(world.as(world.user("u2"), "POST", kMint, "{}").status, 200U);
        for (int i = 0; i < 3; ++i) {
            world.as(user, "POST", kMint, "{}");
        }
        world.broker.clock.advance(std::chrono::seconds(61));
        const auto blocked = world.as(user, "POST", kMint, "{}");
        QCOMPARE(codeOf(blocked), std::string("blocked"));
        QVERIFY(blocked.body.find("abnormal-usage-detected") != std::string::npos);
        // An admin sees it and lifts it; nobody else may.
        QCOMPARE(world.as(user, "GET", "/api/admin/blocks").status, 403U);
        const auto listed = world.as(world.admin(), "GET", "/api/admin/blocks");
        QCOMPARE(listed.status, 200U);
        const Json blocks = Json::parse(listed.body).at("blocks");
        QCOMPARE(blocks.size(), std::size_t{1});
        const Json name{{"user", blocks[0].at("user")}};
        QCOMPARE(world.as(world.admin(), "POST", "/api/admin/blocks/lift", name.dump()).status, 200U);
        QCOMPARE(world.as(user, "POST", kMint, "{}").status, 200U);
        const auto lines = world.lines(8);
        const auto count = [&](const char* event) {
            return std::count_if(
                lines.begin(), lines.end(), [&](const Json& line) { return line.at("event") == event; });
        };
        QCOMPARE(count("subject.block"), 1);
        QCOMPARE(count("subject.unblock"), 1);
    }

    void sessions_AreBoundedPerUser()
    {
        World world([](Config& config) { config.sessionsPerUser = 2; });
        const std::string user = world.user();
        QCOMPARE(world.as(user, "POST", kMint, "{}").status, 200U);
        const auto second = tokenOf(world.as(user, "POST", kMint, "{}"));
        QCOMPARE(codeOf(world.as(user, "POST", kMint, "{}")), std::string("too_many_sessions"));
        QCOMPARE(world.as(world.user("u2"), "POST", kMint, "{}").status, 200U);
        QCOMPARE(world.as(user, "DELETE", "/api/voice/session/" + second.sessionId).status, 200U);
        QCOMPARE(world.as(user, "POST", kMint, "{}").status, 200U);
    }

    void session_IsEndedByItsOwnerOrAnAdmin_ByNobodyElse()
    {
        World world;
        const auto mint = [&] { return tokenOf(world.as(world.user(), "POST", kMint, "{}")); };
        const auto one = mint();
        const std::string path = "/api/voice/session/" + one.sessionId;
        QCOMPARE(codeOf(world.as(world.user("u2"), "DELETE", path)), std::string("session_not_found"));
        QCOMPARE(world.as(world.user(), "DELETE", path).status, 200U);
        QCOMPARE(codeOf(world.as(world.user(), "DELETE", path)), std::string("session_not_found"));
        QCOMPARE(
            codeOf(world.broker.send(world.broker.refreshRequest(one.token.reveal()))), std::string("invalid_token"));
        const auto two = mint();
        QCOMPARE(world.as(world.admin(), "DELETE", "/api/voice/session/" + two.sessionId).status, 200U);
        QCOMPARE(
            codeOf(world.broker.send(world.broker.refreshRequest(two.token.reveal()))), std::string("invalid_token"));
        const auto three = mint();
        const std::string last = "/api/voice/session/" + three.sessionId;
        QCOMPARE(world.as(world.login.token("u1", "voice:mint"), "DELETE", last).status, 403U);
        // A program of the operator's may have the one scope only.
        QCOMPARE(world.as(world.login.token("robot", "voice:admin"), "DELETE", last).status, 200U);
        QCOMPARE(codeOf(world.as(world.admin(), "DELETE", "/api/voice/session/")), std::string("not_found"));
        QCOMPARE(codeOf(world.as(world.admin(), "DELETE", "/api/voice/session/a/b")), std::string("not_found"));
    }

    void admin_EndsAllSessionsOfAUser()
    {
        World world;
        const auto one = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        const auto two = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        const auto other = tokenOf(world.as(world.user("u2"), "POST", kMint, "{}"));
        Caller caller;
        caller.issuer = world.login.url();
        caller.subject = "u1";
        const std::string body = Json({{"user", caller.key()}}).dump();
        QCOMPARE(world.as(world.user(), "POST", "/api/admin/sessions/revoke", body).status, 403U);
        const auto ended = world.as(world.admin(), "POST", "/api/admin/sessions/revoke", body);
        QCOMPARE(Json::parse(ended.body).at("ended").get<int>(), 2);
        for (const auto* token : {&one, &two}) {
            QCOMPARE(codeOf(world.broker.send(world.broker.refreshRequest(token->token.reveal()))),
                std::string("invalid_token"));
        }
        QCOMPARE(world.broker.send(world.broker.refreshRequest(other.token.reveal())).status, 200U);
        // And of a project, whoever has them.
        const std::string ours = Json({{"projectId", "choir"}}).dump();
        const auto sung = tokenOf(world.as(world.user("u3"), "POST", kMint, ours));
        const auto also = world.as(world.admin(), "POST", "/api/admin/sessions/revoke", "{\"project\":\"choir\"}");
        QCOMPARE(Json::parse(also.body).at("ended").get<int>(), 1);
        QCOMPARE(
            codeOf(world.broker.send(world.broker.refreshRequest(sung.token.reveal()))), std::string("invalid_token"));
        for (const char* wrong :
            {"", "{}", "[]", "{\"user\":1}", "{\"other\":\"a\"}", "{\"user\":\"\"}", "{\"user\":\"a\",\"more\":1}"}) {
            QCOMPARE(codeOf(world.as(world.admin(), "POST", "/api/admin/sessions/revoke", wrong)),
                std::string("invalid_body"));
        }
    }

    void strangers_AreLimitedByAddress_AndProxiesAreBelieved()
    {
        World world([](Config& config) {
            config.strangersPerMinute = 3;
            config.trustedProxies = {"127.0.0.1"};
        });
        const auto from = [&](const std::string& address, const std::string& token) {
            return codeOf(
                world.as(token, "POST", kMint, "{}", {{"X-Forwarded-For", address}, {"X-Forwarded-Proto", "https"}}));
        };
        for (int i = 0; i < 3; ++i) {
            // What stands further left anybody may have written.
            QCOMPARE(from("10.0.0." + std::to_string(i) + ", 203.0.113.7", "wrong"), std::string("invalid_token"));
        }
        QCOMPARE(from("203.0.113.7", "wrong"), std::string("rate_limited"));
        QCOMPARE(from("203.0.113.8", "wrong"), std::string("invalid_token"));
        // Also where it is written down who was answered.
        QVERIFY(world.broker.log.text().find("\"peer\":\"203.0.113.8\"") != std::string::npos);
        QVERIFY(world.broker.log.text().find("\"peer\":\"127.0.0.1\"") == std::string::npos);
    }

    void strangersInGreatNumber_LockOutNobodyWithGoodCredentialsAtTheirAddress()
    {
        World world([](Config& config) {
            config.strangersPerMinute = 3;
            config.refreshesPerMinute = 1;
        });
        const auto live = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        const std::string token(live.token.reveal());
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(codeOf(world.as("wrong", "POST", kMint, "{}")), std::string("invalid_token"));
        }
        const auto lines = world.lines(2).size();
        for (const std::string& wrong : {std::string("wrong"), world.user() + "x", world.serviceKey() + "x"}) {
            const auto refused = world.as(wrong, "POST", kMint, "{}");
            QCOMPARE(codeOf(refused), std::string("rate_limited"));
            QCOMPARE(header(refused, "RateLimit-Policy"), std::string("\"address\";q=3;w=60"));
            QCOMPARE(codeOf(world.broker.send(world.broker.refreshRequest("ek_wrong"))), std::string("rate_limited"));
        }
        QCOMPARE(codeOf(world.broker.send(world.broker.request("POST", kMint, "{}"))), std::string("rate_limited"));
        QCOMPARE(world.as(world.user(), "POST", kMint, "{}").status, 200U);
        QCOMPARE(world.as(world.serviceKey(), "POST", kMint, "{}").status, 200U);
        const auto renewed = tokenOf(world.broker.send(world.broker.refreshRequest(token)));
        QCOMPARE(renewed.sessionId, live.sessionId);
        QVERIFY(Json::parse(world.as(world.admin(), "GET", "/api/voice-agent/health").body).contains("services"));
        // Whoever floods us writes one line of it a minute, and the sum.
        const auto all = world.lines(lines + 4);
        QCOMPARE(all.size(), lines + 4);
        QCOMPARE(std::count_if(
                     all.begin(), all.end(), [](const Json& line) { return line.value("why", "") == "rate_limited"; }),
            1);
    }

    void refreshes_OfALiveSessionThatAreRefused_AreNoStrangers()
    {
        World world([](Config& config) {
            config.strangersPerMinute = 2;
            config.refreshesPerMinute = 1;
            config.violationsToBlock = 0;
        });
        const auto live = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        const auto renewed = tokenOf(world.broker.send(world.broker.refreshRequest(live.token.reveal())));
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(header(world.broker.send(world.broker.refreshRequest(renewed.token.reveal())), "RateLimit-Policy"),
                std::string("\"refresh\";q=1;w=60"));
        }
        QCOMPARE(codeOf(world.as("wrong", "POST", kMint, "{}")), std::string("invalid_token"));
    }

    /// Whoever bears one live token would have the database looked into without end.
    void refreshes_ThatAreRefused_AreBoundedByTheirToken()
    {
        World world([](Config& config) {
            config.refreshesPerMinute = 2;
            config.othersPerMinute = 3;
            config.violationsToBlock = 0;
        });
        std::string token(tokenOf(world.as(world.user(), "POST", kMint, "{}")).token.reveal());
        const auto refresh = [&] { return world.broker.send(world.broker.refreshRequest(token)); };
        for (int i = 0; i < 2; ++i) {
            token = tokenOf(refresh()).token.reveal();
            QVERIFY(!token.empty());
        }
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(header(refresh(), "RateLimit-Policy"), std::string("\"refresh\";q=2;w=60"));
        }
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(header(refresh(), "RateLimit-Policy"), std::string("\"credential\";q=3;w=60"));
        }
        world.broker.clock.advance(std::chrono::seconds(59));
        QCOMPARE(refresh().status, 429U);
    }

    void strangersInGreatNumber_BeforeTheKeysAreThere_LockOutNobodyForLong()
    {
        World world([](Config& config) { config.strangersPerMinute = 1; });
        QCOMPARE(codeOf(world.as("wrong", "POST", kMint, "{}")), std::string("invalid_token"));
        // Nobody's request fetches them; the broker does, once.
        QVERIFY(QTest::qWaitFor([&] { return world.as(world.user(), "POST", kMint, "{}").status == 200; }));
        QCOMPARE(codeOf(world.as("wrong", "POST", kMint, "{}")), std::string("rate_limited"));
        QCOMPARE(world.login.asked(), 1);
    }

    void forwardedFor_InSeveralLines_IsReadFromTheLastOne()
    {
        World world([](Config& config) {
            config.strangersPerMinute = 2;
            config.trustedProxies = {"127.0.0.1"};
        });
        // The first line is the client's own, the second one the proxy's.
        const auto from = [&](const std::string& own, const std::string& address) {
            auto request = world.broker.request("POST", kMint, "{}");
            request.headers.add("Authorization", "Bearer wrong");
            request.headers.add("X-Forwarded-Proto", "https");
            request.headers.add("X-Forwarded-For", own);
            request.headers.add("X-Forwarded-For", address);
            return codeOf(world.broker.send(std::move(request)));
        };
        QCOMPARE(from("10.0.0.1", "203.0.113.7"), std::string("invalid_token"));
        QCOMPARE(from("nonsense", "203.0.113.7"), std::string("invalid_token"));
        QCOMPARE(from("10.0.0.3", "203.0.113.7"), std::string("rate_limited"));
        QCOMPARE(from("203.0.113.7", "203.0.113.8"), std::string("invalid_token"));
        QCOMPARE(world.lines(1).at(0).at("peer").get<std::string>(), std::string("203.0.113.7"));
    }

    void forwardedFor_WithPortsAndOtherSpellings_IsTheSameAddress()
    {
        World world([](Config& config) {
            config.strangersPerMinute = 2;
            config.trustedProxies = {"127.0.0.1", "2001:0db8::0:9"};
        });
        const auto from = [&](const std::string& address) {
            return codeOf(
                world.as("wrong", "POST", kMint, "{}", {{"X-Forwarded-For", address}, {"X-Forwarded-Proto", "https"}}));
        };
        QCOMPARE(from("203.0.113.7:4711"), std::string("invalid_token"));
        QCOMPARE(from("::ffff:203.0.113.7"), std::string("invalid_token"));
        QCOMPARE(from("203.0.113.7, 2001:db8::9, [2001:DB8:0::9]:5"), std::string("rate_limited"));
        QCOMPARE(from("[2001:db8:1::1]:5"), std::string("invalid_token"));
        QCOMPARE(from("2001:db8:1::2"), std::string("invalid_token"));
        QCOMPARE(from("[2001:db8:1::3]"), std::string("rate_limited"));
        QCOMPARE(world.lines(1).at(0).at("peer").get<std::string>(), std::string("203.0.113.7"));
    }

    void plainHttp_IsSentToHttpsWhereThatIsSafe_AndRefusedElsewhere()
    {
        World world([](Config& config) { config.trustedProxies = {"127.0.0.1"}; });
        const auto plain = [&](const char* method, const char* path) {
            return world.broker.send(world.broker.request(method, path, {}));
        };
        const std::string host = world.broker.url().substr(std::string("http://").size());
        const auto sent = plain("GET", "/healthz?a=1&b=%20");
        QCOMPARE(sent.status, 308U);
        QCOMPARE(header(sent, "Location"), "https://" + host + "/healthz?a=1&b=%20");
        QCOMPARE(header(plain("GET", "/healthz"), "Location"), "https://" + host + "/healthz");
        const auto refused = plain("POST", kMint);
        QCOMPARE(refused.status, 403U);
        QCOMPARE(codeOf(refused), std::string("https_required"));
        QVERIFY(header(refused, "Location").empty());
        World known([](Config& config) {
            config.trustedProxies = {"127.0.0.1"};
            config.publicUrl = "https://voice.example";
        });
        const auto named = known.broker.send(known.broker.request("GET", "/healthz?a=1", {}));
        QCOMPARE(header(named, "Location"), std::string("https://voice.example/healthz?a=1"));
        // By a proxy that says so it is https.
        auto request = world.broker.request("GET", "/healthz");
        request.headers.add("X-Forwarded-Proto", "https");
        QCOMPARE(world.broker.send(std::move(request)).status, 200U);
    }

    void strictTransportSecurity_IsForWhomeverAProxySaysCameByHttps_data()
    {
        QTest::addColumn<bool>("isTrusted");
        QTest::addColumn<QByteArray>("says");
        QTest::addColumn<bool>("hasIt");
        QTest::newRow("a proxy, https") << true << QByteArray("https") << true;
        QTest::newRow("a proxy, http") << true << QByteArray("http") << false;
        QTest::newRow("anybody, https") << false << QByteArray("https") << false;
    }
    void strictTransportSecurity_IsForWhomeverAProxySaysCameByHttps()
    {
        QFETCH(bool, isTrusted);
        QFETCH(QByteArray, says);
        QFETCH(bool, hasIt);
        World world([&](Config& config) { config.trustedProxies = {isTrusted ? "127.0.0.1" : "192.0.2.1"}; });
        auto request = world.broker.request("GET", "/healthz");
        request.headers.add("X-Forwarded-Proto", says.toStdString());
        QCOMPARE(header(world.broker.send(std::move(request)), "Strict-Transport-Security"),
            std::string(hasIt ? "max-age=63072000; includeSubDomains" : ""));
    }

    void pages_OfListedOriginsAlone_MayRead_data()
    {
        QTest::addColumn<QByteArray>("origin");
        QTest::addColumn<bool>("isAllowed");
        QTest::newRow("listed") << QByteArray("https://app.example") << true;
        QTest::newRow("with a port") << QByteArray("https://app.example:8443") << true;
        for (const char* wrong : {"https://app.example.evil", "https://evilapp.example", "http://app.example",
                 "https://app.example:444", "https://app.example/", "https://APP.example", "null", "*",
                 "https://user@app.example", "https://app.example, https://evil.example", ""}) {
            QTest::newRow(wrong) << QByteArray(wrong) << false;
        }
    }
    void pages_OfListedOriginsAlone_MayRead()
    {
        QFETCH(QByteArray, origin);
        QFETCH(bool, isAllowed);
        World world([](Config& config) {
            config.allowedOrigins = {"https://app.example", "https://app.example:8443"};
        });
        auto preflight = world.broker.request("OPTIONS", kMint);
        preflight.headers.add("Origin", origin.toStdString());
        preflight.headers.add("Access-Control-Request-Method", "POST");
        const auto allowed = world.broker.send(std::move(preflight));
        QCOMPARE(allowed.status, 204U);
        QCOMPARE(header(allowed, "Access-Control-Allow-Origin"), isAllowed ? origin.toStdString() : std::string());
        QCOMPARE(header(allowed, "Access-Control-Max-Age"), std::string(isAllowed ? "86400" : ""));
        QCOMPARE(header(allowed, "Access-Control-Allow-Methods"),
            std::string(isAllowed ? "GET, POST, DELETE, OPTIONS" : ""));
        QCOMPARE(header(allowed, "Vary"), std::string("Origin"));
        QCOMPARE(allowed.headers.count("Access-Control-Allow-Credentials"), std::size_t{0});
        const auto read = world.as(world.user(), "POST", kMint, "{}", {{"Origin", origin.toStdString()}});
        QCOMPARE(header(read, "Access-Control-Allow-Origin"), isAllowed ? origin.toStdString() : std::string());
    }

    void description_NamesEveryRoute_AndNoOther()
    {
        // With it, all of them are there.
        World world([](broker::Config& config) {
            config.projects.check = broker::ProjectSettings::Check::Table;
            config.issuers.front().appClientId = "vivavoce-app";
        });
        const auto answer = world.broker.send(world.broker.request("GET", "/openapi.json"));
        QCOMPARE(answer.status, 200U);
        const Json document = Json::parse(answer.body);
        QVERIFY(document.at("openapi").get<std::string>().starts_with("3.1."));
        QVERIFY(document.at("info").at("version").get<std::string>().find('@') == std::string::npos);
        for (const auto& [path, methods] : document.at("paths").items()) {
            std::string asked = path;
            if (const auto brace = asked.find('{'); brace != std::string::npos) {
                // Of files, one that is there.
                asked.replace(brace, std::string::npos, path.ends_with("{file}") ? "look.css" : "x");
            }
            // A method that is there is never answered with 405; one that is not, always.
            for (const char* method : {"GET", "POST", "DELETE", "PUT"}) {
                std::string key = method;
                std::transform(
                    key.begin(), key.end(), key.begin(), [](char c) { return static_cast<char>(c - 'A' + 'a'); });
                const auto tried = world.broker.send(world.broker.request(method, asked));
                QVERIFY2((tried.status == 405) != methods.contains(key), (std::string(method) + " " + path).c_str());
                QVERIFY2(tried.status != 404 || codeOf(tried) == "session_not_found", path.c_str());
            }
        }
        QCOMPARE(document.at("paths").size(), std::size_t{41});
    }

    void health_TellsAdminsOfEachPart()
    {
        World world;
        QVERIFY(!Json::parse(world.as(world.user(), "GET", "/api/voice-agent/health").body).contains("services"));
        const Json seen = Json::parse(world.as(world.admin(), "GET", "/api/voice-agent/health").body);
        for (const char* service : {"limits", "audit", "issuers", "database"}) {
            QCOMPARE(seen.at("services").at(service).at("status").get<std::string>(), std::string("ok"));
        }
    }
};

QTEST_GUILESS_MAIN(TestBrokerAccess)
#include "test_broker_access.moc"
