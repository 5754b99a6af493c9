#include "broker/store/connection.h"
#include "broker/tokens/sql_session_registry.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/postgres_server.h"

#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <array>

using namespace vivavoce;
using namespace vivavoce::broker;
using core::Milliseconds;

namespace {

const Idempotency kRetry{"key", "instance"};
constexpr Milliseconds kLife{60'000};
constexpr const char* kInMemory = "sqlite://:memory:";

SessionRecord record(std::string id, std::string caller = "alice")
{
    SessionRecord made;
    made.id = std::move(id);
    made.caller = std::move(caller);
    made.model = "model";
    return made;
}

/// A registry with the session "s", whose token "t0" lives for a minute.
struct World {
    explicit World(const std::string& url, SqlSessionRegistry::Limits limits = {})
    {
        Database::Settings settings;
        settings.url = core::Secret(url);
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
        registry.emplace(limits, *database, clock);
        if (open(record("s"), "t0")) {
            qFatal("the session is not opened");
        }
    }

    template <typename T>
    T wait(net::Awaitable<T> answer)
    {
        return boost::asio::co_spawn(threads.executor(), std::move(answer), boost::asio::use_future).get();
    }
    [[nodiscard]] core::WallTime later() const { return clock.wallNow() + kLife; }
    [[nodiscard]] Successor successor(std::string_view token) const
    {
        return {hasher.hash(token), later(), "sealed " + std::string(token)};
    }

    std::optional<FaultCode> open(SessionRecord what, std::string_view token, SessionCaps caps = {})
    {
        const auto fault = wait(registry->open(std::move(what), hasher.hash(token), later(), caps));
        return fault ? std::optional(fault->code) : std::nullopt;
    }
    Renewal claim(std::string_view token, const Idempotency& idempotency = {})
    {
        return wait(registry->claimByToken({hasher.hash(token)}, idempotency));
    }
    Renewal resume(
        const std::string& id, const std::string& caller, SessionCaps caps = {}, const std::string& instance = {})
    {
        return wait(registry->claimBySession(id, caller, instance, caps));
    }
    static FaultCode codeOf(const Renewal& renewal)
    {
        if (std::holds_alternative<RenewalReuse>(renewal)) {
            return FaultCode::TokenReused;
        }
        if (const auto* refused = std::get_if<RenewalRefused>(&renewal)) {
            return refused->fault.code;
        }
        const auto* fault = std::get_if<Fault>(&renewal);
        return fault != nullptr ? fault->code : FaultCode::Internal;
    }
    /// Of a reuse the session is ended, as whoever asks does.
    FaultCode refusal(std::string_view token, const Idempotency& idempotency = {})
    {
        const Renewal renewal = claim(token, idempotency);
        if (const auto* reuse = std::get_if<RenewalReuse>(&renewal)) {
            (void)wait(registry->end(reuse->record.id));
        }
        return codeOf(renewal);
    }
    bool complete(const Renewal& renewal, std::string_view to)
    {
        const auto* lead = std::get_if<RenewalLead>(&renewal);
        return lead != nullptr && wait(registry->complete(*lead, successor(to))) == true;
    }
    bool renew(std::string_view from, std::string_view to, const Idempotency& idempotency = {})
    {
        return complete(claim(from, idempotency), to);
    }
    std::size_t active()
    {
        boost::asio::co_spawn(threads.executor(), registry->sweep(), boost::asio::use_future).get();
        return wait(registry->countAll()).value_or(99);
    }

    tests::NetThreads threads;
    tests::SharedClock clock;
    tests::CapturedLog log;
    TokenHasher hasher;
    std::unique_ptr<Database> database;
    std::optional<SqlSessionRegistry> registry;
};

} // namespace

/// All of it on SQLite and on PostgreSQL.
class TestBrokerSessionRegistry : public QObject {
    Q_OBJECT

    std::unique_ptr<tests::PostgresServer> m_server;

    /// The one that this row is about.
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

