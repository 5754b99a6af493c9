#include "broker/http/sign_in_report.h"

#include "broker/http/denial_report.h"

#include <nlohmann/json.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <utility>

namespace vivavoce::broker::http {

namespace asio = boost::asio;

bool SignInReport::Known::isNew(const TokenHash& hash)
{
    const std::lock_guard lock(m_mutex);
    if (m_recent.count(hash) != 0) {
        return false;
    }
    const bool isKnown = m_earlier.count(hash) != 0;
    if (m_recent.size() >= m_most) {
        m_earlier = std::exchange(m_recent, {});
    }
    m_recent.insert(hash);
    return !isKnown;
}

void SignInReport::Known::forget(const TokenHash& hash)
{
    const std::lock_guard lock(m_mutex);
    m_recent.erase(hash);
    m_earlier.erase(hash);
}

net::Awaitable<> SignInReport::see(
    net::Awaitable<AuditTrail::Appended> line, std::shared_ptr<Known> known, TokenHash hash)
{
    const auto stored = co_await std::move(line);
    if (!stored) {
        known->forget(hash);
    }
}

void SignInReport::signedIn(const Client& client, std::string_view credential, const net::IoExecutor& executor)
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
    if (!m_known->isNew(hash)) {
        return;
    }
    AuditRecord record = recordOf(client);
    record.event = AuditEvent::SignIn;
    record.outcome = AuditOutcome::Done;
    record.why = client.caller.kind == auth::Caller::Kind::Service ? "service_key" : "issuer";
    record.token = hash;
    m_deps.log.write(LogLevel::Info, "auth.signed_in", {{"request", client.request}, {"by", record.why}});
    asio::co_spawn(executor, see(m_deps.audit.append(std::move(record)), m_known, hash), asio::detached);
}

} // namespace vivavoce::broker::http
