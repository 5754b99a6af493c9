#pragma once

#include <cstdint>
#include <optional>

namespace vivavoce::broker {

/// The resident set of this process; nothing where the platform does not tell it. [any thread]
[[nodiscard]] std::optional<std::int64_t> residentBytes();

} // namespace vivavoce::broker
