#pragma once

#include "broker/limits/internal/redis_worker.h"
#include "net/awaitable.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <mutex>
#include <optional>

namespace vivavoce::broker {

/// An answer on its way from the worker's thread to a coroutine, which waits for at most the deadline.
/// Threads: complete() on any thread; everything else on the coroutine's strand.
class PendingAnswer {
public:
    PendingAnswer(net::IoExecutor executor, core::Milliseconds deadline);

    /// While it lives, somebody waits. A coroutine that is destroyed, with its io_context perhaps, is not woken any more.
    class Waiter {
    public:
        explicit Waiter(PendingAnswer& pending) : m_pending(pending) {}
        ~Waiter() { m_pending.giveUp(); }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

    private:
        PendingAnswer& m_pending;
    };

    void complete(RedisWorker::Answer answer);
    [[nodiscard]] net::Awaitable<> wait();
    /// StoreDown: there is none yet.
    [[nodiscard]] RedisWorker::Answer take();

private:
    void giveUp();

    std::mutex m_mutex;
    std::optional<RedisWorker::Answer> m_answer;
    /// Gone once nobody waits.
    std::shared_ptr<boost::asio::steady_timer> m_timer;
};

} // namespace vivavoce::broker
