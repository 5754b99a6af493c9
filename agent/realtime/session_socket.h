#pragma once

#include "agent/realtime/event_fault.h"
#include "agent/realtime/realtime_session.h"
#include "agent/realtime/session_settings.h"
#include "core/base/units.h"
#include "net/awaitable.h"
#include "net/websocket_session.h"

#include <cstdint>
#include <string>

namespace vivavoce::agent::realtime {

/// Holds a session over an accepted WebSocket until either side ends it. [net, the connection's executor]
[[nodiscard]] net::Awaitable<> converse(
    net::WebSocketSession& socket, SpeechParts parts, SessionSettings settings, core::Milliseconds maxDuration);

/// Tells one `error` event and closes: how OpenAI refuses, after the handshake.
[[nodiscard]] net::Awaitable<> refuse(net::WebSocketSession& socket, EventFault fault, std::uint16_t closeCode);

} // namespace vivavoce::agent::realtime
