#include "broker/tokens/session_audit.h"

#include <utility>

namespace vivavoce::broker {

AuditRecord recordOf(AuditEvent event, const Client& client, const SessionRecord& session)
{
    AuditRecord record;
    record.event = event;
    record.outcome = AuditOutcome::Done;
    record.issuer = session.issuer;
    record.subject = session.subject;
    record.peer = client.address;
    record.session = session.id;
    record.project = session.project;
    record.request = client.request;
    return record;
}

void tellOfFailure(AuditTrail& audit, AuditRecord told, const Fault& fault)
{
    told.outcome = AuditOutcome::Failed;
    told.why = std::string(faultRow(fault.code).text);
    static_cast<void>(audit.append(std::move(told)));
}

net::Awaitable<std::optional<Fault>> witness(AuditTrail& audit, AuditRecord record)
{
    const auto stored = co_await audit.append(std::move(record));
    if (stored) {
        co_return std::nullopt;
    }
    co_return faultOfAudit(stored.error());
}

} // namespace vivavoce::broker
