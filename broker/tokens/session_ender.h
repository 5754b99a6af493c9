#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/tokens/client.h"
#include "broker/tokens/session_registry.h"
#include "broker/usage/ledger.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// Ends sessions, for their owners and for admins: their tokens renew nothing any more.
/// Invariant: the audit is told before anything ends; what it cannot be told of ends all the same, and whoever asked is told of that.
/// Threads: [any thread]; holds no lock while others are asked.
class SessionEnder {
public:
    SessionEnder(SessionRegistry& registry, AuditTrail& audit, usage::Ledger& ledger)
        : m_registry(registry), m_audit(audit), m_ledger(ledger)
    {
    }

    /// A session of the client's own, or with the admin's scope anybody's. SessionNotFound, also for what is somebody else's.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> end(Client client, std::string sessionId);
    /// All sessions of a caller (auth::Caller::key); how many there were.
    [[nodiscard]] net::Awaitable<core::Expected<std::size_t, Fault>> endAllOf(Client admin, std::string caller);
    /// The same for a project.
    [[nodiscard]] net::Awaitable<core::Expected<std::size_t, Fault>> endProject(Client admin, std::string project);

private:
    [[nodiscard]] net::Awaitable<std::optional<Fault>> tellOfOrder(
        Client admin, std::string caller, std::string project);
    [[nodiscard]] net::Awaitable<core::Expected<std::size_t, Fault>> tellOfKills(
        Client admin, core::Expected<std::vector<SessionRecord>, Fault> ended, std::optional<Fault> fault);

    SessionRegistry& m_registry;
    AuditTrail& m_audit;
    usage::Ledger& m_ledger;
};

} // namespace vivavoce::broker
