#include "broker/store/connection.h"
#include "broker/tokens/session_ender.h"
#include "broker/tokens/sql_session_registry.h"
#include "net/timer.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/fake_audit_trail.h"

#include <QElapsedTimer>
#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <iterator>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::tests;

namespace {

/// A disk that hangs: each line is waited for in vain, as long as the real trail would.
class HangingTrail final : public AuditTrail {
public:
    explicit HangingTrail(bool isWorking) : m_isWorking(isWorking) {}
    [[nodiscard]] net::Awaitable<Appended> append(AuditRecord) override
    {
        ++m_taken;
        return hang();
    }
    [[nodiscard]] bool isWorking() const override { return m_isWorking; }
    [[nodiscard]] std::size_t taken() const { return m_taken; }

private:
    static net::Awaitable<Appended> hang()
    {
        net::Timer timer(co_await boost::asio::this_coro::executor, std::chrono::seconds(10));
        co_await timer.async_wait(net::asTuple);
        co_return core::Unexpected<AuditFailure>(AuditFailure::TimedOut);
    }

    const bool m_isWorking;
    std::atomic<std::size_t> m_taken{0};
};

/// Of sessions that the test names; what is told to end runs on for others to see.
class FakeStreams final : public RunningStreams {
public:
    void run(const std::string& id)
    {
        SessionRecord session;
        session.id = id;
        session.caller = "alice";
        session.project = "choir";
        m_sessions.push_back(std::move(session));
    }
    [[nodiscard]] std::vector<SessionRecord> sessions(const Which& which) const override
    {
        std::vector<SessionRecord> found;
        std::copy_if(m_sessions.begin(), m_sessions.end(), std::back_inserter(found), which);
        return found;
    }
    void endAllOf(const std::vector<SessionRecord>& sessions) override
    {
        for (const SessionRecord& session : sessions) {
            m_ended.push_back(session.id);
        }
    }
    [[nodiscard]] const std::vector<std::string>& ended() const { return m_ended; }

private:
    std::vector<SessionRecord> m_sessions;
    std::vector<std::string> m_ended;
};

struct World {
    explicit World(bool isAuditWorking) : audit(isAuditWorking)
    {
        Database::Settings settings;
        settings.url = core::Secret("sqlite://:memory:");
        database = std::move(*Database::open(std::move(settings), log));
        registry.emplace(SqlSessionRegistry::Limits{}, *database, clock);
        ledger.emplace(usage::Ledger::Settings{}, usage::Ledger::Dependencies{*database, clock, log});
        ender.emplace(*registry, audit, *ledger);
    }
    ~World() { threads.stop(); }
    template <typename T>
    std::future<T> begin(net::Awaitable<T> answer)
    {
        return boost::asio::co_spawn(threads.executor(), std::move(answer), boost::asio::use_future);
    }
    void open(const std::string& id)
    {
        SessionRecord record;
        record.id = id;
        record.caller = "alice";
        record.project = "choir";
        const auto fault =
            begin(registry->open(record, hasher.hash(id), clock.wallNow() + std::chrono::minutes(1), {})).get();
        QVERIFY(!fault);
    }
    [[nodiscard]] static Client admin()
    {
        Client client;
        client.caller.issuer = "https://login.example";
        client.caller.subject = "root";
        client.caller.scopes = {std::string(auth::scope::kAdmin)};
        return client;
    }
    /// While it is away nothing can be asked about sessions.
    void setAway(bool isAway)
    {
        database->post([isAway](broker::Connection& sql) {
            sql << (isAway ? "ALTER TABLE sessions RENAME TO gone" : "ALTER TABLE gone RENAME TO sessions");
        });
    }
    [[nodiscard]] std::size_t left() { return begin(registry->countAll()).get().value_or(99); }

    SharedClock clock;
    CapturedLog log;
    HangingTrail audit;
    TokenHasher hasher;
    std::unique_ptr<Database> database;
    std::optional<SqlSessionRegistry> registry;
    std::optional<usage::Ledger> ledger;
    std::optional<SessionEnder> ender;
    NetThreads threads;
};

} // namespace

