#include "tests/broker/broker_process.h"
#include "tests/broker/postgres_server.h"
#include "tests/broker/redis_server.h"
#include "tests/net/raw_socket.h"

#include <QElapsedTimer>
#include <QFile>
#include <QTest>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/mount.h>
#include <sys/resource.h>

using namespace vivavoce;
using namespace vivavoce::tests;
namespace fs = std::filesystem;

namespace {

/// A file system of its own that is full soon. Unmounted when it goes.
class SmallDisk {
public:
    explicit SmallDisk(const char* size)
        : m_isMounted(::mount("tmpfs", path().c_str(), "tmpfs", 0, (std::string("size=") + size).c_str()) == 0)
    {
    }
    ~SmallDisk()
    {
        if (m_isMounted) {
            ::umount2(path().c_str(), MNT_DETACH);
        }
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    [[nodiscard]] bool isMounted() const { return m_isMounted; }
    [[nodiscard]] std::string path() const { return m_folder.path().toStdString(); }
    /// Not a byte is left.
    void fill() const
    {
        std::ofstream file(path() + "/filler", std::ios::binary);
        const std::string page(512, 'x');
        while (file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) {
        }
    }
    void clear() const { fs::remove(path() + "/filler"); }

private:
    QTemporaryDir m_folder;
    bool m_isMounted;
};

/// Another limit for a process that runs; the soft one only, so that it can be lifted again.
bool limit(int pid, __rlimit_resource resource, rlim_t to)
{
    rlimit now{};
    if (::prlimit(pid, resource, nullptr, &now) != 0) {
        return false;
    }
    now.rlim_cur = std::min(to, now.rlim_max);
    return ::prlimit(pid, resource, &now, nullptr) == 0;
}

/// Processor time that it has used, in clock ticks.
long ticksOf(int pid)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!file.open(QIODevice::ReadOnly)) {
        return -1;
    }
    const QByteArray text = file.readAll();
    const auto fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
    return fields.value(11).toLong() + fields.value(12).toLong();
}

/// 0 where we may not look: the broker keeps itself from being looked into by all but root.
rlim_t descriptorsOf(int pid)
{
    std::error_code error;
    const auto begin = fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error);
    return error ? 0 : static_cast<rlim_t>(std::distance(begin, fs::directory_iterator()));
}

bool isDegraded(const BrokerProcess& broker)
{
    return broker.get("/api/voice-agent/health").body.find("\"degraded\"") != std::string::npos;
}

void compareAudited(const BrokerProcess& broker, const std::set<std::string>& got)
{
    const auto audited = broker.auditedSessions();
    for (const std::string& session : got) {
        QVERIFY2(audited.count(session) == 1, session.c_str());
    }
}

} // namespace

/// What goes wrong around a broker that runs: it says so, does nothing by halves, and comes back without a restart.
class TestBrokerFaults : public QObject {
    Q_OBJECT

private slots:
    void diskOfTheAudit_Full_MintsNothingUntilThereIsSpace()
    {
        const SmallDisk disk("64k");
        if (!disk.isMounted()) {
            QSKIP("NOT TESTED: a full disk. Mounting a tmpfs takes the right to (root)");
        }
        BrokerProcess broker;
        broker.setAuditFolder(disk.path() + "/audit");
        QVERIFY(broker.start());
        std::set<std::string> got;
        got.insert(broker.mint().sessionId());
        disk.fill();
        // What is left of the last page may still take a line or two.
        QVERIFY(broker.comesTo(503));
        const Exchange refused = broker.mint();
        QCOMPARE(refused.code(), std::string("unavailable"));
        QVERIFY(refused.sessionId().empty());
        // It lives, and says what is wrong.
        QCOMPARE(broker.get("/healthz").status, 200U);
        QVERIFY(isDegraded(broker));
        disk.clear();
        const Exchange again = broker.mint();
        QCOMPARE(again.status, 200U);
        got.insert(again.sessionId());
        QVERIFY(!isDegraded(broker));
        compareAudited(broker, got);
        QCOMPARE(broker.terminate(), 0);
        QCOMPARE(broker.verifyAudit(), 0);
    }

    void fileOfTheAudit_ThatMayNotGrow_MintsNothingUntilItMay()
    {
        BrokerProcess broker;
        QVERIFY(broker.start());
        QCOMPARE(broker.mint().status, 200U);
        // Somewhere within a line: what was half-written has to go.
        for (const rlim_t more : {0, 1, 100, 300}) {
            rlim_t size = 0;
            for (const auto& file : fs::directory_iterator(broker.auditFolder())) {
                size = std::max<rlim_t>(size, file.file_size());
            }
            QVERIFY(limit(broker.pid(), RLIMIT_FSIZE, size + more));
            const Exchange refused = broker.mint();
            QCOMPARE(refused.status, 503U);
            QCOMPARE(refused.code(), std::string("unavailable"));
            QVERIFY(broker.isRunning());
            QVERIFY(limit(broker.pid(), RLIMIT_FSIZE, RLIM_INFINITY));
            QCOMPARE(broker.mint().status, 200U);
        }
        QCOMPARE(broker.terminate(), 0);
        QCOMPARE(broker.verifyAudit(), 0);
    }

