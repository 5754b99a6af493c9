#include "broker/http/api.h"

#include "broker/http/admin_api.h"
#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "broker/http/security_headers.h"
#include "broker/resources.h"
#include "core/protocol/broker/health.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::broker::http {
namespace {

net::HttpResponse answerOf(TokenOutcome& outcome)
{
    auto response = outcome.result ? net::HttpResponse::json(200, core::broker::encode(*outcome.result))
                                   : problemResponse(outcome.result.error());
    if (outcome.charge) {
        addRateLimit(response, *outcome.charge);
    }
    return response;
}

net::HttpResponse charged(const Fault& fault, const std::optional<Charge>& charge)
{
    auto response = problemResponse(fault);
    if (charge) {
        addRateLimit(response, *charge);
    }
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

const char* storeName(StoreHealth health)
{
    switch (health) {
    case StoreHealth::Ok:
        return "ok";
    case StoreHealth::Degraded:
        return "degraded";
    case StoreHealth::Down:
        return "failing";
    }
    return "unknown";
}

} // namespace

Api::Api(Settings settings, Dependencies dependencies)
    : m_settings(std::move(settings)),
      m_deps(std::move(dependencies)),
      m_started(m_deps.clock.now()),
      m_cors(m_settings.allowedOrigins)
{
}

net::Router Api::routes()
{
    net::Router router;
    const auto self = shared_from_this();
    add(router, "POST", "/api/voice-agent/token", self, &Api::token);
    add(router, "POST", "/api/voice-agent/refresh-token", self, &Api::refreshToken);
    add(router, "GET", "/api/voice-agent/health", self, &Api::health);
    add(router, "GET", "/healthz", self, &Api::healthz);
    add(router, "GET", "/readyz", self, &Api::readyz);
    const auto admin = std::make_shared<AdminApi>(
        AdminApi::Dependencies{m_deps.entrance, m_deps.gatekeeper, m_deps.tokens, m_deps.owner});
    for (const AdminApi::Route& route : AdminApi::routes()) {
        add(router, route.method, route.path, admin, route.handler);
    }
    router.onUnrouted([](const net::HttpRequest&, unsigned status) {
        return problemResponse({faultOfStatus(status), {}, std::nullopt});
    });
    router.onResponse([cors = m_cors](const net::HttpRequest& request, net::HttpResponse& response) {
        addSecurityHeaders(request, response);
        cors.addTo(request, response);
    });
    return router;
}

template <typename Owner, typename Method>
void Api::add(net::Router& router, const char* method, const char* path, std::shared_ptr<Owner> owner, Method handler)
{
    // The handlers own the API: the router lives as long as anybody may still call them.
    router.add(method, path,
        [self = shared_from_this(), owner, handler](
            const net::HttpRequest& request) -> net::Awaitable<net::HttpResponse> {
            const core::MonotonicTime since = self->m_deps.clock.now();
            net::HttpResponse response;
            if (auto refusal = refuseInsecure(request, self->m_settings.trustedProxies)) {
                response = std::move(*refusal);
            } else {
                response = co_await (owner.get()->*handler)(request);
            }
            self->told(request, response, since);
            co_return response;
        });
    if (router.find("OPTIONS", path) == nullptr) {
        m_cors.answerPreflights(router, path);
    }
}

void Api::told(const net::HttpRequest& request, const net::HttpResponse& response, core::MonotonicTime since)
{
    const auto took = m_deps.clock.now() - since;
    m_deps.metrics.answered(response.status, took);
    m_deps.log.write(response.status >= 500 ? LogLevel::Warning : LogLevel::Info, "http.answered",
        {{"method", request.method}, {"path", request.path}, {"status", response.status}, {"request", request.id},
            {"peer", request.peer.address}, {"ms", std::chrono::duration_cast<core::Milliseconds>(took).count()}});
}

net::Awaitable<net::HttpResponse> Api::token(const net::HttpRequest& request)
{
    auto client = co_await m_deps.entrance.enter(request, auth::scope::kMint);
    if (!client) {
        co_return std::move(client.error());
    }
    auto message = checkContentType(request)
        ? core::Expected<core::broker::TokenRequest, core::Error>(core::broker::TokenRequest())
        : core::broker::decodeTokenRequest(request.body);
    // A session that is continued has its own bucket, and is charged where the session is known.
    if (message && message->resumeSessionId) {
        auto outcome = co_await m_deps.tokens.resume(std::move(*client), std::move(*message));
        co_return answerOf(outcome);
    }
    Admission admission = co_await m_deps.tokens.admitMint(*client);
    if (admission.fault) {
        m_deps.entrance.turnedAway(*client, *admission.fault, faultRow(admission.fault->code).text);
        co_return charged(*admission.fault, admission.charge);
    }
    if (const auto fault = checkContentType(request)) {
        co_return charged(*fault, admission.charge);
    }
    if (!message) {
        co_return charged(invalidBody(message.error()), admission.charge);
    }
    auto outcome = co_await m_deps.tokens.mint(std::move(*client), std::move(*message));
    outcome.charge = std::move(admission.charge);
    co_return answerOf(outcome);
}

net::Awaitable<net::HttpResponse> Api::refreshToken(const net::HttpRequest& request)
{
    auto client = m_deps.entrance.enterUnknown(request);
    if (!client) {
        co_return std::move(client.error());
    }
    const auto bearer = bearerOf(request);
    if (!bearer) {
        m_deps.entrance.turnedAway(*client, bearer.error(), faultRow(bearer.error().code).text);
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
    auto outcome = co_await m_deps.tokens.refresh(*client, token, std::move(idempotency));
    if (outcome.result) {
        m_deps.entrance.hasProved(*client);
    } else {
        const Fault& fault = outcome.result.error();
        m_deps.entrance.turnedAway(*client, fault, faultRow(fault.code).text);
    }
    co_return answerOf(outcome);
}

net::Awaitable<net::HttpResponse> Api::health(const net::HttpRequest& request)
{
    core::broker::Health health;
    const auto state = m_deps.tokens.providerState();
    health.status = state == TokenService::ProviderState::Failing ? "degraded" : "ok";
    const auto issuers = m_deps.authenticator.areIssuersFine();
    const StoreHealth limits = m_deps.gatekeeper.health();
    if (limits != StoreHealth::Ok || !m_settings.isAuditWorking() || issuers == false) {
        health.status = "degraded";
    }
    const bool isAdmin = co_await m_deps.entrance.isBorneBy(request, auth::scope::kAdmin);
    if (isAdmin) {
        core::broker::HealthDetail detail;
        detail.services["provider"] = stateName(state);
        detail.services["limits"] = storeName(limits);
        detail.services["audit"] = m_settings.isAuditWorking() ? "ok" : "failing";
        detail.services["issuers"] = !issuers ? "unknown" : *issuers ? "ok" : "failing";
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
