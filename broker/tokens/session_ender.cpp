#include "broker/tokens/session_ender.h"

#include "broker/tokens/session_audit.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker {

using core::Unexpected;

net::Awaitable<std::optional<Fault>> SessionEnder::end(Client client, std::string sessionId)
{
    const bool isAdmin = client.caller.may(auth::scope::kAdmin);
    const auto found = co_await m_registry.find(sessionId);
    if (!found) {
        co_return found.error();
    }
    const auto& session = *found;
    if (!session || (session->caller != client.caller.key() && !isAdmin)) {
        co_return Fault{FaultCode::SessionNotFound, "there is no such session of yours", std::nullopt};
    }
    // Told first: should it fail half-way, there is a line too many, not one too few.
    AuditRecord ended =
        recordOf(session->caller == client.caller.key() ? AuditEvent::Revoke : AuditEvent::Kill, client, *session);
    ended.issuer = client.caller.issuer;
    ended.subject = client.caller.subject;
    ended.target = session->subject;
    // Ended in any case: what could not be told of must not go on for that.
    auto fault = co_await witness(m_audit, std::move(ended));
    m_ledger.endsBecause(sessionId, session->caller == client.caller.key() ? "ended" : "revoked");
    const auto gone = co_await m_registry.end(std::move(sessionId));
    if (!gone && !fault) {
        fault = gone.error();
    }
    co_return fault;
}

net::Awaitable<core::Expected<std::size_t, Fault>> SessionEnder::endAllOf(Client admin, std::string caller)
{
    auto unseen = co_await tellOfOrder(admin, caller, {});
    auto gone = co_await m_registry.endAllOf(std::move(caller));
    auto told = co_await tellOfKills(std::move(admin), std::move(gone), std::move(unseen));
    co_return told;
}

net::Awaitable<core::Expected<std::size_t, Fault>> SessionEnder::endProject(Client admin, std::string project)
{
    auto unseen = co_await tellOfOrder(admin, {}, project);
    auto gone = co_await m_registry.endAllOfProject(std::move(project));
    auto told = co_await tellOfKills(std::move(admin), std::move(gone), std::move(unseen));
    co_return told;
}

/// Before anything ends: which sessions those are is told after.
net::Awaitable<std::optional<Fault>> SessionEnder::tellOfOrder(Client admin, std::string caller, std::string project)
{
    SessionRecord all;
    all.issuer = admin.caller.issuer;
    all.subject = admin.caller.subject;
    AuditRecord order = recordOf(AuditEvent::Kill, admin, all);
    order.target = std::move(caller);
    order.project = std::move(project);
    order.why = "all_sessions";
    auto fault = co_await witness(m_audit, std::move(order));
    co_return fault;
}

net::Awaitable<core::Expected<std::size_t, Fault>> SessionEnder::tellOfKills(
    Client admin, core::Expected<std::vector<SessionRecord>, Fault> ended, std::optional<Fault> fault)
{
    if (!ended) {
        co_return Unexpected<Fault>(std::move(ended.error()));
    }
    for (const SessionRecord& session : *ended) {
        m_ledger.endsBecause(session.id, "revoked");
    }
    // Whoever gives up waiting leaves no session untold.
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    // Those that share a write to the disk; more would find the audit's queue full, and others there no room.
    constexpr std::size_t kAtATime = 256;
    for (std::size_t begin = 0; begin < ended->size(); begin += kAtATime) {
        std::vector<net::Awaitable<AuditTrail::Appended>> lines;
        for (std::size_t i = begin; i < std::min(begin + kAtATime, ended->size()); ++i) {
            const SessionRecord& session = (*ended)[i];
            AuditRecord record = recordOf(AuditEvent::Kill, admin, session);
            record.issuer = admin.caller.issuer;
            record.subject = admin.caller.subject;
            record.target = session.subject;
            lines.push_back(m_audit.append(std::move(record)));
        }
        for (auto& line : lines) {
            const auto stored = co_await std::move(line);
            if (!stored && !fault) {
                fault = faultOfAudit(stored.error());
            }
        }
    }
    if (fault) {
        co_return Unexpected<Fault>(std::move(*fault));
    }
    co_return ended->size();
}

} // namespace vivavoce::broker
