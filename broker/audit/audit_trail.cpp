#include "broker/audit/audit_trail.h"

namespace vivavoce::broker {

Fault faultOfAudit(AuditFailure failure)
{
    const core::Milliseconds retryAfter{1'000};
    switch (failure) {
    case AuditFailure::QueueFull:
        return {FaultCode::Unavailable, "too much waits to be audited", retryAfter};
    case AuditFailure::TimedOut:
        return {FaultCode::Unavailable, "the audit trail did not answer in time", retryAfter};
    case AuditFailure::Unwritable:
    case AuditFailure::Closed:
        break;
    }
    return {FaultCode::Unavailable, "the audit trail cannot be written", retryAfter};
}

net::Awaitable<AuditTrail::Appended> DiscardingAuditTrail::append(AuditRecord)
{
    co_return Appended();
}

} // namespace vivavoce::broker
