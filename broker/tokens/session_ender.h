#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/tokens/client.h"
#include "broker/tokens/running_streams.h"
#include "broker/tokens/session_registry.h"
#include "broker/usage/ledger.h"

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// Ends sessions, for their owners and for admins: their tokens renew nothing any more.
/// Invariant: the audit is told before anything ends, and has `patience` for it; what it has no line of by then ends all the same, and
/// whoever asked is told of that, after `answerPatience` at the latest, however many lines there are. What it has no line of then gets one
/// when the audit works again.
/// Streams that run here are cut before the registry is asked. Where it is away, their sessions end there once it is back: until then that is
/// remembered by this broker alone, and whoever asked is told so.
/// Threads: [any thread]; holds no lock while others are asked.
class SessionEnder {
public:
    struct Settings {
        /// A session is to be over within a second, the look at its stream included.
        core::Milliseconds patience{300};
        core::Milliseconds answerPatience{3'000};
    };

    /// `streams` may be null: then none run here.
    SessionEnder(SessionRegistry& registry, AuditTrail& audit, usage::Ledger& ledger, RunningStreams* streams = nullptr)
        : SessionEnder({}, registry, audit, ledger, streams)
    {
    }
    SessionEnder(Settings settings, SessionRegistry& registry, AuditTrail& audit, usage::Ledger& ledger,
        RunningStreams* streams = nullptr)
        : m_settings(settings), m_registry(registry), m_audit(audit), m_ledger(ledger), m_streams(streams)
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
    /// Ends in the registry what was cut while that was away, once it is back, which tellOwed() then tells; called often.
    [[nodiscard]] net::Awaitable<> endOwed();

private:
    class Told;
    void owe(std::vector<AuditRecord> untold);
    void oweEnd(AuditRecord ended);
    [[nodiscard]] std::optional<AuditRecord> nextUnended();
    [[nodiscard]] std::vector<SessionRecord> sessionsHere(const RunningStreams::Which& which) const;
    void cut(const std::vector<SessionRecord>& here);
    /// All sessions that `end` ends.
    [[nodiscard]] net::Awaitable<core::Expected<std::size_t, Fault>> endAll(
        Client admin, std::string caller, std::string project, SessionRegistry::Answer<std::vector<SessionRecord>> end);

    const Settings m_settings;
    SessionRegistry& m_registry;
    AuditTrail& m_audit;
    usage::Ledger& m_ledger;
    RunningStreams* const m_streams;
    std::mutex m_mutex;
    std::vector<AuditRecord> m_owed;
    /// What the audit was told of, and the registry could not be.
    std::deque<AuditRecord> m_unended;
};

} // namespace vivavoce::broker
