#include "broker/config_changes.h"
#include "tests/broker/broker_process.h"
#include "tests/broker/operator_world.h"
#include "tests/net/raw_socket.h"
#include "tests/net/test_certificates.h"
#include "tests/support/thread_sanitizer.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::Config;

namespace {

using core::Json;
using Keys = std::vector<std::string>;

/// The lines of one kind, as "outcome target".
std::vector<std::string> linesOf(OperatorWorld& world, const std::string& event, std::size_t atLeast)
{
    std::vector<std::string> found;
    for (const core::Json& line : world.lines(atLeast)) {
        if (line.value("event", "") == event) {
            found.push_back(line.value("outcome", "") + " " + line.value("target", ""));
        }
    }
    return found;
}

} // namespace

/// A broker that takes another configuration while it runs.
class TestBrokerReload : public QObject {
    Q_OBJECT

private slots:
    void changedKeys_OfTheSame_AreNone()
    {
        const auto make = [] {
            Config config;
            config.secret = core::Secret("a secret");
            broker::auth::IssuerSettings issuer;
            issuer.url = "https://login.example";
            issuer.clientSecret = std::make_shared<core::Secret>("theirs");
            config.issuers.push_back(issuer);
            return config;
        };
        QCOMPARE(broker::changedKeys(make(), make()), Keys());
    }

    void changedKeys_NameWhatDiffersAndNoValue_data()
    {
        QTest::addColumn<QByteArray>("key");
        QTest::addColumn<int>("what");
        const std::array names{"listen", "policy.models", "secret", "issuers", "issuers", "limits.mints_per_minute",
            "provider.api_key", "log.level", "tokens.keys"};
        for (std::size_t i = 0; i < names.size(); ++i) {
            QTest::addRow("%s %d", names.at(i), static_cast<int>(i)) << QByteArray(names.at(i)) << static_cast<int>(i);
        }
    }
    void changedKeys_NameWhatDiffersAndNoValue()
    {
        QFETCH(QByteArray, key);
        QFETCH(int, what);
        const auto make = [](int change) {
            Config config;
            broker::auth::IssuerSettings issuer;
            issuer.url = change == 3 ? "https://other.example" : "https://login.example";
            issuer.clientSecret = std::make_shared<core::Secret>(change == 4 ? "marker" : "theirs");
            config.issuers.push_back(issuer);
            config.port = change == 0 ? 1 : 2;
            config.policy.models = change == 1 ? broker::Allowed({"marker"}) : std::nullopt;
            config.secret = core::Secret(change == 2 ? "marker" : "other");
            config.mintsPerMinute = change == 5 ? 1 : 2;
            config.providerKey = core::Secret(change == 6 ? "marker" : "other");
            config.logLevel = change == 7 ? broker::LogLevel::Debug : broker::LogLevel::Info;
            config.tokenKeys = change == 8 ? Keys{"/a/file"} : Keys{};
            return config;
        };
        QCOMPARE(broker::changedKeys(make(-1), make(what)), Keys{key.toStdString()});
        QCOMPARE(broker::changedKeys(make(what), make(-1)), Keys{key.toStdString()});
    }

    void keepUntilRestart_PutsBackWhatCannotChange()
    {
        const auto make = [](const char* mark, std::uint16_t number) {
            Config config;
            config.address = mark;
            config.port = number;
            config.maxSessions = config.maxConnections = config.connectionsPerAddress = number;
            config.mintsPerMinute = number;
            config.limitsDegrade = number == 1;
            config.auditFolder = mark;
            for (core::Secret* secret : {&config.secret, &config.databaseUrl, &config.redisUrl}) {
                *secret = core::Secret(mark);
            }
            return config;
        };
        const Config running = make("one", 1);
        Config wanted = make("two", 2);
        QCOMPARE(broker::keepUntilRestart(running, wanted),
            (Keys{"listen", "secret", "database.url", "limits.redis_url", "limits.without_redis", "limits.max_sessions",
                "limits.connections", "limits.connections_per_address", "audit.folder"}));
        QCOMPARE(broker::changedKeys(running, wanted), Keys{"limits.mints_per_minute"});
    }

