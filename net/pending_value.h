#pragma once

#include "core/base/units.h"
#include "net/awaitable.h"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace vivavoce::net {

/// Something that a coroutine waits for and another thread brings about; the wait ends after a deadline in any case.
/// Threads: complete() of the classes made of it on any thread; everything else on the coroutine's strand.
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
    [[nodiscard]] std::mutex& mutex() { return m_mutex; }

private:
    void giveUp();

    std::mutex m_mutex;
    /// Gone once nobody waits.
    std::shared_ptr<boost::asio::steady_timer> m_timer;
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

    void complete(T value)
    {
        const std::lock_guard lock(mutex());
        m_value = std::move(value);
        wake();
    }
    /// Nothing: the deadline came first.
    [[nodiscard]] std::optional<T> take()
    {
        const std::lock_guard lock(mutex());
        return std::exchange(m_value, std::nullopt);
    }

private:
    std::optional<T> m_value;
};

} // namespace vivavoce::net
