#include "broker/http/api.h"

#include "broker/http/admin_api.h"
#include "broker/http/alert_api.h"
#include "broker/http/openapi.h"
#include "broker/http/posted_stream_api.h"
#include "broker/http/problem_response.h"
#include "broker/http/project_api.h"
#include "broker/http/report_api.h"
#include "broker/http/request_checks.h"
#include "broker/http/resource_metadata_api.h"
#include "broker/http/security_headers.h"
#include "broker/http/session_api.h"
#include "broker/http/stream_api.h"
#include "broker/http/token_answer.h"
#include "broker/http/transcript_api.h"
#include "broker/http/usage_api.h"
#include "broker/resources.h"
#include "core/protocol/broker/health.h"

#include <nlohmann/json.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <new>
#include <system_error>
#include <utility>

namespace vivavoce::broker::http {
namespace {

namespace asio = boost::asio;

Fault invalidBody(const core::Error& error)
{
    return {FaultCode::InvalidBody, error.detail, std::nullopt};
}

net::HttpResponse internalFault()
{
    return problemResponse({FaultCode::Internal, {}, std::nullopt});
}

/// For the log: never what was thrown, whose text may hold anything.
const char* categoryOf(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const std::system_error&) {
        return "system";
    } catch (const std::bad_alloc&) {
        return "memory";
    } catch (const std::exception&) {
        return "exception";
    } catch (...) {
        return "unknown";
    }
}

const char* stateName(const std::optional<bool>& isFine)
{
    return !isFine ? "unknown" : *isFine ? "ok" : "failing";
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
    : m_settings(std::move(settings)), m_deps(std::move(dependencies)), m_cors(m_settings.allowedOrigins)
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
    // Balancers ask so, too.
    add(router, "HEAD", "/healthz", self, &Api::healthz);
    add(router, "HEAD", "/readyz", self, &Api::readyz);
    add(router, "GET", "/openapi.json", self, &Api::describe);
    const auto admin = std::make_shared<AdminApi>(
        AdminApi::Dependencies{m_deps.entrance, m_deps.gatekeeper, m_deps.ender, m_deps.owner});
    for (const AdminApi::Route& route : AdminApi::routes()) {
        add(router, route.method, route.path, admin, route.handler);
    }
    const auto sessions = std::make_shared<SessionApi>(SessionApi::Dependencies{
        m_deps.entrance, m_deps.gatekeeper, m_deps.tokens, m_deps.sessionTokens, m_deps.owner});
    for (const SessionApi::Route& route : SessionApi::routes()) {
        add(router, route.method, route.path, sessions, route.handler);
    }
    const auto usage = std::make_shared<UsageApi>(UsageApi::Dependencies{
        m_deps.entrance, m_deps.ledger, m_deps.rates, m_deps.gatekeeper, m_deps.clock, m_deps.workshop, m_deps.owner});
    add(router, "GET", "/api/voice/usage", usage, &UsageApi::report);
    add(router, "POST", "/api/voice/usage", usage, &UsageApi::take);
    const auto transcripts = std::make_shared<TranscriptApi>(transcripts::TranscriptBook(m_deps.database, m_deps.clock),
        TranscriptApi::Dependencies{m_deps.entrance, m_deps.audit, m_deps.projectTable != nullptr, m_deps.owner});
    for (const TranscriptApi::Route& route : TranscriptApi::routes()) {
        add(router, route.method, route.path, transcripts, route.handler);
    }
    const auto alerts =
        std::make_shared<AlertApi>(AlertApi::Dependencies{m_deps.entrance, m_deps.alertBook, m_deps.owner});
    add(router, "GET", "/api/admin/alerts", alerts, &AlertApi::list);
    const auto reports =
        std::make_shared<ReportApi>(reports::InvoiceBook(m_settings.reports,
                                        {m_deps.database, m_deps.clock, m_deps.rates.prices(), m_deps.workshop}),
            ReportApi::Dependencies{m_deps.entrance, m_deps.workshop, m_deps.owner});
    for (const ReportApi::Route& route : ReportApi::routes()) {
        add(router, route.method, route.path, reports, route.handler);
    }
    if (m_deps.projectTable != nullptr) {
        const auto projects = std::make_shared<ProjectApi>(
            ProjectApi::Dependencies{m_deps.entrance, *m_deps.projectTable, m_deps.ender, m_deps.owner});
        for (const ProjectApi::Route& route : ProjectApi::routes()) {
            add(router, route.method, route.path, projects, route.handler);
        }
    }
    for (const admin::Dashboard::Route& route : admin::Dashboard::routes()) {
        add(router, route.method, route.path, m_settings.dashboard, route.handler);
    }
    for (const admin::AuditApi::Route& route : admin::AuditApi::routes()) {
        add(router, route.method, route.path, m_settings.audit, route.handler);
    }
    addStream(router);
    const auto metrics =
        std::make_shared<MetricsApi>(MetricsApi::Dependencies{m_deps.entrance, m_settings.scrape, m_deps.owner});
    add(router, "GET", kMetricsPath, metrics, &MetricsApi::scrape);
    const auto metadata = std::make_shared<ResourceMetadataApi>(
        ResourceMetadataApi::Dependencies{m_deps.authenticator, m_settings.baseUrl, m_deps.owner});
    add(router, "GET", kResourceMetadataPath, metadata, &ResourceMetadataApi::describe);
    router.onUnrouted([self](const net::HttpRequest& request, unsigned status) {
        constexpr unsigned kInternal = 500;
        if (status == kInternal) {
            // What a handler threw is caught and told here before: this is an answer that cannot be sent.
            self->failed(request, "other", "unsendable");
        }
        self->m_deps.metrics.answeredUnrouted(request.method, status);
        return problemResponse({faultOfStatus(status), {}, std::nullopt});
    });
    router.onResponse([cors = m_cors, proxies = m_settings.trustedProxies, metadata, dashboard = m_settings.dashboard](
                          const net::HttpRequest& request, net::HttpResponse& response) {
        addSecurityHeaders(request, response, proxies);
        metadata->addTo(response);
        dashboard->pages().addTo(request, response);
        cors.addTo(request, response);
    });
    return router;
}

void Api::addStream(net::Router& router)
{
    const auto opener = std::make_shared<StreamOpener>(m_settings.relay,
        StreamOpener::Dependencies{m_deps.entrance, m_deps.door, m_deps.streams, m_deps.registry, m_deps.ledger,
            m_deps.rates, m_deps.providers, m_deps.gatekeeper, m_deps.transcriptDesk, m_deps.audit, m_deps.clock,
            m_deps.log, m_deps.metrics, m_deps.owner});
    const auto stream = std::make_shared<StreamApi>(m_settings.trustedProxies, m_settings.publicUrl,
        StreamApi::Dependencies{
            m_deps.entrance, opener, m_cors, m_deps.clock, m_deps.log, m_deps.metrics, shared_from_this()});
    // The others are for clients that know their provider's paths only.
    for (const char* const path : {"/api/voice/stream", "/v1/realtime",
             "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
             "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContent"}) {
        router.addWebSocket(path,
            [self = shared_from_this(), stream, path](const net::HttpRequest& request)
                -> net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> {
                auto upgrade = co_await self->guarded(stream->upgrade(request), request, path);
                if (!upgrade) {
                    co_return core::Unexpected<net::HttpResponse>(internalFault());
                }
                co_return std::move(*upgrade);
            });
    }
    const auto posted = std::make_shared<PostedStreamApi>(
        PostedStreamApi::Dependencies{m_deps.entrance, opener, m_deps.postedStreams, m_deps.clock, m_deps.owner});
    add(router, "POST", "/api/voice/stream", posted, &PostedStreamApi::post);
}

template <typename Owner, typename Method>
void Api::add(net::Router& router, const char* method, const char* path, std::shared_ptr<Owner> owner, Method handler)
{
    // The handlers own the API: the router lives as long as anybody may still call them.
    router.add(method, path,
        [self = shared_from_this(), owner, handler, path](
            const net::HttpRequest& request) -> net::Awaitable<net::HttpResponse> {
            const core::MonotonicTime since = self->m_deps.clock.now();
            net::HttpResponse response;
            if (auto refusal = refuseInsecure(request, self->m_settings.trustedProxies, self->m_settings.publicUrl)) {
                response = std::move(*refusal);
            } else {
                auto answer = co_await self->guarded((owner.get()->*handler)(request), request, path);
                response = answer ? std::move(*answer) : internalFault();
            }
            self->told(request, path, response, since);
            co_return response;
        });
    if (router.find("OPTIONS", path) == nullptr) {
        m_cors.answerPreflights(router, path);
    }
}

template <typename T>
net::Awaitable<std::optional<T>> Api::guarded(
    net::Awaitable<T> answer, const net::HttpRequest& request, const char* route)
{
    std::exception_ptr thrown;
    try {
        co_return std::optional<T>(co_await std::move(answer));
    } catch (...) {
        thrown = std::current_exception();
    }
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        // Nobody waits for the answer any more.
        std::rethrow_exception(thrown);
    }
    failed(request, route, categoryOf(thrown));
    co_return std::nullopt;
}

