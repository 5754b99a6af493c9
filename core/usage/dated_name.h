#pragma once

#include <string_view>

namespace vivavoce::core {

/// Whether it is written as "2026-10-09".
[[nodiscard]] bool isDay(std::string_view text);

/// "gpt-realtime" of "gpt-realtime-2026-01-15": a dated name is its model's.
[[nodiscard]] std::string_view withoutDay(std::string_view model);

} // namespace vivavoce::core
