#include "broker/auth/signing_key.h"
#include "core/base/json.h"
#include "tests/broker/broker_process.h"
#include "tests/broker/marker_search.h"
#include "tests/broker/redis_server.h"
#include "tests/net/test_certificates.h"

#include <nlohmann/json.hpp>

#include <QFile>
#include <QProcess>
#include <QRandomGenerator>
#include <QTest>

#include <atomic>
#include <csignal>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

std::int64_t nowSeconds()
{
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// Says whatever it was told, and gives out markers for tokens. The key that it is asked with is in all it says of failures.
class TellingProvider {
public:
    explicit TellingProvider(MarkerSearch& search) : m_search(search)
    {
        net::Router router;
        const auto answer = [this](const net::HttpRequest& request) { return answerTo(request); };
        net::test::addPlain(router, "POST", "/v1/realtime/client_secrets", answer);
        net::test::addPlain(router, "GET", "/v1/models", answer);
        m_server = std::make_unique<net::test::TestServer>(std::move(router));
    }
    [[nodiscard]] std::string url() const { return m_server->url(""); }
    void answerWith(unsigned status) { m_status = status; }

private:
    net::HttpResponse answerTo(const net::HttpRequest& request)
    {
        const std::string key(request.headers.find("Authorization").value_or(""));
        if (m_status == 200 && request.method == "GET") {
            // A probe comes when it likes, and the search is not for two threads.
            return net::HttpResponse::json(200, "{}");
        }
        if (m_status == 200) {
            const std::string token = makeMarker();
            m_search.add(QStringLiteral("minted token"), token);
            return net::HttpResponse::json(200, Json({{"value", token}, {"expires_at", nowSeconds() + 60}}).dump());
        }
        auto response = net::HttpResponse::json(
            m_status, Json({{"error", {{"message", "bad key " + key}, {"code", key}}}, {"key", key}}).dump());
        response.headers.add("X-Your-Key", key);
        return response;
    }

    MarkerSearch& m_search;
    std::atomic<unsigned> m_status{200};
    std::unique_ptr<net::test::TestServer> m_server;
};

/// Vouches for whoever bears its tokens; goes away when told to.
class Login {
public:
    Login()
    {
        net::Router router;
        net::test::addPlain(router, "GET", "/.well-known/openid-configuration", [this](const net::HttpRequest&) {
            return answer(
                {{"issuer", url()}, {"jwks_uri", url() + "/keys"}, {"introspection_endpoint", url() + "/ask"}});
        });
        net::test::addPlain(router, "GET", "/keys", [this](const net::HttpRequest&) {
            return answer({{"keys", Json::array({m_key.publicJwk()})}});
        });
        net::test::addPlain(router, "POST", "/ask", [this](const net::HttpRequest& request) {
            const bool isGood = !request.body.empty() && m_isTrusting;
            const Json told{{"active", isGood}, {"sub", "u1"}, {"aud", "vivavoce"}, {"exp", nowSeconds() + 600},
                {"token_type", "Bearer"}, {"scope", "voice:mint voice:session"}};
            return answer(told);
        });
        net::test::addPlain(router, "POST", "/hook",
            [](const net::HttpRequest& request) { return net::HttpResponse::json(500, request.body); });
        m_server = std::make_unique<net::test::TestServer>(std::move(router));
    }
    [[nodiscard]] std::string url() const { return m_server->url(""); }
    [[nodiscard]] std::string token() const
    {
        const Json claims{{"iss", url()}, {"sub", "u2"}, {"aud", "vivavoce"}, {"iat", nowSeconds()},
            {"exp", nowSeconds() + 600}, {"scope", "voice:mint voice:session voice:admin"}};
        return std::string(m_key.sign("at+jwt", claims).reveal());
    }
    void distrust() { m_isTrusting = false; }
    void goAway() { m_isThere = false; }

private:
    net::HttpResponse answer(const Json& body) const
    {
        return net::HttpResponse::json(m_isThere ? 200 : 500, body.dump());
    }

    broker::auth::SigningKey m_key = *broker::auth::SigningKey::generate(broker::auth::JoseAlgorithm::Es256);
    std::atomic<bool> m_isThere{true};
    std::atomic<bool> m_isTrusting{true};
    std::unique_ptr<net::test::TestServer> m_server;
};

/// A request as a client writes it; `fields` are whole lines.
std::string request(const std::string& target, const std::string& bearer, const std::string& body,
    const std::string& fields = {}, const std::string& method = "POST")
{
    return method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        + (bearer.empty() ? "" : "Authorization: Bearer " + bearer + "\r\n") + fields
        + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr const char* kMint = "/api/voice-agent/token";
constexpr const char* kRefresh = "/api/voice-agent/refresh-token";

/// Percent-encoded, for a URL or a form.
std::string encoded(const std::string& text)
{
    return QByteArray::fromStdString(text).toPercentEncoding().toStdString();
}

/// A broker with secrets everywhere, and all that it says and writes.
class Witnessed {
public:
    Witnessed()
    {
        for (const char* name : {"OPENAI_API_KEY", "JWT_SECRET", "JWT_SECRET_PREVIOUS"}) {
            broker.setVariable(name, secret(name));
        }
        broker.setVariable("VV_PLANTED", planted);
        search.add(QStringLiteral("service key"), broker.serviceKey());
        broker.setLogLevel("debug");
        const std::string hook = QByteArray::fromStdString(secret("webhook secret")).toBase64().toStdString();
        const std::string signing = QByteArray::fromStdString(secret("alerts' secret")).toBase64().toStdString();
        // Both fail: what is told of that has neither.
        const std::string channels =
            "[alerts]\nsettle_seconds = 0\n[[alerts.channels]]\nname = \"ops\"\nkind = \"webhook\"\n"
            "url = \""
            + login.url() + "/alerts/" + encoded(secret("address of a webhook")) + "\"\nsecret = \"whsec_" + signing
            + "\"\n[[alerts.channels]]\nname = \"chat\"\nkind = \"slack\"\nurl = \"" + login.url() + "/"
            + encoded(secret("Slack's address")) + "\"\n";
        broker.setTables(channels + "[projects]\ncheck = \"webhook\"\nwebhook_url = \"" + login.url() + "/hook/"
            + encoded(secret("address of the projects' webhook")) + "\"\nwebhook_secret = \"whsec_" + hook
            + "\"\n[[issuers]]\nurl = \"" + opaque.url()
            + "\"\ntokens = \"opaque\"\naudiences = [\"vivavoce\"]\nclient_id = \"us\"\nclient_secret = '"
            + secret("client secret") + "'\n[[issuers]]\nurl = \"" + login.url() + "\"\naudiences = [\"vivavoce\"]\n");
    }

    /// A new secret that must not be seen.
    std::string secret(const char* name)
    {
        std::string marker = makeMarker();
        search.add(QString::fromLatin1(name), marker);
        return marker;
    }
    /// The same, of a JSON Web Token: its signature.
    std::string signedToken()
    {
        std::string token = login.token();
        search.add(QStringLiteral("JWT"), token.substr(token.rfind('.') + 1));
        return token;
    }

    MarkerSearch search;
    const std::string planted = makeMarker();
    Login login;
    Login opaque;
    TellingProvider provider{search};
    BrokerProcess broker;
};

} // namespace

/// No secret that the broker is given, gives out or is shown comes to be where somebody reads or keeps it.
class TestBrokerRedaction : public QObject {
    Q_OBJECT

private:
    /// What goes well, and what goes wrong before a handler or in it. The answers, which have to be free of the operator's secrets.
    static std::string driveCallers(Witnessed& world)
    {
        BrokerProcess& broker = world.broker;
        std::string answers;
        const auto send = [&](const std::string& bytes) {
            Exchange exchange = broker.send(bytes);
            answers += exchange.head + exchange.body;
            return exchange;
        };
        const std::string user = world.secret("opaque token");
        const auto asUser = [&](const std::string& fields) { send(request(kMint, user, "{}", fields)); };
        for (const std::string& target : {std::string(kMint), std::string("/healthz"), std::string("/nowhere")}) {
            send(request(target + "?access_token=" + encoded(world.secret("query")), user, "{}"));
            send(request(target + "?access_token=" + encoded(world.secret("query of a GET")), {}, {}, {}, "GET"));
        }
        for (const char* path : {"/nowhere/", "/api/voice/session/"}) {
            send(request(path + encoded(world.secret("path")), user, {}, {}, "DELETE"));
        }
        for (const char* field : {"X-Secret", "Cookie", "User-Agent", "Origin", "Referer", "X-Forwarded-For",
                 "Idempotency-Key", "X-Request-Id", "Content-Language", "Sec-WebSocket-Protocol"}) {
            asUser(std::string(field) + ": " + world.secret(field) + "\r\n");
        }
        for (const char* start : {"{\"projectId\":\"", "{\"", "", "[\"", "{\"model\":{\""}) {
            send(request(kMint, user, start + encoded(world.secret("malformed body"))));
            send(request(kMint, user, start + encoded(world.secret("odd body")) + "\":1}"));
            send(request(kRefresh, user, start + encoded(world.secret("malformed refresh"))));
        }
        send(request(kMint, user, Json({{"resumeSessionId", encoded(world.secret("resumed session"))}}).dump()));
        send(request(kMint, user, Json({{"provider", encoded(world.secret("provider"))}}).dump()));
        send(request(kMint, world.secret("wrong token") + ".a.b", "{}"));
        send(request(kMint, world.secret("odd token"), "{}", "Authorization: Basic " + world.secret("basic") + "\r\n"));
        send(request(kRefresh, world.secret("unknown token"), "{}"));
        send("GET /" + world.secret("target of no HTTP") + " HTTP/9.9\r\nHost: x\r\n\r\n");
        send("GET / HTTP/1.1\r\nHost: x\r\n" + world.secret("no field") + "\r\n\r\n");
        send("GET / HTTP/1.1\r\nHost: " + world.secret("host") + "\r\nConnection: close\r\n\r\n");
        send(world.secret("no HTTP") + "\r\n\r\n");
        return answers;
    }

    /// Mints over all roads; refreshes, and again with what is spent.
    static void driveTokens(Witnessed& world)
    {
        BrokerProcess& broker = world.broker;
        QCOMPARE(broker.mint().status, 200U);
        const std::string jwt = world.signedToken();
        QCOMPARE(broker.send(request(kMint, jwt, "{}")).status, 200U);
        const std::string opaque = world.secret("opaque token");
        QCOMPARE(broker.send(request("/api/voice/session", opaque, "{}")).status, 200U);
        const Exchange minted = broker.send(request(kMint, opaque, R"({"clientInstance":"one"})"));
        QCOMPARE(minted.status, 200U);
        const std::string first = Json::parse(minted.body).at("token").get<std::string>();
        const std::string body = R"({"clientInstance":"one"})";
        QCOMPARE(broker.send(request(kRefresh, first, body)).status, 200U);
        QCOMPARE(broker.send(request(kRefresh, first, body)).code(), std::string("token_reused"));
        QCOMPARE(broker.send(request("/metrics", jwt, {}, {}, "GET")).status, 200U);
    }

    static void driveFailures(Witnessed& world)
    {
        BrokerProcess& broker = world.broker;
        for (const unsigned status : {401U, 403U, 400U, 429U, 500U, 201U, 302U, 404U}) {
            world.provider.answerWith(status);
            QVERIFY(broker.mint().status >= 400U);
        }
        world.provider.answerWith(200);
        QCOMPARE(broker.mint(R"({"projectId":"choir"})").status, 503U);
        world.opaque.distrust();
        QCOMPARE(broker.send(request(kMint, world.secret("inactive token"), "{}")).status, 401U);
        world.opaque.goAway();
        world.login.goAway();
        QCOMPARE(broker.send(request(kMint, world.secret("token of nobody"), "{}")).status, 503U);
    }

    /// All places that somebody reads or keeps; with what shows that each was really looked at.
    static void lookEverywhere(Witnessed& world, const std::string& log, const std::string& processed)
    {
        QCOMPARE(world.search.findIn(QStringLiteral("log"), log), QStringList());
        QCOMPARE(world.search.findIn(QStringLiteral("/proc"), processed), QStringList());
        QCOMPARE(world.search.findInFolder(world.broker.auditFolder()), QStringList());
        for (const char* name : {"broker.db", "broker.db-wal"}) {
            QCOMPARE(world.search.findIn(QString::fromLatin1(name), bytesOf(world.broker.folder() + "/" + name)),
                QStringList());
        }
        QVERIFY(world.search.missedIn(log).isEmpty());
        QVERIFY(world.search.missedIn(bytesOf(world.broker.folder() + "/broker.db")).isEmpty());
        // The configuration has a secret, and the very search finds it there.
        QVERIFY(!world.search.findInFolder(world.broker.folder()).isEmpty());
    }

private slots:
    void search_FindsWhatIsThere_data()
    {
        QTest::addColumn<QByteArray>("text");
        const QByteArray marker("mk-0123456789abcd\"/%+\\?efghijklmnopqr");
        QTest::newRow("itself") << marker;
        for (const char* before : {"", "a", "ab", "abc", "user:"}) {
            const QByteArray text = before + marker + "@host";
            QTest::addRow("base64 behind '%s'", before) << text.toBase64();
            QTest::addRow("base64url behind '%s'", before) << text.toBase64(QByteArray::Base64UrlEncoding);
            QTest::addRow("base64 at the end, behind '%s'", before) << (before + marker).toBase64();
        }
        QTest::newRow("percent-encoded") << marker.toPercentEncoding();
        QTest::newRow("JSON") << QByteArray::fromStdString(Json(marker.toStdString()).dump());
        QTest::newRow("hexadecimal") << marker.toHex();
        QTest::newRow("cut off at its end") << marker.left(15);
        QTest::newRow("cut off at its beginning") << marker.right(13);
    }
    void search_FindsWhatIsThere()
    {
        QFETCH(QByteArray, text);
        MarkerSearch search;
        search.add(QStringLiteral("it"), "mk-0123456789abcd\"/%+\\?efghijklmnopqr");
        QVERIFY(!search.findIn(QStringLiteral("text"), "before " + text.toStdString() + " behind").isEmpty());
        QVERIFY(search.findIn(QStringLiteral("text"), "something else").isEmpty());
    }

    void aBrokerThatRuns_TellsNoSecret()
    {
        if (!RedisServer::isInstalled()) {
            QSKIP("redis-server is not installed: secrets were NOT looked for");
        }
        Witnessed world;
        RedisServer redis;
        const std::string password = world.secret("Redis password");
        QVERIFY(redis.start({"--requirepass", password}));
        world.broker.setVariable("REDIS_URL", "unix://:" + encoded(password) + "@" + redis.socketPath());
        world.broker.setProvider(world.provider.url());
        QVERIFY(world.broker.start());
        driveTokens(world);
        if (QTest::currentTestFailed()) {
            return;
        }
        const std::string answers = driveCallers(world);
        driveFailures(world);
        if (QTest::currentTestFailed()) {
            return;
        }
        world.broker.rewrite({}, "provider_key = '" + world.secret("file that is none") + "'\n");
        QVERIFY(world.broker.signal(SIGHUP));
        std::string log;
        QTRY_VERIFY((log += world.broker.log().toStdString()).find("config.reload_failed") != std::string::npos);
        redis.kill();
        QVERIFY(world.broker.comesTo(503));
        const std::string proc = "/proc/" + std::to_string(world.broker.pid()) + "/";
        const std::string processed = bytesOf(proc + "cmdline") + bytesOf(proc + "environ");
        // SQLite writes its log into its file when it closes.
        const std::string wal = bytesOf(world.broker.folder() + "/broker.db-wal");
        QCOMPARE(world.search.findIn(QStringLiteral("broker.db-wal"), wal), QStringList());
        QCOMPARE(world.broker.terminate(), 0);
        log += world.broker.log().toStdString() + world.broker.output().toStdString();
        for (const char* event : {"auth.refused", "auth.signed_in", "provider.failed", "token.reused",
                 "limits.redis_down", "projects.unavailable", "http.answered", "\"debug\"", "broker.stopped"}) {
            QVERIFY2(log.find(event) != std::string::npos, event);
        }
        lookEverywhere(world, log, processed);
        MarkerSearch operators;
        operators.add(QStringLiteral("Redis password"), password);
        QCOMPARE(operators.findIn(QStringLiteral("answers"), answers), QStringList());
        QVERIFY(processed.find("broker.toml") != std::string::npos);
        if (processed.find("VV_PLANTED=" + world.planted) == std::string::npos) {
            QSKIP("the environment of the process may not be read by this user: it was NOT looked at");
        }
    }

    void providerWithABadCertificate_IsToldWithoutTheKey()
    {
        const QTemporaryDir folder;
        const auto files = net::test::makeCertificates(folder.path().toStdString());
        const net::test::TestServer server(net::Router(), {}, files.selfSigned);
        Witnessed world;
        world.broker.setProvider(server.url(""));
        QVERIFY(world.broker.start());
        QCOMPARE(world.broker.mint().code(), std::string("provider_unreachable"));
        QCOMPARE(world.broker.terminate(), 0);
        const std::string log = world.broker.log().toStdString();
        QVERIFY(log.find("provider.failed") != std::string::npos);
        lookEverywhere(world, log, {});
    }

    void badConfiguration_IsToldWithoutItsSecrets_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QByteArray>("variable");
        QTest::addColumn<QByteArray>("value");
        const auto file = [](const char* name, const char* text) {
            QTest::newRow(name) << QByteArray(text) << QByteArray() << QByteArray();
        };
        file("user of the provider", "provider = { url = \"https://u:MARKER@voice.example\" }");
        file("query of the provider", "provider = { url = \"https://voice.example/?key=MARKER\" }");
        file("key that is a number", "provider = { api_key = 5 }\n# MARKER");
        file("key of two words", "provider = { api_key = \"MARKER MARKER\" }");
        file("no TOML", "secret = MARKER");
        file("no TOML in a text", "secret = \"MARKER");
        file("short secret", "secret = \"MARKER\"\nsecret = \"MARKER\"");
        file("user of an issuer", "[[issuers]]\nurl = \"https://u:MARKER@login.example\"\naudiences = [\"v\"]");
        file("client secret in vain", "[[issuers]]\nurl = \"https://login.example\"\nclient_secret = \"MARKER\"");
        file("hash of a service key",
            "[[service_accounts]]\nname = \"x\"\nkey_hash = \"MARKER\"\nscopes = [\"voice:mint\"]");
        file("origin", "allowed_origins = [\"https://u:MARKER@app.example\"]");
        file("public address", "public_url = \"https://u:MARKER@voice.example\"");
        file("metrics", "metrics = { listen = \"MARKER:1\" }");
        file("database", "database = { url = \"mysql://u:MARKER@h/x\" }");
        const auto variable = [](const char* name, const char* which, const char* value) {
            QTest::newRow(name) << QByteArray() << QByteArray(which) << QByteArray(value);
        };
        variable("database that is none", "DATABASE_URL", "oracle://u:MARKER@h/x");
        variable("database that is away", "DATABASE_URL", "postgresql://u:MARKER@127.0.0.1:1/x?connect_timeout=2");
        variable("Redis that is none", "REDIS_URL", "http://:MARKER@h");
        variable("Redis with a bad port", "REDIS_URL", "redis://:MARKER@h:x");
        variable("provider key", "OPENAI_API_KEY", "MARKER two");
        variable("rate", "VOICE_AGENT_RATE_LIMIT", "MARKER");
        variable("origins", "ALLOWED_ORIGINS", "https://u:MARKER@h");
        variable("issuer", "OIDC_ISSUER", "https://u:MARKER@login.example");
    }
    void badConfiguration_IsToldWithoutItsSecrets()
    {
        QFETCH(QByteArray, file);
        QFETCH(QByteArray, variable);
        QFETCH(QByteArray, value);
        const QByteArray marker =
            QByteArray("mk") + QByteArray::number(QRandomGenerator::global()->generate64(), 36) + "end0123456";
        const QTemporaryDir folder;
        QFile config(folder.filePath(QStringLiteral("broker.toml")));
        QVERIFY(config.open(QIODevice::WriteOnly));
        config.write(file.replace("MARKER", marker) + "\n");
        config.close();
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("JWT_SECRET"), QStringLiteral("0123456789abcdef0123456789abcdef"));
        environment.insert(QStringLiteral("OIDC_AUDIENCE"), QStringLiteral("voice"));
        environment.insert(QStringLiteral("OIDC_ISSUER"), QStringLiteral("https://login.example"));
        if (!variable.isEmpty()) {
            environment.insert(QString::fromLatin1(variable), QString::fromLatin1(value.replace("MARKER", marker)));
        }
        QProcess process;
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.setWorkingDirectory(folder.path());
        process.setProcessEnvironment(environment);
        process.start(qEnvironmentVariable("VV_BIN_DIR") + QStringLiteral("/vivavoce-broker"),
            {QStringLiteral("--config"), config.fileName(), QStringLiteral("--log-level"), QStringLiteral("debug"),
                QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0")});
        QVERIFY(process.waitForFinished(20'000));
        QVERIFY(process.exitCode() != 0);
        const std::string said = process.readAll().toStdString();
        QVERIFY(!said.empty());
        MarkerSearch search;
        search.add(QStringLiteral("it"), marker.toStdString());
        QVERIFY2(search.findIn(QStringLiteral("output"), said).isEmpty(), said.c_str());
    }
};

QTEST_GUILESS_MAIN(TestBrokerRedaction)
#include "test_broker_redaction.moc"
