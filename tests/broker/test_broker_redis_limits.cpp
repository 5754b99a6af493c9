#include "broker/limits/degrading_limit_store.h"
#include "broker/limits/limit_store_factory.h"
#include "broker/limits/memory_limit_store.h"
#include "broker/limits/redis_limit_store.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/redis_server.h"
#include "tests/net/test_certificates.h"

#include <QElapsedTimer>
#include <QTest>

#include <algorithm>
#include <csignal>
#include <random>

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::Block;
using broker::Bucket;
using broker::Decision;
using broker::LimitStore;
using broker::RedisAddress;
using broker::RedisLimitStore;
using broker::RedisValue;
using broker::StoreHealth;
using core::Milliseconds;
using Verdict = broker::Decision::Verdict;

namespace {

constexpr int kPatience = 10'000;
constexpr const char* kKey = "a key of thirty-two bytes or more";
const Bucket kMint{"mint", 10, Milliseconds{60'000}, {}};

RedisLimitStore::Settings settingsFor(const std::string& url, const std::string& key = kKey)
{
    RedisLimitStore::Settings settings;
    settings.address = RedisAddress::parse(url).value();
    settings.key = core::Secret(key);
    settings.deadline = Milliseconds{300};
    settings.longestPause = Milliseconds{100};
    return settings;
}

} // namespace

class TestBrokerRedisLimits : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<LimitStore> broker(const std::string& key = kKey)
    {
        return RedisLimitStore::create(settingsFor(m_redis->url(), key), m_log).value();
    }

    Decision take(LimitStore& store, const std::string& user, const Bucket& bucket = kMint)
    {
        return finish(*m_threads, store.take(bucket, {user, user})).value();
    }

    bool isDown(LimitStore& store) { return !finish(*m_threads, store.take(kMint, {"somebody", {}})); }

    Decision misbehave(LimitStore& store, const std::string& user, int violations)
    {
        while (take(store, user).isAdmitted()) {
        }
        Decision last;
        for (int i = 0; i < violations; ++i) {
            last = take(store, user);
        }
        return last;
    }

    std::string keyThatBegins(const std::string& start) const
    {
        const auto keys = m_redis->keys();
        const auto found =
            std::find_if(keys.begin(), keys.end(), [&](const std::string& key) { return key.starts_with(start); });
        return found == keys.end() ? std::string() : *found;
    }

    /// The one block of the world has ended: as time passes, but at once. Windows are empty again.
    void endBlock()
    {
        m_redis->ask({"HSET", keyThatBegins("vivavoce:limits:penalty:"), "until", "1"});
        for (const auto& key : m_redis->keys()) {
            if (key.starts_with("vivavoce:limits:window:")) {
                m_redis->ask({"DEL", key});
            }
        }
    }

    std::unique_ptr<NetThreads> m_threads;
    std::unique_ptr<RedisServer> m_redis;
    CapturedLog m_log;

private slots:
    void init()
    {
        if (!RedisServer::isInstalled()) {
            qWarning("NOTHING IS TESTED OF LIMITS IN REDIS: redis-server is not installed");
            QSKIP("redis-server is not installed");
        }
        m_threads = std::make_unique<NetThreads>();
        m_redis = std::make_unique<RedisServer>();
        QVERIFY(m_redis->start());
    }

    void cleanup()
    {
        m_redis.reset();
        m_threads.reset();
    }

    void take_FiveHundredInParallel_AdmitsExactlyTheLimit()
    {
        const auto store = broker();
        Bucket bucket = kMint;
        bucket.maxRequests = 100;
        const auto taken = takeInParallel(*m_threads, {store.get()}, bucket, {"alice", {}}, 500);
        QVERIFY(std::all_of(taken.begin(), taken.end(), [](const Taken& one) { return one.has_value(); }));
        QCOMPARE(admittedOf(taken), std::size_t(100));
    }

    void block_FromBeforeTheKeyWasRotated_GoesOnAndCanBeLifted()
    {
        const auto before = broker();
        QVERIFY(misbehave(*before, "alice", 3).isNewBlock);
        auto settings = settingsFor(m_redis->url(), "another key of thirty-two bytes or more");
        settings.formerKey = core::Secret(kKey);
        const std::unique_ptr<LimitStore> after = RedisLimitStore::create(std::move(settings), m_log).value();
        const Decision refused = take(*after, "alice");
        QCOMPARE(refused.verdict, Verdict::Blocked);
        QVERIFY(!refused.isNewBlock);
        QCOMPARE(finish(*m_threads, after->look(kMint, {"alice", "alice"})).value().verdict, Verdict::Blocked);
        QVERIFY(take(*after, "bob").isAdmitted());
        const auto blocks = finish(*m_threads, after->blocks(10)).value();
        QCOMPARE(blocks.size(), std::size_t(1));
        QCOMPARE(blocks.front().offender, std::string("alice"));
        QVERIFY(finish(*m_threads, after->lift("alice")).value());
        QVERIFY(take(*after, "alice").isAdmitted());
        QVERIFY(!finish(*m_threads, after->lift("alice")).value());
    }

    void take_TwoBrokersTwoHundredClients_AdmitTenAndBlockOnce()
    {
        const auto one = broker();
        const auto other = broker();
        const auto taken = takeInParallel(*m_threads, {one.get(), other.get()}, kMint, {"alice", "alice"}, 200);
        QVERIFY(std::all_of(taken.begin(), taken.end(), [](const Taken& some) { return some.has_value(); }));
        QCOMPARE(admittedOf(taken), std::size_t(10));
        QCOMPARE(newBlocksOf(taken), std::size_t(1));
    }

    void take_RandomTraffic_NoWindowHoldsMoreThanTheLimit()
    {
        using Clock = std::chrono::steady_clock;
        const auto store = broker();
        const Bucket bucket{"quick", 5, Milliseconds{40}, {}};
        struct Admitted {
            Clock::time_point notBefore;
            Clock::time_point notAfter;
        };
        std::vector<Admitted> admitted;
        std::mt19937 random(20261123);
        const auto end = Clock::now() + Milliseconds{1'500};
        while (Clock::now() < end) {
            const auto before = Clock::now();
            const auto taken = finish(*m_threads, store->take(bucket, {"alice", {}}));
            if (taken.value().isAdmitted()) {
                admitted.push_back({before, Clock::now()});
            }
            // Some time passes, now and then, so that windows do not always begin where the last one ended.
            const auto next = Clock::now() + std::chrono::microseconds(random() % 3 == 0 ? random() % 15'000 : 0);
            while (Clock::now() < next) {
            }
        }
        QVERIFY(admitted.size() > 50);
        for (std::size_t i = bucket.maxRequests; i < admitted.size(); ++i) {
            QVERIFY(admitted[i].notAfter - admitted[i - bucket.maxRequests].notBefore >= bucket.window);
        }
    }

    void take_TheSameRequests_AreDecidedAsInMemory()
    {
        SharedClock clock;
        broker::MemoryLimitStore memory({}, clock);
        const auto redis = broker();
        for (const std::size_t limit : {0U, 1U, 3U}) {
            const Bucket bucket{"b" + std::to_string(limit), limit, Milliseconds{60'000}, {}};
            const std::string user = "user " + std::to_string(limit);
            for (int i = 0; i < 10; ++i) {
                const auto seen = finish(*m_threads, redis->look(bucket, {user, user}));
                const auto seenInMemory = finish(*m_threads, memory.look(bucket, {user, user}));
                QVERIFY(seen.has_value() && seenInMemory.has_value());
                QCOMPARE(seen->verdict, seenInMemory->verdict);
                QCOMPARE(seen->remaining, seenInMemory->remaining);
                QVERIFY(seen->secondsToReset <= seenInMemory->secondsToReset
                    && seen->secondsToReset >= seenInMemory->secondsToReset - 5);
                const Decision ours = take(*redis, user, bucket);
                // Whoever only looks is told what will be, but for a block that the request itself brings about.
                QVERIFY(seen->verdict == ours.verdict || ours.isNewBlock);
                QCOMPARE(seen->remaining, ours.remaining + (ours.isAdmitted() ? 1 : 0));
                const Decision theirs = memory.decide(bucket, {user, user});
                QCOMPARE(ours.verdict, theirs.verdict);
                QCOMPARE(ours.limit, theirs.limit);
                QCOMPARE(ours.remaining, theirs.remaining);
                // The clock of the one stands still.
                QVERIFY(
                    ours.secondsToReset <= theirs.secondsToReset && ours.secondsToReset >= theirs.secondsToReset - 5);
                QCOMPARE(ours.isNewBlock, theirs.isNewBlock);
                QCOMPARE(ours.blockLevel, theirs.blockLevel);
                QCOMPARE(ours.blockLength, theirs.blockLength);
            }
        }
    }

    void take_BlockAfterBlock_DoublesUpToADay()
    {
        const auto store = broker();
        std::vector<std::int64_t> minutes;
        for (int level = 1; level <= 9; ++level) {
            const Decision block = misbehave(*store, "alice", 3);
            QVERIFY(block.isNewBlock);
            QCOMPARE(block.blockLevel, level);
            minutes.push_back(block.blockLength / std::chrono::minutes(1));
            QCOMPARE(take(*store, "alice").verdict, Verdict::Blocked);
            endBlock();
        }
        QCOMPARE(minutes, (std::vector<std::int64_t>{15, 30, 60, 120, 240, 480, 960, 1440, 1440}));
        // What makes the next block longer goes by itself, a day after the block.
        const auto left = m_redis->ask({"PTTL", keyThatBegins("vivavoce:limits:penalty:")}).integer;
        const std::int64_t day = 24 * 60 * 60 * 1000;
        QVERIFY(left > 2 * day - 60'000 && left <= 2 * day);
    }

    void blocks_OfOneBroker_AreListedAndLiftedAtAnother()
    {
        const auto one = broker();
        const auto other = broker();
        const auto stranger = broker("another key of thirty-two bytes..");
        QVERIFY(misbehave(*one, "alice", 3).isNewBlock);
        QCOMPARE(take(*other, "alice").verdict, Verdict::Blocked);
        QVERIFY(take(*other, "bob").isAdmitted());
        const auto blocks = finish(*m_threads, other->blocks(10)).value();
        QCOMPARE(blocks.size(), std::size_t(1));
        QCOMPARE(blocks[0].offender, std::string("alice"));
        QCOMPARE(blocks[0].bucket, std::string("mint"));
        QCOMPARE(blocks[0].level, 1);
        QCOMPARE(blocks[0].length, Milliseconds(std::chrono::minutes(15)));
        QVERIFY(blocks[0].left <= blocks[0].length && blocks[0].left > blocks[0].length - Milliseconds{20'000});
        QCOMPARE(finish(*m_threads, stranger->blocks(10)).value().at(0).offender, std::string("?"));
        QVERIFY(finish(*m_threads, other->lift("alice")).value());
        QVERIFY(!finish(*m_threads, one->lift("alice")).value());
        QVERIFY(finish(*m_threads, one->blocks(10)).value().empty());
        endBlock();
        QCOMPARE(misbehave(*one, "alice", 3).blockLevel, 1);
    }

    void keys_All_ExpireAndNameNobody()
    {
        const auto store = broker();
        QVERIFY(misbehave(*store, "alice@example.com", 3).isNewBlock);
        QCOMPARE(misbehave(*store, "bob@example.com", 1).verdict, Verdict::OverLimit);
        const auto keys = m_redis->keys();
        QVERIFY(keys.size() >= 7);
        for (const std::string& key : keys) {
            const auto left = m_redis->ask({"PTTL", key}).integer;
            QVERIFY2(left > 0 && left <= std::int64_t(49) * 60 * 60 * 1000, key.c_str());
            QVERIFY2(!key.starts_with("vivavoce:limits:window:") || left <= 60'000, key.c_str());
            const std::string whole = key + m_redis->ask({"DUMP", key}).text;
            QVERIFY2(whole.find("example.com") == std::string::npos, key.c_str());
        }
    }

    void take_RedisClockWasSetBack_NeitherFreezesNorAdmitsMore()
    {
        const auto store = broker();
        while (take(*store, "alice").isAdmitted()) {
        }
        for (const auto& key : m_redis->keys()) {
            if (m_redis->ask({"TYPE", key}).text == "list") {
                for (int i = 0; i < 10; ++i) {
                    // An hour ahead of the clock.
                    const auto time = std::stoll(m_redis->ask({"LINDEX", key, std::to_string(i)}).text);
                    m_redis->ask({"LSET", key, std::to_string(i), std::to_string(time + 3'600'000'000LL)});
                }
            }
        }
        const Decision after = take(*store, "alice");
        QCOMPARE(after.verdict, Verdict::OverLimit);
        QCOMPARE(after.secondsToReset, std::int64_t(60));
        QVERIFY(misbehave(*store, "alice", 2).verdict == Verdict::Blocked);
        m_redis->ask({"HINCRBY", keyThatBegins("vivavoce:limits:penalty:"), "until", "3600000000"});
        QVERIFY(take(*store, "alice").secondsToReset <= 900);
    }

    void take_ScriptsFlushed_IsDecidedAllTheSame()
    {
        const auto store = broker();
        QCOMPARE(take(*store, "alice").remaining, std::size_t(9));
        QCOMPARE(m_redis->ask({"SCRIPT", "FLUSH"}).text, std::string("OK"));
        const auto taken = takeInParallel(*m_threads, {store.get()}, kMint, {"alice", {}}, 20);
        QVERIFY(std::all_of(taken.begin(), taken.end(), [](const Taken& one) { return one.has_value(); }));
        QCOMPARE(admittedOf(taken), std::size_t(9));
        QCOMPARE(store->health(), StoreHealth::Ok);
    }

    void take_RedisKilled_FailsClosedAndComesBackWithIt()
    {
        const auto store = broker();
        QVERIFY(!isDown(*store));
        QCOMPARE(store->health(), StoreHealth::Ok);
        m_redis->kill();
        QElapsedTimer took;
        took.start();
        QVERIFY(isDown(*store));
        QVERIFY2(took.elapsed() < 1'000, qPrintable(QString::number(took.elapsed())));
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Down, kPatience);
        QVERIFY(m_redis->start());
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Ok, kPatience);
        QVERIFY(!isDown(*store));
        const std::string log = m_log.text();
        QVERIFY(log.find("limits.redis_down") != std::string::npos);
        QVERIFY(log.find("limits.redis_up") != std::string::npos);
    }

    void take_RedisHangs_FailsWithinTheDeadlineThenAtOnceAndComesBack()
    {
        const auto store = broker();
        QVERIFY(!isDown(*store));
        m_redis->signal(SIGSTOP);
        QElapsedTimer took;
        took.start();
        QVERIFY(isDown(*store));
        QVERIFY2(took.elapsed() < 1'000, qPrintable(QString::number(took.elapsed())));
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Down, kPatience);
        took.restart();
        for (int i = 0; i < 20; ++i) {
            QVERIFY(isDown(*store));
        }
        // Twenty deadlines would be six seconds.
        QVERIFY2(took.elapsed() < 1'000, qPrintable(QString::number(took.elapsed())));
        m_redis->signal(SIGCONT);
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Ok, kPatience);
        QVERIFY(!isDown(*store));
    }

    void take_IdleConnectionLost_IsNoticedWithoutARequest()
    {
        const auto store = broker();
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Ok, kPatience);
        m_redis->kill();
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Down, kPatience);
    }

    void take_MoreThanTheQueueHolds_IsRefusedAtOnce()
    {
        auto settings = settingsFor(m_redis->url());
        settings.maxQueued = 4;
        const auto store = RedisLimitStore::create(std::move(settings), m_log).value();
        QVERIFY(!isDown(*store));
        m_redis->signal(SIGSTOP);
        const auto taken = takeInParallel(*m_threads, {store.get()}, kMint, {"alice", {}}, 100);
        m_redis->signal(SIGCONT);
        const auto tooMany = std::count_if(taken.begin(), taken.end(),
            [](const Taken& one) { return !one && one.error().reason == "too many wait for Redis"; });
        QVERIFY2(tooMany >= 80 && tooMany < 100, qPrintable(QString::number(tooMany)));
    }

    void take_RedisIsFull_FailsClosedUntilItHasRoom()
    {
        const auto store = broker();
        QVERIFY(!isDown(*store));
        m_redis->ask({"CONFIG", "SET", "maxmemory", "1"});
        QVERIFY(isDown(*store));
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Down, kPatience);
        m_redis->ask({"CONFIG", "SET", "maxmemory", "0"});
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Ok, kPatience);
        QVERIFY(!isDown(*store));
    }

    void take_CallerGoesWithItsContext_LeavesNothingBehind()
    {
        const auto store = broker();
        QVERIFY(!isDown(*store));
        m_redis->signal(SIGSTOP);
        {
            NetThreads threads;
            for (int i = 0; i < 20; ++i) {
                static_cast<void>(begin(threads, store->take(kMint, {"alice", {}})));
            }
        }
        m_redis->signal(SIGCONT);
        QTRY_VERIFY_WITH_TIMEOUT(!isDown(*store), kPatience);
    }

    void degrading_RedisAway_DecidesByMemoryAndComesBack()
    {
        SharedClock clock;
        broker::LimitStoreSettings settings;
        settings.redis = settingsFor(m_redis->url());
        settings.outage = broker::OutagePolicy::DegradeToMemory;
        const auto store = broker::makeLimitStore(std::move(settings), clock, m_log).value();
        for (int i = 0; i < 5; ++i) {
            QVERIFY(take(*store, "alice").isAdmitted());
        }
        QCOMPARE(store->health(), StoreHealth::Ok);
        m_redis->signal(SIGSTOP);
        const auto taken = takeInParallel(*m_threads, {store.get()}, kMint, {"alice", "alice"}, 50);
        QCOMPARE(admittedOf(taken), std::size_t(10));
        QCOMPARE(newBlocksOf(taken), std::size_t(1));
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Degraded, kPatience);
        QCOMPARE(finish(*m_threads, store->blocks(10)).value().size(), std::size_t(1));
        QVERIFY(!finish(*m_threads, store->lift("alice")));
        m_redis->signal(SIGCONT);
        QTRY_COMPARE_WITH_TIMEOUT(store->health(), StoreHealth::Ok, kPatience);
        // Back at what Redis knows, which may have decided for those who had given up already.
        QVERIFY(take(*store, "bob").isAdmitted());
        QVERIFY(m_log.text().find("limits.shared_again") != std::string::npos);
    }

    void connect_WithPasswordAndDatabase_KeepsOutOfTheOthers()
    {
        const std::string port = std::to_string(RedisServer::freePort());
        RedisServer redis;
        QVERIFY(redis.start({"--port", port, "--requirepass", "se:cret/@"}));
        const auto store =
            RedisLimitStore::create(settingsFor("redis://:se%3Acret%2F%40@127.0.0.1:" + port + "/3"), m_log).value();
        QVERIFY(!isDown(*store));
        const auto wrong =
            RedisLimitStore::create(settingsFor("redis://:wrong-marker@127.0.0.1:" + port), m_log).value();
        QVERIFY(isDown(*wrong));
        QCOMPARE(wrong->health(), StoreHealth::Down);
        const std::string log = m_log.text();
        QVERIFY(log.find("WRONGPASS") != std::string::npos);
        QVERIFY(log.find("marker") == std::string::npos && log.find("se:cret") == std::string::npos);
        auto address = RedisAddress::parse("redis://:se%3Acret%2F%40@127.0.0.1:" + port + "/3").value();
        const auto beside = broker::RedisConnection::open(address, Milliseconds{5'000});
        QVERIFY(beside.has_value());
        QVERIFY((*beside)->ask({"DBSIZE"}).value().integer >= 1);
        QVERIFY((*beside)->ask({"SELECT", "0"}).has_value());
        QCOMPARE((*beside)->ask({"DBSIZE"}).value().integer, std::int64_t(0));
    }

    void connect_AsAUserWithTheRightsOfTheManual_DoesAll()
    {
        std::vector<std::string> rule{"ACL", "SETUSER", "limits", "on", ">pw", "~vivavoce:limits:*"};
        for (const char* const command : {"auth", "select", "ping", "time", "set", "exists", "eval", "evalsha",
                 "script|load", "del", "pexpire", "pttl", "lindex", "lpop", "rpush", "lrange", "llen", "hget", "hmget",
                 "hset", "hincrby", "zadd", "zrem", "zrangebyscore", "zremrangebyscore"}) {
            rule.push_back(std::string("+") + command);
        }
        QCOMPARE(m_redis->ask(rule).text, std::string("OK"));
        const auto store =
            RedisLimitStore::create(settingsFor("unix://limits:pw@" + m_redis->socketPath()), m_log).value();
        QVERIFY(misbehave(*store, "alice", 3).isNewBlock);
        endBlock();
        QCOMPARE(misbehave(*store, "alice", 3).blockLevel, 2);
        QCOMPARE(finish(*m_threads, store->blocks(10)).value().size(), std::size_t(1));
        QVERIFY(finish(*m_threads, store->lift("alice")).value());
        m_redis->ask({"SCRIPT", "FLUSH"});
        QVERIFY(!isDown(*store));
    }

    void connect_WithTls_TrustsOnlyTheHostThatItAskedFor()
    {
        if (!RedisAddress::hasTls()) {
            QVERIFY(!RedisAddress::parse("rediss://localhost"));
            QSKIP("this build's hiredis has no TLS");
        }
        QTemporaryDir folder;
        const auto certificates = net::test::makeCertificates(folder.path().toStdString());
        for (const auto* const files :
            {&certificates.forLocalhost, &certificates.forElsewhere, &certificates.selfSigned, &certificates.expired}) {
            const std::string port = std::to_string(RedisServer::freePort());
            RedisServer redis;
            QVERIFY(redis.start({"--tls-port", port, "--tls-cert-file", files->certificateChain, "--tls-key-file",
                files->privateKey, "--tls-auth-clients", "no"}));
            for (const char* const host : {"localhost", "127.0.0.1"}) {
                auto settings = settingsFor(std::string("rediss://") + host + ":" + port);
                settings.address.caFile = certificates.caFile;
                const auto store = RedisLimitStore::create(std::move(settings), m_log).value();
                QCOMPARE(isDown(*store), files != &certificates.forLocalhost);
            }
        }
    }

    void create_ShortKey_IsRefused()
    {
        auto settings = settingsFor(m_redis->url(), "short");
        const auto store = RedisLimitStore::create(std::move(settings), m_log);
        QVERIFY(!store);
        QCOMPARE(store.error().code, core::ErrorCode::BadConfiguration);
    }
};

QTEST_GUILESS_MAIN(TestBrokerRedisLimits)
#include "test_broker_redis_limits.moc"
