#include "broker/providers/openai_provider.h"
#include "broker/providers/providers.h"
#include "broker/providers/watched_provider.h"
#include "core/protocol/broker/health.h"
#include "tests/broker/broker_harness.h"
#include "tests/net/test_server.h"

#include <nlohmann/json.hpp>

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr const char* kKey = "provider-key-marker";
constexpr core::Milliseconds kHalfAMinute{30'000};

/// A provider that is asked for tokens and for its models.
class Stand {
public:
    Stand()
    {
        net::Router router;
        router.add("GET", "/v1/models", [this](const net::HttpRequest& request) { return models(request); });
        net::test::addPlain(router, "POST", "/v1/realtime/client_secrets", [this](const net::HttpRequest&) {
            const std::lock_guard lock(m_mutex);
            return net::HttpResponse::json(m_mintStatus, m_mintBody);
        });
        m_server = std::make_unique<net::test::TestServer>(std::move(router));
    }
    [[nodiscard]] std::string url() const { return m_server->url(""); }
    [[nodiscard]] int probes() const { return m_probes; }
    [[nodiscard]] std::string credential() const
    {
        const std::lock_guard lock(m_mutex);
        return m_credential;
    }
    void answerProbes(unsigned status, std::string body = "{}")
    {
        const std::lock_guard lock(m_mutex);
        m_status = status;
        m_body = std::move(body);
    }
    void answerMints(unsigned status, std::string body)
    {
        const std::lock_guard lock(m_mutex);
        m_mintStatus = status;
        m_mintBody = std::move(body);
    }
    /// Before the first request.
    void hold() { m_gate = std::make_shared<broker::Flight>(); }
    void release() { m_gate->land({}); }
    net::test::Loop loop;

private:
    net::Awaitable<net::HttpResponse> models(const net::HttpRequest& request)
    {
        {
            const std::lock_guard lock(m_mutex);
            m_credential = request.headers.find("Authorization").value_or("");
        }
        ++m_probes;
        if (m_gate != nullptr) {
            co_await m_gate->wait(net::test::kTestPatience);
        }
        const std::lock_guard lock(m_mutex);
        co_return net::HttpResponse::json(m_status, m_body);
    }

    std::atomic<int> m_probes{0};
    mutable std::mutex m_mutex;
    unsigned m_status = 200;
    unsigned m_mintStatus = 200;
    std::string m_body = "{}";
    std::string m_mintBody = R"({"value":"ek_marker","expires_at":1800000060})";
    std::string m_credential;
    std::shared_ptr<broker::Flight> m_gate;
    std::unique_ptr<net::test::TestServer> m_server;
};

broker::OpenAiProvider::Settings settingsFor(const std::string& url)
{
    broker::OpenAiProvider::Settings settings;
    settings.baseUrl = url;
    settings.apiKey = core::Secret(kKey);
    return settings;
}

struct World {
    explicit World(const std::string& url = {}) : openAi(settingsFor(url.empty() ? stand.url() : url)) {}

    void probe() { stand.loop.run(watched.probeIfDue()); }
    bool mint()
    {
        return stand.loop.run([](broker::WatchedProvider& provider) -> net::Awaitable<bool> {
            const broker::MintOrder order;
            const auto minted = co_await provider.mint(order);
            co_return minted.has_value();
        }(watched));
    }
    /// Somebody looks at the health page.
    std::optional<bool> ask() { return watched.isFine(); }

    Stand stand;
    SharedClock clock;
    CapturedLog log;
    broker::Metrics metrics;
    broker::OpenAiProvider openAi;
    broker::WatchedProvider watched{{}, {openAi, metrics, clock, log}};
};

} // namespace

