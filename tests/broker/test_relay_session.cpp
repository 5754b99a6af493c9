#include "broker/providers/credential_mask.h"
#include "broker/relay/protocol.h"
#include "broker/relay/relay_session.h"
#include "broker/store/database.h"
#include "net/timer.h"
#include "tests/broker/broker_harness.h"
#include "tests/net/test_server.h"

#include <QElapsedTimer>
#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <mutex>

using namespace std::chrono_literals;
using namespace vivavoce;
using namespace vivavoce::broker::relay;
using namespace vivavoce::tests;
using net::test::Loop;

namespace {

namespace asio = boost::asio;
using Read = core::Expected<net::WebSocketMessage, net::WebSocketClose>;

/// One end of a stream whose connection is made up. Threads: its executor, but for what is marked.
class FakeSocket final : public net::WebSocketSession {
public:
    explicit FakeSocket(net::IoExecutor executor)
        : m_executor(executor), m_bell(executor, std::chrono::steady_clock::time_point::max())
    {
    }

    /// [any thread]
    void says(std::string text)
    {
        asio::post(m_executor, [this, text = std::move(text)] {
            m_inbox.push_back({net::WebSocketMessage::Kind::Text, text});
            m_bell.cancel();
        });
    }
    /// [any thread]
    void hangsUp(net::WebSocketClose close)
    {
        asio::post(m_executor, [this, close = std::move(close)] { finish(close); });
    }
    /// Takes its time with a farewell, for as long as it is given any. [any thread]
    void isSlow() { m_isSlow = true; }
    /// Takes nothing any more. [any thread]
    void stopsReading() { m_isDeaf = true; }
    /// [any thread]
    [[nodiscard]] std::vector<std::string> heard() const
    {
        const std::lock_guard lock(m_mutex);
        return m_heard;
    }
    /// What we said to it. [any thread]
    [[nodiscard]] std::optional<net::WebSocketClose> told() const
    {
        const std::lock_guard lock(m_mutex);
        return m_told;
    }

    [[nodiscard]] net::IoExecutor executor() const override { return m_executor; }
    net::Awaitable<Read> read() override
    {
        while (m_inbox.empty() && !m_end) {
            co_await m_bell.async_wait(net::asTuple);
        }
        if (m_inbox.empty()) {
            co_return core::Unexpected<net::WebSocketClose>(*m_end);
        }
        net::WebSocketMessage message = std::move(m_inbox.front());
        m_inbox.pop_front();
        co_return message;
    }
    net::Awaitable<bool> send(std::string text) override
    {
        while (m_isDeaf && !m_end) {
            co_await m_bell.async_wait(net::asTuple);
        }
        const std::lock_guard lock(m_mutex);
        m_heard.push_back(std::move(text));
        co_return !m_end;
    }
    net::Awaitable<bool> sendBinary(std::string bytes) override
    {
        const bool isTaken = co_await send(std::move(bytes));
        co_return isTaken;
    }
    net::Awaitable<> close(std::uint16_t code, std::string reason, core::Milliseconds patience) override
    {
        while (m_isSlow && patience > core::Milliseconds{0} && !m_end) {
            co_await m_bell.async_wait(net::asTuple);
        }
        {
            const std::lock_guard lock(m_mutex);
            m_told = net::WebSocketClose{code, reason};
        }
        finish({code, std::move(reason)});
        co_return;
    }
    [[nodiscard]] std::size_t queuedBytes() const override { return m_isDeaf ? 4 * 1024 * 1024 : 0; }

private:
    void finish(net::WebSocketClose close)
    {
        m_end = m_end.value_or(std::move(close));
        m_bell.cancel();
    }

