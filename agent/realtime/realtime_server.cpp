#include "agent/realtime/realtime_server.h"

#include "agent/realtime/client_limits.h"
#include "agent/realtime/session_socket.h"
#include "core/base/json.h"
#include "core/base/random_id.h"
#include "core/protocol/openai/client_secret.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <utility>

namespace vivavoce::agent::realtime {

using core::Json;

namespace {

constexpr std::int64_t kDefaultLifeSeconds = 600;
/// The longest append as base64, and its JSON.
constexpr std::size_t kMaxMessageBytes = kMaxAppendBytes / 3 * 4 + 64 * 1024;
constexpr std::uint16_t kTryAgainLater = 1013;

std::int64_t unixSeconds(const core::Clock& clock)
{
    return std::chrono::duration_cast<std::chrono::seconds>(clock.wallNow().time_since_epoch()).count();
}

net::HttpResponse errorResponse(unsigned status, const EventFault& fault)
{
    const Json param = fault.param.empty() ? Json(nullptr) : Json(fault.param);
    const Json code = fault.code.empty() ? Json(nullptr) : Json(fault.code);
    const Json body{{"error", {{"message", fault.message}, {"type", fault.type}, {"param", param}, {"code", code}}}};
    return net::HttpResponse::json(status, core::writeJson(body));
}

EventFault unroutedFault(const net::HttpRequest& request, unsigned status)
{
    switch (status) {
    case 404:
        return {"unknown_url", "Unknown request URL: " + request.method + " " + request.path + ".", {}};
    case 405:
        return {"method_not_supported", "This method is not allowed here.", {}};
    case 413:
        return {"request_too_large", "The request is too large.", {}};
    case 426:
        return {"upgrade_required", "This is a WebSocket endpoint.", {}};
    default:
        return {{}, "The request cannot be served.", {}, status >= 500 ? "server_error" : "invalid_request_error"};
    }
}

/// Counts a session while it lives.
class Seat {
public:
    explicit Seat(std::atomic<std::size_t>& taken) : m_taken(taken), m_number(++taken) {}
    ~Seat() { --m_taken; }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    [[nodiscard]] std::size_t number() const { return m_number; }

private:
    std::atomic<std::size_t>& m_taken;
    const std::size_t m_number;
};

} // namespace

RealtimeServer::RealtimeServer(RealtimeServerConfig config, SpeechParts parts)
    : m_config(RealtimeServerConfig{{}, config.maxSessions, config.maxDuration, config.log}),
      m_parts(std::move(parts)),
      m_secrets([&clock = m_parts.clock] { return unixSeconds(clock); }),
      m_access(std::move(config.credential), m_secrets)
{
}

net::Router RealtimeServer::routes()
{
    net::Router router;
    // The handlers own the server: the router lives as long as anybody may still call them.
    const auto self = shared_from_this();
    router.add("POST", "/v1/realtime/client_secrets",
        [self](
            const net::HttpRequest& request) -> net::Awaitable<net::HttpResponse> { co_return self->mint(request); });
    router.add("GET", "/healthz", [self](const net::HttpRequest&) -> net::Awaitable<net::HttpResponse> {
        co_return net::HttpResponse::json(200, core::writeJson({{"status", "ok"}, {"sessions", self->sessions()}}));
    });
    router.addWebSocket("/v1/realtime",
        [self](const net::HttpRequest& request)
            -> net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> {
            co_return self->accept(request);
        });
    router.onUnrouted([](const net::HttpRequest& request, unsigned status) {
        return errorResponse(status, unroutedFault(request, status));
    });
    router.onResponse([](const net::HttpRequest& request, net::HttpResponse& response) {
        response.headers.set("Cache-Control", "no-store");
        response.headers.set("X-Content-Type-Options", "nosniff");
        response.headers.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
        response.headers.set("X-Request-Id", request.id);
    });
    return router;
}

net::HttpResponse RealtimeServer::mint(const net::HttpRequest& request)
{
    if (!m_access.mayMint(request)) {
        auto response = errorResponse(401, {"invalid_api_key", "Incorrect API key provided.", {}});
        response.headers.set("WWW-Authenticate", "Bearer error=\"invalid_token\"");
        return response;
    }
    if (request.body.size() > ClientSecrets::kMaxRequestBytes) {
        return errorResponse(400, invalidValue("session", "The session settings are too long for a client secret."));
    }
    auto body = core::openai::decodeClientSecretRequest(request.body.empty() ? "{}" : request.body);
    if (!body) {
        return errorResponse(400, unreadable(body.error()));
    }
    core::openai::Session session = std::move(body->session).value_or(core::openai::Session{});
    if (const auto fault = beyondLimits(session)) {
        return errorResponse(400, *fault);
    }
    const auto defaults =
        SessionSettings::defaults(session.model.value_or("gpt-realtime"), "sess_" + core::randomId(), 0);
    const auto effective = defaults.merged(session, false);
    if (!effective) {
        return errorResponse(400, effective.error());
    }
    const auto minted = m_secrets.mint(body->expiresAfterSeconds.value_or(kDefaultLifeSeconds), std::move(session));
    if (!minted) {
        return errorResponse(429, {"rate_limit_exceeded", "Too many client secrets are alive.", {}});
    }
    return net::HttpResponse::json(200,
        encode(core::openai::ClientSecret{core::Secret(minted->value), minted->expiresAt, effective->effective()}));
}

core::Expected<net::WebSocketAccept, net::HttpResponse> RealtimeServer::accept(const net::HttpRequest& request)
{
    net::WebSocketAccept welcome;
    welcome.subprotocol = offersRealtime(request) ? "realtime" : "";
    welcome.maxMessageBytes = kMaxMessageBytes;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(m_config.maxDuration).count();
    auto settings = m_access.admit(request, "sess_" + core::randomId(), unixSeconds(m_parts.clock) + seconds);
    if (!settings) {
        m_config.log("session refused: " + settings.error().fault.code);
        welcome.run = [refusal = settings.error()](
                          net::WebSocketSession& socket) { return refuse(socket, refusal.fault, refusal.closeCode); };
        return welcome;
    }
    welcome.run = [self = shared_from_this(), settings = *settings](
                      net::WebSocketSession& socket) { return self->hold(socket, settings); };
    return welcome;
}

net::Awaitable<> RealtimeServer::hold(net::WebSocketSession& socket, SessionSettings settings)
{
    const auto self = shared_from_this();
    const Seat seat(m_sessions);
    if (seat.number() > m_config.maxSessions) {
        m_config.log("session refused: session_limit_reached");
        // A named object: GCC 12 destroys braced arguments of a coroutine twice.
        EventFault full{"session_limit_reached", "Too many sessions are open.", {}, "server_error"};
        co_await refuse(socket, std::move(full), kTryAgainLater);
        co_return;
    }
    const std::string id = settings.effective().id.value_or(std::string());
    m_config.log("session opened: " + id);
    co_await converse(socket, m_parts, std::move(settings), m_config.maxDuration);
    m_config.log("session ended: " + id);
}

} // namespace vivavoce::agent::realtime
