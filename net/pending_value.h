#pragma once

#include "core/base/units.h"
#include "net/awaitable.h"
#include "net/timer.h"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace vivavoce::net {

/// Something that a coroutine waits for and another thread brings about; the wait ends after a deadline in any case.
/// Threads: complete() of the classes made of it on any thread; everything else on the coroutine's executor.
class Pending {
public:
    Pending(IoExecutor executor, core::Milliseconds deadline);

    /// While it lives, somebody waits. A coroutine that is destroyed, with its io_context perhaps, is not woken any more.
    class Waiter {
    public:
        explicit Waiter(Pending& pending) : m_pending(pending) {}
        ~Waiter() { m_pending.giveUp(); }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

    private:
        Pending& m_pending;
    };

    [[nodiscard]] Awaitable<> wait();

protected:
    /// Under the lock of mutex().
    void wake();
    /// Under the lock: whoever waited has been told that nothing came.
    [[nodiscard]] bool isGivenUp() const { return m_timer == nullptr; }
    void forgetWaiter() { m_timer.reset(); }
    [[nodiscard]] std::mutex& mutex() { return m_mutex; }

private:
    void giveUp();

    std::mutex m_mutex;
    /// Gone once nobody waits.
    std::shared_ptr<Timer> m_timer;
};

/// A value on its way from another thread to a coroutine:
///
///     const auto pending = std::make_shared<PendingValue<Answer>>(executor, deadline);
///     const Pending::Waiter waiter(*pending);
///     submit([pending](Answer answer) { pending->complete(std::move(answer)); });
///     co_await pending->wait();
///     std::optional<Answer> answer = pending->take();
template <typename T>
class PendingValue : public Pending {
public:
    using Pending::Pending;

    /// False: too late, the value is nobody's.
    bool complete(T value)
    {
        const std::lock_guard lock(mutex());
        if (isGivenUp()) {
            return false;
        }
        m_value = std::move(value);
        wake();
        return true;
    }
    /// Nothing: the deadline came first, and what comes later is not taken any more.
    [[nodiscard]] std::optional<T> take()
    {
        const std::lock_guard lock(mutex());
        if (!m_value) {
            forgetWaiter();
        }
        return std::exchange(m_value, std::nullopt);
    }

private:
    std::optional<T> m_value;
};

} // namespace vivavoce::net
