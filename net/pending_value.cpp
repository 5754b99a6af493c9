#include "net/pending_value.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace vivavoce::net {

namespace asio = boost::asio;

Pending::Pending(IoExecutor executor, core::Milliseconds deadline)
    : m_timer(std::make_shared<asio::steady_timer>(std::move(executor), deadline))
{
}

void Pending::wake()
{
    // Posted under the lock: until giveUp() has had it the executor is there, afterwards it may not be.
    if (m_timer) {
        // Also right where it runs before the wait has begun.
        asio::post(
            m_timer->get_executor(), [timer = m_timer] { timer->expires_at(asio::steady_timer::time_point::min()); });
    }
}

Awaitable<> Pending::wait()
{
    const auto timer = m_timer;
    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
}

void Pending::giveUp()
{
    const std::lock_guard lock(m_mutex);
    forgetWaiter();
}

} // namespace vivavoce::net
