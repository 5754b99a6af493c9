#pragma once

#include "broker/audit/audit_event.h"
#include "broker/tokens/token_hasher.h"

#include <cstdint>
#include <optional>
#include <string>

namespace vivavoce::broker {

/// One thing that happened, as its witness tells it; the trail adds number, time and chain.
/// Texts may be foreign: any bytes do, of each the first 512 are kept. Empty ones are left out of the line.
/// Invariant: no secret in any text. A token is there as its HMAC, whose type holds nothing else.
struct AuditRecord {
    AuditEvent event = AuditEvent::Deny;
    AuditOutcome outcome = AuditOutcome::Refused;
    /// A stable code: of the fault ("rate_limited"), or of the reason ("operator").
    std::string why;
    /// Who: the issuer of the identity, and the name it gives.
    std::string issuer;
    std::string subject;
    /// Where from: the peer's address.
    std::string peer;
    std::string session;
    std::string project;
    /// The id that the answer and the log bear too.
    std::string request;
    /// What was acted on where that is not the session: another subject, a configuration key (never its value), a project with what of its policy
    /// changes (which is no secret).
    std::string target;
    std::optional<TokenHash> token;
    /// The sum of so many alike, of which this is the last. 0: one thing that happened.
    std::uint64_t count = 0;
};

} // namespace vivavoce::broker
