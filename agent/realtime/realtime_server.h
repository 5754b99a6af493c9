#pragma once

#include "agent/realtime/access.h"
#include "agent/realtime/client_secrets.h"
#include "agent/realtime/realtime_session.h"
#include "core/base/secret.h"
#include "net/router.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace vivavoce::agent::realtime {

struct RealtimeServerConfig {
    /// The API credential; empty: see Access.
    core::Secret credential;
    std::size_t maxSessions = 64;
    core::Milliseconds maxDuration = RealtimeSession::kMaxDuration;
    /// One line for each session that opens, ends or is refused; never a credential. [any thread]
    std::function<void(std::string_view line)> log = [](std::string_view) {};
};

/// The routes of an OpenAI Realtime (GA) server: POST /v1/realtime/client_secrets, WebSocket /v1/realtime, GET /healthz.
/// Sessions beyond the limit get an `error` event (`session_limit_reached`) and close code 1013.
/// Threads: handlers run on the server's threads. Lifetime: the router holds it.
class RealtimeServer : public std::enable_shared_from_this<RealtimeServer> {
public:
    RealtimeServer(RealtimeServerConfig config, SpeechParts parts);

    /// OpenAI's error bodies and the security headers of a JSON API included.
    [[nodiscard]] net::Router routes();
    /// Sessions that are open. [any thread]
    [[nodiscard]] std::size_t sessions() const { return m_sessions; }

private:
    [[nodiscard]] net::HttpResponse mint(const net::HttpRequest& request);
    [[nodiscard]] core::Expected<net::WebSocketAccept, net::HttpResponse> accept(const net::HttpRequest& request);
    net::Awaitable<> hold(net::WebSocketSession& socket, SessionSettings settings);

    const RealtimeServerConfig m_config;
    const SpeechParts m_parts;
    ClientSecrets m_secrets;
    const Access m_access;
    std::atomic<std::size_t> m_sessions = 0;
};

} // namespace vivavoce::agent::realtime
