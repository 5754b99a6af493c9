#include "broker/relay/protocol.h"
#include "broker/relay/stream_account.h"
#include "broker/store/connection.h"
#include "broker/tokens/session_account.h"
#include "broker/tokens/sql_session_registry.h"
#include "broker/usage/ledger.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/postgres_server.h"

#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <nlohmann/json.hpp>

using namespace vivavoce;
using namespace vivavoce::broker;
using core::Milliseconds;
using usage::Account;
using usage::Amounts;
using usage::Entry;
using usage::Measure;
using Settled = relay::StreamAccount::Settled;

namespace {

constexpr const char* kInMemory = "sqlite://:memory:";
constexpr std::int64_t kDollar = 1'000'000'000;
/// Of the test's clock: 2027-01-15.
constexpr std::int64_t kToday = 20'833;
constexpr Milliseconds kDay{86'400'000};

Amounts amounts(std::int64_t nanoDollars, std::int64_t connectedMs = 0, std::int64_t turns = 0)
{
    Amounts made;
    made[Measure::NanoDollars] = nanoDollars;
    made[Measure::ConnectedMs] = connectedMs;
    made[Measure::Turns] = turns;
    return made;
}

Budgets dollarsADay(std::int64_t dollars)
{
    Budgets budgets;
    budgets.userDay.nanoDollars = dollars * kDollar;
    return budgets;
}

struct World {
    explicit World(const std::string& url, Milliseconds deadline = Database::Settings().deadline)
    {
        Database::Settings settings;
        settings.deadline = deadline;
        settings.url = core::Secret(url);
        auto opened = Database::open(std::move(settings), log);
        if (!opened) {
            qFatal("%s", opened.error().detail.c_str());
        }
        database = std::move(*opened);
        sql([](broker::Connection& sql) {
            sql << "DELETE FROM sessions";
            sql << "DELETE FROM usage_sessions";
            sql << "DELETE FROM usage_holds";
            sql << "DELETE FROM usage_days";
            sql << "DELETE FROM usage_sums";
            sql << "UPDATE usage_closed SET until_day = -1, closing_day = -1, caller = ''";
        });
        registry.emplace(SqlSessionRegistry::Limits{}, *database, clock);
        ledger.emplace(usage::Ledger::Settings{}, usage::Ledger::Dependencies{*database, clock, log});
    }

    void sql(const std::function<void(broker::Connection&)>& work)
    {
        const std::function<int(broker::Connection&)> all = [work](broker::Connection& sql) {
            work(sql);
            return 0;
        };
        if (!wait(database->run<int>(all))) {
            qFatal("the database does not work");
        }
    }
    template <typename T>
    T wait(net::Awaitable<T> answer)
    {
        return tests::finish(threads, std::move(answer));
    }

    [[nodiscard]] static Account account(std::string id, const Budgets& budgets = {}, std::int64_t hold = 0,
        std::string caller = "alice", std::string project = "choir")
    {
        SessionRecord record;
        record.id = std::move(id);
        record.caller = std::move(caller);
        record.project = std::move(project);
        record.model = "gpt-realtime";
        record.transport = SessionTransport::Relay;
        Account made = accountOf(record, "openai", budgets);
        made.hold = hold;
        return made;
    }
    [[nodiscard]] net::Awaitable<std::optional<Fault>> opening(const Account& account)
    {
        SessionRecord record;
        record.id = account.sessionId;
        record.caller = account.caller;
        record.project = account.project;
        record.model = account.model;
        return registry->open(std::move(record), hasher.hash(account.sessionId), clock.wallNow() + Milliseconds(60'000),
            {}, ledger->opening(account));
    }
    [[nodiscard]] std::optional<FaultCode> open(const Account& account)
    {
        const auto fault = wait(opening(account));
        return fault ? std::optional(fault->code) : std::nullopt;
    }
    /// The sessions that are over their budget.
    std::vector<std::string> record(const Account& account, std::string part, const Amounts& amounts)
    {
        Entry entry;
        entry.account = account;
        entry.part = std::move(part);
        entry.amounts = amounts;
        return wait(ledger->record({entry})).over;
    }
    [[nodiscard]] usage::UsageReport report(
        usage::Grouping by = usage::Grouping::Day, std::int64_t from = kToday - 40, std::int64_t to = kToday + 40)
    {
        usage::UsageQuery query;
        query.from = from;
        query.to = to;
        query.today = kToday;
        query.by = by;
        const auto report = wait(ledger->report(query));
        if (!report) {
            qFatal("there is no report");
        }
        return *report;
    }
    /// What the session's own row has.
    struct Row {
        long long nanoDollars = 0;
        long long endedAt = 0;
        long long isHolding = 1;
        std::string reason;
    };
    [[nodiscard]] Row row(const std::string& id)
    {
        Row row;
        sql([&](broker::Connection& sql) {
            sql << "SELECT nano_dollars, ended_at, is_holding, reason FROM usage_sessions WHERE id = :id",
                soci::into(row.nanoDollars), soci::into(row.endedAt), soci::into(row.isHolding), soci::into(row.reason),
                soci::use(id);
        });
        return row;
    }
    /// The sessions that are over their budget, as what was told late has shown.
    std::vector<std::string> tend()
    {
        auto over = wait(ledger->tend());
        // What it posts is done before whatever comes after, where there is one connection.
        sql([](broker::Connection&) {});
        return over;
    }
    /// The ledger cannot be written from now on, or can again.
    void setAway(bool isAway)
    {
        sql([isAway](broker::Connection& sql) {
            sql << (isAway ? "ALTER TABLE usage_parts RENAME TO gone" : "ALTER TABLE gone RENAME TO usage_parts");
        });
    }
    [[nodiscard]] relay::StreamAccount stream(const Account& account)
    {
        auto meter = relay::Protocol::of("openai-ga")
                         .meter({"gpt-realtime", std::make_shared<const core::PriceList>(core::PriceList::builtIn()),
                             {}, false});
        return {account, std::move(meter), *ledger, clock};
    }

    tests::NetThreads threads;
    tests::SharedClock clock;
    tests::CapturedLog log;
    TokenHasher hasher;
    std::unique_ptr<Database> database;
    std::optional<SqlSessionRegistry> registry;
    std::optional<usage::Ledger> ledger;
};

Budgets moneyOfUser(std::int64_t day)
{
    Budgets budgets;
    budgets.userDay.nanoDollars = day;
    return budgets;
}

} // namespace

/// All of it on SQLite and on PostgreSQL.
class TestUsageLedger : public QObject {
    Q_OBJECT

