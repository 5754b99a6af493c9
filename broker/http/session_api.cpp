#include "broker/http/session_api.h"

#include "broker/http/problem_response.h"
#include "broker/http/token_answer.h"
#include "core/base/json.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

namespace vivavoce::broker::http {

using core::Json;

namespace {

/// Left out where the limits' store is away: the sessions are worth telling all the same.
void addStanding(Json& limits, const Gatekeeper::Standing& standing)
{
    Json buckets = Json::array();
    for (const Charge& bucket : standing.buckets) {
        buckets.push_back({{"name", bucket.policy}, {"limit", bucket.limits.maxRequests},
            {"windowSeconds", std::chrono::ceil<std::chrono::seconds>(bucket.limits.window).count()},
            {"remaining", bucket.decision.remaining}, {"resetSeconds", bucket.decision.secondsToReset}});
    }
    limits["buckets"] = std::move(buckets);
    limits["blockedSeconds"] = standing.blockedFor.count();
}

} // namespace

std::vector<SessionApi::Route> SessionApi::routes()
{
    return {
        {"POST", "/api/voice/session", &SessionApi::start},
        {"GET", "/api/voice/session", &SessionApi::list},
        {"GET", "/.well-known/jwks.json", &SessionApi::keys},
    };
}

net::Awaitable<net::HttpResponse> SessionApi::start(const net::HttpRequest& request)
{
    auto response = co_await startSession(m_deps.entrance, m_deps.tokens, request, SessionTransport::Relay);
    co_return response;
}

net::Awaitable<net::HttpResponse> SessionApi::list(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kSession);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto live = co_await m_deps.tokens.sessionsOf(guest->client);
    if (!live) {
        co_return problemResponse(live.error());
    }
    Json sessions = Json::array();
    for (const LiveSession& session : *live) {
        const SessionRecord& record = session.record;
        Json item{{"sessionId", record.id}, {"transport", transportText(record.transport)}, {"model", record.model},
            {"startedAt", core::formatRfc3339(record.startedAt)},
            {"expiresAt", core::formatRfc3339(session.expiresAt)}};
        if (!record.project.empty()) {
            item["projectId"] = record.project;
        }
        sessions.push_back(std::move(item));
    }
    Visit visit;
    visit.user = guest->client.caller.key();
    visit.address = guest->client.address;
    const auto standing = co_await m_deps.gatekeeper.look(std::move(visit));
    Json limits{{"maxSessions", m_deps.tokens.mostSessionsOfOne()}};
    if (standing) {
        addStanding(limits, *standing);
    }
    const Json body{{"sessions", std::move(sessions)}, {"limits", std::move(limits)}};
    co_return net::HttpResponse::json(200, core::writeJson(body));
}

net::Awaitable<net::HttpResponse> SessionApi::keys(const net::HttpRequest&)
{
    co_return net::HttpResponse::json(200, core::writeJson(m_deps.sessionTokens.publishedKeys()));
}

} // namespace vivavoce::broker::http
