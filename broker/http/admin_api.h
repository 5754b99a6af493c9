#pragma once

#include "broker/http/entrance.h"
#include "broker/tokens/session_ender.h"
#include "net/router.h"

#include <memory>

namespace vivavoce::broker::http {

/// What admins do: see and lift blocks, end other people's sessions; and what everybody does with their own.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class AdminApi : public std::enable_shared_from_this<AdminApi> {
public:
    struct Dependencies {
        Entrance& entrance;
        Gatekeeper& gatekeeper;
        SessionEnder& ender;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };
    using Handler = net::Awaitable<net::HttpResponse> (AdminApi::*)(const net::HttpRequest&);
    struct Route {
        const char* method;
        const char* path;
        Handler handler;
    };

    explicit AdminApi(Dependencies dependencies) : m_deps(std::move(dependencies)) {}
    [[nodiscard]] static std::vector<Route> routes();

    [[nodiscard]] net::Awaitable<net::HttpResponse> endSession(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> listBlocks(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> liftBlock(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> revokeSessions(const net::HttpRequest& request);

private:
    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
