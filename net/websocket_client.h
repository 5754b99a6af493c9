#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/http_headers.h"
#include "core/base/units.h"
#include "net/awaitable.h"
#include "net/dial_memory.h"
#include "net/http_client.h"
#include "net/websocket_session.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::net {

struct WebSocketRequest {
    /// ws:// (loopback only) or wss://.
    std::string url;
    core::HttpHeaders headers;
    std::vector<std::string> subprotocols;
    std::size_t maxMessageBytes = 16 * 1024 * 1024;
    /// As ServerLimits has them.
    std::size_t queueBytes = 512 * 1024;
    core::Milliseconds silence{45'000};
    core::Milliseconds timeout{10'000};
    TlsTrust trust;
    /// What earlier dials have learnt, and this one adds to; null: nothing.
    std::shared_ptr<DialMemory> memory{};
};

/// Dials and shakes hands. Errors: those of `sendRequest`; an HTTP answer other than 101 is what codeOfRefusedHandshake says, with the status in
/// `foreignCode`. The session runs on the caller's executor: call it there.
[[nodiscard]] Awaitable<core::Expected<std::unique_ptr<WebSocketSession>, core::Error>> openWebSocket(
    WebSocketRequest request);

} // namespace vivavoce::net
