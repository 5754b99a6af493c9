#pragma once

#include "broker/log.h"
#include "broker/metrics.h"
#include "broker/tokens/token_service.h"
#include "core/base/secret.h"
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
        TokenService& tokens;
        SessionRegistry& registry;
        const core::Clock& clock;
        Log& log;
        Metrics& metrics;
        /// Owns the above: a handler that is cut off when the io_context goes still lets go of its claim.
        std::shared_ptr<const void> owner;
    };
    struct Settings {
        /// The only one who may mint on this floor.
        core::Secret credential;
        std::vector<std::string> trustedProxies;
        /// Open connections, for the health page.
        std::function<std::size_t()> connections;
        /// False once the broker drains.
        std::function<bool()> isReady;
    };

    Api(Settings settings, Dependencies dependencies);
    [[nodiscard]] net::Router routes();

private:
    using Handler = net::Awaitable<net::HttpResponse> (Api::*)(const net::HttpRequest&);

    void add(net::Router& router, const char* method, const char* path, Handler handler);
    [[nodiscard]] net::Awaitable<net::HttpResponse> token(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> refreshToken(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> health(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> healthz(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> readyz(const net::HttpRequest& request);
    /// Nothing: the embedded credential is there and right.
    [[nodiscard]] std::optional<Fault> refuseCaller(const net::HttpRequest& request) const;
    void told(const net::HttpRequest& request, const net::HttpResponse& response, core::MonotonicTime since);

    const Settings m_settings;
    const Dependencies m_deps;
    const core::MonotonicTime m_started;
};

} // namespace vivavoce::broker::http
