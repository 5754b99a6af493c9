#pragma once

#include "broker/http/cors.h"
#include "broker/http/stream_opener.h"
#include "net/router.h"

#include <memory>
#include <string>
#include <vector>

namespace vivavoce::broker::http {

/// The relay's door to the web: GET /api/voice/stream as a WebSocket, for whoever bears the token of a relayed session.
/// Threads: [any thread]; a stream on its client's executor. Lifetime: shared by the router's handlers and by streams that run.
class StreamApi : public std::enable_shared_from_this<StreamApi> {
public:
    struct Dependencies {
        Entrance& entrance;
        std::shared_ptr<StreamOpener> opener;
        const Cors& cors;
        const core::Clock& clock;
        Log& log;
        Metrics& metrics;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };
    using Upgrade = core::Expected<net::WebSocketAccept, net::HttpResponse>;

    StreamApi(std::vector<std::string> trustedProxies, std::string publicUrl, Dependencies dependencies)
        : m_trustedProxies(std::move(trustedProxies)),
          m_publicUrl(std::move(publicUrl)),
          m_deps(std::move(dependencies))
    {
    }

    /// A browser cannot send an Authorization field with a WebSocket: its page offers the subprotocol "bearer.<token>" beside another one.
    [[nodiscard]] net::Awaitable<Upgrade> upgrade(const net::HttpRequest& request);

private:
    [[nodiscard]] net::Awaitable<Upgrade> admitted(const net::HttpRequest& request);

    const std::vector<std::string> m_trustedProxies;
    const std::string m_publicUrl;
    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
