#include "net/task_group.h"
#include "net/timer.h"
#include "tests/net/net_harness.h"

#include <QTest>

#include <atomic>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Milliseconds;

class TaskGroupTest : public QObject {
    Q_OBJECT

    static net::Awaitable<> waitLong(std::atomic<int>& ended)
    {
        struct Count {
            std::atomic<int>& ended;
            ~Count() { ++ended; }
        } count{ended};
        net::Timer timer(co_await boost::asio::this_coro::executor, std::chrono::hours(1));
        co_await timer.async_wait(net::useAwaitable);
    }

    static net::Awaitable<bool> join(net::TaskGroup& group, Milliseconds deadline)
    {
        co_return co_await group.join(deadline);
    }

private Q_SLOTS:
    void cancel_EndsEveryChild()
    {
        NetThread thread;
        std::atomic<int> ended = 0;
        net::TaskGroup group(thread.io().get_executor());
        for (int i = 0; i < 20; ++i) {
            QVERIFY(group.spawn(thread.io().get_executor(), waitLong(ended)));
        }
        QCOMPARE(group.size(), std::size_t{20});
        QVERIFY(!thread.run(join(group, Milliseconds{50})).value_or(true));
        group.cancel();
        QVERIFY(thread.run(join(group, Milliseconds{5000})).value_or(false));
        QCOMPARE(ended.load(), 20);
        QVERIFY(!group.spawn(thread.io().get_executor(), waitLong(ended)));
    }

    void join_OfNobody_IsAtOnce()
    {
        NetThread thread;
        net::TaskGroup group(thread.io().get_executor());
        QVERIFY(thread.run(join(group, Milliseconds{0})).value_or(false));
    }

    void childThatThrows_HasEnded()
    {
        NetThread thread;
        net::TaskGroup group(thread.io().get_executor());
        group.spawn(thread.io().get_executor(), []() -> net::Awaitable<> {
            throw std::runtime_error("no");
            co_return;
        }());
        QVERIFY(thread.run(join(group, Milliseconds{5000})).value_or(false));
    }
};

QTEST_GUILESS_MAIN(TaskGroupTest)
#include "test_net_task_group.moc"
