#include "broker/http/problem_response.h"
#include "broker/limits/gatekeeper.h"
#include "broker/limits/memory_limit_store.h"
#include "broker/limits/redis_address.h"
#include "core/base/json.h"
#include "tests/broker/limits_harness.h"

#include <nlohmann/json.hpp>

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::Admission;
using broker::BlockEvent;
using broker::Door;
using broker::FaultCode;
using broker::Gatekeeper;
using broker::RedisAddress;
using broker::StoreDown;
using core::Milliseconds;

namespace {

/// A store that is away.
class FailingLimitStore final : public broker::LimitStore {
public:
    net::Awaitable<Taken> take(const broker::Bucket&, broker::LimitSubject) override
    {
        co_return core::Unexpected<StoreDown>(StoreDown{"away"});
    }
    net::Awaitable<Taken> look(const broker::Bucket&, broker::LimitSubject) override
    {
        co_return core::Unexpected<StoreDown>(StoreDown{"away"});
    }
    net::Awaitable<core::Expected<std::vector<broker::Block>, StoreDown>> blocks(std::size_t) override
    {
        co_return core::Unexpected<StoreDown>(StoreDown{"away"});
    }
    net::Awaitable<core::Expected<bool, StoreDown>> lift(std::string) override
    {
        co_return core::Unexpected<StoreDown>(StoreDown{"away"});
    }
    [[nodiscard]] broker::StoreHealth health() const override { return broker::StoreHealth::Down; }
};

struct World {
    explicit World(Gatekeeper::Settings settings = {})
        : gate(std::move(settings), {store, clock, log, [this](const BlockEvent& event) { events.push_back(event); }})
    {
    }

    Admission admit(const std::string& user, const std::string& address = "192.0.2.1", Door door = Door::Mint,
        std::size_t sessions = 0, const std::string& session = {})
    {
        return finish(threads, gate.admit({door, user, address, session, sessions}));
    }
    /// A whole request, from the address on.
    bool comesIn(const std::string& user, const std::string& address)
    {
        const Admission counted = gate.admitAddress(address);
        if (counted.fault) {
            return false;
        }
        gate.authenticated(address, counted.ticket);
        return !admit(user, address).fault;
    }

    NetThreads threads;
    SharedClock clock;
    CapturedLog log;
    broker::MemoryLimitStore store{{}, clock};
    std::vector<BlockEvent> events;
    Gatekeeper gate;
};

std::string field(const net::HttpResponse& response, std::string_view name)
{
    return std::string(response.headers.find(name).value_or(""));
}

net::HttpResponse answerOf(const Admission& admission)
{
    auto response = broker::http::problemResponse(*admission.fault);
    if (admission.charge) {
        broker::http::addRateLimit(response, *admission.charge);
    }
    return response;
}

} // namespace

