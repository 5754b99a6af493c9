#include "net/pending_value.h"
#include "net/timer.h"

#include <boost/asio/post.hpp>

namespace vivavoce::net {

namespace asio = boost::asio;

Pending::Pending(IoExecutor executor, core::Milliseconds deadline)
    : m_timer(std::make_shared<Timer>(std::move(executor), deadline))
{
}

void Pending::wake()
{
    // Posted under the lock: until giveUp() has had it the executor is there, afterwards it may not be.
    if (m_timer) {
        // Also right where it runs before the wait has begun.
        asio::post(m_timer->get_executor(),
            [timer = m_timer] { timer->expires_at(std::chrono::steady_clock::time_point::min()); });
    }
}

Awaitable<> Pending::wait()
{
    const auto timer = m_timer;
    co_await timer->async_wait(asTuple);
}

void Pending::giveUp()
{
    const std::lock_guard lock(m_mutex);
    forgetWaiter();
}

} // namespace vivavoce::net
