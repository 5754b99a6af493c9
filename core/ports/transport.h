#pragma once

#include "core/base/error.h"
#include "core/base/secret.h"
#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vivavoce::core {

/// Where the credential goes in the WebSocket handshake.
/// Token: "Authorization: Token …", as Gemini wants its ephemeral tokens.
enum class AuthStyle { Bearer, ApiKeyHeader, Subprotocol, Token, None };

struct TransportTarget {
    /// wss://, or ws:// to loopback.
    std::string url;
    AuthStyle auth = AuthStyle::Bearer;
    /// Null with AuthStyle::None.
    std::shared_ptr<const Secret> credential;
    /// For the handshake as a whole.
    Milliseconds timeout{10'000};
    std::size_t maxMessageBytes = 16 * 1024 * 1024;
};

/// How the connection ended: the peer's close code and reason (RFC 6455 §7.4).
struct TransportClose {
    std::uint16_t code = 1006;
    std::string reason;
};

/// What a transport tells. Exactly one of `transportClosed` and `transportFailed` ends it, and nothing follows.
class TransportListener {
public:
    virtual ~TransportListener() = default;
    virtual void transportOpened() = 0;
    /// One whole text message. Providers that send JSON in binary frames are told apart by the session, not here.
    virtual void textReceived(std::string_view message) = 0;
    virtual void binaryReceived(std::string_view message) = 0;
    /// The other side has answered that ping, the first of the connection being 1: it is there, and has got all that was sent before it.
    virtual void pingAnswered(std::uint64_t ping) = 0;
    /// The other side ends the connection within that time, and says so before; not every protocol has a word for that.
    virtual void endAnnounced(Milliseconds /*left*/) {}
    virtual void transportClosed(const TransportClose& close) = 0;
    /// ProviderUnreachable, ProviderMessageTooBig, Timeout, InsecureUrl; of an HTTP answer instead of 101 what codeOfRefusedHandshake says.
    virtual void transportFailed(const Error& error) = 0;
};

/// Port: one message connection.
/// Lifetime: used once; destroying it drops the connection and silences it.
/// Threads: the executor's own thread; the listener is never called from within a call to the transport.
class Transport {
public:
    virtual ~Transport() = default;
    virtual void open(const TransportTarget& target, TransportListener& listener) = 0;
    /// Queues one text message; ignored unless open.
    virtual void send(std::string_view message) = 0;
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    /// Asks for a sign of life; ignored unless open.
    virtual void ping() = 0;
    /// Bytes sent that the other side is not known to have: by the answers to pings, for what has left this process may wait anywhere.
    /// Of a peer that has answered none yet: those that have not left this process.
    [[nodiscard]] virtual std::size_t bufferedBytes() const = 0;
};

class TransportFactory {
public:
    virtual ~TransportFactory() = default;
    [[nodiscard]] virtual std::unique_ptr<Transport> create() = 0;
};

} // namespace vivavoce::core
