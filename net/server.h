#pragma once

#include "core/base/error.h"
#include "core/base/units.h"
#include "net/awaitable.h"
#include "net/router.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::net {

/// Files in PEM. TLS 1.2 and 1.3 with AEAD suites only.
struct TlsFiles {
    std::string certificateChain;
    std::string privateKey;
};

/// Limits with their reasons: a peer that sends slowly, much or nothing costs a bounded amount of time and memory.
struct ServerLimits {
    std::size_t maxHeaderBytes = 16 * 1024;
    std::size_t maxTargetBytes = 8 * 1024;
    std::size_t maxBodyBytes = 256 * 1024;
    core::Milliseconds headerTimeout{10'000};
    core::Milliseconds bodyTimeout{10'000};
    core::Milliseconds idleTimeout{60'000};
    /// A handler that has not answered by then is cancelled, and the client gets 503. (It is awaited: a handler whose
    /// waits cannot be cancelled delays that.)
    core::Milliseconds handlerTimeout{30'000};
    std::size_t maxConnections = 1024;
    /// Of an IPv4 address, or of an IPv6 /64: whoever has one address of that has them all.
    std::size_t maxConnectionsPerAddress = 256;
    /// Proxies, from whose literal addresses many clients come.
    std::vector<std::string> uncappedAddresses{};
    /// Unsent bytes after which WebSocketSession::send waits.
    std::size_t webSocketQueueBytes = 512 * 1024;
    /// Nothing received for so long, in spite of a ping at half of it: the peer is gone. Only what is read counts.
    core::Milliseconds webSocketSilence{45'000};
    /// From the first byte of a message to its last; something of it has to come in each third of that. Otherwise 1008.
    core::Milliseconds webSocketMessageTime{30'000};
    /// What messages of more than 64 KiB that are not whole yet take in all connections together; 4013 for one more.
    std::size_t webSocketRoomBytes = 256 * 1024 * 1024;
};

struct ServerConfig {
    /// A literal address; "127.0.0.1" and "::1" are loopback.
    std::string address = "127.0.0.1";
    /// 0: chosen by the kernel.
    std::uint16_t port = 0;
    /// Both empty: plain HTTP.
    TlsFiles tls;
    ServerLimits limits;
};

/// Whether a server could greet with these. BadConfiguration.
[[nodiscard]] core::Expected<void, core::Error> checkTls(const TlsFiles& files);

/// An HTTP/1.1 and WebSocket server: a listener, a session per connection, each on one executor, and their task group.
/// Checks each header block before it is parsed: folded lines, not exactly one Host, both Content-Length and
/// Transfer-Encoding, an encoding other than chunked, bare LF and control characters are answered with 400 (RFC 9112 §3.2,
/// §5.2, §6.1). Trailer fields are dropped. Sends no Server field but with 101.
/// Lifetime: destroying it drops its sessions; what they hold of the router lives until their coroutines have ended. The
/// executors' contexts must still exist then.
class Server {
public:
    /// Binds and listens. The first of `executors` accepts connections, the one with the fewest gets them. BadConfiguration for a bad address or certificate, AlreadyRunning for a port in use.
    static core::Expected<std::unique_ptr<Server>, core::Error> create(
        std::vector<IoExecutor> executors, ServerConfig config, Router router);
    virtual ~Server() = default;

    /// Starts accepting. [any thread]
    virtual void start() = 0;
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    /// "http://127.0.0.1:40123" (or https). [any thread]
    [[nodiscard]] virtual std::string url() const = 0;
    [[nodiscard]] virtual std::size_t connections() const = 0;
    /// From now on requests are answered by `router`, and new connections greeted with this certificate and counted unless they come from
    /// `uncappedAddresses`; what is under way goes on as it began. BadConfiguration, and nothing has changed: a certificate that does not
    /// do, or a change between http and https. [any thread]
    virtual core::Expected<void, core::Error> replace(
        Router router, const TlsFiles& tls, const std::vector<std::string>& uncappedAddresses) = 0;
    /// Stops accepting, closes WebSockets with 1001, lets requests finish, and drops what is left at the deadline.
    virtual Awaitable<> drain(core::Milliseconds deadline) = 0;
};

} // namespace vivavoce::net
