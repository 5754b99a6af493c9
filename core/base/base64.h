#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

using Bytes = std::vector<std::uint8_t>;

/// Standard alphabet with padding (RFC 4648 §4): how realtime protocols carry audio.
[[nodiscard]] std::string encodeBase64(std::span<const std::uint8_t> bytes);

/// Strict: no white space, full padding, no spare bits. Nothing on any fault.
[[nodiscard]] std::optional<Bytes> decodeBase64(std::string_view text);

/// URL-safe alphabet without padding (RFC 4648 §5), for ids and JOSE.
[[nodiscard]] std::string encodeBase64Url(std::span<const std::uint8_t> bytes);

/// Strict, as RFC 7515 §2 wants it: no padding, no white space, no spare bits. Nothing on any fault.
[[nodiscard]] std::optional<Bytes> decodeBase64Url(std::string_view text);

} // namespace vivavoce::core
