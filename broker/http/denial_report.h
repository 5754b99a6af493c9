#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/audit/denial_digest.h"
#include "broker/log.h"
#include "broker/tokens/client.h"

#include <string_view>
#include <vector>

namespace vivavoce::broker::http {

/// Tells log and audit of whoever is turned away; of those who are over and over, in sums.
/// Threads: [any thread].
class DenialReport {
public:
    DenialReport(AuditTrail& audit, const core::Clock& clock, Log& log)
        : m_audit(audit), m_log(log), m_strangers({}, clock), m_callers({}, clock)
    {
    }

    /// `target` is the session (sessionNamed) or project that the client named. Not waited for: a refusal that is not told of yet opens
    /// nothing.
    void turnedAway(const Client& client, std::string_view reason, std::string_view target);
    /// Tells of what was summed up and is due. To be called about every second.
    void tellDue();
    /// Tells of all that was summed up: the broker goes.
    void tellAll();

private:
    void tell(std::vector<AuditRecord> denials);

    AuditTrail& m_audit;
    Log& m_log;
    /// Apart, so that strangers in great number do not hide what callers do.
    DenialDigest m_strangers;
    DenialDigest m_callers;
};

/// What a client named as a session, for the audit: nothing where it cannot be one. A token may stand in that place by mistake.
[[nodiscard]] std::string_view sessionNamed(std::string_view text);

/// Who does it, from where, with which request; the rest is for the witness to fill in.
[[nodiscard]] AuditRecord recordOf(const Client& client);

} // namespace vivavoce::broker::http
