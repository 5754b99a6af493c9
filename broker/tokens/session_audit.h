#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/tokens/client.h"
#include "broker/tokens/session_registry.h"

#include <optional>

namespace vivavoce::broker {

/// Something that was done to a session, for the audit.
[[nodiscard]] AuditRecord recordOf(AuditEvent event, const Client& client, const SessionRecord& session);

/// What the audit was told of is not done. Not waited for.
void tellOfFailure(AuditTrail& audit, AuditRecord told, const Fault& fault);

/// Durable when it returns; otherwise the fault that the client gets.
[[nodiscard]] net::Awaitable<std::optional<Fault>> witness(AuditTrail& audit, AuditRecord record);

} // namespace vivavoce::broker