    std::unique_ptr<tests::PostgresServer> m_server;

    [[nodiscard]] std::string url() const
    {
        QFETCH_GLOBAL(bool, isShared);
        return isShared ? m_server->url() : kInMemory;
    }

private slots:
    void initTestCase_data()
    {
        QTest::addColumn<bool>("isShared");
        QTest::newRow("SQLite") << false;
        if (const QString missing = tests::PostgresServer::missing(); missing.isEmpty()) {
            QTest::newRow("PostgreSQL") << true;
        } else {
            qWarning("not tried on PostgreSQL: %s", qPrintable(missing));
        }
    }
    void initTestCase()
    {
        if (tests::PostgresServer::missing().isEmpty()) {
            m_server = std::make_unique<tests::PostgresServer>();
            QVERIFY(m_server->start());
        }
    }

    void part_ToldAgain_CountsOnce()
    {
        World world(url());
        const Account account = World::account("s");
        QVERIFY(!world.open(account));
        for (int i = 0; i < 3; ++i) {
            QVERIFY(world.record(account, "response r1", amounts(5 * kDollar, 0, 1)).empty());
        }
        QVERIFY(world.record(account, "response r2", amounts(2 * kDollar, 0, 1)).empty());
        QCOMPARE(world.row("s").nanoDollars, 7 * kDollar);
        const auto report = world.report();
        QCOMPARE(report.total.amounts[Measure::NanoDollars], 7 * kDollar);
        QCOMPARE(report.total.amounts[Measure::Turns], 2);
        QCOMPARE(report.total.sessions, 1);
    }

