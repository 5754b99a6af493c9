#pragma once

#include "tests/net/raw_socket.h"

#include <cstddef>
#include <string>
#include <vector>

namespace vivavoce::net::test {

/// A close frame without a code (RFC 6455 §7.1.5).
inline constexpr unsigned kNoCode = 1005;

/// What one end of a WebSocket says to one that sends every message back, and what has to come of it.
struct Row {
    /// Begins with the section of RFC 6455.
    std::string name;
    /// Frames as they go over the wire.
    std::string sent;
    /// The messages that come back, whole.
    std::vector<Frame> echoes;
    /// The payloads of the pongs that come.
    std::vector<std::string> pongs;
    /// What the other end says in its close frame. 0: it goes on, until it is told goodbye.
    unsigned closes = 0;
};

/// All of them, as sent by a client (masked) or by a server.
[[nodiscard]] std::vector<Row> conformanceRows(Masked masked);

/// Says a row and goodbye, and compares what comes; empty: all is as it should be. With `isChopped` each byte is sent by itself.
[[nodiscard]] std::string differenceOf(const Row& row, RawSocket& socket, Masked masked, bool isChopped = false);

} // namespace vivavoce::net::test
