#pragma once

#include "core/base/expected.h"
#include "core/base/units.h"
#include "net/awaitable.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vivavoce::net {

struct WebSocketMessage {
    enum class Kind { Text, Binary };
    Kind kind = Kind::Text;
    std::string data;
};

/// How a WebSocket ended: the close code and reason of whoever closed first, or 1006 with our reason where there was no close frame,
/// 1009 for a message over the limit, 1007 for bad UTF-8, 1002 for a protocol fault (RFC 6455 §7.4.1).
struct WebSocketClose {
    std::uint16_t code = 1006;
    std::string reason;
    /// It was we who closed first, for what the peer sent perhaps.
    bool isOurs = false;
};

/// One accepted or dialled WebSocket.
/// Messages are whole, and are sent whole (never fragmented), in order. Compression is off.
/// Threads: the session's own executor, but for `executor()`. One reader and any number of senders at a time.
class WebSocketSession {
public:
    virtual ~WebSocketSession() = default;

    /// The executor that everything about this session runs on. [any thread]
    [[nodiscard]] virtual IoExecutor executor() const = 0;
    /// The next message, or how it ended, again and again. Pings and pongs are seen only in here: a peer is judged by its silence while it
    /// is read, and a session that nobody reads may be dead for long.
    virtual Awaitable<core::Expected<WebSocketMessage, WebSocketClose>> read() = 0;
    /// Queues a message and waits while more than the queue limit is unsent (back-pressure). False: the session has ended.
    virtual Awaitable<bool> send(std::string text) = 0;
    virtual Awaitable<bool> sendBinary(std::string bytes) = 0;
    /// Sends what is queued, then a close frame; waits at most `patience` for the answer, then drops the connection. A peer at the end of a
    /// slow line is waited for as long as it takes what was sent before, ten seconds at most. Goes on if the waiting is cancelled; a second
    /// call waits for the first, or drops the connection where it has no patience. 1005 sends a close frame without a code, and a code that may not be sent becomes 1011; a reason is cut to
    /// 123 bytes.
    virtual Awaitable<> close(
        std::uint16_t code, std::string reason, core::Milliseconds patience = core::Milliseconds{1000}) = 0;
    /// Bytes that wait to be sent.
    [[nodiscard]] virtual std::size_t queuedBytes() const = 0;
};

} // namespace vivavoce::net
