#pragma once

#include "core/base/error.h"
#include "core/settings/settings.h"

namespace vivavoce::platform {

/// How the program reaches other computers, for every connection that begins from now on: through which proxy (HTTP CONNECT or SOCKS 5), and
/// whom it trusts besides the authorities that the system knows. This computer is always reached directly. "As the system does" goes by
/// HTTPS_PROXY, ALL_PROXY and NO_PROXY first. Of a choice that cannot be followed nothing holds.
/// Threads: the main thread, before or between connections.
[[nodiscard]] core::Expected<void, core::Error> useNetwork(const core::NetworkChoice& choice);

} // namespace vivavoce::platform
