#pragma once

#include <string_view>

namespace vivavoce::broker {

/// What the audit trail tells of. The text of an event (`auditEventText`) is stable: searches and alarms hang on it.
enum class AuditEvent {
    // Tokens and sessions
    Mint,
    Refresh,
    Resume,
    Revoke,
    Kill,
    // Who may
    SignIn,
    Deny,
    Reuse,
    Block,
    Unblock,
    // The broker itself
    ConfigurationChange,
    InvoiceIssue,
    // What was said, by those who may: looked up, taken away whole, deleted
    TranscriptRead,
    TranscriptExport,
    TranscriptRemove,
    Start,
    Stop,
    /// The trail takes lines again after it took none.
    Recovery,
};

/// "token.mint" and the like: lower case, dotted, never changed once shipped.
[[nodiscard]] std::string_view auditEventText(AuditEvent event);

/// How it ended. Beside it `why` in the record is a stable code.
enum class AuditOutcome { Done, Refused, Failed };

/// "done", "refused", "failed".
[[nodiscard]] std::string_view auditOutcomeText(AuditOutcome outcome);

} // namespace vivavoce::broker
