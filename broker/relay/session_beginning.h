#pragma once

#include "core/base/error.h"
#include "net/websocket_session.h"

#include <optional>
#include <string_view>

namespace vivavoce::broker::relay {

/// How a session of OpenAI Realtime begins, or does not: most servers open the WebSocket first, and then say in place of a session that they
/// do not take the key, or have no such model.
/// Threads: one at a time.
class SessionBeginning {
public:
    /// A message of the provider's, and why there is no session where it says so: ProviderRefused, BadUsage, ProviderQuota, RateLimited.
    [[nodiscard]] std::optional<core::Error> read(std::string_view text);
    /// The provider has ended it. Nothing: that says nothing but what it says.
    [[nodiscard]] std::optional<core::Error> ended(const net::WebSocketClose& close) const;

private:
    bool m_isSilent = true;
    bool m_hasBegun = false;
};

} // namespace vivavoce::broker::relay
