#include "broker/http/sign_in_report.h"

#include "broker/http/denial_report.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::broker::http {

bool SignInReport::isNew(const TokenHash& hash)
{
    const std::lock_guard lock(m_mutex);
    if (m_recent.count(hash) != 0) {
        return false;
    }
    const bool isKnown = m_earlier.count(hash) != 0;
    if (m_recent.size() >= m_remembered) {
        m_earlier = std::exchange(m_recent, {});
    }
    m_recent.insert(hash);
    return !isKnown;
}

void SignInReport::signedIn(const Client& client, std::string_view credential)
{
    // Whom the app has started itself nobody has signed in.
    if (client.caller.kind == auth::Caller::Kind::Embedded) {
        return;
    }
    // While no line can be stored it is told later, when the credential comes again.
    if (!m_deps.audit.isWorking()) {
        return;
    }
    const TokenHash hash = m_deps.hasher.hash(credential);
    if (!isNew(hash)) {
        return;
    }
    AuditRecord record = recordOf(client);
    record.event = AuditEvent::SignIn;
    record.outcome = AuditOutcome::Done;
    record.why = client.caller.kind == auth::Caller::Kind::Service ? "service_key" : "issuer";
    record.token = hash;
    m_deps.log.write(LogLevel::Info, "auth.signed_in", {{"request", client.request}, {"by", record.why}});
    static_cast<void>(m_deps.audit.append(std::move(record)));
}

} // namespace vivavoce::broker::http
