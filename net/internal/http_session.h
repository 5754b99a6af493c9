#pragma once

#include "net/awaitable.h"
#include "net/internal/boost.h"
#include "net/internal/message_room.h"
#include "net/internal/tls.h"
#include "net/router.h"
#include "net/server.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace vivavoce::net {

/// What a server shows, and may change while it runs: whoever took something keeps it.
/// Threads: [any thread].
class ServerFace {
public:
    [[nodiscard]] std::shared_ptr<const Router> router() const
    {
        const std::lock_guard lock(m_mutex);
        return m_router;
    }
    /// Nothing: plain HTTP.
    [[nodiscard]] std::shared_ptr<ssl::context> tls() const
    {
        const std::lock_guard lock(m_mutex);
        return m_tls;
    }
    void replace(std::shared_ptr<const Router> router, std::shared_ptr<ssl::context> tls)
    {
        {
            const std::lock_guard lock(m_mutex);
            m_router.swap(router);
            m_tls.swap(tls);
        }
        // The old ones go outside the lock: they may own much.
    }

private:
    mutable std::mutex m_mutex;
    std::shared_ptr<const Router> m_router;
    std::shared_ptr<ssl::context> m_tls;
};

/// What every connection of a server shares.
struct ServerCore {
    explicit ServerCore(ServerConfig by) : config(std::move(by)), room(config.limits.webSocketRoomBytes) {}

    ServerConfig config;
    MessageRoom room;
    ServerFace face;
    std::atomic<bool> isDraining{false};
};

/// One accepted connection: requests one after another, at most one of them an upgrade to WebSocket.
/// Threads: its own executor. Lifetime: alive while `run` runs.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
public:
    static std::shared_ptr<HttpSession> create(
        std::shared_ptr<ServerCore> core, TcpSocket socket, const tcp::endpoint& remote);
    virtual ~HttpSession() = default;

    [[nodiscard]] virtual IoExecutor executor() const = 0;
    /// Until the connection ends, however it does. Does not throw.
    virtual Awaitable<> run() = 0;
    /// The server goes: a waiting connection closes, a WebSocket is told 1001, a request is let finish. [on its executor]
    virtual void goAway() = 0;
    /// Closes the socket under whatever goes on. [on its executor]
    virtual void drop() = 0;
};

/// An IPv4 peer of a dual-stack listener under its own address.
[[nodiscard]] asio::ip::address plainAddress(const asio::ip::address& address);
/// What one client may command of addresses: an IPv4 address, or an IPv6 /64.
[[nodiscard]] asio::ip::address networkOf(const asio::ip::address& address);

} // namespace vivavoce::net