    void reload_ChangesWhoMayComeAndWhatTheyMay()
    {
        OperatorWorld world;
        QCOMPARE(world.as(world.serviceKey(), "POST", "/api/voice-agent/token", "{}").status, 200U);
        QCOMPARE(world.broker.reload([](Config& config) {
            config.serviceAccounts.clear();
            config.policy.models = broker::Allowed({"only-this"});
        }),
            std::string());
        QCOMPARE(world.as(world.serviceKey(), "POST", "/api/voice-agent/token", "{}").status, 401U);
        QCOMPARE(codeOf(world.as(world.user(), "POST", "/api/voice-agent/token", R"({"model":"gpt-realtime"})")),
            std::string("not_allowed"));
        const auto minted = tokenOf(world.as(world.user(), "POST", "/api/voice-agent/token", "{}"));
        QCOMPARE(minted.model, std::string("only-this"));
    }

    void reload_ForgetsNeitherSessionsNorCountsNorKeys()
    {
        OperatorWorld world([](Config& config) { config.mintsPerMinute = 2; });
        const auto session = tokenOf(world.as(world.user(), "POST", "/api/voice-agent/token", "{}"));
        const int asked = world.login.asked();
        const auto second = tokenOf(world.broker.send(world.broker.refreshRequest(session.token.reveal())));
        QCOMPARE(world.broker.reload([](Config& config) { config.longestSession = std::chrono::seconds(7200); }),
            std::string());
        QCOMPARE(world.broker.send(world.broker.refreshRequest(second.token.reveal())).status, 200U);
        QCOMPARE(world.as(world.user(), "POST", "/api/voice-agent/token", "{}").status, 200U);
        QCOMPARE(codeOf(world.as(world.user(), "POST", "/api/voice-agent/token", "{}")), std::string("rate_limited"));
        QCOMPARE(world.login.asked(), asked);
        const Json health = Json::parse(world.as(world.admin(), "GET", "/api/voice-agent/health").body);
        QCOMPARE(health.at("metrics").at("totalRefreshes").get<int>(), 2);
        // A wider limit holds at once, and what was used of it stays used.
        QCOMPARE(world.broker.reload([](Config& config) { config.mintsPerMinute = 3; }), std::string());
        QCOMPARE(world.as(world.user(), "POST", "/api/voice-agent/token", "{}").status, 200U);
        QCOMPARE(codeOf(world.as(world.user(), "POST", "/api/voice-agent/token", "{}")), std::string("rate_limited"));
    }

    void reload_OfWhatDoesNotDo_ChangesNothingAndIsTold()
    {
        OperatorWorld world;
        core::Error unreadable;
        unreadable.code = core::ErrorCode::BadConfiguration;
        unreadable.detail = "listen has to be so";
        QVERIFY(!world.broker.reloadFailing(std::move(unreadable)).empty());
        QVERIFY(!world.broker
                     .reload([](Config& config) {
                         config.serviceAccounts.clear();
                         config.tokenKeys = {"/no/such/key.pem"};
                     })
                     .empty());
        QCOMPARE(world.as(world.serviceKey(), "POST", "/api/voice-agent/token", "{}").status, 200U);
        const auto told = linesOf(world, "configuration.change", 3);
        QCOMPARE(told, (std::vector<std::string>{"failed ", "failed service_accounts, tokens.keys"}));
        QVERIFY(world.broker.log.text().find("listen has to be so") != std::string::npos);
    }

    void reload_OfWhatNeedsARestart_SaysSoAndTakesTheRest()
    {
        OperatorWorld world;
        QCOMPARE(world.broker.reload([](Config& config) {
            config.secret = core::Secret("another-secret-marker-of-32-bytes");
            config.serviceAccounts.clear();
        }),
            std::string());
        QCOMPARE(world.as(world.serviceKey(), "POST", "/api/voice-agent/token", "{}").status, 401U);
        const std::string log = world.broker.log.text();
        QVERIFY(log.find("config.restart_needed") != std::string::npos);
        QVERIFY(log.find("another-secret-marker") == std::string::npos);
        // It is named again as long as it differs.
        QCOMPARE(world.broker.reload(
                     [](Config& config) { config.secret = core::Secret("another-secret-marker-of-32-bytes"); }),
            std::string());
        QCOMPARE(linesOf(world, "configuration.change", 3),
            (std::vector<std::string>{"done secret, service_accounts", "done secret, service_accounts"}));
    }

