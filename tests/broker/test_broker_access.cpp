#include "broker/audit/audit_verifier.h"
#include "broker/auth/signing_key.h"
#include "tests/broker/broker_harness.h"
#include "tests/net/test_server.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>
#include <QTest>

#include <filesystem>
#include <fstream>

#include <csignal>
#include <sys/resource.h>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::broker::auth;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr const char* kMint = "/api/voice-agent/token";

/// An issuer on loopback that publishes one key.
class LoginServer {
public:
    LoginServer()
    {
        net::Router router;
        net::test::addPlain(router, "GET", "/.well-known/openid-configuration", [this](const net::HttpRequest&) {
            return net::HttpResponse::json(200, Json({{"issuer", url()}, {"jwks_uri", url() + "/keys"}}).dump());
        });
        net::test::addPlain(router, "GET", "/keys", [this](const net::HttpRequest&) {
            return net::HttpResponse::json(200, Json({{"keys", Json::array({m_key.publicJwk()})}}).dump());
        });
        m_server = std::make_unique<net::test::TestServer>(std::move(router));
    }
    [[nodiscard]] std::string url() const { return m_server->url(""); }
    /// Good for ten minutes of the test's clock.
    [[nodiscard]] std::string token(const std::string& subject, const std::string& scopes) const
    {
        constexpr std::int64_t now = 1'800'000'000;
        return std::string(m_key
                               .sign("at+jwt",
                                   {{"iss", url()}, {"sub", subject}, {"aud", "vivavoce"}, {"iat", now},
                                       {"exp", now + 600}, {"scope", scopes}})
                               .reveal());
    }

private:
    SigningKey m_key = *SigningKey::generate(JoseAlgorithm::Es256);
    std::unique_ptr<net::test::TestServer> m_server;
};

/// A broker as an operator runs it.
struct World {
    explicit World(const std::function<void(Config&)>& change = {})
        : broker([this, change](Config& config) {
              config.isEmbedded = false;
              config.auditFolder = audit.path().toStdString();
              config.violationsToBlock = 3;
              config.sessionsPerUser = 5;
              IssuerSettings issuer;
              issuer.url = login.url();
              issuer.audiences = {"vivavoce"};
              issuer.grants = {};
              config.issuers.push_back(std::move(issuer));
              config.serviceAccounts.push_back({"nightly", service.hash, {"voice:mint", "voice:session"}});
              if (change) {
                  change(config);
              }
          })
    {
    }

    BrokerWorld::Answer as(const std::string& token, const char* method, const std::string& path, std::string body = {},
        const core::HttpHeaders& headers = {})
    {
        auto request = broker.request(method, path, std::move(body));
        request.headers.add("Authorization", "Bearer " + token);
        for (const auto& field : headers.fields()) {
            request.headers.set(field.name, field.value);
        }
        return broker.send(std::move(request));
    }
    [[nodiscard]] std::string user(const std::string& name = "u1") const
    {
        return login.token(name, "voice:mint voice:session");
    }
    [[nodiscard]] std::string admin() const { return login.token("root", "voice:admin voice:session"); }
    [[nodiscard]] std::string serviceKey() const { return std::string(service.key.reveal()); }

    /// The lines of the audit, after what was handed in without waiting is there.
    std::vector<Json> lines(std::size_t atLeast)
    {
        std::vector<Json> found;
        (void)QTest::qWaitFor([&] {
            found.clear();
            for (const auto& file : std::filesystem::directory_iterator(audit.path().toStdString())) {
                std::ifstream in(file.path());
                for (std::string line; file.path().extension() == ".jsonl" && std::getline(in, line);) {
                    found.push_back(Json::parse(line));
                }
            }
            return found.size() >= atLeast;
        });
        return found;
    }

    QTemporaryDir audit;
    LoginServer login;
    NewServiceKey service = makeServiceKey("nightly");
    BrokerWorld broker;
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
        world.broker.clock.advance(std::chrono::seconds(631));
        QCOMPARE(codeOf(world.as(world.user(), "POST", kMint, "{}")), std::string("token_expired"));
        QCOMPARE(world.broker.provider.requests().size(), std::size_t{2});
    }

    void everyDecision_IsInTheAudit_AndNoSecretIs()
    {
        World world;
        const std::string user = world.user("Ada \"\n Lovelace");
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
        QCOMPARE(lines[0].at("subject").get<std::string>(), std::string("Ada \"\n Lovelace"));
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
        // No file of this process may grow any more: what a full disk does.
        rlimit before{};
        QCOMPARE(getrlimit(RLIMIT_FSIZE, &before), 0);
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit none{1, before.rlim_max};
        QCOMPARE(setrlimit(RLIMIT_FSIZE, &none), 0);
        const auto refused = world.as(world.user(), "POST", kMint, "{}");
        const auto minted = world.broker.provider.requests().size();
        QCOMPARE(setrlimit(RLIMIT_FSIZE, &before), 0);
        QCOMPARE(refused.status, 503U);
        QCOMPARE(codeOf(refused), std::string("unavailable"));
        QVERIFY(refused.body.find("ek_marker") == std::string::npos);
        QCOMPARE(minted, std::size_t{2});
        // And without a restart.
        QVERIFY(!tokenOf(world.as(world.user(), "POST", kMint, "{}")).sessionId.empty());
        QVERIFY(AuditVerifier::verify(folder).has_value());
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
        for (const char* wrong : {"", "{}", "[]", "{\"user\":1}", "{\"user\":\"\"}", "{\"user\":\"a\",\"more\":1}"}) {
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

    void health_TellsAdminsOfEachPart()
    {
        World world;
        QVERIFY(!Json::parse(world.as(world.user(), "GET", "/api/voice-agent/health").body).contains("services"));
        const Json seen = Json::parse(world.as(world.admin(), "GET", "/api/voice-agent/health").body);
        for (const char* service : {"limits", "audit", "issuers"}) {
            QCOMPARE(seen.at("services").at(service).at("status").get<std::string>(), std::string("ok"));
        }
    }
};

QTEST_GUILESS_MAIN(TestBrokerAccess)
#include "test_broker_access.moc"