    void claim_UnknownToken_IsInvalid()
    {
        World world(url());
        QCOMPARE(world.refusal("nobody's"), FaultCode::InvalidToken);
        QCOMPARE(world.refusal(""), FaultCode::InvalidToken);
    }

    void claim_AtExpiry_IsExpired()
    {
        World world(url());
        world.clock.advance(Milliseconds{59'999});
        QVERIFY(world.renew("t0", "t1"));
        world.clock.advance(Milliseconds{60'000});
        QCOMPARE(world.refusal("t1"), FaultCode::TokenExpired);
    }

    void claim_SpentToken_EndsTheSession()
    {
        World world(url());
        QVERIFY(world.renew("t0", "t1"));
        QCOMPARE(world.refusal("t0"), FaultCode::TokenReused);
        QCOMPARE(world.refusal("t1"), FaultCode::InvalidToken);
        QCOMPARE(world.active(), std::size_t(0));
        QCOMPARE(World::codeOf(world.resume("s", "alice")), FaultCode::SessionNotFound);
    }

    void claim_OlderSpentToken_EndsTheSessionToo()
    {
        World world(url());
        QVERIFY(world.renew("t0", "t1") && world.renew("t1", "t2"));
        QCOMPARE(world.refusal("t0", kRetry), FaultCode::TokenReused);
        QCOMPARE(world.refusal("t2"), FaultCode::InvalidToken);
    }

    void claim_SameKeyWithinTheWindow_RepeatsTheSuccessor()
    {
        World world(url());
        QVERIFY(world.renew("t0", "t1", kRetry));
        world.clock.advance(Milliseconds{5'000});
        const auto again = world.claim("t0", kRetry);
        const auto* repeat = std::get_if<RenewalRepeat>(&again);
        QVERIFY(repeat != nullptr);
        QCOMPARE(repeat->sealed, std::string("sealed t1"));
        QVERIFY(world.renew("t1", "t2"));
    }

    void claim_SameRequestFourTimesAtOnce_NeverFindsAClaimWithoutItsFlight()
    {
        World world(url());
        const auto refreshed = [&world](std::string from, std::string to) -> net::Awaitable<std::string> {
            for (;;) {
                const Renewal renewal = co_await world.registry->claimByToken(world.hasher.hashes(from), kRetry);
                if (const auto* lead = std::get_if<RenewalLead>(&renewal)) {
                    const auto isIn = co_await world.registry->complete(*lead, world.successor(to));
                    co_return isIn == true ? std::string() : "not completed";
                }
                if (std::holds_alternative<RenewalRepeat>(renewal)) {
                    co_return std::string();
                }
                const auto* other = std::get_if<RenewalUnderWay>(&renewal);
                if (other == nullptr) {
                    co_return std::string(faultRow(World::codeOf(renewal)).text);
                }
                const auto landing = co_await other->flight->wait(Milliseconds{20'000});
                if (!landing || landing->fault) {
                    co_return "not landed";
                }
            }
        };
        for (int round = 0; round < 200; ++round) {
            std::vector<std::future<std::string>> four;
            for (int i = 0; i < 4; ++i) {
                four.push_back(boost::asio::co_spawn(world.threads.executor(),
                    refreshed("t" + std::to_string(round), "t" + std::to_string(round + 1)), boost::asio::use_future));
            }
            for (auto& one : four) {
                QCOMPARE(one.get(), std::string());
            }
        }
    }

    void claim_NotQuiteARepetition_EndsTheSession_data()
    {
        QTest::addColumn<QByteArray>("key");
        QTest::addColumn<QByteArray>("instance");
        QTest::addColumn<int>("afterMs");
        QTest::newRow("other key") << QByteArray("other") << QByteArray("instance") << 0;
        QTest::newRow("other instance") << QByteArray("key") << QByteArray("other") << 0;
        QTest::newRow("no key") << QByteArray() << QByteArray() << 0;
        QTest::newRow("too late") << QByteArray("key") << QByteArray("instance") << 5'001;
    }
    void claim_NotQuiteARepetition_EndsTheSession()
    {
        QFETCH(QByteArray, key);
        QFETCH(QByteArray, instance);
        QFETCH(int, afterMs);
        World world(url());
        QVERIFY(world.renew("t0", "t1", kRetry));
        world.clock.advance(Milliseconds{afterMs});
        QCOMPARE(world.refusal("t0", {key.toStdString(), instance.toStdString()}), FaultCode::TokenReused);
        QCOMPARE(world.refusal("t1"), FaultCode::InvalidToken);
    }

    void claim_TwiceWithoutAKey_IsNeverARepetition()
    {
        World world(url());
        QVERIFY(world.renew("t0", "t1"));
        QCOMPARE(world.refusal("t0"), FaultCode::TokenReused);
    }

    void claim_WhileUnderWay_WaitsOrIsRefusedButHarmsNothing()
    {
        World world(url());
        auto first = world.claim("t0", kRetry);
        auto second = world.claim("t0", kRetry);
        QVERIFY(std::holds_alternative<RenewalLead>(first) && std::holds_alternative<RenewalUnderWay>(second));
        QVERIFY(std::get<RenewalUnderWay>(second).flight == std::get<RenewalLead>(first).flight);
        QCOMPARE(world.refusal("t0", {"other", "instance"}), FaultCode::RefreshInProgress);
        QCOMPARE(world.refusal("t0"), FaultCode::RefreshInProgress);
        QVERIFY(world.complete(first, "t1"));
        QVERIFY(world.renew("t1", "t2"));
    }

    void abandon_AfterAFault_LeavesTheTokenGood()
    {
        World world(url());
        auto renewal = world.claim("t0");
        boost::asio::co_spawn(world.threads.executor(),
            world.registry->abandon(std::get<RenewalLead>(renewal), {FaultCode::ProviderTimeout, {}, std::nullopt}),
            boost::asio::use_future)
            .get();
        QVERIFY(world.renew("t0", "t1"));
    }

    void complete_SessionEndedMeanwhile_IsRefused()
    {
        World world(url());
        QVERIFY(world.renew("t0", "t1"));
        auto renewal = world.claim("t1");
        QCOMPARE(world.refusal("t0"), FaultCode::TokenReused);
        QVERIFY(!world.complete(renewal, "t2"));
        QCOMPARE(world.refusal("t2"), FaultCode::InvalidToken);
    }

    void resume_OwnSession_WorksUntilTheWindowEnds()
    {
        World world(url());
        world.clock.advance(Milliseconds{60'000 + 3'600'000});
        const auto renewal = world.resume("s", "alice");
        QVERIFY(std::holds_alternative<RenewalLead>(renewal));
        boost::asio::co_spawn(world.threads.executor(), world.registry->abandon(std::get<RenewalLead>(renewal), {}),
            boost::asio::use_future)
            .get();
        world.clock.advance(Milliseconds{1});
        QCOMPARE(World::codeOf(world.resume("s", "alice")), FaultCode::SessionNotFound);
    }

    void resume_SomebodyElses_LooksLikeNone()
    {
        World world(url());
        QCOMPARE(World::codeOf(world.resume("s", "mallory")), FaultCode::SessionNotFound);
        QCOMPARE(World::codeOf(world.resume("other", "alice")), FaultCode::SessionNotFound);
    }

    void resume_OfALiveSession_SpendsTheOldToken()
    {
        World world(url());
        QVERIFY(world.complete(world.resume("s", "alice"), "t1"));
        QCOMPARE(world.refusal("t0"), FaultCode::TokenReused);
    }

    void open_WhenFull_IsRefused()
    {
        SqlSessionRegistry::Limits limits;
        limits.maxSessions = 1;
        World world(url(), limits);
        QVERIFY(!world.registry->hasRoom());
        QCOMPARE(world.open(record("n"), "u0"), FaultCode::SessionsFull);
        world.clock.advance(kLife);
        QCOMPARE(world.active(), std::size_t(0));
        QVERIFY(!world.open(record("n"), "u0"));
        QVERIFY(world.renew("u0", "u1"));
    }

    void open_BeyondTheCap_IsRefusedAlsoInParallel()
    {
        World world(url());
        constexpr int kMany = 20;
        std::vector<std::future<std::optional<Fault>>> answers;
        for (int i = 0; i < kMany; ++i) {
            const std::string name = "n" + std::to_string(i);
            answers.push_back(boost::asio::co_spawn(world.threads.executor(),
                world.registry->open(record(name, "bob"), world.hasher.hash(name), world.later(), {3, std::nullopt}),
                boost::asio::use_future));
        }
        int opened = 0;
        for (auto& answer : answers) {
            const auto fault = answer.get();
            opened += fault ? 0 : 1;
            QVERIFY(!fault || fault->code == FaultCode::TooManySessions);
        }
        QCOMPARE(opened, 3);
        QVERIFY(!world.open(record("other", "carol"), "c0", {3, std::nullopt}));
    }

    void open_BeyondTheProjectsCap_IsRefused()
    {
        World world(url());
        SessionRecord first = record("p1", "bob");
        SessionRecord second = record("p2", "carol");
        first.project = second.project = "choir";
        QVERIFY(!world.open(first, "p1", {std::nullopt, 1}));
        QCOMPARE(world.open(second, "p2", {std::nullopt, 1}), FaultCode::TooManySessions);
    }

    /// None of them lives before its provider has answered, and all of them would after.
    void resume_OfManyAtOnce_GetsNoMorePlacesThanThereAre()
    {
        World world(url());
        QVERIFY(!world.open(record("a"), "a0"));
        QVERIFY(!world.open(record("b"), "b0"));
        world.clock.advance(kLife);
        const SessionCaps two{2, std::nullopt};
        QVERIFY(std::holds_alternative<RenewalLead>(world.resume("s", "alice", two)));
        const Renewal second = world.resume("a", "alice", two);
        QVERIFY(std::holds_alternative<RenewalLead>(second));
        QCOMPARE(World::codeOf(world.resume("b", "alice", two)), FaultCode::TooManySessions);
        QCOMPARE(world.open(record("n"), "n0", two), FaultCode::TooManySessions);
        // One that is given up gives its place back.
        world.wait(world.registry->abandon(std::get<RenewalLead>(second), {}));
        QVERIFY(std::holds_alternative<RenewalLead>(world.resume("b", "alice", two)));
    }

    void resume_WhosePlaceIsTaken_IsRefused()
    {
        World world(url());
        world.clock.advance(kLife);
        QVERIFY(!world.open(record("n"), "u0", {1, std::nullopt}));
        QCOMPARE(World::codeOf(world.resume("s", "alice", {1, std::nullopt})), FaultCode::TooManySessions);
        QVERIFY(std::holds_alternative<RenewalLead>(world.resume("s", "alice", {2, std::nullopt})));
    }

    void claim_ByAnotherClientInstance_IsRefusedAndHarmsNothing()
    {
        World world(url());
        SessionRecord bound = record("b");
        bound.clientInstance = "instance";
        QVERIFY(!world.open(bound, "b0"));
        QCOMPARE(world.refusal("b0"), FaultCode::InvalidToken);
        QCOMPARE(world.refusal("b0", {"key", "thief"}), FaultCode::InvalidToken);
        QCOMPARE(World::codeOf(world.resume("b", "alice", {}, "thief")), FaultCode::SessionNotFound);
        QVERIFY(world.renew("b0", "b1", kRetry));
    }

    void claim_AtTheSessionsEnd_IsExpired()
    {
        World world(url());
        SessionRecord bounded = record("b");
        bounded.endsAt = world.clock.wallNow() + Milliseconds{30'000};
        QVERIFY(!world.open(bounded, "b0"));
        world.clock.advance(Milliseconds{29'999});
        QVERIFY(world.renew("b0", "b1"));
        world.clock.advance(Milliseconds{1});
        QCOMPARE(world.refusal("b1"), FaultCode::TokenExpired);
        QCOMPARE(World::codeOf(world.resume("b", "alice")), FaultCode::SessionNotFound);
    }

    void claim_OfABrokerThatDied_RunsOut()
    {
        World world(url());
        QVERIFY(std::holds_alternative<RenewalLead>(world.claim("t0")));
        world.clock.advance(Milliseconds{39'999});
        QCOMPARE(world.refusal("t0"), FaultCode::RefreshInProgress);
        world.clock.advance(Milliseconds{1});
        QVERIFY(world.renew("t0", "t1"));
    }

    /// Whoever came in time was kept out until the token was over.
    void claim_OfABrokerThatDied_OutlivesItsToken_ButNotForEver()
    {
        for (const int seconds : {69, 70}) {
            World world(url());
            world.clock.advance(Milliseconds{30'000});
            QVERIFY(std::holds_alternative<RenewalLead>(world.claim("t0")));
            world.clock.advance(Milliseconds{39'999});
            QCOMPARE(world.refusal("t0"), FaultCode::RefreshInProgress);
            world.clock.advance(std::chrono::seconds{seconds} - Milliseconds{39'999});
            if (seconds < 70) {
                // Its place is kept as long.
                SessionCaps one;
                one.ofCaller = 1;
                QCOMPARE(world.open(record("n"), "n0", one), FaultCode::TooManySessions);
                QVERIFY(world.renew("t0", "t1"));
            } else {
                QCOMPARE(world.refusal("t0"), FaultCode::TokenExpired);
            }
        }
    }

    void claim_OfAFormerRun_DoesNotBind_WhereNobodyElseHasTheDatabase()
    {
        World world(url());
        QVERIFY(std::holds_alternative<RenewalLead>(world.claim("t0", kRetry)));
        SqlSessionRegistry next({}, *world.database, world.clock);
        next.dropFormerClaims();
        const auto renewal = world.wait(next.claimByToken(world.hasher.hashes("t0"), {"another", "instance"}));
        if (world.database->kind() == Database::Kind::Sqlite) {
            QVERIFY(std::holds_alternative<RenewalLead>(renewal));
            // The old run's is nobody's, should it still have something to say.
            QVERIFY(world.wait(next.complete(std::get<RenewalLead>(renewal), world.successor("t1"))) == true);
        } else {
            QCOMPARE(World::codeOf(renewal), FaultCode::RefreshInProgress);
        }
    }

    /// What could not be let go of while the database was away.
    void claim_ThatCouldNotBeGivenUp_IsLetGoOfAsSoonAsItCanBe()
    {
        World world(url());
        const auto renewal = world.claim("t0");
        QVERIFY(std::holds_alternative<RenewalLead>(renewal));
        const auto run = [&](const char* statement) {
            const std::function<int(broker::Connection&)> work = [statement](broker::Connection& sql) {
                sql << statement;
                return 0;
            };
            QVERIFY(world.wait(world.database->run<int>(work)).has_value());
        };
        run("ALTER TABLE sessions RENAME TO away");
        world.wait(world.registry->abandon(std::get<RenewalLead>(renewal), Fault{}));
        run("ALTER TABLE away RENAME TO sessions");
        QCOMPARE(world.refusal("t0"), FaultCode::RefreshInProgress);
        world.wait(world.registry->sweep());
        QVERIFY(world.renew("t0", "t1"));
    }

    void isKnown_IsWhatLivesOrWasSpent()
    {
        World world(url());
        QVERIFY(world.renew("t0", "t1"));
        for (const auto& [token, isKnown] : {std::pair("t0", true), std::pair("t1", true), std::pair("t2", false)}) {
            QVERIFY(world.wait(world.registry->isKnown(world.hasher.hashes(token))) == isKnown);
        }
    }

    void twoRegistries_OnOneDatabase_KnowTheSameSessions()
    {
        World world(url());
        SqlSessionRegistry other({}, *world.database, world.clock);
        // Under way at one of them: the other has nothing to wait for.
        auto renewal = world.claim("t0", kRetry);
        auto beside = world.wait(other.claimByToken(world.hasher.hashes("t0"), kRetry));
        QCOMPARE(World::codeOf(beside), FaultCode::RefreshInProgress);
        QVERIFY(world.complete(renewal, "t1"));
        beside = world.wait(other.claimByToken(world.hasher.hashes("t0"), kRetry));
        QVERIFY(std::holds_alternative<RenewalRepeat>(beside));
        const auto ended = world.wait(other.end("s"));
        QVERIFY(ended && *ended && (*ended)->caller == "alice");
        QCOMPARE(world.refusal("t1"), FaultCode::InvalidToken);
    }

    void end_OfACaller_OrOfAProject_EndsThoseAlone()
    {
        World world(url());
        SessionRecord theirs = record("p", "bob");
        theirs.project = "choir";
        QVERIFY(!world.open(theirs, "p0"));
        QVERIFY(!world.open(record("q", "bob"), "q0"));
        const auto project = world.wait(world.registry->endAllOfProject("choir"));
        QVERIFY(project && project->size() == 1 && project->front().id == "p");
        const auto caller = world.wait(world.registry->endAllOf("bob"));
        QVERIFY(caller && caller->size() == 1 && caller->front().id == "q");
        QVERIFY(world.renew("t0", "t1"));
    }

    void record_ComesBackAsItWas()
    {
        World world(url());
        SessionRecord whole = record("w", "d\'arc; DROP TABLE sessions --");
        whole.transport = SessionTransport::Relay;
        whole.issuer = "https://issuer.example";
        whole.subject = "Jos\xC3\xA9";
        whole.project = "p";
        whole.voice = "alto";
        whole.instructions = "line one\nline two";
        whole.startedAt = world.clock.wallNow();
        whole.endsAt = world.later();
        QVERIFY(!world.open(whole, "w0"));
        const auto live = world.wait(world.registry->liveOf(whole.caller));
        QVERIFY(live && live->size() == 1);
        const SessionRecord& found = live->front().record;
        QVERIFY(found.transport == SessionTransport::Relay && found.subject == whole.subject);
        QVERIFY(found.voice == whole.voice && found.instructions == whole.instructions && found.issuer == whole.issuer);
        QVERIFY(found.endsAt == whole.endsAt && found.startedAt == whole.startedAt && found.project == "p");
        QVERIFY(live->front().expiresAt == world.later());
    }

    void open_TokenThatIsKnown_IsRefused()
    {
        World world(url());
        QCOMPARE(world.open(record("n"), "t0"), FaultCode::ProviderMalformed);
        QVERIFY(world.renew("t0", "t1"));
        QCOMPARE(world.open(record("n"), "t0"), FaultCode::ProviderMalformed);
    }

    void spent_BeyondTheBound_IsMerelyUnknown()
    {
        SqlSessionRegistry::Limits limits;
        limits.maxSpent = 2;
        World world(url(), limits);
        QVERIFY(world.renew("t0", "t1") && world.renew("t1", "t2") && world.renew("t2", "t3"));
        QCOMPARE(world.refusal("t0"), FaultCode::InvalidToken);
        QVERIFY(world.renew("t3", "t4"));
    }

    void sweep_LongAfterExpiry_ForgetsTheSession()
    {
        World world(url());
        QCOMPARE(world.active(), std::size_t(1));
        world.clock.advance(Milliseconds{60'000 + 3'600'001});
        QCOMPARE(world.active(), std::size_t(0));
        QCOMPARE(world.refusal("t0"), FaultCode::InvalidToken);
    }
};

QTEST_GUILESS_MAIN(TestBrokerSessionRegistry)
#include "test_broker_session_registry.moc"
