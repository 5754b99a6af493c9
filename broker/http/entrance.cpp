#include "broker/http/entrance.h"

#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::broker::http {

Entrance::Entered Entrance::enterUnknown(const net::HttpRequest& request)
{
    Client client;
    client.address = clientAddress(request, m_deps.trustedProxies);
    client.request = request.id;
    if (const Admission admission = m_deps.gatekeeper.admitAddress(client.address); admission.fault) {
        // Not for the audit: whoever floods us would write it.
        auto refused = problemResponse(*admission.fault);
        if (admission.charge) {
            addRateLimit(refused, *admission.charge);
        }
        return core::Unexpected<net::HttpResponse>(std::move(refused));
    }
    return client;
}

net::Awaitable<Entrance::Entered> Entrance::enter(const net::HttpRequest& request, std::string_view scope)
{
    auto entered = enterUnknown(request);
    if (!entered) {
        co_return entered;
    }
    const auto bearer = bearerOf(request);
    if (!bearer) {
        turnedAway(*entered, bearer.error(), faultRow(bearer.error().code).text);
        co_return core::Unexpected<net::HttpResponse>(problemResponse(bearer.error()));
    }
    auto caller = co_await m_deps.authenticator.authenticate(*bearer);
    if (!caller) {
        turnedAway(*entered, caller.error().fault, caller.error().reason);
        co_return core::Unexpected<net::HttpResponse>(problemResponse(caller.error().fault));
    }
    m_deps.gatekeeper.authenticated(entered->address);
    entered->caller = std::move(*caller);
    if (!entered->caller.may(scope)) {
        const Fault fault{FaultCode::InsufficientScope, "this needs the scope " + std::string(scope), std::nullopt};
        turnedAway(*entered, fault, faultRow(fault.code).text);
        auto refused = problemResponse(fault);
        // RFC 6750 §3: which scope would do.
        refused.headers.set("WWW-Authenticate",
            "Bearer realm=\"vivavoce\", error=\"insufficient_scope\", scope=\"" + std::string(scope) + "\"");
        co_return core::Unexpected<net::HttpResponse>(std::move(refused));
    }
    co_return entered;
}

net::Awaitable<bool> Entrance::isBorneBy(const net::HttpRequest& request, std::string_view scope)
{
    const auto bearer = bearerOf(request);
    if (!bearer) {
        co_return false;
    }
    const auto caller = co_await m_deps.authenticator.authenticate(*bearer);
    co_return caller && caller->may(scope);
}

void Entrance::turnedAway(const Client& client, const Fault& fault, std::string_view reason)
{
    m_deps.log.write(LogLevel::Warning, "auth.refused",
        {{"request", client.request}, {"code", faultRow(fault.code).text}, {"reason", reason}});
    AuditRecord record;
    record.event = AuditEvent::Deny;
    record.outcome = AuditOutcome::Refused;
    record.why = std::string(reason);
    record.issuer = client.caller.issuer;
    record.subject = client.caller.subject;
    record.peer = client.address;
    record.request = client.request;
    static_cast<void>(m_deps.audit.append(std::move(record)));
}

} // namespace vivavoce::broker::http