class TestBrokerProviderWatch : public QObject {
    Q_OBJECT

private slots:
    void provider_ThatNobodyAsksAbout_IsLeftAlone()
    {
        World world;
        world.probe();
        QCOMPARE(world.stand.probes(), 0);
        QVERIFY(!world.ask());
        world.clock.advance(core::Milliseconds{90'000});
        world.probe();
        QCOMPARE(world.stand.probes(), 0);
    }

    void probe_AsksForTheModelsWithTheKey()
    {
        World world;
        QCOMPARE(world.ask(), std::optional<bool>());
        world.probe();
        QCOMPARE(world.stand.probes(), 1);
        QCOMPARE(world.stand.credential(), std::string("Bearer ") + kKey);
        QCOMPARE(world.ask(), std::optional(true));
    }

    void answer_ToAProbe_TellsHowItDoes_data()
    {
        QTest::addColumn<uint>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<bool>("isFine");
        const auto row = [](const char* name, uint status, const char* body, bool isFine) {
            QTest::newRow(name) << status << QByteArray(body) << isFine;
        };
        row("a list", 200, "{}", true);
        row("no such list", 404, "", true);
        row("not by GET", 405, "", true);
        row("asked too often", 429, "{}", true);
        row("no money", 429, R"({"error":{"code":"insufficient_quota"}})", false);
        row("bad key", 401, R"({"error":{"message":"provider-key-marker"}})", false);
        row("key without rights", 403, "{}", false);
        row("broken", 500, "marker", false);
        row("away", 503, "", false);
        row("redirect", 302, "", false);
    }
    void answer_ToAProbe_TellsHowItDoes()
    {
        QFETCH(uint, status);
        QFETCH(QByteArray, body);
        QFETCH(bool, isFine);
        World world;
        world.stand.answerProbes(status, body.toStdString());
        world.ask();
        world.probe();
        QCOMPARE(world.ask(), std::optional(isFine));
        QCOMPARE(world.log.text().find("provider.failed") == std::string::npos, isFine);
        QVERIFY(world.log.text().find("marker") == std::string::npos);
    }

    void nobodyThere_IsFailing()
    {
        World world("http://127.0.0.1:1");
        world.ask();
        world.probe();
        QCOMPARE(world.ask(), std::optional(false));
    }

    void probes_AreHalfAMinuteApart()
    {
        World world;
        world.ask();
        for (int i = 0; i < 5; ++i) {
            world.probe();
        }
        QCOMPARE(world.stand.probes(), 1);
        world.clock.advance(kHalfAMinute - core::Milliseconds{1});
        world.probe();
        QCOMPARE(world.stand.probes(), 1);
        world.clock.advance(core::Milliseconds{1});
        world.probe();
        QCOMPARE(world.stand.probes(), 2);
    }

    void mint_ThatWasLately_SavesTheProbe()
    {
        World world;
        QVERIFY(world.mint());
        QCOMPARE(world.ask(), std::optional(true));
        world.probe();
        QCOMPARE(world.stand.probes(), 0);
        world.clock.advance(kHalfAMinute);
        world.probe();
        QCOMPARE(world.stand.probes(), 1);
    }

    void failureAndRecovery_AreToldOnceEach()
    {
        World world;
        world.stand.answerProbes(500);
        for (int i = 0; i < 3; ++i) {
            world.ask();
            world.probe();
            world.clock.advance(kHalfAMinute);
        }
        QCOMPARE(world.stand.probes(), 3);
        QCOMPARE(world.ask(), std::optional(false));
        world.stand.answerProbes(200);
        for (int i = 0; i < 3; ++i) {
            world.ask();
            world.probe();
            world.clock.advance(kHalfAMinute);
        }
        QCOMPARE(world.ask(), std::optional(true));
        const QByteArray log = QByteArray::fromStdString(world.log.text());
        QCOMPARE(log.count("provider.failed {"), 1);
        QCOMPARE(log.count("provider.up {"), 1);
    }

    void failureOfAMint_IsOverWhenAProbeSaysSo()
    {
        World world;
        world.stand.answerMints(500, "{}");
        QVERIFY(!world.mint());
        QCOMPARE(world.ask(), std::optional(false));
        world.clock.advance(kHalfAMinute);
        world.probe();
        QCOMPARE(world.ask(), std::optional(true));
    }

    void failureThatOnlyAMintShows_LastsUntilTheNextMint_data()
    {
        QTest::addColumn<uint>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::newRow("no money") << 429U << QByteArray(R"({"error":{"code":"insufficient_quota"}})");
        QTest::newRow("no sense") << 200U << QByteArray("[]");
        QTest::newRow("no such thing") << 404U << QByteArray("{}");
    }
    void failureThatOnlyAMintShows_LastsUntilTheNextMint()
    {
        QFETCH(uint, status);
        QFETCH(QByteArray, body);
        World world;
        world.stand.answerMints(status, body.toStdString());
        QVERIFY(!world.mint());
        world.clock.advance(kHalfAMinute);
        world.ask();
        world.probe();
        QCOMPARE(world.ask(), std::optional(false));
        world.stand.answerMints(200, R"({"value":"ek_marker","expires_at":1900000060})");
        QVERIFY(world.mint());
        QCOMPARE(world.ask(), std::optional(true));
    }

    void order_ThatIsRefused_IsNoFailureOfTheProvider()
    {
        World world;
        world.stand.answerMints(400, "{}");
        QVERIFY(!world.mint());
        QCOMPARE(world.ask(), std::optional(true));
    }

    void mint_DuringAProbe_HasTheLastWord()
    {
        World world;
        world.ask();
        world.stand.hold();
        auto probing =
            boost::asio::co_spawn(world.stand.loop.executor(), world.watched.probeIfDue(), boost::asio::use_future);
        QTRY_COMPARE(world.stand.probes(), 1);
        world.stand.answerMints(500, "{}");
        QVERIFY(!world.mint());
        world.stand.release();
        QCOMPARE(probing.wait_for(net::test::kTestPatience), std::future_status::ready);
        QCOMPARE(world.ask(), std::optional(false));
    }

    void providers_AreProbedAtTheSameTime()
    {
        World slow;
        World quick;
        const broker::Providers providers({&slow.watched, &quick.watched}, slow.watched);
        QVERIFY(!providers.areFine());
        slow.stand.hold();
        auto probing =
            boost::asio::co_spawn(slow.stand.loop.executor(), providers.probeIfDue(), boost::asio::use_future);
        QTRY_COMPARE(slow.stand.probes(), 1);
        QTRY_COMPARE(quick.ask(), std::optional(true));
        slow.stand.release();
        QCOMPARE(probing.wait_for(net::test::kTestPatience), std::future_status::ready);
        QCOMPARE(slow.ask(), std::optional(true));
    }

    void healthPage_SeesAProviderThatGoesAndComes()
    {
        Stand stand;
        BrokerWorld world({}, stand.url());
        const auto status = [&] {
            const auto answer = world.send(world.request("GET", "/api/voice-agent/health"));
            return core::broker::decodeHealth(answer.body)->status;
        };
        QCOMPARE(status(), std::string("ok"));
        // The broker looks by itself, soon.
        QTRY_COMPARE(stand.probes(), 1);
        stand.answerProbes(503);
        world.clock.advance(kHalfAMinute);
        (void)status();
        QTRY_COMPARE(status(), std::string("degraded"));
        QCOMPARE(world.send(world.request("GET", "/healthz")).status, 200U);
        QCOMPARE(world.send(world.request("GET", "/readyz")).status, 200U);
        stand.answerProbes(200);
        world.clock.advance(kHalfAMinute);
        QTRY_COMPARE(status(), std::string("ok"));
    }
};

QTEST_GUILESS_MAIN(TestBrokerProviderWatch)
#include "test_broker_provider_watch.moc"