void Api::failed(const net::HttpRequest& request, const char* route, const char* category)
{
    m_deps.log.write(LogLevel::Error, "http.failed",
        {{"method", request.method}, {"path", route}, {"request", request.id}, {"category", category}});
}

void Api::told(
    const net::HttpRequest& request, const char* route, const net::HttpResponse& response, core::MonotonicTime since)
{
    const auto took = m_deps.clock.now() - since;
    m_deps.metrics.answered(request.method, route, response.status, took);
    // Somebody scrapes all the time: that is nothing to tell.
    const bool isScrape = route == std::string_view(kMetricsPath) && response.status == 200;
    const LogLevel level = response.status >= 500 ? LogLevel::Warning : isScrape ? LogLevel::Debug : LogLevel::Info;
    m_deps.log.write(level, "http.answered",
        {{"method", request.method}, {"path", route}, {"status", response.status}, {"request", request.id},
            {"peer", clientAddress(request, m_settings.trustedProxies)},
            {"ms", std::chrono::duration_cast<core::Milliseconds>(took).count()}});
}

net::Awaitable<net::HttpResponse> Api::token(const net::HttpRequest& request)
{
    auto response = co_await startSession(m_deps.entrance, m_deps.tokens, request, SessionTransport::Direct);
    co_return response;
}

