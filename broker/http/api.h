#pragma once

#include "broker/http/cors.h"
#include "broker/http/entrance.h"
#include "broker/log.h"
#include "broker/metrics.h"
#include "broker/tokens/token_service.h"
#include "net/router.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::broker::http {

/// The broker's routes (docs/protocol.md): checks who asks and what, asks the token service, writes the answer down.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class Api : public std::enable_shared_from_this<Api> {
public:
    struct Dependencies {
        Entrance& entrance;
        auth::Authenticator& authenticator;
        Gatekeeper& gatekeeper;
        TokenService& tokens;
        SessionRegistry& registry;
        const core::Clock& clock;
        Log& log;
        Metrics& metrics;
        /// Owns the above: a handler that is cut off when the io_context goes still lets go of its claim.
        std::shared_ptr<const void> owner;
    };
    struct Settings {
        std::vector<std::string> trustedProxies;
        std::vector<std::string> allowedOrigins;
        /// Open connections, for the health page.
        std::function<std::size_t()> connections;
        /// False once the broker drains.
        std::function<bool()> isReady;
        /// Whether the audit takes records, for the health page.
        std::function<bool()> isAuditWorking;
    };

    Api(Settings settings, Dependencies dependencies);
    [[nodiscard]] net::Router routes();

private:
    using Handler = net::Awaitable<net::HttpResponse> (Api::*)(const net::HttpRequest&);

    /// With the checks and the log that every route has.
    template <typename Owner, typename Method>
    void add(net::Router& router, const char* method, const char* path, std::shared_ptr<Owner> owner, Method handler);
    [[nodiscard]] net::Awaitable<net::HttpResponse> token(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> refreshToken(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> health(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> healthz(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> readyz(const net::HttpRequest& request);
    void told(const net::HttpRequest& request, const net::HttpResponse& response, core::MonotonicTime since);

    const Settings m_settings;
    const Dependencies m_deps;
    const core::MonotonicTime m_started;
    const Cors m_cors;
};

} // namespace vivavoce::broker::http
