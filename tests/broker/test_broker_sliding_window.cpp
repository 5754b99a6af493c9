#include "broker/limits/sliding_window.h"
#include "tests/support/manual_clock.h"

#include <QTest>

#include <random>
#include <thread>

using namespace vivavoce;
using broker::SlidingWindow;
using core::Milliseconds;

class TestBrokerSlidingWindow : public QObject {
    Q_OBJECT

private slots:
    void take_OverTheLimit_IsRefusedUntilTheOldestLeaves()
    {
        tests::ManualClock clock;
        SlidingWindow window({2, Milliseconds{60'000}, 10}, clock);
        auto first = window.take("a");
        QVERIFY(first.isAllowed);
        QCOMPARE(first.remaining, std::size_t(1));
        clock.advance(Milliseconds{10'500});
        QVERIFY(window.take("a").isAllowed);
        const auto refused = window.take("a");
        QVERIFY(!refused.isAllowed);
        QCOMPARE(refused.remaining, std::size_t(0));
        QCOMPARE(refused.secondsToReset, std::int64_t(50));
        clock.advance(Milliseconds{49'499});
        QVERIFY(!window.take("a").isAllowed);
        clock.advance(Milliseconds{1});
        QVERIFY(window.take("a").isAllowed);
    }

    void take_AfterTheToldSeconds_IsAllowed_data()
    {
        QTest::addColumn<int>("elapsed");
        for (const int elapsed : {0, 1, 500, 999, 1000, 59'000, 59'001, 59'999}) {
            QTest::addRow("%d ms", elapsed) << elapsed;
        }
    }
    void take_AfterTheToldSeconds_IsAllowed()
    {
        QFETCH(int, elapsed);
        tests::ManualClock clock;
        SlidingWindow window({1, Milliseconds{60'000}, 10}, clock);
        QVERIFY(window.take("a").isAllowed);
        clock.advance(Milliseconds{elapsed});
        const auto refused = window.take("a");
        QVERIFY(!refused.isAllowed && refused.secondsToReset >= 1);
        clock.advance(std::chrono::seconds(refused.secondsToReset));
        QVERIFY(window.take("a").isAllowed);
    }

    void take_RandomTraffic_NoWindowHoldsMoreThanTheLimit()
    {
        constexpr std::size_t limit = 10;
        const Milliseconds length{60'000};
        std::mt19937 random(20261123);
        std::uniform_int_distribution<int> pause(0, 4'000);
        tests::ManualClock clock;
        SlidingWindow window({limit, length, 10}, clock);
        std::vector<core::MonotonicTime> admitted;
        for (int i = 0; i < 20'000; ++i) {
            clock.advance(Milliseconds{random() % 3 == 0 ? pause(random) : 0});
            if (window.take("a").isAllowed) {
                admitted.push_back(clock.now());
            }
        }
        QVERIFY(admitted.size() > 1000);
        for (std::size_t i = limit; i < admitted.size(); ++i) {
            QVERIFY(admitted[i] - admitted[i - limit] >= length);
        }
    }

    void look_TellsWhatOneMoreWouldGet_AndCountsNothing()
    {
        tests::ManualClock clock;
        SlidingWindow window({2, Milliseconds{60'000}, 10}, clock);
        for (int i = 0; i < 5; ++i) {
            const auto seen = window.look("a");
            QVERIFY(seen.isAllowed);
            QCOMPARE(seen.remaining, std::size_t(2));
            QCOMPARE(seen.secondsToReset, std::int64_t(0));
        }
        QCOMPARE(window.keys(), std::size_t(0));
        (void)window.take("a");
        clock.advance(Milliseconds{20'000});
        (void)window.take("a");
        QVERIFY(!window.look("a").isAllowed);
        QCOMPARE(window.look("a").secondsToReset, std::int64_t(40));
        // It is no refusal that somebody would have to respect.
        QVERIFY(!window.take("a").isViolation);
        clock.advance(Milliseconds{40'000});
        const auto later = window.look("a");
        QVERIFY(later.isAllowed);
        QCOMPARE(later.remaining, std::size_t(1));
        QCOMPARE(later.secondsToReset, std::int64_t(20));
    }

    void take_WithALoweredLimit_WaitsUntilFewerAreLeft()
    {
        tests::ManualClock clock;
        SlidingWindow window({3, Milliseconds{60'000}, 10}, clock);
        for (int i = 0; i < 3; ++i) {
            QVERIFY(window.take("a").isAllowed);
            clock.advance(Milliseconds{10'000});
        }
        window.setMaxRequests(2);
        // Of the three, the second has to leave as well before one of two may come: it came 20 s ago.
        const auto refused = window.take("a");
        QVERIFY(!refused.isAllowed);
        QCOMPARE(refused.remaining, std::size_t(0));
        QCOMPARE(refused.secondsToReset, std::int64_t(40));
        clock.advance(Milliseconds{39'999});
        QVERIFY(!window.take("a").isAllowed);
        clock.advance(Milliseconds{1});
        QVERIFY(window.take("a").isAllowed);
        QVERIFY(!window.take("a").isAllowed);
        window.setMaxRequests(3);
        QVERIFY(window.take("a").isAllowed);
        QVERIFY(!window.take("a").isAllowed);
    }

    void take_WallClockJumps_ChangeNothing()
    {
        tests::ManualClock clock;
        SlidingWindow window({1, Milliseconds{60'000}, 10}, clock);
        QVERIFY(window.take("a").isAllowed);
        clock.jumpWall(std::chrono::hours(1));
        QVERIFY(!window.take("a").isAllowed);
        clock.jumpWall(-std::chrono::hours(2));
        clock.advance(Milliseconds{60'000});
        QVERIFY(window.take("a").isAllowed);
    }

    void take_InParallel_AdmitsExactlyTheLimit()
    {
        tests::ManualClock clock;
        SlidingWindow window({100, Milliseconds{60'000}, 10}, clock);
        std::atomic<int> admitted{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 125; ++i) {
                    admitted += window.take("a").isAllowed ? 1 : 0;
                }
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
        QCOMPARE(admitted.load(), 100);
    }

    void take_TooManyKeys_RefusesTheNewAndForgetsNoneInUse()
    {
        tests::ManualClock clock;
        SlidingWindow window({1, Milliseconds{60'000}, 2}, clock);
        QVERIFY(window.take("a").isAllowed && window.take("b").isAllowed);
        QVERIFY(!window.take("c").isAllowed);
        QVERIFY(!window.take("a").isAllowed);
        QCOMPARE(window.keys(), std::size_t(2));
        clock.advance(Milliseconds{60'000});
        QVERIFY(window.take("c").isAllowed);
        QCOMPARE(window.keys(), std::size_t(1));
    }
};

QTEST_GUILESS_MAIN(TestBrokerSlidingWindow)
#include "test_broker_sliding_window.moc"