net::Awaitable<net::HttpResponse> Api::refreshToken(const net::HttpRequest& request)
{
    auto stranger = m_deps.entrance.meet(request);
    const auto bearer = bearerOf(request);
    if (!bearer) {
        co_return m_deps.entrance.refuse(stranger, bearer.error(), faultRow(bearer.error().code).text);
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
    // Without an instance nothing tells one client's key from another's, and what believes itself a repetition would end the session.
    if (!key->empty() && !message->clientInstance) {
        co_return problemResponse(
            {FaultCode::InvalidIdempotencyKey, "it goes with the clientInstance whose key it is", std::nullopt});
    }
    Idempotency idempotency;
    if (message->clientInstance) {
        idempotency = {std::move(*key), *message->clientInstance};
    }
    // Before the database is asked: a good token would open it without end.
    const Admission own = m_deps.gatekeeper.admitCredential(*bearer);
    if (own.fault) {
        m_deps.entrance.turnedAway(stranger.client, faultRow(own.fault->code).text);
        co_return chargedProblem(*own.fault, own.charge);
    }
    auto look = m_deps.entrance.mayLook(stranger);
    if (!look) {
        m_deps.gatekeeper.countedElsewhere(*bearer, own.ticket);
        co_return m_deps.entrance.refuse(stranger, {}, {});
    }
    core::Secret token(*bearer);
    auto outcome =
        co_await m_deps.tokens.refresh(stranger.client, std::move(token), std::move(idempotency), std::move(*look));
    const Fault* const fault = outcome.result ? nullptr : &outcome.result.error();
    const bool isNobodys = fault != nullptr && fault->code == FaultCode::InvalidToken;
    std::string session;
    if (fault != nullptr && outcome.session) {
        // Whoever it is, the token is theirs: two users are two lines of the audit.
        stranger.client.caller.issuer = outcome.session->issuer;
        stranger.client.caller.subject = outcome.session->subject;
        session = outcome.session->id;
    }
    if (isNobodys || (outcome.charge && outcome.charge->decision.isAllowed)) {
        m_deps.gatekeeper.countedElsewhere(*bearer, own.ticket);
    }
    if (isNobodys) {
        co_return m_deps.entrance.refuse(stranger, *fault, faultRow(fault->code).text, session);
    }
    // What was counted in the bucket of a live session came with a good token; whatever else is counted where it came from.
    if (fault == nullptr || outcome.charge) {
        m_deps.entrance.hasProved(stranger);
    }
    if (fault != nullptr && isDenial(fault->code)) {
        m_deps.entrance.turnedAway(stranger.client, faultRow(fault->code).text, session);
    }
    co_return answerOf(outcome);
}

net::Awaitable<net::HttpResponse> Api::health(const net::HttpRequest& request)
{
    core::broker::Health health;
    const auto isProviderFine = m_deps.providers.areFine();
    health.status = isProviderFine == false ? "degraded" : "ok";
    const auto issuers = m_deps.authenticator.areIssuersFine();
    const StoreHealth limits = m_deps.gatekeeper.health();
    if (limits != StoreHealth::Ok || !m_deps.registry.isWorking() || !m_settings.isAuditWorking() || issuers == false
        || m_deps.projects.isWorking() == false) {
        health.status = "degraded";
    }
    const bool isAdmin = co_await m_deps.entrance.isBorneBy(request, auth::scope::kAdmin);
    if (isAdmin) {
        core::broker::HealthDetail detail;
        detail.services["provider"] = stateName(isProviderFine);
        detail.services["limits"] = storeName(limits);
        detail.services["database"] = m_deps.registry.isWorking() ? "ok" : "failing";
        detail.services["audit"] = m_settings.isAuditWorking() ? "ok" : "failing";
        if (const auto projects = m_deps.projects.isWorking()) {
            detail.services["projects"] = stateName(projects);
        }
        detail.services["issuers"] = stateName(issuers);
        detail.metrics.totalRequests = m_deps.metrics.requests();
        const auto live = co_await m_deps.registry.countAll();
        detail.metrics.activeSessions = static_cast<std::int64_t>(live.value_or(0));
        detail.metrics.totalRefreshes = m_deps.metrics.renewals();
        detail.metrics.errorRate = m_deps.metrics.errorRate();
        detail.metrics.averageResponseTime = m_deps.metrics.averageMilliseconds();
        detail.resources.uptimeSeconds =
            std::chrono::duration_cast<std::chrono::seconds>(m_deps.clock.now() - m_settings.started).count();
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
    // As long as every mint would be refused, requests belong elsewhere. All of it mends without requests.
    if (m_deps.gatekeeper.health() == StoreHealth::Down) {
        co_return problemResponse({FaultCode::Unavailable, "limits cannot be checked now", std::nullopt});
    }
    if (!m_settings.isAuditWorking()) {
        co_return problemResponse({FaultCode::Unavailable, "the audit trail cannot be written", std::nullopt});
    }
    if (!m_deps.registry.isWorking()) {
        co_return problemResponse({FaultCode::Unavailable, "the database cannot be asked now", std::nullopt});
    }
    co_return net::HttpResponse::json(200, core::broker::encode(core::broker::Health{}));
}

net::Awaitable<net::HttpResponse> Api::describe(const net::HttpRequest&)
{
    co_return net::HttpResponse::json(200, std::string(openApiDocument()));
}

} // namespace vivavoce::broker::http
