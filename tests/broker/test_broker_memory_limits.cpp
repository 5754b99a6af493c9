#include "broker/limits/memory_limit_store.h"
#include "tests/broker/limits_harness.h"
#include "tests/support/manual_clock.h"

#include <QTest>

#include <fstream>
#include <map>
#include <random>

#ifdef __linux__
#include <unistd.h>
#endif

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::Block;
using broker::Bucket;
using broker::Decision;
using broker::MemoryLimitStore;
using broker::SlidingWindow;
using core::Milliseconds;
using Verdict = broker::Decision::Verdict;

namespace {

constexpr std::chrono::minutes kBlock{15};

const Bucket kMint{"mint", 10, Milliseconds{60'000}, {}};

double residentMegabytes()
{
#ifdef __linux__
    std::ifstream file("/proc/self/statm");
    double pages = 0;
    file >> pages >> pages;
    return pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
#else
    return 0;
#endif
}

/// Uses the quota up, is told to wait, and goes on so many times.
Decision misbehave(MemoryLimitStore& store, const std::string& user, int violations, const Bucket& bucket = kMint)
{
    while (store.decide(bucket, {user, user}).isAdmitted()) {
    }
    Decision last;
    for (int i = 0; i < violations; ++i) {
        last = store.decide(bucket, {user, user});
    }
    return last;
}

} // namespace

class TestBrokerMemoryLimits : public QObject {
    Q_OBJECT

private slots:
    void take_RandomTrafficOfManyUsers_NoWindowHoldsMoreThanTheLimit()
    {
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        std::mt19937 random(20261123);
        std::map<std::string, std::vector<core::MonotonicTime>> admitted;
        for (int i = 0; i < 100'000; ++i) {
            clock.advance(Milliseconds{random() % 4 == 0 ? random() % 700 : 0});
            const std::string user = "user " + std::to_string(random() % 7);
            const Decision decision = store.decide(kMint, {user, {}});
            QVERIFY(decision.secondsToReset >= 1 && decision.secondsToReset <= 60);
            if (decision.isAdmitted()) {
                admitted[user].push_back(clock.now());
            }
        }
        QCOMPARE(admitted.size(), std::size_t(7));
        for (const auto& [user, times] : admitted) {
            QVERIFY(times.size() > 500);
            for (std::size_t i = 10; i < times.size(); ++i) {
                QVERIFY(times[i] - times[i - 10] >= kMint.window);
            }
        }
    }

    void take_FiveHundredInParallel_AdmitsExactlyTheLimit()
    {
        NetThreads threads;
        SharedClock clock;
        MemoryLimitStore store({}, clock);
        Bucket bucket = kMint;
        bucket.maxRequests = 100;
        QCOMPARE(admittedOf(takeInParallel(threads, {&store}, bucket, {"alice", {}}, 500)), std::size_t(100));
    }

    void take_FiveHundredInParallelOfOneOffender_BlocksOnce()
    {
        NetThreads threads;
        SharedClock clock;
        MemoryLimitStore store({}, clock);
        const auto taken = takeInParallel(threads, {&store}, kMint, {"alice", "alice"}, 500);
        QCOMPARE(admittedOf(taken), std::size_t(10));
        QCOMPARE(newBlocksOf(taken), std::size_t(1));
    }

    void take_EachBucket_HasAQuotaOfItsOwn()
    {
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        const Bucket refresh{"refresh", 2, Milliseconds{10'000}, {}};
        QCOMPARE(store.decide(refresh, {"alice", {}}).limit, std::size_t(2));
        QVERIFY(store.decide(refresh, {"alice", {}}).isAdmitted());
        QVERIFY(!store.decide(refresh, {"alice", {}}).isAdmitted());
        QCOMPARE(store.decide(kMint, {"alice", {}}).remaining, std::size_t(9));
    }

    void take_OnceRefused_IsNoViolation()
    {
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        for (int i = 0; i < 5; ++i) {
            // Ten requests, one refusal, then the wait that was asked for: for hours.
            QCOMPARE(misbehave(store, "alice", 0).verdict, Verdict::OverLimit);
            clock.advance(std::chrono::seconds(60));
        }
        QVERIFY(store.decide(kMint, {"alice", "alice"}).isAdmitted());
    }

    void take_ThirdViolation_BlocksInEveryBucketForAQuarterOfAnHour()
    {
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        QCOMPARE(misbehave(store, "alice", 2).verdict, Verdict::OverLimit);
        const Decision third = store.decide(kMint, {"alice", "alice"});
        QCOMPARE(third.verdict, Verdict::Blocked);
        QVERIFY(third.isNewBlock);
        QCOMPARE(third.blockLevel, 1);
        QCOMPARE(third.secondsToReset, std::int64_t(900));
        const Bucket refresh{"refresh", 60, Milliseconds{60'000}, {}};
        const Decision elsewhere = store.decide(refresh, {"session", "alice"});
        QCOMPARE(elsewhere.verdict, Verdict::Blocked);
        QVERIFY(!elsewhere.isNewBlock);
        QVERIFY(store.decide(kMint, {"bob", "bob"}).isAdmitted());
        clock.advance(kBlock - Milliseconds{1});
        QCOMPARE(store.decide(kMint, {"alice", "alice"}).verdict, Verdict::Blocked);
        clock.advance(Milliseconds{1});
        QVERIFY(store.decide(kMint, {"alice", "alice"}).isAdmitted());
    }

    void take_WhileBlocked_MakesTheBlockNoLonger()
    {
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        QVERIFY(misbehave(store, "alice", 3).isNewBlock);
        for (int i = 0; i < 100; ++i) {
            QVERIFY(!store.decide(kMint, {"alice", "alice"}).isNewBlock);
        }
        clock.advance(kBlock);
        QVERIFY(store.decide(kMint, {"alice", "alice"}).isAdmitted());
    }

    void take_ViolationsFarApart_DoNotAddUp()
    {
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        for (int i = 0; i < 6; ++i) {
            QCOMPARE(misbehave(store, "alice", 1).verdict, Verdict::OverLimit);
            clock.advance(kBlock);
        }
        QCOMPARE(misbehave(store, "alice", 3).blockLevel, 1);
    }

    void take_BlockAfterBlock_DoublesUpToADayAndIsForgottenAfterAQuietOne()
    {
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        std::vector<std::int64_t> minutes;
        for (int level = 1; level <= 9; ++level) {
            const Decision block = misbehave(store, "alice", 3);
            QCOMPARE(block.blockLevel, level);
            minutes.push_back(block.blockLength / std::chrono::minutes(1));
            clock.advance(block.blockLength);
        }
        QCOMPARE(minutes, (std::vector<std::int64_t>{15, 30, 60, 120, 240, 480, 960, 1440, 1440}));
        clock.advance(std::chrono::hours(24) - Milliseconds{1});
        QCOMPARE(misbehave(store, "alice", 1).verdict, Verdict::OverLimit);
        // The violation a moment before began the day anew.
        clock.advance(std::chrono::hours(24) - Milliseconds{1});
        const Decision tenth = misbehave(store, "alice", 3);
        QCOMPARE(tenth.blockLevel, 10);
        clock.advance(tenth.blockLength + std::chrono::hours(24));
        QCOMPARE(misbehave(store, "alice", 3).blockLevel, 1);
    }

    void take_ThresholdOfNone_NeverBlocks()
    {
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        Bucket bucket = kMint;
        bucket.penalty.violations = 0;
        QCOMPARE(misbehave(store, "alice", 1'000, bucket).verdict, Verdict::OverLimit);
    }

    void take_WallClockJumps_NeitherEndNorProlongABlock()
    {
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        QVERIFY(misbehave(store, "alice", 3).isNewBlock);
        clock.jumpWall(std::chrono::hours(1));
        QCOMPARE(store.decide(kMint, {"alice", "alice"}).secondsToReset, std::int64_t(900));
        clock.jumpWall(-std::chrono::hours(2));
        clock.advance(kBlock);
        QVERIFY(store.decide(kMint, {"alice", "alice"}).isAdmitted());
    }

    void lift_Blocked_ForgivesEverything()
    {
        NetThreads threads;
        ManualClock clock;
        MemoryLimitStore store({}, clock);
        QVERIFY(misbehave(store, "alice", 3).isNewBlock);
        clock.advance(Milliseconds{1'000});
        QVERIFY(misbehave(store, "bob", 3).isNewBlock);
        auto blocks = finish(threads, store.blocks(10)).value();
        QCOMPARE(blocks.size(), std::size_t(2));
        QCOMPARE(blocks[0].offender, std::string("alice"));
        QCOMPARE(blocks[0].bucket, std::string("mint"));
        QCOMPARE(blocks[0].left, Milliseconds(kBlock) - Milliseconds{1'000});
        QCOMPARE(finish(threads, store.blocks(1)).value().size(), std::size_t(1));
        QVERIFY(finish(threads, store.lift("alice")).value());
        QVERIFY(!finish(threads, store.lift("alice")).value());
        QVERIFY(!finish(threads, store.lift("nobody")).value());
        QCOMPARE(finish(threads, store.blocks(10)).value().size(), std::size_t(1));
        clock.advance(std::chrono::seconds(60));
        QCOMPARE(misbehave(store, "alice", 3).blockLevel, 1);
    }

    void penalties_MoreOffendersThanFit_AreLimitedStill()
    {
        ManualClock clock;
        MemoryLimitStore store({100, 2}, clock);
        QVERIFY(misbehave(store, "a", 3).isNewBlock && misbehave(store, "b", 3).isNewBlock);
        QCOMPARE(misbehave(store, "c", 10).verdict, Verdict::OverLimit);
        // Both of them and what was held against them are history.
        clock.advance(kBlock + std::chrono::hours(24));
        QVERIFY(misbehave(store, "c", 3).isNewBlock);
    }

    void memory_AMillionKeysInUse_CostsLessThan200Megabytes()
    {
        ManualClock clock;
        SlidingWindow window({10, Milliseconds{60'000}, 1'000'000}, clock);
        const double before = residentMegabytes();
        for (int i = 0; i < 1'000'000; ++i) {
            QVERIFY(window.take("https://issuer.example/|user-" + std::to_string(i)).isAllowed);
        }
        QVERIFY(!window.take("one more").isAllowed);
        const double grown = residentMegabytes() - before;
        qInfo("a million keys: %.0f MB", grown);
        QCOMPARE(window.keys(), std::size_t(1'000'000));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
        QVERIFY(grown < 200);
#endif
        // The idle ones go a few at a time, while others ask.
        clock.advance(Milliseconds{60'000});
        for (int i = 0; i < 300'000 && window.keys() > 1'000; ++i) {
            QVERIFY(window.take("alice" + std::to_string(i % 10)).isAllowed || i >= 100);
        }
        QVERIFY(window.keys() <= 1'000);
    }

    void guard_FullOfStrangers_LetsANewOneInUncounted()
    {
        ManualClock clock;
        SlidingWindow window({1, Milliseconds{60'000}, 2, SlidingWindow::WhenFull::AdmitUncounted}, clock);
        QVERIFY(window.take("a").isAllowed && window.take("b").isAllowed);
        QVERIFY(window.take("c").isAllowed);
        QVERIFY(!window.take("a").isAllowed);
        QCOMPARE(window.keys(), std::size_t(2));
    }

    void giveBack_TakenOnce_IsAsIfItWasNotAsked()
    {
        ManualClock clock;
        SlidingWindow window({1, Milliseconds{60'000}, 2}, clock);
        for (int i = 0; i < 10; ++i) {
            const auto taken = window.take("a");
            QVERIFY(taken.isAllowed);
            const auto refused = window.take("a");
            QVERIFY(!refused.isAllowed);
            window.giveBack("a", refused.ticket);
            QVERIFY(!window.take("a").isAllowed);
            window.giveBack("nobody", taken.ticket);
            window.giveBack("a", taken.ticket);
        }
        QCOMPARE(window.keys(), std::size_t(0));
        QVERIFY(window.take("a").isAllowed);
    }

    void giveBack_WhileOthersCameSince_LeavesThemTheirTimes()
    {
        ManualClock clock;
        SlidingWindow window({2, Milliseconds{60'000}, 2}, clock);
        const auto mine = window.take("a");
        clock.advance(Milliseconds{30'000});
        QVERIFY(window.take("a").isAllowed);
        window.giveBack("a", mine.ticket);
        // The other one is there until its minute is over, not until mine would be.
        clock.advance(Milliseconds{31'000});
        QCOMPARE(window.take("a").remaining, std::size_t(0));
        // Mine is given back once.
        window.giveBack("a", mine.ticket);
        QVERIFY(!window.take("a").isAllowed);
    }

    void giveBack_OfWhatWasNotCounted_TakesNothing()
    {
        ManualClock clock;
        SlidingWindow window({1, Milliseconds{60'000}, 1, SlidingWindow::WhenFull::AdmitUncounted}, clock);
        const auto counted = window.take("a");
        const auto uncounted = window.take("b");
        QVERIFY(uncounted.isAllowed && !uncounted.ticket);
        window.giveBack("a", counted.ticket);
        QVERIFY(window.take("b").ticket.has_value());
        window.giveBack("b", uncounted.ticket);
        QVERIFY(!window.take("b").isAllowed);
    }
};

QTEST_GUILESS_MAIN(TestBrokerMemoryLimits)
#include "test_broker_memory_limits.moc"