    void reload_BetweenHttpAndHttps_NeedsARestart()
    {
        OperatorWorld world;
        QCOMPARE(world.broker.reload([](Config& config) {
            config.serviceAccounts.clear();
            config.tlsCertificate = config.tlsKey = "/no/such/file.pem";
        }),
            std::string());
        QCOMPARE(world.as(world.serviceKey(), "POST", "/api/voice-agent/token", "{}").status, 401U);
        QVERIFY(world.broker.log.text().find(R"("keys":"tls.certificate")") != std::string::npos);
    }

    void reload_WhileTheSecretIsRotated_TakesTheRest()
    {
        OperatorWorld world;
        QCOMPARE(world.broker.reload([](Config& config) {
            config.previousSecret = config.secret.clone();
            config.secret = core::Secret("another-c2VjcmV0LW9mLXRoZS10ZXN0cy13aXRoLTMyLWJ5dGVz");
            config.serviceAccounts.clear();
        }),
            std::string());
        QCOMPARE(world.as(world.serviceKey(), "POST", "/api/voice-agent/token", "{}").status, 401U);
        QVERIFY(world.broker.log.text().find(R"("keys":"secret")") != std::string::npos);
    }

    void reload_OfCertificates_GreetsWithTheNewOneOrChangesNothing()
    {
        const QTemporaryDir folder;
        const auto certificates = net::test::makeCertificates(folder.path().toStdString());
        const auto use = [](Config& config, const net::TlsFiles& files) {
            config.tlsCertificate = files.certificateChain;
            config.tlsKey = files.privateKey;
        };
        OperatorWorld world([&](Config& config) { use(config, certificates.selfSigned); });
        const auto status = [&] {
            auto request = world.broker.request("GET", "/healthz");
            request.trust.extraCaFile = certificates.caFile;
            return world.broker.send(std::move(request)).status;
        };
        QCOMPARE(status(), 0U);
        QVERIFY(
            !world.broker
                 .reload([&](Config& config) {
                     use(config, {certificates.forLocalhost.certificateChain, certificates.forElsewhere.privateKey});
                 })
                 .empty());
        QCOMPARE(world.broker.reload([&](Config& config) { use(config, certificates.forLocalhost); }), std::string());
        QCOMPARE(status(), 200U);
        QCOMPARE(linesOf(world, "configuration.change", 2),
            (std::vector<std::string>{"failed tls.certificate, tls.key", "done tls.certificate, tls.key"}));
    }

    void reload_OfABucketsWindow_HoldsAtOnce()
    {
        OperatorWorld world([](Config& config) { config.mintBucket.maxRequests = 1; });
        const auto session = [&] { return world.as(world.user(), "POST", "/api/voice/session", "{}"); };
        QCOMPARE(world.as(world.user(), "POST", "/api/voice-agent/token", "{}").status, 200U);
        QCOMPARE(header(world.as(world.user(), "POST", "/api/voice-agent/token", "{}"), "RateLimit-Policy"),
            std::string("\"mint\";q=1;w=60"));
        QCOMPARE(header(session(), "RateLimit-Policy"), std::string("\"session\";q=10;w=60"));
        QCOMPARE(world.broker.reload([](Config& config) {
            config.mintBucket.window = std::chrono::seconds(5);
            config.sessionBucket.maxRequests = 4;
        }),
            std::string());
        world.broker.clock.advance(std::chrono::seconds(5));
        QCOMPARE(header(world.as(world.user(), "POST", "/api/voice-agent/token", "{}"), "RateLimit-Policy"),
            std::string("\"mint\";q=1;w=5"));
        QCOMPARE(header(session(), "RateLimit-Policy"), std::string("\"session\";q=4;w=60"));
        QCOMPARE(
            linesOf(world, "configuration.change", 3), std::vector<std::string>{"done limits.mint, limits.session"});
    }

    void reload_OfTheProxies_HoldsForConnectionsToo()
    {
        OperatorWorld world([](Config& config) { config.connectionsPerAddress = 2; });
        const auto port =
            static_cast<std::uint16_t>(std::stoi(world.broker.url().substr(world.broker.url().rfind(':') + 1)));
        const net::test::RawSocket one(port);
        const net::test::RawSocket two(port);
        const auto answered = [&] {
            net::test::RawSocket another(port);
            return another.send(
                       "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n")
                && another.readToEnd().starts_with("HTTP/1.1 200");
        };
        QTRY_VERIFY(!answered());
        QCOMPARE(world.broker.reload([](Config& config) { config.trustedProxies = {"127.0.0.1"}; }), std::string());
        QVERIFY(answered());
        QCOMPARE(world.broker.reload([](Config&) {}), std::string());
        QTRY_VERIFY(!answered());
    }

