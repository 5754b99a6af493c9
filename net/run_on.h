#pragma once

#include "net/timer.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <utility>

namespace vivavoce::net {

/// Shared by the two sides of a call, and let go where the task runs.
class RemoteCancellation {
public:
    explicit RemoteCancellation(IoExecutor executor)
        : m_executor(std::move(executor)), m_signal(std::make_shared<boost::asio::cancellation_signal>())
    {
    }
    ~RemoteCancellation()
    {
        boost::asio::post(m_executor, [signal = m_signal] {});
    }
    RemoteCancellation(const RemoteCancellation&) = delete;
    RemoteCancellation& operator=(const RemoteCancellation&) = delete;

    void follow(boost::asio::cancellation_slot caller) const
    {
        if (caller.is_connected()) {
            caller.assign([executor = m_executor, signal = m_signal](boost::asio::cancellation_type type) {
                boost::asio::post(executor, [signal, type] { signal->emit(type); });
            });
        }
    }
    [[nodiscard]] boost::asio::cancellation_slot slot() const { return m_signal->slot(); }

private:
    const IoExecutor m_executor;
    const std::shared_ptr<boost::asio::cancellation_signal> m_signal;
};

/// Runs `task` on another executor and waits for what it gives; cancelling the wait cancels the task.
/// (Asio's own way from the one to the other points into this coroutine, which may be gone when the other thread looks.)
template <typename T>
Awaitable<T> runOn(IoExecutor executor, Awaitable<T> task)
{
    const RemoteCancellation cancellation(executor);
    const boost::asio::cancellation_state here = co_await boost::asio::this_coro::cancellation_state;
    cancellation.follow(here.slot());
    co_return co_await boost::asio::co_spawn(
        executor, std::move(task), boost::asio::bind_cancellation_slot(cancellation.slot(), useAwaitable));
}

} // namespace vivavoce::net
