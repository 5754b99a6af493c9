#pragma once

#include "net/internal/boost.h"

#include <cstdint>
#include <optional>

namespace vivavoce::net {

/// Bytes that the peer has acknowledged in all; nothing where the system does not tell.
[[nodiscard]] std::optional<std::uint64_t> acknowledged(TcpSocket& socket);

} // namespace vivavoce::net