    void startAndStop_AreInTheAudit()
    {
        OperatorWorld world;
        world.broker.drain();
        const auto lines = world.allLines(2);
        QCOMPARE(lines.front().value("event", ""), std::string("broker.start"));
        QCOMPARE(lines.back().value("event", ""), std::string("broker.stop"));
    }

    void hangup_OfTheProgram_ReadsTheFileAgain()
    {
        if (!kCanStartProcesses) {
            QSKIP("ThreadSanitizer does not survive it: SIGHUP is not tried");
        }
        BrokerProcess broker;
        QVERIFY(broker.start("block_duration = 900\n"));
        QCOMPARE(broker.mint().status, 200U);
        broker.rewrite("", "[policy]\nvoices = [\"only\"]\n");
        QVERIFY(broker.signal(SIGHUP));
        QTRY_COMPARE_WITH_TIMEOUT(broker.mint(R"({"voice":"another"})").status, 403U, 20'000);
        broker.rewrite("", "nonsense = 1\n");
        QVERIFY(broker.signal(SIGHUP));
        QByteArray log;
        QTRY_VERIFY_WITH_TIMEOUT((log += broker.log()).contains("nonsense"), 20'000);
        QVERIFY(log.contains("config.reload_failed"));
        QCOMPARE(broker.mint().status, 200U);
        QCOMPARE(broker.mint(R"({"voice":"another"})").status, 403U);
        // A pipe that nobody writes to is no secret, and keeps nobody waiting.
        const std::string pipe = broker.folder() + "/pipe";
        QCOMPARE(::mkfifo(pipe.c_str(), 0600), 0);
        broker.rewrite("", "previous_secret_file = \"" + pipe + "\"\n");
        QVERIFY(broker.signal(SIGHUP));
        QTRY_VERIFY_WITH_TIMEOUT((log += broker.log()).contains("previous_secret_file"), 20'000);
        // Nor are what it should be what is read by those who answer requests.
        for (const QByteArray key : {"tls.certificate", "tls.key", "usage.prices_file"}) {
            const bool isOfTls = key.startsWith("tls");
            const std::string name = key.mid(key.indexOf('.') + 1).toStdString();
            const std::string other = name == "key" ? "certificate" : "key";
            broker.rewrite("",
                isOfTls ? "[tls]\n" + name + " = \"" + pipe + "\"\n" + other + " = \"/etc/hostname\"\n"
                        : "[usage]\n" + name + " = \"" + pipe + "\"\n");
            QVERIFY(broker.signal(SIGHUP));
            QTRY_VERIFY_WITH_TIMEOUT((log += broker.log()).contains(key), 20'000);
            QCOMPARE(broker.mint().status, 200U);
        }
        broker.rewrite("", "");
        QVERIFY(broker.signal(SIGHUP));
        QTRY_COMPARE_WITH_TIMEOUT(broker.mint(R"({"voice":"another"})").status, 200U, 20'000);
        QCOMPARE(broker.terminate(), 0);
    }

    void hangup_WithAFileThatNeverAnswers_KeepsNobodyFromLeaving()
    {
        if (!kCanStartProcesses) {
            QSKIP("ThreadSanitizer does not survive it: SIGHUP is not tried");
        }
        BrokerProcess broker;
        QVERIFY(broker.start());
        const std::string file = broker.folder() + "/broker.toml";
        QVERIFY(std::filesystem::remove(file));
        QCOMPARE(::mkfifo(file.c_str(), 0600), 0);
        QVERIFY(broker.signal(SIGHUP));
        // It goes on meanwhile.
        QCOMPARE(broker.mint().status, 200U);
        QElapsedTimer timer;
        timer.start();
        QCOMPARE(broker.terminate(), 0);
        QVERIFY2(timer.elapsed() < 7'000, qPrintable(QString::number(timer.elapsed())));
    }
};

QTEST_GUILESS_MAIN(TestBrokerReload)
#include "test_broker_reload.moc"
