#include "broker/http/entrance.h"

#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace vivavoce::broker::http {
namespace {

/// Of the database's four connections, these are theirs at most.
constexpr int kLooksAtATime = 2;

net::HttpResponse answerOf(const Admission& refused)
{
    auto response = problemResponse(*refused.fault);
    if (refused.charge) {
        addRateLimit(response, *refused.charge);
    }
    return response;
}

} // namespace

Entrance::Stranger Entrance::meet(const net::HttpRequest& request)
{
    Stranger stranger;
    stranger.client.address = clientAddress(request, m_deps.trustedProxies);
    stranger.client.request = request.id;
    const Admission admission = m_deps.gatekeeper.admitAddress(stranger.client.address);
    stranger.ticket = admission.ticket;
    if (admission.fault) {
        stranger.overLimit = answerOf(admission);
    }
    return stranger;
}

net::HttpResponse Entrance::refuse(
    Stranger& stranger, const Fault& fault, std::string_view reason, std::string_view session)
{
    if (stranger.overLimit) {
        turnedAway(stranger.client, faultRow(FaultCode::RateLimited).text, session);
        return std::move(*stranger.overLimit);
    }
    // The reason is for those who read the audit: what is counted are the codes that callers see.
    m_deps.metrics.denied(faultRow(fault.code).text);
    m_deps.denials.turnedAway(stranger.client, reason, session);
    return problemResponse(fault);
}

std::optional<Entrance::Look> Entrance::mayLook(const Stranger& stranger)
{
    if (!stranger.overLimit) {
        return Look();
    }
    if (++*m_looks > kLooksAtATime) {
        --*m_looks;
        return std::nullopt;
    }
    return Look(nullptr, [looks = m_looks](void*) { --*looks; });
}

net::Awaitable<Entrance::Entered> Entrance::identify(const net::HttpRequest& request)
{
    Stranger stranger = meet(request);
    const auto bearer = bearerOf(request);
    if (!bearer) {
        co_return core::Unexpected<net::HttpResponse>(
            refuse(stranger, bearer.error(), faultRow(bearer.error().code).text));
    }
    const Admission own = m_deps.gatekeeper.admitCredential(*bearer);
    if (own.fault) {
        // Only known callers use this up: it is not their address that is at fault.
        hasProved(stranger);
        turnedAway(stranger.client, faultRow(own.fault->code).text);
        co_return core::Unexpected<net::HttpResponse>(answerOf(own));
    }
    // What is verified from memory are keys and signatures, which nobody finds by trying.
    auto caller = co_await m_deps.authenticator.authenticate(
        *bearer, stranger.overLimit ? auth::Reach::Memory : auth::Reach::Issuer);
    if (!caller) {
        m_deps.gatekeeper.countedElsewhere(*bearer, own.ticket);
        co_return core::Unexpected<net::HttpResponse>(refuse(stranger, caller.error().fault, caller.error().reason));
    }
    hasProved(stranger);
    stranger.client.caller = std::move(*caller);
    m_deps.signIns.signedIn(stranger.client, *bearer, co_await boost::asio::this_coro::executor);
    Guest guest{std::move(stranger.client), own.ticket};
    co_return guest;
}

net::Awaitable<Entrance::Entered> Entrance::enter(
    const net::HttpRequest& request, std::string_view scope, std::string_view otherScope)
{
    auto entered = co_await identify(request);
    if (!entered) {
        co_return entered;
    }
    const Client& client = entered->client;
    if (!client.caller.may(scope) && (otherScope.empty() || !client.caller.may(otherScope))) {
        co_return core::Unexpected<net::HttpResponse>(
            refuseWithout(scope, client, "this needs the scope " + std::string(scope)));
    }
    co_return entered;
}

net::HttpResponse Entrance::refuseWithout(std::string_view scope, const Client& client, std::string detail)
{
    const Fault fault{FaultCode::InsufficientScope, std::move(detail), std::nullopt};
    turnedAway(client, faultRow(fault.code).text);
    auto refused = problemResponse(fault);
    // RFC 6750 §3: which scope would do.
    refused.headers.set("WWW-Authenticate",
        "Bearer realm=\"vivavoce\", error=\"insufficient_scope\", scope=\"" + std::string(scope) + "\"");
    return refused;
}

net::Awaitable<bool> Entrance::isBorneBy(const net::HttpRequest& request, std::string_view scope)
{
    if (!request.headers.find("Authorization")) {
        co_return false;
    }
    // Whoever shows something is counted, and told of where it is wrong: the answer would tell a guess from a hit.
    const auto entered = co_await identify(request);
    co_return entered && entered->client.caller.may(scope);
}

void Entrance::countedElsewhere(const net::HttpRequest& request, const Guest& guest)
{
    if (const auto bearer = bearerOf(request)) {
        m_deps.gatekeeper.countedElsewhere(*bearer, guest.ticket);
    }
}

net::Awaitable<std::optional<Fault>> Entrance::witness(
    const Client& client, AuditEvent event, AuditOutcome outcome, std::string target)
{
    AuditRecord record = recordOf(client);
    record.event = event;
    record.outcome = outcome;
    record.why = "operator";
    record.target = std::move(target);
    const auto stored = co_await m_deps.audit.append(std::move(record));
    if (stored) {
        co_return std::nullopt;
    }
    co_return faultOfAudit(stored.error());
}

} // namespace vivavoce::broker::http
