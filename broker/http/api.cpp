#include "broker/http/api.h"

#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "broker/http/security_headers.h"
#include "broker/resources.h"
#include "core/protocol/broker/health.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::broker::http {
namespace {

/// The one caller of this floor: the app that started us.
constexpr const char* kEmbeddedCaller = "embedded";

net::HttpResponse answerOf(TokenOutcome& outcome)
{
    auto response = outcome.result ? net::HttpResponse::json(200, core::broker::encode(*outcome.result))
                                   : problemResponse(outcome.result.error());
    if (outcome.charge) {
        addRateLimit(response, *outcome.charge);
    }
    return response;
}

net::HttpResponse charged(const Fault& fault, const Charge& charge)
{
    auto response = problemResponse(fault);
    addRateLimit(response, charge);
    return response;
}

Fault invalidBody(const core::Error& error)
{
    return {FaultCode::InvalidBody, error.detail, std::nullopt};
}

const char* stateName(TokenService::ProviderState state)
{
    switch (state) {
    case TokenService::ProviderState::Unknown:
        return "unknown";
    case TokenService::ProviderState::Ok:
        return "ok";
    case TokenService::ProviderState::Failing:
        return "failing";
    }
    return "unknown";
}

} // namespace

Api::Api(Settings settings, Dependencies dependencies)
    : m_settings(std::move(settings)), m_deps(std::move(dependencies)), m_started(m_deps.clock.now())
{
}

net::Router Api::routes()
{
    net::Router router;
    add(router, "POST", "/api/voice-agent/token", &Api::token);
    add(router, "POST", "/api/voice-agent/refresh-token", &Api::refreshToken);
    add(router, "GET", "/api/voice-agent/health", &Api::health);
    add(router, "GET", "/healthz", &Api::healthz);
    add(router, "GET", "/readyz", &Api::readyz);
    router.onUnrouted([](const net::HttpRequest&, unsigned status) {
        return problemResponse({faultOfStatus(status), {}, std::nullopt});
    });
    router.onResponse(&addSecurityHeaders);
    return router;
}

void Api::add(net::Router& router, const char* method, const char* path, Handler handler)
{
    // The handlers own the API: the router lives as long as anybody may still call them.
    router.add(method, path,
        [self = shared_from_this(), handler](const net::HttpRequest& request) -> net::Awaitable<net::HttpResponse> {
            const core::MonotonicTime since = self->m_deps.clock.now();
            net::HttpResponse response;
            if (auto refusal = refuseInsecure(request, self->m_settings.trustedProxies)) {
                response = std::move(*refusal);
            } else {
                response = co_await (self.get()->*handler)(request);
            }
            self->told(request, response, since);
            co_return response;
        });
}

void Api::told(const net::HttpRequest& request, const net::HttpResponse& response, core::MonotonicTime since)
{
    const auto took = m_deps.clock.now() - since;
    m_deps.metrics.answered(response.status, took);
    m_deps.log.write(response.status >= 500 ? LogLevel::Warning : LogLevel::Info, "http.answered",
        {{"method", request.method}, {"path", request.path}, {"status", response.status}, {"request", request.id},
            {"peer", request.peer.address}, {"ms", std::chrono::duration_cast<core::Milliseconds>(took).count()}});
}

std::optional<Fault> Api::refuseCaller(const net::HttpRequest& request) const
{
    const auto bearer = bearerOf(request);
    if (!bearer) {
        return bearer.error();
    }
    if (!m_settings.credential.equals(*bearer)) {
        return Fault{FaultCode::InvalidToken, "not a credential of this broker", std::nullopt};
    }
    return std::nullopt;
}

net::Awaitable<net::HttpResponse> Api::token(const net::HttpRequest& request)
{
    if (const auto fault = refuseCaller(request)) {
        m_deps.log.write(
            LogLevel::Warning, "auth.refused", {{"request", request.id}, {"code", faultRow(fault->code).text}});
        co_return problemResponse(*fault);
    }
    auto message = checkContentType(request)
        ? core::Expected<core::broker::TokenRequest, core::Error>(core::broker::TokenRequest())
        : core::broker::decodeTokenRequest(request.body);
    // A session that is continued has its own bucket, and is charged where the session is known.
    if (message && message->resumeSessionId) {
        auto outcome = co_await m_deps.tokens.resume(kEmbeddedCaller, std::move(*message));
        co_return answerOf(outcome);
    }
    Charge charge = m_deps.tokens.chargeMint(kEmbeddedCaller);
    if (!charge.decision.isAllowed) {
        co_return charged(rateLimited(charge), charge);
    }
    if (const auto fault = checkContentType(request)) {
        co_return charged(*fault, charge);
    }
    if (!message) {
        co_return charged(invalidBody(message.error()), charge);
    }
    auto outcome = co_await m_deps.tokens.mint(kEmbeddedCaller, std::move(*message));
    outcome.charge = std::move(charge);
    co_return answerOf(outcome);
}

net::Awaitable<net::HttpResponse> Api::refreshToken(const net::HttpRequest& request)
{
    const auto bearer = bearerOf(request);
    if (!bearer) {
        co_return problemResponse(bearer.error());
    }
    if (const auto fault = checkContentType(request)) {
        co_return problemResponse(*fault);
    }
    const auto message = core::broker::decodeRefreshRequest(request.body);
    if (!message) {
        co_return problemResponse(invalidBody(message.error()));
    }
    auto key = idempotencyKeyOf(request);
    if (!key) {
        co_return problemResponse(key.error());
    }
    // Without an instance nothing tells one client's key from another's: then there is no repetition.
    Idempotency idempotency;
    if (message->clientInstance) {
        idempotency = {std::move(*key), *message->clientInstance};
    }
    const core::Secret token(*bearer);
    auto outcome = co_await m_deps.tokens.refresh(token, std::move(idempotency));
    co_return answerOf(outcome);
}

net::Awaitable<net::HttpResponse> Api::health(const net::HttpRequest& request)
{
    core::broker::Health health;
    const auto state = m_deps.tokens.providerState();
    health.status = state == TokenService::ProviderState::Failing ? "degraded" : "ok";
    if (!refuseCaller(request)) {
        core::broker::HealthDetail detail;
        detail.services["provider"] = stateName(state);
        detail.metrics.totalRequests = m_deps.metrics.requests();
        detail.metrics.activeSessions = static_cast<std::int64_t>(m_deps.registry.active());
        detail.metrics.totalRefreshes = m_deps.tokens.totalRefreshes();
        detail.metrics.errorRate = m_deps.metrics.errorRate();
        detail.metrics.averageResponseTime = m_deps.metrics.averageMilliseconds();
        detail.resources.uptimeSeconds =
            std::chrono::duration_cast<std::chrono::seconds>(m_deps.clock.now() - m_started).count();
        detail.resources.memoryBytes = residentBytes();
        detail.resources.connections = static_cast<std::int64_t>(m_settings.connections());
        health.detail = std::move(detail);
    }
    co_return net::HttpResponse::json(200, core::broker::encode(health));
}

net::Awaitable<net::HttpResponse> Api::healthz(const net::HttpRequest&)
{
    co_return net::HttpResponse::json(200, core::broker::encode(core::broker::Health{}));
}

net::Awaitable<net::HttpResponse> Api::readyz(const net::HttpRequest&)
{
    if (!m_settings.isReady()) {
        co_return problemResponse({FaultCode::Unavailable, "the broker is going down", std::nullopt});
    }
    co_return net::HttpResponse::json(200, core::broker::encode(core::broker::Health{}));
}

} // namespace vivavoce::broker::http
