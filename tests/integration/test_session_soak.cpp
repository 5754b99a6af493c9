#include "app/platform/qt_executor.h"
#include "app/platform/qt_http_client.h"
#include "app/platform/qt_websocket_transport.h"
#include "core/base/json.h"
#include "tests/broker/broker_process.h"
#include "tests/support/conversing_client.h"
#include "tests/support/memory_use.h"
#include "tests/support/wire/scripted_server.h"
#include "tests/support/wire/wait_for.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <algorithm>
#include <deque>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kPatienceMs = 20'000;

/// In a soak: VV_SOAK_MINUTES, or an hour.
seconds lasting()
{
    if (!qEnvironmentVariableIsSet("VV_SOAK")) {
        return seconds(8);
    }
    return minutes(qEnvironmentVariableIsSet("VV_SOAK_MINUTES") ? qEnvironmentVariableIntValue("VV_SOAK_MINUTES") : 60);
}

/// A client over real sockets, the real broker in a process of its own, and a provider that counts.
class World {
public:
    explicit World(seconds length)
        : m_sessionLength(std::max(seconds(3), std::min(seconds(minutes(15)), length / 4))),
          m_provider(m_executor, {m_sessionLength, &m_clock}, log)
    {
        m_provider.answer([this](const HttpClient::Request& request, std::string_view) {
            if (!request.url.ends_with("/v1/realtime/client_secrets")) {
                return HttpClient::Response{404, {}, "{}"};
            }
            m_secrets.push_back("ek_" + std::to_string(++mints));
            if (m_secrets.size() > 4) {
                m_secrets.pop_front();
            }
            const auto now = std::chrono::floor<seconds>(m_clock.wallNow()).time_since_epoch();
            return HttpClient::Response{
                200, {}, Json({{"value", m_secrets.back()}, {"expires_at", now.count() + 60}}).dump()};
        });
        m_provider.admit([this](std::string_view token) {
            return std::find(m_secrets.begin(), m_secrets.end(), token) != m_secrets.end();
        });
        m_broker.setProvider(m_provider.url());
    }

    [[nodiscard]] bool start()
    {
        if (!m_broker.start("violations_to_block = 0")) {
            return false;
        }
        SessionOptions options;
        options.transcriptionModel = "scribe";
        // Soon full, so that a short trial, too, shows what grows.
        options.toldEntries = 40;
        options.deadlines.handOver = std::min(options.deadlines.handOver, Milliseconds(m_sessionLength) / 3);
        options.deadlines.lastHandOver = std::min(options.deadlines.lastHandOver, options.deadlines.handOver / 4);
        client.emplace(ConversingClient::Dependencies{m_http, m_transports, m_clock, m_executor,
            "http://127.0.0.1:" + std::to_string(m_broker.port()),
            std::make_shared<const Secret>(m_broker.serviceKey()), options});
        client->start();
        return true;
    }
    [[nodiscard]] std::size_t open() const { return m_provider.open(); }

    ScriptedProviderLog log;
    int mints = 0;

private:
    SystemClock m_clock;
    platform::QtExecutor m_executor;
    platform::QtHttpClient m_http;
    platform::QtWebSocketFactory m_transports;
    seconds m_sessionLength;
    ScriptedServer m_provider;
    std::deque<std::string> m_secrets;
    BrokerProcess m_broker;

public:
    // Last: it goes first.
    std::optional<ConversingClient> client;
};

} // namespace

/// A conversation of an hour over real sockets: a few seconds of it with the other tests, all of it by ./dev soak.
class SessionSoakTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void hour_LosesAndDoublesNothing_MintsOncePerInterval_AndTakesNoMoreMemory()
    {
        using Now = std::chrono::steady_clock;
        const seconds length = lasting();
        const bool isSoak = qEnvironmentVariableIsSet("VV_SOAK");
        const Milliseconds eachTurn{isSoak ? 4'000 : 1'000};
        World world(length);
        QVERIFY(world.start());
        ConversingClient& client = *world.client;
        QVERIFY(waitFor([&] { return client.isQuiet(); }, kPatienceMs));

        FlatFigure allocated;
        FlatFigure resident;
        int number = 0;
        const auto end = Now::now() + length;
        while (Now::now() < end) {
            const auto next = Now::now() + eachTurn;
            // Answers that do not end are for other tests.
            number += turnKind(number + 1) == TurnKind::Endless ? 2 : 1;
            number % 4 == 0 ? client.speak(number) : client.type(number);
            const bool isOver =
                waitFor([&] { return client.isAnswered(number) && client.isWrittenDown(number) && client.isQuiet(); },
                    kPatienceMs);
            QVERIFY2(isOver, client.standing().c_str());
            client.voice().fallSilent();
            const std::string fault = client.faultOf(number);
            QVERIFY2(fault.empty(), fault.c_str());
            for (const auto& [call, times] : client.toolRuns) {
                QVERIFY2(times == 1, call.c_str());
            }
            client.forgetTurns();
            const auto left = std::chrono::ceil<Milliseconds>(next - Now::now());
            (void)waitFor([] { return false; }, static_cast<int>(std::max(left, Milliseconds{0}).count()));
            allocated.look(allocatedKiB());
            resident.look(residentKiB());
        }
        // The last pause may have begun a hand-over that is not through.
        QVERIFY2(
            waitFor([&] { return client.isQuiet() && world.open() == 1; }, kPatienceMs), client.standing().c_str());
        qInfo(
            "%lld s, %d turns, %d hand-overs, %d losses, %d tokens; allocated %ld KiB, then %ld; resident %ld KiB, then %ld",
            static_cast<long long>(length.count()), number, client.handOvers, client.losses, client.tokens,
            allocated.before(), allocated.after(), resident.before(), resident.after());
        QVERIFY(client.handOvers >= 2);
        QCOMPARE(client.losses, 0);
        QCOMPARE(client.audioLost, Milliseconds{0});
        QCOMPARE(world.log.sessions, 1 + client.handOvers);
        // Each is minted once, and none before its time.
        QCOMPARE(world.mints, client.tokens);
        QCOMPARE(client.earlyTokens, 0);
        QVERIFY(world.log.doubled.empty());
        for (const std::string& code : world.log.refused) {
            QVERIFY2(false, code.c_str());
        }
        if (isSoak) {
            QVERIFY2(allocated.isFlat(64), "what is allocated grows");
            QVERIFY2(resident.isFlat(0), "memory grows");
        }
        client.stop();
        QVERIFY(waitFor([&] { return client.end().has_value(); }, kPatienceMs));
        QVERIFY(!client.end()->error);
    }
};

QTEST_GUILESS_MAIN(SessionSoakTest)
#include "test_session_soak.moc"
