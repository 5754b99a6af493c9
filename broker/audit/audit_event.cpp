#include "broker/audit/audit_event.h"

namespace vivavoce::broker {

std::string_view auditEventText(AuditEvent event)
{
    switch (event) {
    case AuditEvent::Mint:
        return "token.mint";
    case AuditEvent::Refresh:
        return "token.refresh";
    case AuditEvent::Resume:
        return "session.resume";
    case AuditEvent::Revoke:
        return "session.revoke";
    case AuditEvent::Kill:
        return "session.kill";
    case AuditEvent::SignIn:
        return "auth.sign_in";
    case AuditEvent::Deny:
        return "request.deny";
    case AuditEvent::Reuse:
        return "token.reuse";
    case AuditEvent::Block:
        return "subject.block";
    case AuditEvent::Unblock:
        return "subject.unblock";
    case AuditEvent::ConfigurationChange:
        return "configuration.change";
    case AuditEvent::InvoiceIssue:
        return "invoice.issue";
    case AuditEvent::TranscriptRead:
        return "transcript.read";
    case AuditEvent::TranscriptExport:
        return "transcript.export";
    case AuditEvent::TranscriptRemove:
        return "transcript.remove";
    case AuditEvent::Start:
        return "broker.start";
    case AuditEvent::Stop:
        return "broker.stop";
    case AuditEvent::Recovery:
        return "audit.recovered";
    }
    return "unknown";
}

std::string_view auditOutcomeText(AuditOutcome outcome)
{
    switch (outcome) {
    case AuditOutcome::Done:
        return "done";
    case AuditOutcome::Refused:
        return "refused";
    case AuditOutcome::Failed:
        return "failed";
    }
    return "unknown";
}

} // namespace vivavoce::broker
