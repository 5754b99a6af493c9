#include "net/internal/boost.h"
#include "net/run_on.h"
#include "net/task_group.h"
#include "tests/net/test_server.h"

#include <QElapsedTimer>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::net;
using namespace vivavoce::net::test;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

namespace {

/// Tells when it began, and how many have ended, by whatever way.
struct Counted {
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
};

Awaitable<> waiting(Counted& count, core::Milliseconds time)
{
    struct Leave {
        Counted& count;
        ~Leave() { ++count.ended; }
    };
    const Leave leave{count};
    ++count.begun;
    co_await after(time);
}

Awaitable<> throwing()
{
    throw std::runtime_error("a child fell");
    co_return;
}

} // namespace

class TestNetTaskGroupRaces : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void join_ChildrenThatEnd_IsTrueAfterTheLast()
    {
        Loop loop;
        Counted count;
        TaskGroup group(loop.executor());
        for (int i = 0; i < 20; ++i) {
            QVERIFY(group.spawn(loop.executor(), waiting(count, core::Milliseconds(i))));
        }
        QVERIFY(loop.run(group.join(20s)));
        QCOMPARE(count.ended.load(), 20);
        QCOMPARE(group.size(), std::size_t{0});
    }

    void join_AChildThatStays_IsFalseAtTheDeadline()
    {
        Loop loop;
        Counted count;
        TaskGroup group(loop.executor());
        group.spawn(loop.executor(), waiting(count, 60s));
        QElapsedTimer elapsed;
        elapsed.start();
        QVERIFY(!loop.run(group.join(50ms)));
        QVERIFY(elapsed.elapsed() >= 45);
        QCOMPARE(group.size(), std::size_t{1});
        group.cancel();
        QVERIFY(loop.run(group.join(20s)));
    }

    void cancel_FromAnotherThreadWhileSpawning_EndsEveryChild()
    {
        for (int round = 0; round < 50; ++round) {
            Loop loop;
            Counted count;
            TaskGroup group(loop.executor());
            std::thread canceller([&] {
                while (count.begun == 0) {
                    std::this_thread::yield();
                }
                group.cancel();
            });
            int spawned = 0;
            while (group.spawn(loop.executor(), waiting(count, 60s))) {
                ++spawned;
            }
            canceller.join();
            QVERIFY(loop.run(group.join(20s)));
            QVERIFY(spawned > 0);
            QCOMPARE(count.ended.load(), count.begun.load());
        }
    }

    void spawn_AfterCancel_IsRefused()
    {
        Loop loop;
        Counted count;
        TaskGroup group(loop.executor());
        group.cancel();
        QVERIFY(!group.spawn(loop.executor(), waiting(count, 0ms)));
        QVERIFY(loop.run(group.join(0ms)));
        QCOMPARE(count.begun.load(), 0);
    }

    void spawn_AChildThatThrows_HasEndedLikeAnyOther()
    {
        Loop loop;
        TaskGroup group(loop.executor());
        group.spawn(loop.executor(), throwing());
        QVERIFY(loop.run(group.join(20s)));
    }

    void taskElsewhere_GivesItsResultOrThrows()
    {
        Loop loop;
        const auto answer = [](int value) -> Awaitable<int> { co_return value; };
        QCOMPARE(loop.run(runOn(loop.executors().front(), answer(7))), 7);
        QCOMPARE(loop.run(runOn(loop.executors().back(), answer(8))), 8);
        QVERIFY_THROWS_EXCEPTION(std::runtime_error, loop.run(runOn(loop.executors().back(), throwing())));
    }

    /// The end of the one against the other's giving it up, on two threads.
    void taskElsewhere_CalledOffWhenItEnds_IsNoHarm()
    {
        using namespace asio::experimental::awaitable_operators;
        Loop loop;
        Counted count;
        const auto either = [&](core::Milliseconds task, core::Milliseconds patience) -> Awaitable<> {
            Awaitable<> elsewhere = runOn(loop.executors().back(), waiting(count, task));
            co_await (std::move(elsewhere) || after(patience));
        };
        for (int i = 0; i < 200; ++i) {
            auto ended =
                asio::co_spawn(loop.executors().front(), either(core::Milliseconds(i % 3), 1ms), asio::use_future);
            Loop::finished(ended);
        }
        auto calledOff = asio::co_spawn(loop.executors().front(), either(60s, 1ms), asio::use_future);
        Loop::finished(calledOff);
        QCOMPARE(count.ended.load(), count.begun.load());
    }

    void destructor_WithChildren_CancelsThem()
    {
        Loop loop;
        Counted count;
        {
            TaskGroup group(loop.executor());
            group.spawn(loop.executor(), waiting(count, 60s));
        }
        QTRY_COMPARE_WITH_TIMEOUT(count.ended.load(), count.begun.load(), 20'000);
    }
};

QTEST_GUILESS_MAIN(TestNetTaskGroupRaces)
#include "test_net_task_group_races.moc"