    const net::IoExecutor m_executor;
    net::Timer m_bell;
    std::deque<net::WebSocketMessage> m_inbox;
    std::optional<net::WebSocketClose> m_end;
    std::atomic<bool> m_isDeaf{false};
    std::atomic<bool> m_isSlow{false};
    mutable std::mutex m_mutex;
    std::vector<std::string> m_heard;
    std::optional<net::WebSocketClose> m_told;
};

/// Lends an end to the stream, which would own it.
class Lent final : public net::WebSocketSession {
public:
    explicit Lent(FakeSocket& socket) : m_socket(socket) {}
    [[nodiscard]] net::IoExecutor executor() const override { return m_socket.executor(); }
    net::Awaitable<Read> read() override { return m_socket.read(); }
    net::Awaitable<bool> send(std::string text) override { return m_socket.send(std::move(text)); }
    net::Awaitable<bool> sendBinary(std::string bytes) override { return m_socket.sendBinary(std::move(bytes)); }
    net::Awaitable<> close(std::uint16_t code, std::string reason, core::Milliseconds patience) override
    {
        return m_socket.close(code, std::move(reason), patience);
    }
    [[nodiscard]] std::size_t queuedBytes() const override { return m_socket.queuedBytes(); }

private:
    FakeSocket& m_socket;
};

std::unique_ptr<broker::Database> openDatabase(broker::Log& log)
{
    broker::Database::Settings settings;
    settings.url = core::Secret("sqlite://:memory:");
    auto opened = broker::Database::open(std::move(settings), log);
    if (!opened) {
        qFatal("%s", opened.error().detail.c_str());
    }
    return std::move(*opened);
}

/// A stream between two ends in the test's hands.
struct World {
    /// `untold`: there is a budget of money, and so much counts a response of which nobody says what it costs.
    explicit World(const RelaySession::Settings& settings = {}, std::int64_t untold = 0)
        : database(openDatabase(log)),
          ledger({}, {*database, clock, log}),
          executor(loop.executor()),
          client(executor),
          provider(executor)
    {
        const Protocol& protocol = Protocol::of("openai-ga");
        auto meter = protocol.meter({"gpt-realtime",
            std::make_shared<const core::PriceList>(core::PriceList::builtIn()), {}, false, {}, untold});
        account = std::make_shared<StreamAccount>(broker::usage::Account{}, std::move(meter), ledger, clock);
        broker::LiveSession live;
        live.record.id = "s";
        live.expiresAt = core::WallTime::max();
        stream = std::make_shared<RelaySession>(live, settings,
            RelaySession::Dependencies{
                protocol.check({}), std::make_shared<StreamAllowance>(0, core::Milliseconds{0}), account, clock});
        const RelaySession::Dial dial =
            [this]() -> net::Awaitable<core::Expected<std::unique_ptr<net::WebSocketSession>, core::Error>> {
            co_return std::make_unique<Lent>(provider);
        };
        ran = asio::co_spawn(executor, stream->run(client, dial), asio::use_future);
    }
    ~World()
    {
        if (ran.valid()) {
            client.hangsUp({1000, {}});
            provider.hangsUp({1000, {}});
            (void)Loop::finished(ran);
        }
        // What was posted to them comes before they go.
        asio::post(executor, asio::use_future).wait();
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    StreamEnd end() { return Loop::finished(ran); }

    CapturedLog log;
    SharedClock clock;
    std::unique_ptr<broker::Database> database;
    broker::usage::Ledger ledger;
    Loop loop;
    const net::IoExecutor executor;
    FakeSocket client;
    FakeSocket provider;
    std::shared_ptr<StreamAccount> account;
    std::shared_ptr<RelaySession> stream;
    std::future<StreamEnd> ran;
};

} // namespace

/// A stream between two ends whose connections are made up.
class TestRelaySession : public QObject {
    Q_OBJECT

private slots:
    void credential_IsHidden_HoweverItIsWritten_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("hidden");
        const auto row = [](const char* name, const char* text, const char* hidden) {
            QTest::newRow(name) << QByteArray(text) << QByteArray(hidden);
        };
        // The credential is `nv-key/0123456789`.
        row("as it is", "a nv-key/0123456789 b", "a ***************** b");
        row("all there is", "nv-key/0123456789", "*****************");
        row("twice", "nv-key/0123456789nv-key/0123456789", "**********************************");
        row("after half of itself", "nv-key/nv-key/0123456789", "nv-key/*****************");
        row("nearly", "nv-key/012345678 v-key/0123456789", "nv-key/012345678 v-key/0123456789");
        row("escaped", "\"nv-key\\/012\\u0033456789\"", "\"***********************\"");
        row("escaped in upper case", "\\u006Ev-key/0123456789", "**********************");
        row("after an escape", "\\tnv-key/0123456789\\n", "\\t*****************\\n");
        row("after a backslash that is one", "\\\\nv-key/0123456789", "\\\\*****************");
        // Without the letter there would be no JSON any more.
        row("after half an escape", "\\nv-key/0123456789", "\\n****************");
        row("broken escapes", "\\u00", "\\u00");
        row("a backslash at the end", "nv-key/012345678\\", "nv-key/012345678\\");
        row("nothing", "", "");
    }
    void credential_IsHidden_HoweverItIsWritten()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, hidden);
        const auto mask = broker::CredentialMask::of("nv-key/0123456789");
        std::string said = text.toStdString();
        QCOMPARE(mask->hide(said), text != hidden);
        QCOMPARE(QByteArray::fromStdString(said), hidden);
    }

    void credential_ThatAReasonEndsIn_IsHidden()
    {
        const auto mask = broker::CredentialMask::of("nv-key/0123456789");
        std::string reason = "so it is with nv-key/0";
        QVERIFY(mask->hideInReason(reason));
        QCOMPARE(reason, std::string("so it is with ********"));
        std::string less = "so it is with nv-key/";
        QVERIFY(!mask->hideInReason(less));
        QCOMPARE(less, std::string("so it is with nv-key/"));
        // What is as short as that may be a word.
        std::string word = "this is no-word";
        QVERIFY(!broker::CredentialMask::of("no-word")->hideInReason(word));
        QVERIFY(!broker::CredentialMask::of("")->hideInReason(word));
        QCOMPARE(word, std::string("this is no-word"));
    }

    /// It sends, and so is alive as far as its connection can tell.
    void providerThatTakesNothing_IsGivenUp()
    {
        RelaySession::Settings settings;
        settings.sendPatience = 50ms;
        World world(settings);
        world.provider.says(R"({"type":"one"})");
        QTRY_COMPARE(world.client.heard().size(), std::size_t{1});
        world.provider.stopsReading();
        world.client.says(R"({"type":"two"})");
        const StreamEnd end = world.end();
        QVERIFY(end.by == StreamEnd::By::Provider);
        QCOMPARE(unsigned{end.close.code}, 4013U);
        QCOMPARE(end.close.reason, std::string("provider_timeout"));
        QCOMPARE(world.client.told().value().reason, std::string("provider_timeout"));
        QVERIFY(world.provider.told().has_value());
    }

    /// Qt makes a fault of the protocol of them, and drops their reason.
    void codesThatNotEveryClientCanRead_AreToldAsOneThatItCan()
    {
        for (const int code : {1012, 1013, 1014}) {
            World world;
            world.provider.hangsUp({static_cast<std::uint16_t>(code), "restart"});
            QCOMPARE(int{world.end().close.code}, code);
            QCOMPARE(unsigned{world.client.told().value().code}, 4013U);
            QCOMPARE(world.client.told().value().reason, std::string("restart"));
        }
    }

    void providerIsHeard_UntilItHasSaidWhatAResponseCosts()
    {
        RelaySession::Settings settings;
        settings.billPatience = 60s;
        World world(settings);
        world.client.says(R"({"type":"response.create"})");
        world.provider.says(R"({"type":"response.created","response":{"id":"r1"}})");
        QTRY_COMPARE(world.client.heard().size(), std::size_t{1});
        world.client.hangsUp({1000, "bye"});
        QTRY_COMPARE(world.provider.heard().size(), std::size_t{2});
        QVERIFY(world.provider.heard()[1].find(R"("type":"response.cancel")") != std::string::npos);
        QVERIFY(world.provider.heard()[1].find(R"("response_id":"r1")") != std::string::npos);
        QVERIFY(!world.provider.told());
        world.provider.says(R"({"type":"response.output_audio.delta","delta":"AAAA"})");
        world.provider.says(R"({"type":"response.done","response":{"id":"r1","status":"cancelled"}})");
        QVERIFY(world.end().by == StreamEnd::By::Client);
        QCOMPARE(unsigned{world.provider.told().value().code}, 1000U);
        QCOMPARE(world.provider.told().value().reason, std::string("bye"));
        // And the client nothing more.
        QCOMPARE(world.client.heard().size(), std::size_t{1});
        QVERIFY(!world.account->isBillDue());
    }

    void responseThatBeginsAfterTheEnd_IsCancelled()
    {
        RelaySession::Settings settings;
        settings.billPatience = 60s;
        World world(settings);
        world.client.says(R"({"type":"response.create"})");
        QTRY_COMPARE(world.provider.heard().size(), std::size_t{1});
        world.client.hangsUp({1000, {}});
        // Whichever it is.
        QTRY_COMPARE(world.provider.heard().size(), std::size_t{2});
        QVERIFY(world.provider.heard()[1].find("response_id") == std::string::npos);
        world.provider.says(R"({"type":"response.created","response":{"id":"r1"}})");
        QTRY_COMPARE(world.provider.heard().size(), std::size_t{3});
        QVERIFY(world.provider.heard()[2].find(R"("response_id":"r1")") != std::string::npos);
        world.provider.says(R"({"type":"response.done","response":{"id":"r1","status":"cancelled"}})");
        (void)world.end();
    }

    void providerThatNeverSaysWhatItCosts_IsNotWaitedForForEver()
    {
        RelaySession::Settings settings;
        settings.billPatience = 20ms;
        World world(settings);
        world.client.says(R"({"type":"response.create"})");
        QTRY_COMPARE(world.provider.heard().size(), std::size_t{1});
        world.client.hangsUp({1006, {}});
        (void)world.end();
        QCOMPARE(unsigned{world.provider.told().value().code}, 1001U);
        QVERIFY(world.account->isBillDue());
    }

    void providerThatTakesNoCancelling_IsWaitedForOnce()
    {
        RelaySession::Settings settings;
        settings.billPatience = 400ms;
        World world(settings);
        for (int i = 0; i < 20; ++i) {
            world.provider.says("{\"type\":\"response.created\",\"response\":{\"id\":\"r" + std::to_string(i) + "\"}}");
        }
        QTRY_COMPARE(world.client.heard().size(), std::size_t{20});
        world.provider.stopsReading();
        QElapsedTimer elapsed;
        elapsed.start();
        world.client.hangsUp({1000, {}});
        (void)world.end();
        QVERIFY2(elapsed.elapsed() < 4'000, "once, and not for each of twenty");
    }

    /// Its line is slow, and it takes what is queued.
    void clientWhoseSessionIsEnded_IsNotWaitedForForLong_data()
    {
        QTest::addColumn<int>("code");
        QTest::newRow("its token has run out") << 4401;
        QTest::newRow("its session was ended") << 4403;
        QTest::newRow("it has lasted too long") << 4408;
    }
    void clientWhoseSessionIsEnded_IsNotWaitedForForLong()
    {
        QFETCH(int, code);
        World world;
        world.provider.says(R"({"type":"one"})");
        QTRY_COMPARE(world.client.heard().size(), std::size_t{1});
        world.client.isSlow();
        world.stream->end({static_cast<std::uint16_t>(code), "why"});
        QCOMPARE(world.end().close.reason, std::string("why"));
        QCOMPARE(unsigned{world.client.told().value().code}, static_cast<unsigned>(code));
    }

    /// One whose end never comes would keep its session from every other one.
    void responseThatIsNeverHeardOfAgain_CountsAsUntold_AndGivesWay()
    {
        World world({}, 1'000);
        const auto create = [](const char* id) {
            return std::string("{\"type\":\"response.create\",\"event_id\":\"") + id + "\"}";
        };
        world.client.says(create("c1"));
        QTRY_COMPARE(world.provider.heard().size(), std::size_t{1});
        world.provider.says(R"({"type":"response.created","response":{"id":"r1"}})");
        QTRY_COMPARE(world.client.heard().size(), std::size_t{1});
        world.clock.advance(59s);
        world.client.says(create("c2"));
        QTRY_COMPARE(world.client.heard().size(), std::size_t{2});
        QVERIFY(world.client.heard()[1].find("conversation_already_has_active_response") != std::string::npos);
        // It goes on.
        world.provider.says(R"({"type":"response.output_audio.delta","delta":"AAAA"})");
        QTRY_COMPARE(world.client.heard().size(), std::size_t{3});
        world.clock.advance(59s);
        world.client.says(create("c3"));
        QTRY_COMPARE(world.client.heard().size(), std::size_t{4});
        QCOMPARE(world.account->untold(), std::uint64_t{0});
        world.clock.advance(1s);
        world.client.says(create("c4"));
        QTRY_COMPARE(world.provider.heard().size(), std::size_t{2});
        QCOMPARE(world.provider.heard()[1], create("c4"));
        QCOMPARE(world.account->untold(), std::uint64_t{1});
    }

    /// However long the provider may be heard, where nothing is due it is not.
    void whereNothingIsDue_TheProviderHearsOfTheEndAtOnce()
    {
        RelaySession::Settings settings;
        settings.billPatience = 60s;
        World world(settings);
        world.provider.says(R"({"type":"one"})");
        QTRY_COMPARE(world.client.heard().size(), std::size_t{1});
        world.client.hangsUp({4123, "enough"});
        (void)world.end();
        QCOMPARE(unsigned{world.provider.told().value().code}, 4123U);
    }
};

QTEST_GUILESS_MAIN(TestRelaySession)
#include "test_relay_session.moc"
