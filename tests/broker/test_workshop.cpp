#include "broker/workshop.h"
#include "tests/broker/limits_harness.h"

#include <QTest>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::FaultCode;
using broker::Workshop;

namespace {

using Number = core::Expected<int, broker::Fault>;

Workshop::Settings with(std::size_t mostWaiting, core::Milliseconds patience = core::Milliseconds(20'000))
{
    Workshop::Settings settings;
    settings.mostWaiting = mostWaiting;
    settings.patience = patience;
    settings.refusal = "not now";
    return settings;
}

/// Says on which thread it went.
class Trace {
public:
    explicit Trace(std::promise<std::thread::id>& gone) : m_gone(gone) {}
    ~Trace() { m_gone.set_value(std::this_thread::get_id()); }
    Trace(const Trace&) = delete;
    Trace& operator=(const Trace&) = delete;

private:
    std::promise<std::thread::id>& m_gone;
};

/// Work that goes on until it is let go.
class Held {
public:
    [[nodiscard]] std::function<int()> work()
    {
        return [this] {
            m_begun.set_value();
            m_open.get_future().wait();
            return 1;
        };
    }
    void waitUntilBegun() { m_begun.get_future().wait(); }
    void letGo() { m_open.set_value(); }

private:
    std::promise<void> m_begun;
    std::promise<void> m_open;
};

int two()
{
    return 2;
}

} // namespace

/// Long work for answers, off the network's threads.
class TestWorkshop : public QObject {
    Q_OBJECT

private slots:
    void work_IsDone_AndItsThingsEnd_OnAThreadOfItsOwn()
    {
        NetThreads threads;
        Workshop workshop(with(1));
        std::promise<std::thread::id> gone;
        const auto asked = [&]() -> net::Awaitable<bool> {
            const auto here = std::this_thread::get_id();
            std::function<std::thread::id()> work = [trace = std::make_shared<Trace>(gone)] {
                return std::this_thread::get_id();
            };
            const auto made = co_await workshop.make<std::thread::id>(std::move(work));
            co_return made.has_value() && *made != here&& gone.get_future().get() == *made;
        };
        QVERIFY(finish(threads, asked()));
        // There is room again.
        for (int i = 0; i < 5; ++i) {
            QTRY_VERIFY(finish(threads, workshop.make<int>(&two)).has_value());
        }
    }

    void workBeyondWhatMayWait_IsRefusedAtOnce()
    {
        NetThreads threads;
        Held held;
        Workshop workshop(with(1));
        auto first = begin(threads, workshop.make<int>(held.work()));
        held.waitUntilBegun();
        const Number refused = finish(threads, workshop.make<int>(&two));
        QVERIFY(!refused && refused.error().code == FaultCode::Unavailable);
        QCOMPARE(refused.error().detail, std::string("not now"));
        QVERIFY(refused.error().retryAfter.has_value());
        held.letGo();
        QCOMPARE(first.get().value(), 1);
    }

    void workThatThrows_IsARefusal_AndTheNextIsDone()
    {
        NetThreads threads;
        Workshop workshop(with(4));
        const std::function<int()> bad = []() -> int { throw std::runtime_error("of no use"); };
        QVERIFY(finish(threads, workshop.make<int>(bad)).error().code == FaultCode::Unavailable);
        QCOMPARE(finish(threads, workshop.make<int>(&two)).value(), 2);
    }

    void workThatTakesTooLong_IsNobodys()
    {
        NetThreads threads;
        Held held;
        Workshop workshop(with(4, core::Milliseconds(1)));
        QVERIFY(finish(threads, workshop.make<int>(held.work())).error().code == FaultCode::Unavailable);
        held.letGo();
    }

    void workshopThatGoes_WaitsForWhatIsBeingMade()
    {
        NetThreads threads;
        Held held;
        auto workshop = std::make_unique<Workshop>(with(4));
        auto first = begin(threads, workshop->make<int>(held.work()));
        held.waitUntilBegun();
        std::atomic<bool> isGoing{false};
        std::atomic<bool> isGone{false};
        std::thread last([&] {
            isGoing = true;
            workshop.reset();
            isGone = true;
        });
        while (!isGoing) {
            std::this_thread::yield();
        }
        // One that does not wait is gone by then.
        bool wasEarly = false;
        for (int i = 0; i < 10'000 && !wasEarly; ++i) {
            std::this_thread::yield();
            wasEarly = isGone;
        }
        held.letGo();
        last.join();
        QVERIFY(!wasEarly);
        QCOMPARE(first.get().value(), 1);
    }
};

QTEST_GUILESS_MAIN(TestWorkshop)
#include "test_workshop.moc"
