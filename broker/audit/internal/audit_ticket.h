#pragma once

#include "broker/audit/audit_trail.h"
#include "core/base/units.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace vivavoce::broker::audit {

/// A record on its way to the disk: who handed it in waits for its landing.
/// Threads: [any thread]. One waiter. Once the waiter's coroutine is gone, its executor is not touched any more.
class AuditTicket {
public:
    /// Only the first landing counts.
    void land(AuditTrail::Appended result);
    /// Waits at most `patience`; the cancellation of whoever awaits does not reach the wait.
    [[nodiscard]] static net::Awaitable<AuditTrail::Appended> wait(
        std::shared_ptr<AuditTicket> ticket, core::Milliseconds patience);

private:
    [[nodiscard]] static net::Awaitable<AuditTrail::Appended> waitHere(
        std::shared_ptr<AuditTicket> ticket, core::Milliseconds patience);
    void forgetWaiter();

    std::mutex m_mutex;
    std::optional<AuditTrail::Appended> m_landing;
    std::function<void()> m_wake;
};

} // namespace vivavoce::broker::audit
