#pragma once

#include "net/awaitable.h"
#include "net/internal/boost.h"
#include "net/internal/tls.h"
#include "net/router.h"
#include "net/server.h"

#include <functional>
#include <memory>

namespace vivavoce::net {

/// What every connection of a server shares.
struct ServerCore {
    ServerConfig config;
    Router router;
    std::shared_ptr<ssl::context> tls;
    std::atomic<bool> isDraining{false};
};

/// One accepted connection: requests one after another, at most one of them an upgrade to WebSocket.
/// Threads: its own strand. Lifetime: alive while `run` runs.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
public:
    static std::shared_ptr<HttpSession> create(std::shared_ptr<ServerCore> core, tcp::socket socket);
    virtual ~HttpSession() = default;

    [[nodiscard]] virtual IoExecutor executor() const = 0;
    /// Until the connection ends, however it does. Does not throw.
    virtual Awaitable<> run() = 0;
    /// The server goes: a waiting connection closes, a WebSocket is told 1001, a request is let finish. [on its strand]
    virtual void goAway() = 0;
};

} // namespace vivavoce::net
