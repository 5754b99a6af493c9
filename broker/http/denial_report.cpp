#include "broker/http/denial_report.h"

#include "broker/limits/gatekeeper.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker::http {
namespace {

/// What is remembered of a name that somebody made up.
constexpr std::size_t kLongestTarget = 128;

} // namespace

std::string_view sessionNamed(std::string_view text)
{
    return isSessionId(text) ? text : std::string_view();
}
AuditRecord recordOf(const Client& client)
{
    AuditRecord record;
    record.issuer = client.caller.issuer;
    record.subject = client.caller.subject;
    record.peer = client.address;
    record.request = client.request;
    return record;
}

void DenialReport::turnedAway(const Client& client, std::string_view reason, std::string_view target)
{
    AuditRecord record = recordOf(client);
    record.event = AuditEvent::Deny;
    record.outcome = AuditOutcome::Refused;
    record.why = std::string(reason);
    record.target = std::string(target.substr(0, kLongestTarget));
    const bool isKnown = !client.caller.subject.empty();
    tell(isKnown ? m_callers.take(client.caller.key(), std::move(record))
                 : m_strangers.take(addressKey(client.address), std::move(record)));
}

void DenialReport::tell(std::vector<AuditRecord> denials)
{
    for (AuditRecord& denial : denials) {
        m_log.write(LogLevel::Warning, "auth.refused",
            {{"request", denial.request}, {"reason", denial.why}, {"count", std::max<std::uint64_t>(denial.count, 1)}});
        static_cast<void>(m_audit.append(std::move(denial)));
    }
}

void DenialReport::tellDue()
{
    tell(m_strangers.takeDue());
    tell(m_callers.takeDue());
}

void DenialReport::tellAll()
{
    tell(m_strangers.takeAll());
    tell(m_callers.takeAll());
}

} // namespace vivavoce::broker::http
