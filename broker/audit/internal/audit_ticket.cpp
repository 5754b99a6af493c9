#include "broker/audit/internal/audit_ticket.h"
#include "net/timer.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace vivavoce::broker::audit {

namespace asio = boost::asio;

void AuditTicket::land(AuditTrail::Appended result)
{
    const std::lock_guard lock(m_mutex);
    if (m_landing) {
        return;
    }
    m_landing = result;
    if (m_wake) {
        // Only posts, and under the lock: who has forgotten the waiter then knows that nobody is about to post.
        std::exchange(m_wake, nullptr)();
    }
}

void AuditTicket::forgetWaiter()
{
    const std::lock_guard lock(m_mutex);
    m_wake = nullptr;
}

net::Awaitable<AuditTrail::Appended> AuditTicket::wait(std::shared_ptr<AuditTicket> ticket, core::Milliseconds patience)
{
    const auto executor = co_await asio::this_coro::executor;
    // A coroutine of its own with a slot that nobody emits to: whoever waits may be cancelled, the wait is not.
    auto result = co_await asio::co_spawn(executor, waitHere(std::move(ticket), patience),
        asio::bind_cancellation_slot(asio::cancellation_slot(), net::useAwaitable));
    co_return result;
}

net::Awaitable<AuditTrail::Appended> AuditTicket::waitHere(
    std::shared_ptr<AuditTicket> ticket, core::Milliseconds patience)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto timer = std::make_shared<net::Timer>(executor, patience);
    {
        const std::lock_guard lock(ticket->m_mutex);
        if (ticket->m_landing) {
            co_return *ticket->m_landing;
        }
        // Posted to this executor, where it can only run once the wait has begun.
        ticket->m_wake = [executor, timer] { asio::post(executor, [timer] { timer->cancel(); }); };
    }
    struct Waiter {
        AuditTicket& ticket;
        ~Waiter() { ticket.forgetWaiter(); }
    } const waiter{*ticket};
    co_await timer->async_wait(net::asTuple);
    const std::lock_guard lock(ticket->m_mutex);
    co_return ticket->m_landing.value_or(core::Unexpected<AuditFailure>(AuditFailure::TimedOut));
}

} // namespace vivavoce::broker::audit
