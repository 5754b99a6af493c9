#include "bench/relay/load.h"
#include "core/base/json.h"
#include "tests/broker/broker_process.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

using namespace vivavoce;
using namespace vivavoce::tests;
using bench::Load;
using std::chrono::seconds;

namespace {

/// In a soak: what the variable says, or that.
seconds lasting(const char* variable, int inSoak, int otherwise)
{
    if (!qEnvironmentVariableIsSet("VV_SOAK")) {
        return seconds(otherwise);
    }
    return seconds(qEnvironmentVariableIsSet(variable) ? qEnvironmentVariableIntValue(variable) : inSoak);
}

/// KiB in memory; 0 where it cannot be read.
long residentOf(int pid)
{
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("VmRSS:")) {
            return std::stol(line.substr(6));
        }
    }
    return 0;
}

/// 0 where we may not look: the broker keeps itself from being looked into by all but root.
long filesOf(int pid)
{
    std::error_code error;
    const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd", error);
    return error ? 0 : std::distance(begin(files), end(files));
}

/// Looks at a process twice a second while it lives.
class Watch {
public:
    explicit Watch(int pid) : m_thread([this, pid] { look(pid); }) {}
    ~Watch() { (void)finish(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// KiB that it has grown from the second fifth to the last.
    [[nodiscard]] long growth() const
    {
        const auto fifth = static_cast<std::ptrdiff_t>(m_resident.size() / 5);
        return fifth == 0 ? 0 : median(4 * fifth, 5 * fifth) - median(fifth, 2 * fifth);
    }
    Watch& finish()
    {
        {
            const std::lock_guard lock(m_mutex);
            m_isOver = true;
        }
        m_changed.notify_all();
        if (m_thread.joinable()) {
            m_thread.join();
        }
        return *this;
    }

private:
    void look(int pid)
    {
        std::unique_lock lock(m_mutex);
        while (!m_changed.wait_for(lock, std::chrono::milliseconds(500), [this] { return m_isOver; })) {
            m_resident.push_back(residentOf(pid));
        }
    }
    [[nodiscard]] long median(std::ptrdiff_t from, std::ptrdiff_t to) const
    {
        std::vector<long> part(m_resident.begin() + from, m_resident.begin() + to);
        std::sort(part.begin(), part.end());
        return part[part.size() / 2];
    }

    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_isOver = false;
    std::vector<long> m_resident;
    std::thread m_thread;
};

} // namespace

/// The real broker for a long time. A few seconds of it with the other tests, all of it by ./dev soak.
class TestRelaySoak : public QObject {
    Q_OBJECT

    BrokerProcess m_broker;
    std::unique_ptr<Load> m_load;

    /// As many new sessions.
    std::vector<std::string> tokens(std::size_t count) const
    {
        std::vector<std::string> all;
        while (all.size() < count) {
            const auto answer = m_broker.send("POST /api/voice/session HTTP/1.1\r\nHost: 127.0.0.1:"
                + std::to_string(m_broker.port()) + "\r\nAuthorization: Bearer " + m_broker.serviceKey()
                + "\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
            if (answer.status != 200) {
                return {};
            }
            all.push_back(core::Json::parse(answer.body)["token"].get<std::string>());
        }
        return all;
    }
    std::string open(std::size_t sessions)
    {
        Load::Target target{m_broker.port(), "/api/voice/stream", tokens(sessions)};
        return target.tokens.empty() ? "no session" : m_load->open(target, sessions);
    }
    void startBroker()
    {
        m_load = std::make_unique<Load>();
        m_broker.setProvider("http://127.0.0.1:" + std::to_string(m_load->port()));
        QVERIFY(
            m_broker.start("violations_to_block = 0", "sessions = { relay_duration = 3600, relay_longest = 3600 }"));
    }

private Q_SLOTS:
    void cleanup() { m_broker.kill(); }

    /// Fifty pieces of sound a second each way, as somebody has them who talks and is talked to without a pause.
    void session_AtRealSpeed_LosesNothing_AndTakesNoMoreMemory()
    {
        const seconds time = lasting("VV_SOAK_SESSION_SECONDS", 900, 4);
        startBroker();
        QCOMPARE(open(1), std::string());
        Watch watch(m_broker.pid());
        const Load::Figures figures = m_load->run(50, 1'400, time, [](const char*) {});
        watch.finish();
        qInfo("%lld s, %llu messages: p50 %.0f us, p99 %.0f us, worst %.1f ms; grown by %ld KiB",
            static_cast<long long>(time.count()), static_cast<unsigned long long>(figures.sent), figures.p50Us,
            figures.p99Us, figures.worstUs / 1'000, watch.growth());
        QVERIFY(figures.sent >= static_cast<std::uint64_t>(time.count()) * 95);
        QCOMPARE(figures.received, figures.sent);
        QCOMPARE(figures.misplaced, std::uint64_t{0});
        QVERIFY(m_load->close());
        if (qEnvironmentVariableIsSet("VV_SOAK")) {
            // A playout queue has as much in hand.
            QVERIFY2(figures.worstUs < 200'000, "a dropout");
            QVERIFY2(watch.growth() < 2'048, "memory grows");
        }
    }

    /// Streams are opened, talk for a second, and end.
    void streamsThatComeAndGo_LeaveNothingBehind()
    {
        constexpr std::size_t kAtOnce = 20;
        const seconds time = lasting("VV_SOAK_CHURN_SECONDS", 3'600, 4);
        startBroker();
        QCOMPARE(open(kAtOnce), std::string());
        QVERIFY(m_load->close());
        const long filesBefore = filesOf(m_broker.pid());
        Watch watch(m_broker.pid());
        std::size_t streams = 0;
        for (const auto end = Load::Clock::now() + time; Load::Clock::now() < end;) {
            QCOMPARE(open(kAtOnce), std::string());
            const Load::Figures figures = m_load->run(50, 1'400, std::chrono::milliseconds(100), [](const char*) {});
            QCOMPARE(figures.received, figures.sent);
            QVERIFY(m_load->close());
            streams += kAtOnce;
        }
        watch.finish();
        // The last ones' descriptors go with their farewells; the ledger's and the audit's stay.
        QTRY_VERIFY_WITH_TIMEOUT(filesOf(m_broker.pid()) <= filesBefore + 2, 20'000);
        qInfo("%lld s, %zu streams: descriptors %ld before, %ld after; grown by %ld KiB",
            static_cast<long long>(time.count()), streams, filesBefore, filesOf(m_broker.pid()), watch.growth());
        if (qEnvironmentVariableIsSet("VV_SOAK")) {
            // What a session leaves in the registry until it can be resumed no more is on disk.
            QVERIFY2(watch.growth() < 4'096, "memory grows");
        }
    }
};

QTEST_GUILESS_MAIN(TestRelaySoak)
#include "test_relay_soak.moc"
