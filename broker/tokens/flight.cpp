#include "broker/tokens/flight.h"
#include "net/timer.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>

namespace vivavoce::broker {

namespace asio = boost::asio;

void Flight::land(Landing landing)
{
    std::vector<std::function<void()>> wake;
    {
        const std::lock_guard lock(m_mutex);
        if (m_landing) {
            return;
        }
        m_landing = std::move(landing);
        wake.swap(m_wake);
    }
    for (const auto& call : wake) {
        call();
    }
}

net::Awaitable<std::optional<Flight::Landing>> Flight::wait(core::Milliseconds patience)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto timer = std::make_shared<net::Timer>(executor, patience);
    {
        const std::lock_guard lock(m_mutex);
        if (m_landing) {
            co_return m_landing;
        }
        // Posted to the waiter's own executor, where it can only run once the waiter waits.
        m_wake.push_back([executor, timer] { asio::post(executor, [timer] { timer->cancel(); }); });
    }
    co_await timer->async_wait(net::asTuple);
    const std::lock_guard lock(m_mutex);
    co_return m_landing;
}

} // namespace vivavoce::broker