    void part_ThatGrew_CountsWhatIsMore_AndAnOlderWordNothing()
    {
        World world(url());
        const Account account = World::account("s");
        QVERIFY(!world.open(account));
        (void)world.record(account, "stream a", amounts(0, 15'000));
        (void)world.record(account, "stream a", amounts(0, 40'000));
        (void)world.record(account, "stream a", amounts(0, 30'000));
        (void)world.record(account, "stream b", amounts(0, 1'000));
        QCOMPARE(world.report().total.amounts[Measure::ConnectedMs], 41'000);
    }

    /// Two brokers, say, that tell of the same users at the same time.
    void manyWhoTellAtOnce_LoseNothing()
    {
        World world(url());
        const Account a = World::account("a");
        const Account b = World::account("b");
        const Account c = World::account("c", {}, 0, "bob");
        QVERIFY(!world.open(a) && !world.open(b) && !world.open(c));
        const auto entry = [](const Account& account, int number) {
            Entry made;
            made.account = account;
            made.part = "response " + std::to_string(number);
            made.amounts = amounts(1, 0, 1);
            return made;
        };
        std::vector<std::future<usage::Ledger::Recorded>> waiting;
        for (int i = 0; i < 60; ++i) {
            waiting.push_back(
                tests::begin(world.threads, world.ledger->record({entry(c, i), entry(b, i), entry(a, i)})));
            waiting.push_back(tests::begin(world.threads, world.ledger->record({entry(b, 1'000 + i)})));
        }
        for (auto& one : waiting) {
            QVERIFY(one.get().over.empty());
        }
        QCOMPARE(world.ledger->waiting(), std::size_t{0});
        QCOMPARE(world.report().total.amounts[Measure::Turns], 240);
        QCOMPARE(world.row("b").nanoDollars, 120LL);
    }

    void entries_OfAnUnknownSession_AreNobodys()
    {
        World world(url());
        (void)world.record(World::account("older"), "response r", amounts(kDollar));
        QCOMPARE(world.report().total.amounts[Measure::NanoDollars], 0);
    }

    void whatIsToldOverMidnight_BelongsToItsDay()
    {
        World world(url());
        const Account account = World::account("s");
        QVERIFY(!world.open(account));
        (void)world.record(account, "stream a", amounts(kDollar, 60'000));
        world.clock.advance(kDay);
        (void)world.record(account, "stream a", amounts(4 * kDollar, 180'000));
        const auto report = world.report();
        QCOMPARE(report.rows.size(), std::size_t{2});
        QCOMPARE(report.rows.front().key, std::string("2027-01-15"));
        QCOMPARE(report.rows.front().amounts[Measure::ConnectedMs], 60'000);
        QCOMPARE(report.rows.back().key, std::string("2027-01-16"));
        QCOMPARE(report.rows.back().amounts[Measure::NanoDollars], 3 * kDollar);
        QCOMPARE(report.total.amounts[Measure::ConnectedMs], 180'000);
        QCOMPARE(report.today.amounts[Measure::NanoDollars], kDollar);
        QCOMPARE(world.report(usage::Grouping::Day, kToday + 1).total.amounts[Measure::ConnectedMs], 120'000);
    }

    /// Each holds a dollar of ten: the eleventh finds nothing left, however they come.
    void hundredStartsAtOnce_HoldNoMoreThanTheBudget()
    {
        World world(url());
        const Budgets budgets = moneyOfUser(10 * kDollar);
        std::vector<std::future<std::optional<Fault>>> waiting;
        for (int i = 0; i < 100; ++i) {
            waiting.push_back(
                tests::begin(world.threads, world.opening(World::account(std::to_string(i), budgets, kDollar))));
        }
        int begun = 0;
        for (auto& one : waiting) {
            const auto fault = one.get();
            begun += fault ? 0 : 1;
            if (fault) {
                QCOMPARE(fault->code, FaultCode::BudgetExhausted);
                QCOMPARE(fault->violatedPolicy, std::string("user_day"));
                // Sixteen hours are left of the day.
                QCOMPARE(fault->retryAfter.value().count(), std::int64_t{16 * 3'600'000});
            }
        }
        QCOMPARE(begun, 10);
        // What was refused is not there at all.
        QCOMPARE(world.report().total.sessions, 10);
        QCOMPARE(world.wait(world.registry->countOf("alice")).value_or(0), std::size_t{10});
    }

    void session_GoesOnAsLongAsTheBudgetBearsATurn()
    {
        World world(url());
        const Budgets budgets = moneyOfUser(10 * kDollar);
        const Account account = World::account("s", budgets, 2 * kDollar);
        QVERIFY(!world.open(account));
        QVERIFY(world.record(account, "response 1", amounts(8 * kDollar)).empty());
        QVERIFY(!world.wait(world.ledger->mayGoOn(account)));
        QCOMPARE(world.record(account, "response 2", amounts(1)), std::vector<std::string>{"s"});
        QCOMPARE(world.wait(world.ledger->mayGoOn(account)).value().code, FaultCode::BudgetExhausted);
        QCOMPARE(world.open(World::account("next", budgets, 0)), FaultCode::BudgetExhausted);
        // Somebody else's is not touched by it, and tomorrow is another day.
        QVERIFY(!world.open(World::account("bob's", budgets, 2 * kDollar, "bob")));
        world.clock.advance(kDay);
        QVERIFY(!world.open(World::account("next", budgets, 2 * kDollar)));
    }

    void sessionThatIsOver_HoldsNothing()
    {
        World world(url());
        const Budgets budgets = moneyOfUser(3 * kDollar);
        QVERIFY(!world.open(World::account("a", budgets, 2 * kDollar)));
        QCOMPARE(world.open(World::account("b", budgets, 2 * kDollar)), FaultCode::BudgetExhausted);
        // Its token has run out: whether it is ever heard of again or not.
        world.clock.advance(Milliseconds(60'001));
        QVERIFY(!world.open(World::account("b", budgets, 2 * kDollar)));
    }

    /// Whoever has hung up holds nothing for the rest of their token's life, and finds out when they come again.
    void streamThatEnds_HoldsNothing_UntilTheNext()
    {
        World world(url());
        const Budgets budgets = moneyOfUser(3 * kDollar);
        const Account account = World::account("a", budgets, 2 * kDollar);
        QVERIFY(!world.open(account));
        QVERIFY(!world.wait(world.ledger->begin(account)));
        Entry last;
        last.account = account;
        last.part = "stream 1";
        last.ending = "client";
        (void)world.wait(world.ledger->record({last}));
        QVERIFY(!world.wait(world.ledger->begin(account)));
        QCOMPARE(world.open(World::account("b", budgets, 2 * kDollar)), FaultCode::BudgetExhausted);
        (void)world.wait(world.ledger->record({last}));
        QVERIFY(!world.open(World::account("b", budgets, 2 * kDollar)));
        QCOMPARE(world.wait(world.ledger->begin(account)).value().code, FaultCode::BudgetExhausted);
    }

    /// Whoever comes again is there before the ledger hears that their former connection is gone.
    void streamThatEnds_TakesNoHoldFromTheOneThatTookItsPlace()
    {
        World world(url());
        const Budgets budgets = moneyOfUser(3 * kDollar);
        Account former = World::account("a", budgets, 2 * kDollar);
        QVERIFY(!world.open(former));
        Account present = former;
        former.stream = "one";
        present.stream = "two";
        QVERIFY(!world.wait(world.ledger->begin(former)));
        QVERIFY(!world.wait(world.ledger->begin(present)));
        const auto end = [&](const Account& account) {
            Entry last;
            last.account = account;
            last.part = "stream " + account.stream;
            last.ending = "client";
            (void)world.wait(world.ledger->record({last}));
        };
        end(former);
        QCOMPARE(world.row("a").isHolding, 1LL);
        QCOMPARE(world.open(World::account("b", budgets, 2 * kDollar)), FaultCode::BudgetExhausted);
        const auto holders = world.wait(world.ledger->holders({"a", "nobody"}));
        QCOMPARE(holders.size(), std::size_t{1});
        QCOMPARE(holders.at("a"), std::string("two"));
        end(present);
        QCOMPARE(world.row("a").isHolding, 0LL);
        QVERIFY(!world.open(World::account("b", budgets, 2 * kDollar)));
        QVERIFY(world.wait(world.ledger->holders({"a"})).empty());
    }

    /// It may have a response under way: opening the next stream again and again makes no budget larger.
    void streamWhosePlaceIsTaken_HoldsUntilItHasSaidAll()
    {
        World world(url());
        const Budgets budgets = moneyOfUser(5 * kDollar);
        const Account account = World::account("a", budgets, 2 * kDollar);
        QVERIFY(!world.open(account));
        const auto stream = [&](const char* name) {
            Account one = account;
            one.stream = name;
            return one;
        };
        QVERIFY(!world.wait(world.ledger->begin(stream("one"))));
        QVERIFY(!world.wait(world.ledger->begin(stream("two"))));
        QVERIFY(!world.wait(world.ledger->mayGoOn(account)));
        // Four dollars are held, and with the next one six: it has the place, and may not go on yet.
        QCOMPARE(world.open(World::account("b", budgets, 2 * kDollar)), FaultCode::Unavailable);
        QVERIFY(!world.wait(world.ledger->begin(stream("three"))));
        QCOMPARE(world.wait(world.ledger->mayGoOn(account)).value().code, FaultCode::Unavailable);
        QCOMPARE(world.wait(world.ledger->begin(stream("four"))).value().code, FaultCode::Unavailable);
        const auto end = [&](const char* name, std::int64_t nanoDollars) {
            Entry last;
            last.account = stream(name);
            last.part = std::string("stream ") + name;
            last.amounts = amounts(nanoDollars);
            last.isLast = true;
            (void)world.wait(world.ledger->record({last}));
        };
        end("one", kDollar);
        QVERIFY(!world.wait(world.ledger->mayGoOn(account)));
        end("two", 3 * kDollar);
        QCOMPARE(world.wait(world.ledger->mayGoOn(account)).value().code, FaultCode::BudgetExhausted);
    }

    /// After a change of network, or of brokers, all sessions of a project come again: nothing is spent that was not before.
    void streamOfAnotherSession_WhosePlaceIsTaken_EndsNobody()
    {
        World world(url());
        const Budgets budgets = moneyOfUser(4 * kDollar);
        const auto account = [&](const char* session, const char* stream) {
            Account one = World::account(session, budgets, 2 * kDollar);
            one.stream = stream;
            return one;
        };
        for (const char* const session : {"a", "b"}) {
            QVERIFY(!world.open(account(session, "")));
            QVERIFY(!world.wait(world.ledger->begin(account(session, "one"))));
        }
        QVERIFY(!world.wait(world.ledger->begin(account("a", "two"))));
        QCOMPARE(world.wait(world.ledger->begin(account("b", "two"))).value().code, FaultCode::Unavailable);
        QCOMPARE(world.wait(world.ledger->mayGoOn(account("b", "one"))).value().code, FaultCode::Unavailable);
        QVERIFY(world.record(account("b", "one"), "response 1", amounts(0, 0, 1)).empty());
        Entry last;
        last.account = account("a", "one");
        last.part = "stream one";
        last.isLast = true;
        (void)world.wait(world.ledger->record({last}));
        QVERIFY(!world.wait(world.ledger->mayGoOn(account("b", "one"))));
        QVERIFY(!world.wait(world.ledger->begin(account("b", "two"))));
    }

    /// Its broker may have died.
    void streamWhosePlaceIsTaken_HoldsNoLongerThanItMayLast()
    {
        World world(url());
        Account account = World::account("a", moneyOfUser(3 * kDollar), 2 * kDollar);
        QVERIFY(!world.open(account));
        for (const char* const name : {"one", "two"}) {
            account.stream = name;
            QVERIFY(!world.wait(world.ledger->begin(account)));
        }
        QCOMPARE(world.wait(world.ledger->mayGoOn(account)).value().code, FaultCode::Unavailable);
        world.clock.advance(Milliseconds(15'000));
        QVERIFY(!world.wait(world.ledger->mayGoOn(account)));
    }

    void sessionThatIsEnded_HoldsUntilItsStreamHasSaidAll()
    {
        World world(url());
        const Budgets budgets = moneyOfUser(3 * kDollar);
        Account account = World::account("a", budgets, 2 * kDollar);
        QVERIFY(!world.open(account));
        account.stream = "one";
        world.clock.advance(Milliseconds(40'000));
        QVERIFY(!world.wait(world.ledger->begin(account)));
        (void)world.wait(world.registry->end("a"));
        (void)world.tend();
        QCOMPARE(world.open(World::account("b", budgets, 2 * kDollar)), FaultCode::BudgetExhausted);
        Entry last;
        last.account = account;
        last.part = "stream one";
        last.ending = "session_ended";
        last.isLast = true;
        (void)world.wait(world.ledger->record({last}));
        QVERIFY(!world.open(World::account("b", budgets, 2 * kDollar)));
        (void)world.tend();
        QTRY_VERIFY(world.row("a").endedAt != 0);
    }

    /// A stream that was given up while the database took its time is none, and the former one of its session goes on.
    void begin_ThatComesTooLate_LeavesTheHoldAsItWas()
    {
        World world("sqlite://:memory:", Milliseconds(300));
        const Account account = World::account("a", moneyOfUser(3 * kDollar), 2 * kDollar);
        QVERIFY(!world.open(account));
        Account former = account;
        former.stream = "one";
        Account late = account;
        late.stream = "two";
        QVERIFY(!world.wait(world.ledger->begin(former)));
        // Both are done in one transaction, which takes too long.
        std::promise<void> first;
        std::promise<void> second;
        std::promise<void> isRunning;
        world.database->post([&isRunning, opened = first.get_future().share()](broker::Connection&) {
            isRunning.set_value();
            opened.wait();
        });
        // Or it would be of one transaction with what is to come after it.
        isRunning.get_future().wait();
        auto answer =
            boost::asio::co_spawn(world.threads.executor(), world.ledger->begin(late), boost::asio::use_future);
        world.database->post([opened = second.get_future().share()](broker::Connection&) { opened.wait(); });
        first.set_value();
        const auto fault = answer.get();
        second.set_value();
        QVERIFY(fault && fault->code == FaultCode::Unavailable);
        QTRY_COMPARE(world.wait(world.ledger->holders({"a"}))["a"], std::string("one"));
        QCOMPARE(world.row("a").isHolding, 1LL);
    }

    void release_IsOfTheOneStream()
    {
        World world("sqlite://:memory:");
        Account account = World::account("a");
        QVERIFY(!world.open(account));
        account.stream = "one";
        QVERIFY(!world.wait(world.ledger->begin(account)));
        Account other = account;
        other.stream = "two";
        world.ledger->release(other);
        QCOMPARE(world.wait(world.ledger->holders({"a"}))["a"], std::string("one"));
        world.ledger->release(account);
        QVERIFY(world.wait(world.ledger->holders({"a"})).empty());
        QCOMPARE(world.row("a").isHolding, 1LL);
    }

    void budgets_OfMonthAndProject_AndOfTime_Hold()
    {
        World world(url());
        Budgets budgets;
        budgets.projectMonth.nanoDollars = 5 * kDollar;
        const Account account = World::account("a", budgets, kDollar);
        QVERIFY(!world.open(account));
        (void)world.record(account, "response 1", amounts(5 * kDollar));
        // Another user of the project, another day of the month.
        world.clock.advance(kDay);
        QCOMPARE(world.open(World::account("b", budgets, 0, "bob")), std::nullopt);
        QCOMPARE(world.open(World::account("c", budgets, kDollar, "bob")), FaultCode::BudgetExhausted);
        QVERIFY(!world.open(World::account("d", budgets, kDollar, "bob", "orchestra")));
        Budgets time;
        time.userDay.connected = Milliseconds(60'000);
        const Account timed = World::account("t", time, 0, "carol");
        QVERIFY(!world.open(timed));
        QVERIFY(world.record(timed, "stream a", amounts(0, 45'000)).empty());
        // The next word may be a quarter of a minute away.
        QCOMPARE(world.record(timed, "stream a", amounts(0, 45'001)), std::vector<std::string>{"t"});
    }

    void sessionThatIsGone_IsClosedWhereItWasLastHeardOf()
    {
        World world(url());
        const Account account = World::account("s", {}, kDollar);
        const Account other = World::account("other");
        QVERIFY(!world.open(account) && !world.open(other));
        world.clock.advance(Milliseconds(7'000));
        (void)world.record(account, "stream a", amounts(1, 7'000));
        (void)world.tend();
        QCOMPARE(world.row("s").endedAt, 0LL);
        world.ledger->endsBecause("other", "revoked");
        (void)world.wait(world.registry->end("s"));
        (void)world.wait(world.registry->end("other"));
        world.clock.advance(Milliseconds(60'000));
        (void)world.tend();
        QTRY_COMPARE(world.row("s").endedAt, 1'800'000'007'000LL);
        QCOMPARE(world.row("s").reason, std::string("expired"));
        QCOMPARE(world.row("s").isHolding, 0LL);
        QCOMPARE(world.row("other").reason, std::string("revoked"));
        // Whoever ended it has said why; the stream's end is only what follows.
        Entry end;
        end.account = other;
        end.part = "stream b";
        end.ending = "session_ended";
        (void)world.wait(world.ledger->record({end}));
        QCOMPARE(world.row("other").reason, std::string("revoked"));
        // What comes late still counts, and opens nothing.
        (void)world.record(account, "response late", amounts(kDollar));
        (void)world.tend();
        QCOMPARE(world.row("s").nanoDollars, kDollar + 1);
        QVERIFY(world.row("s").endedAt != 0);
    }

    /// What is told of it then makes it no younger.
    void directSessionThatIsOver_IsToldOfForADay()
    {
        World world(url());
        Account account = World::account("s");
        account.transport = "direct";
        QVERIFY(!world.open(account));
        const auto isToldOf = [&] { return world.wait(world.ledger->directSession("s", "alice")).has_value(); };
        const auto tell = [&](std::int64_t connectedMs) {
            world.clock.advance(std::chrono::hours(20));
            const bool isTaken = isToldOf();
            if (isTaken) {
                (void)world.record(account, "client", amounts(0, connectedMs));
            }
            return isTaken;
        };
        // While it goes on, however long that is.
        QVERIFY(tell(1'000) && tell(2'000) && tell(3'000));
        (void)world.wait(world.registry->end("s"));
        (void)world.tend();
        QTRY_VERIFY(world.row("s").endedAt != 0);
        QVERIFY(tell(4'000));
        QVERIFY(!tell(5'000));
    }

    void oldUsage_IsForgotten()
    {
        World world(url());
        const Account account = World::account("s");
        QVERIFY(!world.open(account));
        (void)world.record(account, "response 1", amounts(kDollar));
        (void)world.wait(world.registry->end("s"));
        (void)world.tend();
        world.clock.advance(390 * kDay);
        (void)world.tend();
        QCOMPARE(world.report(usage::Grouping::Day, kToday, kToday).total.sessions, 1);
        world.clock.advance(20 * kDay);
        (void)world.tend();
        QTRY_COMPARE(world.report(usage::Grouping::Day, kToday, kToday).total.sessions, 0);
        int left = 1;
        world.sql([&](broker::Connection& sql) {
            sql << "SELECT (SELECT COUNT(*) FROM usage_sessions) + (SELECT COUNT(*) FROM usage_parts)",
                soci::into(left);
        });
        QCOMPARE(left, 0);
    }

    /// Of a session that goes to the provider directly nobody knows how long it is: it does not make the others shorter.
    void average_IsOfRelayedSessions()
    {
        World world(url());
        Account direct = World::account("d");
        direct.transport = "direct";
        const Account relayed = World::account("r");
        QVERIFY(!world.open(direct) && !world.open(relayed));
        (void)world.record(relayed, "stream 1", amounts(0, 120'000));
        const core::Json json = usage::writeJson(world.report());
        QCOMPARE(json["totalSessions"].get<int>(), 2);
        QCOMPARE(json["averageSessionDuration"].get<double>(), 2.0);
    }

    void report_GroupsByWhatIsAsked()
    {
        World world(url());
        const Account a = World::account("a", {}, 0, "alice", "choir");
        const Account b = World::account("b", {}, 0, "bob", "band");
        const Account c = World::account("c", {}, 0, "bob", "");
        for (const Account& one : {a, b, c}) {
            QVERIFY(!world.open(one));
        }
        (void)world.record(a, "stream 1", amounts(kDollar, 60'000));
        (void)world.record(b, "stream 1", amounts(2 * kDollar, 120'000));
        (void)world.record(c, "stream 1", amounts(4 * kDollar, 240'000));
        const auto byUser = world.report(usage::Grouping::User);
        QCOMPARE(byUser.rows.size(), std::size_t{2});
        QCOMPARE(byUser.rows.front().key, std::string("bob"));
        QCOMPARE(byUser.rows.front().amounts[Measure::NanoDollars], 6 * kDollar);
        QCOMPARE(byUser.rows.front().sessions, 2);
        QCOMPARE(byUser.topProjects.size(), std::size_t{2});
        QCOMPARE(byUser.topProjects.front().key, std::string("band"));
        QCOMPARE(world.report(usage::Grouping::Project).rows.size(), std::size_t{3});
        QCOMPARE(world.report(usage::Grouping::Provider).rows.front().key, std::string("openai"));
        QCOMPARE(world.report(usage::Grouping::Model).rows.front().key, std::string("gpt-realtime"));
        // The sums of the parts are the whole.
        for (const auto by : {usage::Grouping::User, usage::Grouping::Project, usage::Grouping::Day}) {
            const auto report = world.report(by);
            Amounts sum;
            for (const auto& row : report.rows) {
                sum += row.amounts;
            }
            QVERIFY(sum == report.total.amounts);
        }
        const core::Json json = usage::writeJson(byUser);
        QCOMPARE(json["totalSessions"].get<int>(), 3);
        QCOMPARE(json["totalMinutes"].get<double>(), 7.0);
        QCOMPARE(json["totalCost"].get<double>(), 7.0);
        QCOMPARE(json["averageSessionDuration"].get<double>(), 7.0 / 3);
        QCOMPARE(json["topProjects"][0]["projectId"].get<std::string>(), std::string("band"));
        QCOMPARE(json["topProjects"][0]["minutes"].get<double>(), 2.0);
    }

    void report_OfOneSession_HasNothingOfTheOthers()
    {
        World world(url());
        const Account a = World::account("a");
        const Account b = World::account("b");
        const Account other = World::account("c", {}, 0, "bob");
        for (const Account& one : {a, b, other}) {
            QVERIFY(!world.open(one));
        }
        (void)world.record(a, "stream 1", amounts(kDollar, 60'000));
        (void)world.record(a, "response 1", amounts(kDollar, 0, 1));
        (void)world.record(b, "stream 1", amounts(4 * kDollar, 240'000));
        (void)world.record(other, "stream 1", amounts(8 * kDollar, 60'000));
        usage::UsageQuery query;
        query.to = query.today = kToday;
        query.caller = "alice";
        query.session = "a";
        const auto report = world.wait(world.ledger->report(query));
        QVERIFY(report.has_value());
        QCOMPARE(report->total.sessions, 1);
        QCOMPARE(report->total.amounts[Measure::NanoDollars], 2 * kDollar);
        QCOMPARE(report->total.amounts[Measure::ConnectedMs], 60'000);
        QCOMPARE(report->rows.size(), std::size_t{1});
        QCOMPARE(report->rows.front().key, std::string("2027-01-15"));
        // Somebody else's is nobody's.
        query.session = "c";
        QCOMPARE(world.wait(world.ledger->report(query))->total.sessions, 0);
    }

    /// The conversation does not wait for a database that hangs, and the bill comes there all the same.
    void storeThatHangs_KeepsNobodyWaiting()
    {
        World world(url());
        const Account account = World::account("s");
        QVERIFY(!world.open(account));
        std::promise<void> release;
        const auto released = release.get_future().share();
        // As many as there are connections.
        for (int i = 0; i < 4; ++i) {
            world.database->post([released](broker::Connection&) { released.wait(); });
        }
        relay::StreamAccount stream = world.stream(account);
        relay::StreamMeter::Bill bill{"response 1", amounts(kDollar, 0, 1)};
        const auto settled = world.wait(stream.settle(bill));
        release.set_value();
        // Nobody has a budget that it could break.
        QVERIFY(settled == Settled::GoesOn);
        (void)world.tend();
        (void)world.tend();
        QTRY_COMPARE(world.report().total.amounts[Measure::NanoDollars], kDollar);
        QCOMPARE(world.ledger->waiting(), std::size_t{0});
    }

    /// Under a budget what the session holds stands for what has not come to the ledger, and nothing stands for more.
    void storeThatHangs_BearsNoMoreThanTheHold()
    {
        World world(url());
        const Account account = World::account("s", dollarsADay(5), kDollar);
        QVERIFY(!world.open(account));
        std::promise<void> release;
        const auto released = release.get_future().share();
        for (int i = 0; i < 4; ++i) {
            world.database->post([released](broker::Connection&) { released.wait(); });
        }
        relay::StreamAccount stream = world.stream(account);
        const auto first = world.wait(stream.settle({"response 1", amounts(kDollar * 6 / 10, 0, 1)}));
        const auto second = world.wait(stream.settle({"response 2", amounts(kDollar * 6 / 10, 0, 1)}));
        const bool isBeyondHold = stream.isBeyondHold();
        release.set_value();
        QVERIFY(first == Settled::GoesOn);
        QVERIFY(second == Settled::Unknown);
        QVERIFY(isBeyondHold);
        QVERIFY(QTest::qWaitFor([&] { return world.tend().empty() && !stream.isBeyondHold(); }));
        QCOMPARE(world.report().total.amounts[Measure::NanoDollars], kDollar * 12 / 10);
        QVERIFY(world.wait(stream.settle({"response 3", amounts(kDollar, 0, 1)})) == Settled::GoesOn);
    }

    /// What is told late is answered, too.
    void storeThatIsAway_TellsLaterWhoseBudgetIsSpent()
    {
        World world(url());
        const Account account = World::account("s", dollarsADay(2), kDollar);
        QVERIFY(!world.open(account));
        relay::StreamAccount stream = world.stream(account);
        world.setAway(true);
        QVERIFY(world.wait(stream.settle({"response 1", amounts(kDollar, 0, 1)})) == Settled::GoesOn);
        QVERIFY(world.wait(stream.settle({"response 2", amounts(1, 0, 1)})) == Settled::Unknown);
        QVERIFY(world.tend().empty());
        QVERIFY(stream.isBeyondHold());
        world.setAway(false);
        const auto over = world.tend();
        QVERIFY(over.size() == 2 && over.front() == "s");
        QVERIFY(!stream.isBeyondHold());
    }

    void storeThatIsAway_BearsNoMoreTimeThanTheHold()
    {
        World world(url());
        Budgets budgets;
        budgets.userDay.connected = std::chrono::hours(1);
        const Account account = World::account("s", budgets);
        QVERIFY(!world.open(account));
        relay::StreamAccount stream = world.stream(account);
        stream.opened();
        const auto tell = [&] {
            world.clock.advance(relay::StreamAccount::kTellEvery);
            auto due = stream.due();
            return due && world.wait(world.ledger->record({std::move(*due)})).isTold;
        };
        QVERIFY(tell() && tell() && tell());
        QVERIFY(!stream.isBeyondHold());
        world.setAway(true);
        QVERIFY(!tell());
        QVERIFY(!stream.isBeyondHold());
        QVERIFY(!tell());
        QVERIFY(stream.isBeyondHold());
        world.setAway(false);
        (void)world.tend();
        QVERIFY(!stream.isBeyondHold());
    }

    /// What the store does not take now is told later, once.
    void storeThatIsAway_HearsOfItLater()
    {
        World world(url());
        const Account account = World::account("s");
        QVERIFY(!world.open(account));
        world.sql([](broker::Connection& sql) { sql << "ALTER TABLE usage_parts RENAME TO gone"; });
        QVERIFY(world.record(account, "response 1", amounts(kDollar)).empty());
        QCOMPARE(world.ledger->waiting(), std::size_t{1});
        QVERIFY(world.log.text().find("usage.not_written") != std::string::npos);
        (void)world.tend();
        QCOMPARE(world.ledger->waiting(), std::size_t{1});
        world.sql([](broker::Connection& sql) { sql << "ALTER TABLE gone RENAME TO usage_parts"; });
        (void)world.tend();
        QCOMPARE(world.ledger->waiting(), std::size_t{0});
        QCOMPARE(world.report().total.amounts[Measure::NanoDollars], kDollar);
    }
};

QTEST_GUILESS_MAIN(TestUsageLedger)
#include "test_usage_ledger.moc"