/// Sessions end within a second, whatever the audit does.
class TestBrokerSessionEnder : public QObject {
    Q_OBJECT

private slots:
    void end_WhileTheAuditHangs_EndsSoon_AndSaysSo_data()
    {
        QTest::addColumn<bool>("isKnownToHang");
        QTest::addColumn<QByteArray>("what");
        for (const char* what : {"one", "caller", "project"}) {
            QTest::addRow("%s", what) << false << QByteArray(what);
            QTest::addRow("%s, known", what) << true << QByteArray(what);
        }
    }
    void end_WhileTheAuditHangs_EndsSoon_AndSaysSo()
    {
        QFETCH(bool, isKnownToHang);
        QFETCH(QByteArray, what);
        World world(!isKnownToHang);
        const std::size_t count = what == "one" ? 1 : 300;
        for (std::size_t i = 0; i < count; ++i) {
            world.open("s" + std::to_string(i));
        }
        QElapsedTimer timer;
        timer.start();
        std::optional<FaultCode> answer;
        std::future<std::optional<Fault>> one;
        std::future<core::Expected<std::size_t, Fault>> all;
        if (what == "one") {
            one = world.begin(world.ender->end(World::admin(), "s0"));
        } else {
            all = world.begin(what == "caller" ? world.ender->endAllOf(World::admin(), "alice")
                                               : world.ender->endProject(World::admin(), "choir"));
        }
        QVERIFY(QTest::qWaitFor([&] { return world.left() == 0; }, 5'000));
        QVERIFY2(timer.elapsed() < 1'000, qPrintable(QString::number(timer.elapsed())));
        if (what == "one") {
            const auto fault = one.get();
            answer = fault ? std::optional(fault->code) : std::nullopt;
        } else {
            const auto ended = all.get();
            answer = ended ? std::nullopt : std::optional(ended.error().code);
        }
        // One deadline for all lines, not one after another's.
        QVERIFY2(timer.elapsed() < 6'000, qPrintable(QString::number(timer.elapsed())));
        QVERIFY(answer == FaultCode::Unavailable);
        // All were handed in: they are stored when the disk is back.
        QCOMPARE(world.audit.taken(), what == "one" ? std::size_t{1} : count + 1);
    }

    void end_WithoutALine_GetsOneWhenTheAuditIsBack_data()
    {
        QTest::addColumn<QByteArray>("what");
        for (const char* what : {"one", "caller", "project"}) {
            QTest::addRow("%s", what) << QByteArray(what);
        }
    }
    void end_WithoutALine_GetsOneWhenTheAuditIsBack()
    {
        QFETCH(QByteArray, what);
        World world(true);
        world.open("s");
        FakeAuditTrail trail;
        SessionEnder ender(*world.registry, trail, *world.ledger);
        trail.failWith(AuditFailure::Unwritable);
        if (what == "one") {
            QVERIFY(world.begin(ender.end(World::admin(), "s")).get().has_value());
        } else {
            QVERIFY(!world
                         .begin(what == "caller" ? ender.endAllOf(World::admin(), "alice")
                                                 : ender.endProject(World::admin(), "choir"))
                         .get()
                         .has_value());
        }
        QCOMPARE(world.left(), std::size_t{0});
        world.begin(ender.tellOwed()).get();
        QVERIFY(trail.records().empty());
        trail.failWith(std::nullopt);
        world.begin(ender.tellOwed()).get();
        world.begin(ender.tellOwed()).get();
        const auto records = trail.records();
        QCOMPARE(records.size(), std::size_t{what == "one" ? 1U : 2U});
        QCOMPARE(records.back().session, std::string("s"));
        QCOMPARE(records.back().subject, std::string("root"));
        QCOMPARE(records.back().target, std::string("alice"));
        QCOMPARE(records.back().why, std::string("told_late"));
    }

    /// The line before it says that it is done.
    void end_ThatTheDatabaseRefuses_IsToldAsFailed_data()
    {
        QTest::addColumn<QByteArray>("what");
        for (const char* what : {"one", "caller", "project"}) {
            QTest::addRow("%s", what) << QByteArray(what);
        }
    }
    void end_ThatTheDatabaseRefuses_IsToldAsFailed()
    {
        QFETCH(QByteArray, what);
        World world(true);
        world.open("s");
        world.database->post([](broker::Connection& sql) {
            sql << "CREATE TRIGGER stays BEFORE DELETE ON sessions BEGIN SELECT RAISE(ABORT, 'no'); END";
        });
        FakeAuditTrail trail;
        SessionEnder ender(*world.registry, trail, *world.ledger);
        Client admin = World::admin();
        admin.request = "r-1";
        if (what == "one") {
            QVERIFY(world.begin(ender.end(admin, "s")).get().has_value());
        } else {
            QVERIFY(!world.begin(what == "caller" ? ender.endAllOf(admin, "alice") : ender.endProject(admin, "choir"))
                         .get()
                         .has_value());
        }
        QCOMPARE(world.left(), std::size_t{1});
        const auto records = trail.records();
        QCOMPARE(records.size(), std::size_t{2});
        QVERIFY(records[0].outcome == AuditOutcome::Done);
        QVERIFY(records[1].outcome == AuditOutcome::Failed && records[1].event == AuditEvent::Kill);
        QCOMPARE(records[1].why, std::string("unavailable"));
        QCOMPARE(records[1].request, std::string("r-1"));
        QCOMPARE(records[1].session, records[0].session);
    }

    void end_WhileTheDatabaseIsAway_CutsWhatRunsHere_AndEndsItLater_data()
    {
        QTest::addColumn<QByteArray>("what");
        for (const char* what : {"one", "caller", "project"}) {
            QTest::addRow("%s", what) << QByteArray(what);
        }
    }
    void end_WhileTheDatabaseIsAway_CutsWhatRunsHere_AndEndsItLater()
    {
        QFETCH(QByteArray, what);
        World world(true);
        world.open("s");
        world.open("elsewhere");
        FakeStreams streams;
        streams.run("s");
        FakeAuditTrail trail;
        SessionEnder ender(*world.registry, trail, *world.ledger, &streams);
        world.setAway(true);
        std::optional<Fault> fault;
        if (what == "one") {
            fault = world.begin(ender.end(World::admin(), "s")).get();
        } else {
            const auto ended = world
                                   .begin(what == "caller" ? ender.endAllOf(World::admin(), "alice")
                                                           : ender.endProject(World::admin(), "choir"))
                                   .get();
            QVERIFY(!ended);
            fault = ended.error();
        }
        QVERIFY(fault && fault->code == FaultCode::Unavailable);
        QVERIFY2(fault->detail.find("is cut") != std::string::npos, fault->detail.c_str());
        QCOMPARE(streams.ended(), std::vector<std::string>{"s"});
        const auto tend = [&] {
            world.begin(ender.endOwed()).get();
            world.begin(ender.tellOwed()).get();
            return trail.records();
        };
        const auto before = tend();
        QCOMPARE(before.size(), std::size_t{2});
        QVERIFY(before[0].outcome == AuditOutcome::Done && before[1].outcome == AuditOutcome::Failed);
        world.setAway(false);
        QCOMPARE(world.left(), std::size_t{2});
        const auto records = tend();
        // That one alone: who asked was told that nothing else has ended.
        QCOMPARE(world.left(), std::size_t{1});
        QCOMPARE(records.size(), std::size_t{3});
        QVERIFY(records[2].event == AuditEvent::Kill && records[2].outcome == AuditOutcome::Done);
        QCOMPARE(records[2].session, std::string("s"));
        QCOMPARE(records[2].target, std::string("alice"));
        QCOMPARE(records[2].why, std::string("told_late"));
        QCOMPARE(tend().size(), std::size_t{3});
    }

    void end_OfAStreamHere_IsForItsOwnerAndAdminsAlone()
    {
        World world(true);
        world.open("s");
        FakeStreams streams;
        streams.run("s");
        FakeAuditTrail trail;
        SessionEnder ender(*world.registry, trail, *world.ledger, &streams);
        Client other = World::admin();
        other.caller.scopes = {std::string(auth::scope::kSession)};
        const auto fault = world.begin(ender.end(other, "s")).get();
        QVERIFY(fault && fault->code == FaultCode::SessionNotFound);
        QVERIFY(streams.ended().empty());
        QVERIFY(!world.begin(ender.end(World::admin(), "s")).get());
        QCOMPARE(streams.ended(), std::vector<std::string>{"s"});
        QCOMPARE(world.left(), std::size_t{0});
        world.begin(ender.endOwed()).get();
        world.begin(ender.tellOwed()).get();
        QCOMPARE(trail.records().size(), std::size_t{1});
    }
};

QTEST_GUILESS_MAIN(TestBrokerSessionEnder)
#include "test_broker_session_ender.moc"
