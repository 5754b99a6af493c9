#include "broker/limits/internal/pending_answer.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace vivavoce::broker {

namespace asio = boost::asio;

PendingAnswer::PendingAnswer(net::IoExecutor executor, core::Milliseconds deadline)
    : m_timer(std::make_shared<asio::steady_timer>(std::move(executor), deadline))
{
}

void PendingAnswer::complete(RedisWorker::Answer answer)
{
    // Posted under the lock: until giveUp() has had it the executor is there, afterwards it may not be.
    const std::lock_guard lock(m_mutex);
    m_answer = std::move(answer);
    if (m_timer) {
        // Also right where it runs before the wait has begun.
        asio::post(
            m_timer->get_executor(), [timer = m_timer] { timer->expires_at(asio::steady_timer::time_point::min()); });
    }
}

net::Awaitable<> PendingAnswer::wait()
{
    const auto timer = m_timer;
    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
}

RedisWorker::Answer PendingAnswer::take()
{
    const std::lock_guard lock(m_mutex);
    if (!m_answer) {
        return core::Unexpected<StoreDown>(StoreDown{"Redis did not answer in time"});
    }
    return std::move(*m_answer);
}

void PendingAnswer::giveUp()
{
    const std::lock_guard lock(m_mutex);
    m_timer.reset();
}

} // namespace vivavoce::broker
