#include "broker/tokens/memory_session_registry.h"
#include "tests/support/manual_clock.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::broker;
using core::Milliseconds;

namespace {

const Idempotency kRetry{"key", "instance"};

SessionRecord record(std::string id, std::string caller = "alice")
{
    return {std::move(id), std::move(caller), {}, {}, "model", std::nullopt, std::nullopt};
}

/// A registry with the session "s", whose token "t0" lives for a minute.
struct World {
    explicit World(MemorySessionRegistry::Limits limits = {}) : registry(limits, clock)
    {
        const bool isOpen = registry.open(record("s"), "t0", clock.now() + Milliseconds{60'000}).has_value();
        Q_ASSERT(isOpen);
        Q_UNUSED(isOpen);
    }

    FaultCode refusal(std::string_view token, const Idempotency& idempotency = {})
    {
        const auto renewal = registry.claimByToken(token, idempotency);
        const auto* fault = std::get_if<Fault>(&renewal);
        return fault != nullptr ? fault->code : FaultCode::Internal;
    }

    bool renew(std::string_view from, std::string_view to, const Idempotency& idempotency = {})
    {
        auto renewal = registry.claimByToken(from, idempotency);
        const auto* lead = std::get_if<RenewalLead>(&renewal);
        return lead != nullptr && registry.complete(*lead, to, clock.now() + Milliseconds{60'000});
    }

    tests::ManualClock clock;
    MemorySessionRegistry registry;
};

} // namespace

class TestBrokerSessionRegistry : public QObject {
    Q_OBJECT

private slots:
    void claim_UnknownToken_IsInvalid()
    {
        World world;
        QCOMPARE(world.refusal("nobody's"), FaultCode::InvalidToken);
        QCOMPARE(world.refusal(""), FaultCode::InvalidToken);
    }

    void claim_AtExpiry_IsExpired()
    {
        World world;
        world.clock.advance(Milliseconds{59'999});
        QVERIFY(world.renew("t0", "t1"));
        world.clock.advance(Milliseconds{60'000});
        QCOMPARE(world.refusal("t1"), FaultCode::TokenExpired);
    }

    void claim_SpentToken_EndsTheSession()
    {
        World world;
        QVERIFY(world.renew("t0", "t1"));
        QCOMPARE(world.refusal("t0"), FaultCode::TokenReused);
        QCOMPARE(world.refusal("t1"), FaultCode::InvalidToken);
        QCOMPARE(world.registry.active(), std::size_t(0));
        const auto resumed = world.registry.claimBySession("s", "alice");
        QCOMPARE(std::get<Fault>(resumed).code, FaultCode::SessionNotFound);
    }

    void claim_OlderSpentToken_EndsTheSessionToo()
    {
        World world;
        QVERIFY(world.renew("t0", "t1") && world.renew("t1", "t2"));
        QCOMPARE(world.refusal("t0", kRetry), FaultCode::TokenReused);
        QCOMPARE(world.refusal("t2"), FaultCode::InvalidToken);
    }

    void claim_SameKeyWithinTheWindow_RepeatsTheSuccessor()
    {
        World world;
        QVERIFY(world.renew("t0", "t1", kRetry));
        world.clock.advance(Milliseconds{5'000});
        const auto again = world.registry.claimByToken("t0", kRetry);
        const auto* repeat = std::get_if<RenewalRepeat>(&again);
        QVERIFY(repeat != nullptr && repeat->successor.equals("t1"));
        QVERIFY(world.renew("t1", "t2"));
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
        World world;
        QVERIFY(world.renew("t0", "t1", kRetry));
        world.clock.advance(Milliseconds{afterMs});
        QCOMPARE(world.refusal("t0", {key.toStdString(), instance.toStdString()}), FaultCode::TokenReused);
        QCOMPARE(world.refusal("t1"), FaultCode::InvalidToken);
    }

    void claim_TwiceWithoutAKey_IsNeverARepetition()
    {
        World world;
        QVERIFY(world.renew("t0", "t1"));
        QCOMPARE(world.refusal("t0"), FaultCode::TokenReused);
    }

    void claim_WhileUnderWay_WaitsOrIsRefusedButHarmsNothing()
    {
        World world;
        auto first = world.registry.claimByToken("t0", kRetry);
        auto second = world.registry.claimByToken("t0", kRetry);
        QVERIFY(std::holds_alternative<RenewalLead>(first) && std::holds_alternative<RenewalUnderWay>(second));
        QVERIFY(std::get<RenewalUnderWay>(second).flight == std::get<RenewalLead>(first).flight);
        QCOMPARE(world.refusal("t0", {"other", "instance"}), FaultCode::RefreshInProgress);
        QCOMPARE(world.refusal("t0"), FaultCode::RefreshInProgress);
        QVERIFY(world.registry.complete(std::get<RenewalLead>(first), "t1", world.clock.now() + Milliseconds{60'000}));
        QVERIFY(world.renew("t1", "t2"));
    }

    void abandon_AfterAFault_LeavesTheTokenGood()
    {
        World world;
        auto renewal = world.registry.claimByToken("t0", {});
        world.registry.abandon(std::get<RenewalLead>(renewal), {FaultCode::ProviderTimeout, {}, std::nullopt});
        QVERIFY(world.renew("t0", "t1"));
    }

    void complete_SessionEndedMeanwhile_IsRefused()
    {
        World world;
        QVERIFY(world.renew("t0", "t1"));
        auto renewal = world.registry.claimByToken("t1", {});
        QCOMPARE(world.refusal("t0"), FaultCode::TokenReused);
        QVERIFY(
            !world.registry.complete(std::get<RenewalLead>(renewal), "t2", world.clock.now() + Milliseconds{60'000}));
        QCOMPARE(world.refusal("t2"), FaultCode::InvalidToken);
    }

    void resume_OwnSession_WorksUntilTheWindowEnds()
    {
        World world;
        world.clock.advance(Milliseconds{60'000 + 3'600'000});
        const auto renewal = world.registry.claimBySession("s", "alice");
        QVERIFY(std::holds_alternative<RenewalLead>(renewal));
        world.registry.abandon(std::get<RenewalLead>(renewal), {});
        world.clock.advance(Milliseconds{1});
        QCOMPARE(std::get<Fault>(world.registry.claimBySession("s", "alice")).code, FaultCode::SessionNotFound);
    }

    void resume_SomebodyElses_LooksLikeNone()
    {
        World world;
        QCOMPARE(std::get<Fault>(world.registry.claimBySession("s", "mallory")).code, FaultCode::SessionNotFound);
        QCOMPARE(std::get<Fault>(world.registry.claimBySession("other", "alice")).code, FaultCode::SessionNotFound);
    }

    void resume_OfALiveSession_SpendsTheOldToken()
    {
        World world;
        auto renewal = world.registry.claimBySession("s", "alice");
        QVERIFY(
            world.registry.complete(std::get<RenewalLead>(renewal), "t1", world.clock.now() + Milliseconds{60'000}));
        QCOMPARE(world.refusal("t0"), FaultCode::TokenReused);
    }

    void open_WhenFull_MakesRoomFromExpiredOnesOnly()
    {
        MemorySessionRegistry::Limits limits;
        limits.maxSessions = 1;
        World world(limits);
        QVERIFY(!world.registry.hasRoom());
        QCOMPARE(world.registry.open(record("n"), "u0", world.clock.now() + Milliseconds{60'000}).error().code,
            FaultCode::SessionsFull);
        world.clock.advance(Milliseconds{60'000});
        QVERIFY(world.registry.open(record("n"), "u0", world.clock.now() + Milliseconds{60'000}).has_value());
        QCOMPARE(world.refusal("t0"), FaultCode::InvalidToken);
        QVERIFY(world.renew("u0", "u1"));
    }

    void open_TokenThatIsKnown_IsRefused()
    {
        World world;
        QVERIFY(!world.registry.open(record("n"), "t0", world.clock.now() + Milliseconds{60'000}).has_value());
        QVERIFY(world.renew("t0", "t1"));
    }

    void spent_BeyondTheBound_IsMerelyUnknown()
    {
        MemorySessionRegistry::Limits limits;
        limits.maxSpent = 2;
        World world(limits);
        QVERIFY(world.renew("t0", "t1") && world.renew("t1", "t2") && world.renew("t2", "t3"));
        QCOMPARE(world.refusal("t0"), FaultCode::InvalidToken);
        QVERIFY(world.renew("t3", "t4"));
    }

    void sweep_LongAfterExpiry_ForgetsTheSession()
    {
        World world;
        QCOMPARE(world.registry.active(), std::size_t(1));
        world.clock.advance(Milliseconds{60'000 + 3'600'001});
        world.registry.sweep();
        QCOMPARE(world.refusal("t0"), FaultCode::InvalidToken);
    }
};

QTEST_GUILESS_MAIN(TestBrokerSessionRegistry)
#include "test_broker_session_registry.moc"
