#pragma once

#include "broker/http/entrance.h"
#include "net/router.h"

#include <memory>

namespace vivavoce::broker::http {

/// Sessions through the relay: starts them, and lists a caller's own; the keys that their tokens are signed with.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class SessionApi : public std::enable_shared_from_this<SessionApi> {
public:
    struct Dependencies {
        Entrance& entrance;
        Gatekeeper& gatekeeper;
        TokenService& tokens;
        const SessionTokens& sessionTokens;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };
    using Handler = net::Awaitable<net::HttpResponse> (SessionApi::*)(const net::HttpRequest&);
    struct Route {
        const char* method;
        const char* path;
        Handler handler;
    };

    explicit SessionApi(Dependencies dependencies) : m_deps(std::move(dependencies)) {}
    [[nodiscard]] static std::vector<Route> routes();

    [[nodiscard]] net::Awaitable<net::HttpResponse> start(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> list(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> keys(const net::HttpRequest& request);

private:
    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