class TestBrokerGatekeeper : public QObject {
    Q_OBJECT

private slots:
    void admit_OverTheQuota_IsAQuotaExceededWithItsFields()
    {
        World world;
        for (int i = 0; i < 10; ++i) {
            QVERIFY(!world.admit("alice").fault);
        }
        world.clock.advance(Milliseconds{10'500});
        const auto response = answerOf(world.admit("alice"));
        QCOMPARE(response.status, 429U);
        QCOMPARE(field(response, "Retry-After"), std::string("50"));
        QCOMPARE(field(response, "RateLimit-Policy"), std::string("\"mint\";q=10;w=60"));
        QCOMPARE(field(response, "RateLimit"), std::string("\"mint\";r=0;t=50"));
        const auto problem = core::parseJson(response.body).value();
        QCOMPARE(problem["type"].get<std::string>(),
            std::string("https://iana.org/assignments/http-problem-types#quota-exceeded"));
        QCOMPARE(problem["code"].get<std::string>(), std::string("rate_limited"));
        QCOMPARE(problem["violated-policies"].dump(), std::string("[\"mint\"]"));
    }

    void admit_GoingOnWhileAskedToWait_IsAbnormalUsageAndTold()
    {
        World world;
        for (int i = 0; i < 13; ++i) {
            const auto admission = world.admit("alice", "192.0.2.7");
            QVERIFY(!admission.fault || admission.fault->code == FaultCode::RateLimited);
        }
        QVERIFY(world.events.empty());
        const auto response = answerOf(world.admit("alice", "192.0.2.7"));
        QCOMPARE(response.status, 429U);
        QCOMPARE(field(response, "Retry-After"), std::string("900"));
        QCOMPARE(field(response, "RateLimit"), std::string("\"mint\";r=0;t=900"));
        const auto problem = core::parseJson(response.body).value();
        QCOMPARE(problem["type"].get<std::string>(),
            std::string("https://iana.org/assignments/http-problem-types#abnormal-usage-detected"));
        QCOMPARE(problem["code"].get<std::string>(), std::string("blocked"));
        QCOMPARE(world.events.size(), std::size_t(1));
        QCOMPARE(world.events[0].user, std::string("alice"));
        QCOMPARE(world.events[0].bucket, std::string("mint"));
        QCOMPARE(world.events[0].address, std::string("192.0.2.7"));
        QCOMPARE(world.events[0].length, Milliseconds(std::chrono::minutes(15)));
        QCOMPARE(world.admit("alice", "203.0.113.9", Door::Session).fault.value().code, FaultCode::Blocked);
        QCOMPARE(world.admit("alice", "203.0.113.9", Door::Refresh, 0, "s1").fault.value().code, FaultCode::Blocked);
        QCOMPARE(world.events.size(), std::size_t(1));
    }

    void lift_BlockedUser_ComesInAgain()
    {
        World world;
        for (int i = 0; i < 14; ++i) {
            static_cast<void>(world.admit("alice"));
        }
        QCOMPARE(finish(world.threads, world.gate.blocks(10)).value().at(0).offender, std::string("alice"));
        QVERIFY(finish(world.threads, world.gate.lift("alice")).value());
        QVERIFY(!finish(world.threads, world.gate.lift("alice")).value());
        QVERIFY(finish(world.threads, world.gate.blocks(10)).value().empty());
        world.clock.advance(Milliseconds{60'000});
        QVERIFY(!world.admit("alice").fault);
    }

    void admit_OneOfManyBehindAnAddress_LocksOutNobodyElse()
    {
        World world;
        // Far more than the address may do by itself.
        for (int i = 0; i < 1'000; ++i) {
            static_cast<void>(world.comesIn("mallory", "198.51.100.1"));
        }
        QVERIFY(!world.comesIn("mallory", "198.51.100.1"));
        QVERIFY(!world.comesIn("mallory", "203.0.113.77"));
        for (int i = 0; i < 50; ++i) {
            QVERIFY(world.comesIn("user " + std::to_string(i), "198.51.100.1"));
        }
    }

    void admitAddress_StrangersOfOneNetwork_ShareOneGuard()
    {
        Gatekeeper::Settings settings;
        settings.address.maxRequests = 3;
        World world(std::move(settings));
        for (const char* const address : {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2:3:4:5:6"}) {
            QVERIFY(!world.gate.admitAddress(address).fault);
        }
        const auto refused = world.gate.admitAddress("2001:db8:1:2::77");
        QCOMPARE(refused.fault.value().code, FaultCode::RateLimited);
        QCOMPARE(field(answerOf(refused), "RateLimit-Policy"), std::string("\"address\";q=3;w=60"));
        QVERIFY(!world.gate.admitAddress("2001:db8:1:3::1").fault);
        QCOMPARE(broker::addressKey("::ffff:192.0.2.1"), std::string("192.0.2.1"));
        QCOMPARE(broker::addressKey("not an address"), std::string("not an address"));
    }

    void admit_TheThreeDoors_CountApart()
    {
        World world;
        for (int i = 0; i < 10; ++i) {
            QVERIFY(!world.admit("alice").fault);
            QVERIFY(!world.admit("alice", "192.0.2.1", Door::Session).fault);
        }
        QVERIFY(world.admit("alice").fault && world.admit("alice", "192.0.2.1", Door::Session).fault);
        for (int i = 0; i < 60; ++i) {
            QVERIFY(!world.admit("alice", "192.0.2.1", Door::Refresh, 9, "session 1").fault);
        }
        QCOMPARE(world.admit("alice", "192.0.2.1", Door::Refresh, 9, "session 1").charge.value().policy,
            std::string("refresh"));
        QVERIFY(world.admit("alice", "192.0.2.1", Door::Refresh, 9, "session 1").fault.has_value());
        QVERIFY(!world.admit("alice", "192.0.2.1", Door::Refresh, 9, "session 2").fault);
    }

    void admit_ReportsInGreatNumber_BlockNobody()
    {
        World world;
        for (int i = 0; i < 100; ++i) {
            (void)world.admit("alice", "192.0.2.1", Door::Report, 9, "session 1");
        }
        QCOMPARE(
            world.admit("alice", "192.0.2.1", Door::Report, 9, "session 1").fault.value().code, FaultCode::RateLimited);
        QVERIFY(world.events.empty());
        QVERIFY(!world.admit("alice", "192.0.2.1", Door::Refresh, 9, "session 1").fault);
        QVERIFY(!world.admit("alice").fault);
    }

    void admit_AnotherAddressOfTheUser_HasNoQuotaOfItsOwnUnlessWished()
    {
        World world;
        for (int i = 0; i < 10; ++i) {
            QVERIFY(!world.admit("alice", "192.0.2." + std::to_string(i)).fault);
        }
        QVERIFY(world.admit("alice", "192.0.2.99").fault.has_value());

        Gatekeeper::Settings settings;
        settings.mint.quotaOf = broker::QuotaOf::UserAndAddress;
        World shared(std::move(settings));
        for (int i = 0; i < 10; ++i) {
            QVERIFY(!shared.admit("team", "192.0.2.1").fault);
        }
        QVERIFY(shared.admit("team", "192.0.2.1").fault.has_value());
        QVERIFY(!shared.admit("team", "192.0.2.2").fault);
    }

    void admit_AsManySessionsAsAllowed_RefusesOneMore()
    {
        World world;
        QVERIFY(!world.admit("alice", "192.0.2.1", Door::Session, 4).fault);
        const auto refused = world.admit("alice", "192.0.2.1", Door::Session, 5);
        QCOMPARE(refused.fault.value().code, FaultCode::TooManySessions);
        const auto response = answerOf(refused);
        QCOMPARE(response.status, 429U);
        QCOMPARE(field(response, "Retry-After"), std::string("60"));
        const auto problem = core::parseJson(response.body).value();
        QCOMPARE(problem["code"].get<std::string>(), std::string("too_many_sessions"));
        QCOMPARE(problem["violated-policies"].dump(), std::string("[\"sessions\"]"));
        QVERIFY(world.admit("alice", "192.0.2.1", Door::Mint, 5).fault.has_value());
        QVERIFY(!world.admit("alice", "192.0.2.1", Door::Refresh, 5, "mine").fault);
    }

    void admit_StoreAway_IsUnavailable()
    {
        NetThreads threads;
        SharedClock clock;
        CapturedLog log;
        FailingLimitStore store;
        Gatekeeper gate({}, {store, clock, log, {}});
        const auto admission = finish(threads, gate.admit({Door::Mint, "alice-marker", "192.0.2.1", {}, 0}));
        QVERIFY(!admission.charge);
        const auto response = answerOf(admission);
        QCOMPARE(response.status, 503U);
        QCOMPARE(field(response, "Retry-After"), std::string("5"));
        QCOMPARE(core::parseJson(response.body).value()["code"].get<std::string>(), std::string("unavailable"));
        QVERIFY(log.text().find("limits.unavailable") != std::string::npos);
        QVERIFY(log.text().find("marker") == std::string::npos);
        QCOMPARE(gate.health(), broker::StoreHealth::Down);
        QVERIFY(!gate.admitAddress("192.0.2.1").fault);
    }

    void redisUrl_Good_IsTakenApart()
    {
        auto address = RedisAddress::parse("redis://us%40er:p%3Aw@[::1]:6380/7").value();
        QCOMPARE(address.host, std::string("::1"));
        QCOMPARE(address.port, std::uint16_t(6380));
        QCOMPARE(address.user, std::string("us@er"));
        QVERIFY(address.password.equals("p:w"));
        QCOMPARE(address.database, 7);
        address = RedisAddress::parse("redis://cache").value();
        QCOMPARE(address.host, std::string("cache"));
        QCOMPARE(address.port, std::uint16_t(6379));
        QVERIFY(address.password.empty() && address.socketPath.empty());
        address = RedisAddress::parse("unix:///run/redis.sock?db=2").value();
        QCOMPARE(address.socketPath, std::string("/run/redis.sock"));
        QCOMPARE(address.database, 2);
        address = RedisAddress::parse("unix://:pw@/run/redis.sock").value();
        QCOMPARE(address.socketPath, std::string("/run/redis.sock"));
        QVERIFY(address.password.equals("pw"));
        const auto tls = RedisAddress::parse("rediss://cache");
        QCOMPARE(tls.has_value(), RedisAddress::hasTls());
        QVERIFY(!tls || tls->isTls);
    }

    void redisUrl_Bad_IsRefusedWithoutRepeatingIt_data()
    {
        QTest::addColumn<QString>("url");
        for (const char* const url : {"", "redis", "http://marker", "redis://", "redis://:marker@", "redis://marker:0",
                 "redis://marker:65536", "redis://marker:1x", "redis://marker/x", "redis://marker/-1",
                 "redis://user-marker@host", "redis://:%zzmarker@host", "redis://:marker%2@host", "redis://[::1",
                 "unix://marker", "unix:///marker?db=x", "unix:///marker?x=1"}) {
            QTest::addRow("%s", url) << url;
        }
    }
    void redisUrl_Bad_IsRefusedWithoutRepeatingIt()
    {
        QFETCH(QString, url);
        const auto address = RedisAddress::parse(url.toStdString());
        QVERIFY(!address);
        QCOMPARE(address.error().code, core::ErrorCode::BadConfiguration);
        QVERIFY(address.error().detail.find("marker") == std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestBrokerGatekeeper)
#include "test_broker_gatekeeper.moc"
