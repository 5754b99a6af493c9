#pragma once

#include "core/base/clock.h"

#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::core {

/// "2026-11-23T02:25:00Z": UTC, whole seconds rounded down (RFC 3339 §5.6).
[[nodiscard]] std::string formatRfc3339(WallTime time);

/// Date and time with an offset or Z; fractions of a second are read and dropped. Nothing for anything else, leap seconds and
/// years outside 1678 to 2261 included.
[[nodiscard]] std::optional<WallTime> parseRfc3339(std::string_view text);

} // namespace vivavoce::core
