#include "broker/projects/table_projects.h"
#include "broker/store/connection.h"
#include "broker/tokens/sql_session_registry.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/postgres_proxy.h"
#include "tests/broker/postgres_server.h"

#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::tests;
using core::Milliseconds;

namespace {

struct World {
    World(const std::string& folder, Milliseconds deadline) : proxy(threads, folder)
    {
        Database::Settings settings;
        settings.url = core::Secret(proxy.url());
        settings.connections = 2;
        settings.deadline = deadline;
        auto opened = Database::open(std::move(settings), log);
        if (!opened) {
            qFatal("%s", opened.error().detail.c_str());
        }
        database = std::move(*opened);
        const std::function<int(broker::Connection&)> empty = [](broker::Connection& sql) {
            sql << "DELETE FROM sessions";
            return 0;
        };
        (void)wait(database->run<int>(empty));
        registry.emplace(SqlSessionRegistry::Limits{}, *database, clock);
    }
    ~World()
    {
        database.reset();
        threads.stop();
    }

    template <typename T>
    T wait(net::Awaitable<T> answer)
    {
        return boost::asio::co_spawn(threads.executor(), std::move(answer), boost::asio::use_future).get();
    }
    std::optional<Fault> open(const std::string& id, const std::string& token, SessionCaps caps = {})
    {
        SessionRecord record;
        record.id = id;
        record.caller = "alice";
        return wait(registry->open(record, hasher.hash(token), clock.wallNow() + Milliseconds{60'000}, caps));
    }
    Renewal claim(const std::string& token) { return wait(registry->claimByToken(hasher.hashes(token), {})); }
    core::Expected<bool, Fault> complete(const Renewal& renewal, const std::string& token)
    {
        const Successor successor{hasher.hash(token), clock.wallNow() + Milliseconds{60'000}, {}};
        return wait(registry->complete(std::get<RenewalLead>(renewal), successor));
    }
    std::size_t live() { return wait(registry->countAll()).value_or(99); }

    CapturedLog log;
    SharedClock clock;
    NetThreads threads;
    PostgresProxy proxy;
    TokenHasher hasher;
    std::unique_ptr<Database> database;
    std::optional<SqlSessionRegistry> registry;
};

} // namespace

/// What is committed is done, whether the broker has heard of it or not.
class TestBrokerLostCommits : public QObject {
    Q_OBJECT

    PostgresServer m_server;

private slots:
    void initTestCase()
    {
        if (const QString missing = PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(QStringLiteral("NOT TESTED: ") + missing));
        }
        QVERIFY(m_server.start());
    }

    void open_Committed_KnowsItsOwnSession()
    {
        World world(m_server.folder(), Milliseconds{5'000});
        world.proxy.loseNextCommit();
        SessionCaps one;
        one.ofCaller = 1;
        QVERIFY(!world.open("s", "t0", one));
        QVERIFY(world.proxy.hasLost());
        QCOMPARE(world.live(), std::size_t{1});
        // Somebody else's token is still what it was.
        QVERIFY(world.open("other", "t0").value_or(Fault{}).code == FaultCode::ProviderMalformed);
    }

    void claim_Committed_KnowsItsOwnClaim()
    {
        World world(m_server.folder(), Milliseconds{5'000});
        QVERIFY(!world.open("s", "t0"));
        world.proxy.loseNextCommit();
        const Renewal renewal = world.claim("t0");
        QVERIFY(world.proxy.hasLost());
        QVERIFY(std::holds_alternative<RenewalLead>(renewal));
        QVERIFY(world.complete(renewal, "t1") == true);
        world.proxy.loseNextCommit();
        const Renewal resumed = world.wait(world.registry->claimBySession("s", "alice", {}, {}));
        QVERIFY(world.proxy.hasLost());
        QVERIFY(std::holds_alternative<RenewalLead>(resumed));
    }

    void complete_Committed_KnowsItsOwnSuccessor()
    {
        World world(m_server.folder(), Milliseconds{5'000});
        QVERIFY(!world.open("s", "t0"));
        const Renewal renewal = world.claim("t0");
        world.proxy.loseNextCommit();
        QVERIFY(world.complete(renewal, "t1") == true);
        QVERIFY(world.proxy.hasLost());
        QVERIFY(std::holds_alternative<RenewalLead>(world.claim("t1")));
    }

    void end_Committed_NamesWhatHasEnded()
    {
        World world(m_server.folder(), Milliseconds{5'000});
        QVERIFY(!world.open("s", "t0") && !world.open("s2", "t1"));
        world.proxy.loseNextCommit();
        const auto ended = world.wait(world.registry->endAllOf("alice"));
        QVERIFY(world.proxy.hasLost());
        QVERIFY(ended && ended->size() == 2);
        QCOMPARE(world.live(), std::size_t{0});
    }

    void change_CommittedLate_IsToldAsDone_data()
    {
        QTest::addColumn<bool>("isOfAProject");
        QTest::newRow("a session ends") << false;
        QTest::newRow("a member is added") << true;
    }
    /// Nobody undoes it: the audit would say that it failed.
    void change_CommittedLate_IsToldAsDone()
    {
        QFETCH(bool, isOfAProject);
        constexpr Milliseconds kDeadline{2'000};
        World world(m_server.folder(), kDeadline);
        TableProjects table(*world.database, world.clock);
        QVERIFY(!world.open("s", "t0"));
        QVERIFY(world.wait(table.put("choir", {})).has_value());
        (void)world.wait(table.removeMember("choir", "alice"));
        const auto change = [&]() -> net::Awaitable<bool> {
            if (isOfAProject) {
                const auto added = co_await table.addMember("choir", "alice");
                co_return added.value_or(false);
            }
            const auto ended = co_await world.registry->endAllOf("alice");
            co_return ended.has_value() && ended->size() == 1;
        };
        world.proxy.holdNextCommit();
        auto done = boost::asio::co_spawn(world.threads.executor(), change(), boost::asio::use_future);
        const auto late = done.wait_for(kDeadline + Milliseconds{200});
        world.proxy.release();
        QVERIFY(late == std::future_status::timeout);
        QVERIFY(done.get());
    }

    void open_CommittedTooLate_LeavesNoSession()
    {
        World world(m_server.folder(), Milliseconds{1'000});
        world.proxy.holdNextCommit();
        QVERIFY(world.open("s", "t0").has_value());
        QCOMPARE(world.live(), std::size_t{1});
        world.proxy.release();
        QTRY_COMPARE(world.live(), std::size_t{0});
    }

    void claim_CommittedTooLate_KeepsNobodyOut()
    {
        World world(m_server.folder(), Milliseconds{1'000});
        QVERIFY(!world.open("s", "t0"));
        world.proxy.holdNextCommit();
        QVERIFY(std::holds_alternative<Fault>(world.claim("t0")));
        world.proxy.release();
        QVERIFY(QTest::qWaitFor([&] { return std::holds_alternative<RenewalLead>(world.claim("t0")); }));
    }

    void complete_CommittedTooLate_LeavesTheOldToken()
    {
        World world(m_server.folder(), Milliseconds{1'000});
        QVERIFY(!world.open("s", "t0"));
        const Renewal renewal = world.claim("t0");
        world.proxy.holdNextCommit();
        QVERIFY(!world.complete(renewal, "t1"));
        world.proxy.release();
        QVERIFY(QTest::qWaitFor([&] { return std::holds_alternative<RenewalLead>(world.claim("t0")); }));
    }

    /// Whoever was told that it is not done asks again, perhaps before that is true; nobody has the successor.
    void complete_CommittedTooLate_IsNoReuse()
    {
        World world(m_server.folder(), Milliseconds{1'000});
        QVERIFY(!world.open("s", "t0"));
        const Renewal renewal = world.claim("t0");
        world.proxy.holdNextCommit();
        QVERIFY(!world.complete(renewal, "t1"));
        const Renewal again = world.claim("t0");
        QVERIFY(std::holds_alternative<RenewalLead>(again));
        QVERIFY(std::holds_alternative<Fault>(world.claim("t1")));
        QVERIFY(world.complete(again, "t2") == true);
        world.proxy.release();
        QVERIFY(QTest::qWaitFor([&] { return world.database->isWorking(); }));
        // Now it is.
        QVERIFY(std::holds_alternative<RenewalReuse>(world.claim("t0")));
        QVERIFY(std::holds_alternative<RenewalLead>(world.claim("t2")));
    }

    void claim_WhileWhatSpentItsTokenIsUndone_IsNoReuse()
    {
        World world(m_server.folder(), Milliseconds{5'000});
        QVERIFY(!world.open("s", "t0"));
        QVERIFY(world.complete(world.claim("t0"), "t1") == true);
        Database::Settings settings;
        settings.url = core::Secret(m_server.url());
        auto opened = Database::open(std::move(settings), world.log);
        QVERIFY(opened.has_value());
        Database& database = **opened;
        std::promise<void> isUndone;
        std::promise<void> gate;
        const std::function<int(broker::Connection&)> undoing = [&](broker::Connection& sql) {
            sql << "DELETE FROM spent_tokens WHERE session = 's'";
            sql << "UPDATE sessions SET token = '" + hexOf(world.hasher.hash("t0")) + "' WHERE id = 's'";
            isUndone.set_value();
            gate.get_future().wait();
            return 0;
        };
        auto undone =
            boost::asio::co_spawn(world.threads.executor(), database.run<int>(undoing), boost::asio::use_future);
        isUndone.get_future().wait();
        auto claimed = boost::asio::co_spawn(world.threads.executor(),
            world.registry->claimByToken(world.hasher.hashes("t0"), {}), boost::asio::use_future);
        const std::function<int(broker::Connection&)> counting = [](broker::Connection& sql) {
            int found = 0;
            sql << "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", soci::into(found);
            return found;
        };
        const bool hasCome = QTest::qWaitFor([&] { return world.wait(database.run<int>(counting)).value_or(0) > 0; });
        gate.set_value();
        QVERIFY(hasCome && undone.get().has_value());
        QVERIFY(std::holds_alternative<RenewalLead>(claimed.get()));
    }

    void complete_Unfinished_LeavesTheTokenThatSomebodyGotMeanwhile_data()
    {
        QTest::addColumn<bool>("isRepeat");
        QTest::newRow("the answer, asked for again") << true;
        QTest::newRow("a claim of the session") << false;
    }
    /// Those who were told that the store is away ask again, and may do so before it is undone.
    void complete_Unfinished_LeavesTheTokenThatSomebodyGotMeanwhile()
    {
        QFETCH(bool, isRepeat);
        World world(m_server.folder(), Milliseconds{1'000});
        QVERIFY(!world.open("s", "t0"));
        const Idempotency retry{"key", "instance"};
        const auto askAgain = [&](SqlSessionRegistry& registry) {
            return world.wait(registry.claimByToken(world.hasher.hashes("t0"), retry));
        };
        const Renewal renewal = askAgain(*world.registry);
        QVERIFY(std::holds_alternative<RenewalLead>(renewal));
        // Another broker's.
        Database::Settings settings;
        settings.url = core::Secret(m_server.url());
        auto opened = Database::open(std::move(settings), world.log);
        QVERIFY(opened.has_value());
        Database& database = **opened;
        SqlSessionRegistry other({}, database, world.clock);
        const auto count = [&](const std::string& query) {
            const std::function<int(broker::Connection&)> counting = [query](broker::Connection& sql) {
                int found = 0;
                sql << "SELECT count(*) FROM " + query, soci::into(found);
                return found;
            };
            return world.wait(database.run<int>(counting)).value_or(-1);
        };
        const std::string completed = "sessions WHERE token = '" + hexOf(world.hasher.hash("t1")) + "'";
        world.proxy.holdNextCommit();
        const Successor successor{world.hasher.hash("t1"), world.clock.wallNow() + Milliseconds{60'000}, "sealed"};
        auto completing = boost::asio::co_spawn(world.threads.executor(),
            world.registry->complete(std::get<RenewalLead>(renewal), successor), boost::asio::use_future);
        QVERIFY(QTest::qWaitFor([&] { return count(completed) == 1; }));
        // What is told late is asked for again late.
        world.clock.advance(Milliseconds{6'000});
        QVERIFY(!completing.get());
        if (isRepeat) {
            QVERIFY(QTest::qWaitFor([&] { return std::holds_alternative<RenewalRepeat>(askAgain(other)); }));
        } else {
            const Renewal resumed = world.wait(other.claimBySession("s", "alice", {}, {}));
            QVERIFY(std::holds_alternative<RenewalLead>(resumed));
        }
        // What undoes it is seen to come: it waits for the row.
        std::promise<void> isLocked;
        std::promise<void> gate;
        const std::function<int(broker::Connection&)> lock = [&](broker::Connection& sql) {
            std::string id;
            sql << "SELECT id FROM sessions WHERE id = 's' FOR UPDATE", soci::into(id);
            isLocked.set_value();
            gate.get_future().wait();
            return 0;
        };
        auto locked = boost::asio::co_spawn(world.threads.executor(), database.run<int>(lock), boost::asio::use_future);
        const std::string waiting = "pg_stat_activity WHERE wait_event_type = 'Lock'";
        isLocked.get_future().wait();
        world.proxy.release();
        const bool hasCome = QTest::qWaitFor([&] { return count(waiting) > 0; });
        gate.set_value();
        QVERIFY(hasCome && locked.get().has_value());
        QVERIFY(QTest::qWaitFor([&] { return count(waiting) == 0; }));
        QCOMPARE(count(completed), 1);
        QCOMPARE(count("sessions WHERE claim <> ''"), isRepeat ? 0 : 1);
    }
};

QTEST_GUILESS_MAIN(TestBrokerLostCommits)
#include "test_broker_lost_commits.moc"
