#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/tokens/client.h"
#include "broker/tokens/session_registry.h"
#include "broker/usage/ledger.h"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// Ends sessions, for their owners and for admins: their tokens renew nothing any more.
/// Invariant: the audit is told before anything ends, and has `patience` for it; what it has no line of by then ends all the same, and
/// whoever asked is told of that, after `answerPatience` at the latest, however many lines there are. What it has no line of then gets one
/// when the audit works again.
/// Threads: [any thread]; holds no lock while others are asked.
class SessionEnder {
public:
    struct Settings {
        /// A session is to be over within a second, the look at its stream included.
        core::Milliseconds patience{300};
        core::Milliseconds answerPatience{3'000};
    };

    SessionEnder(SessionRegistry& registry, AuditTrail& audit, usage::Ledger& ledger)
        : SessionEnder({}, registry, audit, ledger)
    {
    }
    SessionEnder(Settings settings, SessionRegistry& registry, AuditTrail& audit, usage::Ledger& ledger)
        : m_settings(settings), m_registry(registry), m_audit(audit), m_ledger(ledger)
    {
    }

    /// A session of the client's own, or with the admin's scope anybody's. SessionNotFound, also for what is somebody else's.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> end(Client client, std::string sessionId);
    /// All sessions of a caller (auth::Caller::key); how many there were.
    [[nodiscard]] net::Awaitable<core::Expected<std::size_t, Fault>> endAllOf(Client admin, std::string caller);
    /// The same for a project.
    [[nodiscard]] net::Awaitable<core::Expected<std::size_t, Fault>> endProject(Client admin, std::string project);
    /// Tells the audit of what was done without a line, once it works; called often.
    [[nodiscard]] net::Awaitable<> tellOwed();

private:
    class Told;
    void owe(std::vector<AuditRecord> untold);
    /// All sessions that `end` ends.
    [[nodiscard]] net::Awaitable<core::Expected<std::size_t, Fault>> endAll(
        Client admin, std::string caller, std::string project, SessionRegistry::Answer<std::vector<SessionRecord>> end);

    const Settings m_settings;
    SessionRegistry& m_registry;
    AuditTrail& m_audit;
    usage::Ledger& m_ledger;
    std::mutex m_mutex;
    std::vector<AuditRecord> m_owed;
};

} // namespace vivavoce::broker
