#pragma once

#include "core/base/expected.h"
#include "core/base/units.h"
#include "net/awaitable.h"
#include "net/http_message.h"
#include "net/websocket_session.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::net {

using HttpHandler = std::function<Awaitable<HttpResponse>(const HttpRequest&)>;

/// What to do with an upgrade that is welcome.
struct WebSocketAccept {
    /// One of those that the client offered, or empty.
    std::string subprotocol;
    /// A longer message ends the session with 1009.
    std::size_t maxMessageBytes = 1 << 20;
    /// Where they are not to be the server's.
    std::optional<std::size_t> queueBytes{};
    std::optional<core::Milliseconds> silence{};
    /// Runs for the life of the session, on its executor; when it returns the session is closed with 1000 unless closed before.
    std::function<Awaitable<>(WebSocketSession&)> run;
};

/// Looks at the upgrade request before 101: accepts it or answers with a plain response (401, 403, 404 …).
using UpgradeHandler = std::function<Awaitable<core::Expected<WebSocketAccept, HttpResponse>>(const HttpRequest&)>;

/// Maps methods and paths to handlers. A path is exact, or ends with a name in braces ("/session/{id}"), which stands for one segment that
/// is not empty. 404 for an unknown path, 405 with `Allow` for a known path with another method;
/// both bodies come from `onUnrouted`, so that each server speaks its own error format.
/// Threads: filled before the server starts, read by all of its threads.
class Router {
public:
    using Unrouted = std::function<HttpResponse(const HttpRequest&, unsigned status)>;

    void add(std::string method, std::string path, HttpHandler handler);
    void addWebSocket(std::string path, UpgradeHandler handler);
    /// Bodies for responses that no handler made: 400, 404, 405, 408, 413, 414, 415, 426, 431, 500, 503.
    void onUnrouted(Unrouted make);
    /// Runs over every response just before it leaves: security headers and the like.
    void onResponse(std::function<void(const HttpRequest&, HttpResponse&)> finish);

    [[nodiscard]] const HttpHandler* find(std::string_view method, std::string_view path) const;
    [[nodiscard]] const UpgradeHandler* findWebSocket(std::string_view path) const;
    /// "GET, POST" for a known path, empty for an unknown one.
    [[nodiscard]] std::string allowedMethods(std::string_view path) const;
    [[nodiscard]] HttpResponse unrouted(const HttpRequest& request, unsigned status) const;
    void finish(const HttpRequest& request, HttpResponse& response) const;

private:
    struct Route {
        std::string method;
        std::string path;
        HttpHandler handler;
    };
    struct WebSocketRoute {
        std::string path;
        UpgradeHandler handler;
    };
    std::vector<Route> m_routes;
    std::vector<WebSocketRoute> m_webSocketRoutes;
    Unrouted m_unrouted;
    std::function<void(const HttpRequest&, HttpResponse&)> m_finish;
};

} // namespace vivavoce::net