    void kill_UnderLoad_LosesNoSessionThatAClientGot()
    {
        const int kills = qEnvironmentVariableIsSet("VV_SOAK") ? 100 : 20;
        BrokerProcess broker;
        std::set<std::string> got;
        for (int run = 0; run < kills; ++run) {
            QVERIFY(broker.start());
            MintingClients clients(broker, 8);
            // At another point of its work each time.
            QVERIFY(clients.waitForAnswers(10 + 7 * (run % 20)));
            broker.kill();
            for (const Exchange& exchange : clients.finish()) {
                if (exchange.status == 200 && exchange.end == Exchange::End::Answered) {
                    got.insert(exchange.sessionId());
                }
            }
        }
        QVERIFY(got.size() >= static_cast<std::size_t>(kills) * 10);
        QCOMPARE(got.count(std::string()), std::size_t{0});
        compareAudited(broker, got);
        QVERIFY(broker.start());
        QCOMPARE(broker.mint().status, 200U);
        QCOMPARE(broker.terminate(), 0);
        QCOMPARE(broker.verifyAudit(), 0);
    }

    void terminate_UnderLoad_AnswersNobodyByHalf()
    {
        for (int run = 0; run < 5; ++run) {
            BrokerProcess broker;
            QVERIFY(broker.start());
            MintingClients clients(broker, 8);
            QVERIFY(clients.waitForAnswers(40 + 13 * run));
            QElapsedTimer timer;
            timer.start();
            QCOMPARE(broker.terminate(), 0);
            QVERIFY2(timer.elapsed() < 6'000, qPrintable(QString::number(timer.elapsed())));
            std::set<std::string> got;
            for (const Exchange& exchange : clients.finish()) {
                QVERIFY(exchange.end != Exchange::End::Half);
                if (exchange.end == Exchange::End::Answered) {
                    QVERIFY2(exchange.status == 200 || exchange.status == 503, exchange.head.c_str());
                }
                if (exchange.status == 200) {
                    got.insert(exchange.sessionId());
                }
            }
            QVERIFY(got.size() >= 40);
            compareAudited(broker, got);
            QCOMPARE(broker.verifyAudit(), 0);
        }
    }

    void redis_StoppedAndStarted_IsFoundAgain_data()
    {
        QTest::addColumn<std::string>("wish");
        QTest::addColumn<unsigned>("meanwhile");
        QTest::newRow("fail closed") << std::string("refuse") << 503U;
        QTest::newRow("in memory") << std::string("memory") << 200U;
    }
    void redis_StoppedAndStarted_IsFoundAgain()
    {
        QFETCH(std::string, wish);
        QFETCH(unsigned, meanwhile);
        if (!RedisServer::isInstalled()) {
            QSKIP("NOT TESTED: there is no redis-server here");
        }
        RedisServer redis;
        QVERIFY(redis.start());
        BrokerProcess broker;
        QVERIFY(broker.start("without_redis = \"" + wish + "\"\nredis_url = \"" + redis.url() + "\""));
        QCOMPARE(broker.mint().status, 200U);
        QVERIFY(!redis.keys().empty());
        for (int run = 0; run < 2; ++run) {
            redis.kill();
            QElapsedTimer timer;
            timer.start();
            const Exchange during = broker.mint();
            QCOMPARE(during.status, meanwhile);
            // The deadline of a decision, and room for a slow machine.
            QVERIFY2(timer.elapsed() < 3'000, qPrintable(QString::number(timer.elapsed())));
            if (meanwhile == 503) {
                QCOMPARE(during.code(), std::string("unavailable"));
                QVERIFY(during.head.find("Retry-After: 5") != std::string::npos);
            }
            // Told within two seconds, as the operators' page promises.
            QVERIFY(QTest::qWaitFor([&] { return isDegraded(broker); }, 4'000));
            QVERIFY(redis.start());
            QVERIFY(QTest::qWaitFor([&] { return broker.mint().status == 200 && !isDegraded(broker); }, 20'000));
            // Counted there, and not here.
            QVERIFY(!redis.keys().empty());
        }
        QCOMPARE(broker.terminate(), 0);
    }

    void postgres_StoppedAndStarted_IsFoundAgain()
    {
        if (const QString missing = PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(QStringLiteral("NOT TESTED: ") + missing));
        }
        PostgresServer postgres;
        QVERIFY(postgres.start());
        BrokerProcess broker;
        broker.setVariable("DATABASE_URL", postgres.url());
        QVERIFY(broker.start());
        QCOMPARE(broker.mint().status, 200U);
        for (int run = 0; run < 2; ++run) {
            postgres.stop();
            const Exchange during = broker.mint();
            QCOMPARE(during.status, 503U);
            QCOMPARE(during.code(), std::string("unavailable"));
            QVERIFY(isDegraded(broker));
            // It lives, and says so.
            QCOMPARE(broker.get("/healthz").status, 200U);
            QCOMPARE(broker.get("/readyz").status, 503U);
            QVERIFY(postgres.start());
            // Without a request that needs it: a load balancer sends none.
            QVERIFY(QTest::qWaitFor([&] { return broker.get("/readyz").status == 200; }, 20'000));
            QVERIFY(QTest::qWaitFor([&] { return broker.mint().status == 200 && !isDegraded(broker); }, 20'000));
        }
        QCOMPARE(broker.terminate(), 0);
        QCOMPARE(broker.verifyAudit(), 0);
    }

    void postgres_ThatStandsStill_IsToldOf_AndKeepsNobodyFromLeaving()
    {
        if (const QString missing = PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(QStringLiteral("NOT TESTED: ") + missing));
        }
        PostgresServer postgres;
        QVERIFY(postgres.start());
        BrokerProcess broker;
        broker.setVariable("DATABASE_URL", postgres.url());
        QVERIFY(broker.start());
        QCOMPARE(broker.mint().status, 200U);
        postgres.freeze();
        QVERIFY(QTest::qWaitFor([&] { return broker.get("/readyz").status == 503; }, 20'000));
        QCOMPARE(broker.get("/healthz").status, 200U);
        postgres.thaw();
        QVERIFY(QTest::qWaitFor([&] { return broker.get("/readyz").status == 200; }, 20'000));
        QVERIFY(QTest::qWaitFor([&] { return broker.mint().status == 200; }, 20'000));
        postgres.freeze();
        QVERIFY(QTest::qWaitFor([&] { return broker.get("/readyz").status == 503; }, 20'000));
        QElapsedTimer timer;
        timer.start();
        QCOMPARE(broker.terminate(), 0);
        // The deadline of the drain, and a second for what hangs.
        QVERIFY2(timer.elapsed() < 7'500, qPrintable(QString::number(timer.elapsed())));
        postgres.thaw();
    }

    void descriptors_UsedUp_AreWaitedForAndNotSpunOn()
    {
#ifdef __SANITIZE_ADDRESS__
        QSKIP(
            "NOT TESTED: no descriptors left. The sanitizer looks at memory through a pipe, and finds faults where it has none");
#endif
        BrokerProcess broker;
        QVERIFY(broker.start());
        QCOMPARE(broker.mint().status, 200U);
        const rlim_t open = descriptorsOf(broker.pid());
        if (open == 0) {
            QSKIP("NOT TESTED: no descriptors left. Counting those of the broker takes the right to (root)");
        }
        QVERIFY(limit(broker.pid(), RLIMIT_NOFILE, open + 3));
        std::vector<std::unique_ptr<net::test::RawSocket>> idle;
        for (int i = 0; i < 50; ++i) {
            idle.push_back(std::make_unique<net::test::RawSocket>(broker.port()));
        }
        // A stretch of time to watch it in: what is waited for is that it does nothing.
        const long before = ticksOf(broker.pid());
        QElapsedTimer timer;
        timer.start();
        (void)QTest::qWaitFor([] { return false; }, 2'000);
        const double seconds = static_cast<double>(timer.elapsed()) / 1'000;
        const double used =
            static_cast<double>(ticksOf(broker.pid()) - before) / static_cast<double>(::sysconf(_SC_CLK_TCK));
        QVERIFY2(used < 0.2 * seconds, qPrintable(QStringLiteral("%1 s in %2 s").arg(used).arg(seconds)));
        QVERIFY2(broker.isRunning(), broker.log().right(2'000).constData());
        idle.clear();
        // Two descriptors a mint: the client's and the provider's.
        QVERIFY(broker.comesTo(200));
        QVERIFY(limit(broker.pid(), RLIMIT_NOFILE, 1'024));
        QCOMPARE(broker.mint().status, 200U);
        QCOMPARE(broker.terminate(), 0);
        QCOMPARE(broker.verifyAudit(), 0);
    }
};

QTEST_GUILESS_MAIN(TestBrokerFaults)
#include "test_broker_faults.moc"
