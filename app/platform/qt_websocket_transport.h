#pragma once

#include "core/ports/transport.h"

namespace vivavoce::platform {

/// Transports over Qt WebSockets. What Qt 6.4 gets wrong in RFC 6455 and how a session survives it: docs/adr.
/// Threads: the thread that made it.
class QtWebSocketFactory final : public core::TransportFactory {
public:
    [[nodiscard]] std::unique_ptr<core::Transport> create() override;
};

} // namespace vivavoce::platform
