#include "broker/setup/check_config.h"
#include "broker/setup/check_connections.h"
#include "core/base/json.h"
#include "tests/broker/postgres_server.h"
#include "tests/broker/redis_server.h"
#include "tests/broker/test_secrets.h"
#include "tests/net/test_server.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <sstream>

using namespace vivavoce;
using namespace vivavoce::broker;
using vivavoce::tests::RedisServer;

namespace {

/// An issuer and a provider on loopback; `claimed` is who it says that it is.
class Neighbours {
public:
    explicit Neighbours(std::string claimed = {})
    {
        net::Router router;
        net::test::addPlain(
            router, "GET", "/.well-known/openid-configuration", [this, claimed](const net::HttpRequest&) {
                const core::Json metadata{{"issuer", claimed.empty() ? url() : claimed}, {"jwks_uri", url() + "/keys"}};
                return net::HttpResponse::json(200, metadata.dump());
            });
        m_server = std::make_unique<net::test::TestServer>(std::move(router));
    }
    [[nodiscard]] std::string url() const { return m_server->url(""); }

private:
    std::unique_ptr<net::test::TestServer> m_server;
};

Config configOf(const std::string& provider, const std::string& issuer)
{
    Config config;
    config.secret = core::Secret(tests::kTestSecret);
    config.providerUrl = provider;
    config.issuers.emplace_back();
    config.issuers.back().url = issuer;
    return config;
}

std::string nobody()
{
    return "127.0.0.1:" + std::to_string(RedisServer::freePort());
}

/// All that was found, one line each.
QByteArray found(const Config& config)
{
    Problems problems;
    checkConnections(config, problems);
    QByteArray text;
    for (const auto& one : problems.all()) {
        text += one.text.c_str() + QByteArray("\n");
    }
    return text;
}

} // namespace

class TestBrokerSetupConnections : public QObject {
    Q_OBJECT

private slots:
    void check_WhereAllAnswer_FindsNothing()
    {
        const Neighbours there;
        // The provider says 404 there, which is an answer.
        QCOMPARE(found(configOf(there.url(), there.url())), QByteArray());
    }

    void check_WhereNobodyIs_TellsEach()
    {
        Config config = configOf("http://" + nobody(), "http://" + nobody());
        config.redisUrl = core::Secret("redis://:marker@" + nobody());
        config.databaseUrl = core::Secret("postgresql://u:marker@" + nobody() + "/d");
        const QByteArray text = found(config);
        for (const char* start : {"provider.url cannot be reached: ", "issuers[0].url cannot be reached: ",
                 "limits.redis_url names a Redis that cannot be used: ",
                 "database.url names a server that cannot be used: "}) {
            QVERIFY2(text.contains(start), text.constData());
        }
        QCOMPARE(text.count('\n'), qsizetype{4});
        QVERIFY2(!text.contains("marker"), text.constData());
    }

    /// Nobody is offered it.
    void check_ProviderWithoutAKey_IsNotAsked()
    {
        const Neighbours there;
        Config config = configOf("https://provider.invalid", there.url());
        QCOMPARE(found(config), QByteArray());
        config.providerKey = core::Secret("key");
        QVERIFY(found(config).startsWith("provider.url cannot be reached: "));
    }

    void check_IssuerThatIsAnother_IsTold()
    {
        const Neighbours there("https://login.example");
        const QByteArray text = found(configOf(there.url(), there.url()));
        QVERIFY2(text.startsWith("issuers[0].url has metadata that cannot be used"), text.constData());
        const QByteArray deeper = found(configOf(there.url(), there.url() + "/tenant"));
        QVERIFY2(deeper.startsWith("issuers[0].url answers 404"), deeper.constData());
    }

    void checkConfig_WithConnect_AsksAndOtherwiseDoesNot()
    {
        CheckConfig check;
        check.overrides.isEmbedded = true;
        check.overrides.providerUrl = "http://" + nobody();
        for (const bool connects : {false, true}) {
            check.connects = connects;
            std::ostringstream out;
            std::ostringstream err;
            const int code = runCheckConfig(
                check, [](const char*) { return std::nullopt; }, out, err);
            QCOMPARE(code, connects ? 2 : 0);
            QCOMPARE(err.str().starts_with("problem: provider.url cannot be reached: "), connects);
        }
    }

    void check_WhatIsWrongAlready_IsNotAskedFor()
    {
        Problems problems;
        problems.add("provider.url", "is wrong");
        problems.add("issuers[0].url", "is wrong");
        problems.add("database.url", "is wrong");
        Config config = configOf("http://" + nobody(), "http://" + nobody());
        config.databaseUrl = core::Secret("postgresql://" + nobody() + "/d");
        checkConnections(config, problems);
        QCOMPARE(problems.all().size(), std::size_t{3});
    }

    void check_RedisThatAnswers_IsFineAndKeepsNothing()
    {
        if (!RedisServer::isInstalled()) {
            QSKIP("redis-server is not installed");
        }
        RedisServer redis;
        QVERIFY(redis.start());
        const Neighbours there;
        Config config = configOf(there.url(), there.url());
        config.redisUrl = core::Secret(redis.url());
        QCOMPARE(found(config), QByteArray());
        // That it takes a key can only be seen by giving it one.
        QVERIFY(redis.keys().size() <= 1);
        for (const std::string& key : redis.keys()) {
            QVERIFY2(redis.ask({"PTTL", key}).integer > 0, key.c_str());
        }
    }

    void check_DatabaseThatAnswers_IsFine()
    {
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        const Neighbours there;
        Config config = configOf(there.url(), there.url());
        config.databaseUrl = core::Secret(server.url());
        QCOMPARE(found(config), QByteArray());
    }
};

QTEST_GUILESS_MAIN(TestBrokerSetupConnections)
#include "test_broker_setup_connections.moc"
