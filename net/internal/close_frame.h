#pragma once

#include "net/internal/boost.h"

#include <cstdint>
#include <string_view>

namespace vivavoce::net {

/// RFC 6455 §7.4.2.
inline constexpr std::uint16_t kHighestCode = 4999;

/// A reason cut to what fits, between two characters.
[[nodiscard]] std::string_view fitting(std::string_view reason);

/// What may be said in a close frame; codes that only describe an end (RFC 6455 §7.4.1) are not passed on.
[[nodiscard]] websocket::close_code sendable(std::uint16_t code);

} // namespace vivavoce::net
