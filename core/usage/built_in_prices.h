#pragma once

#include <string_view>

namespace vivavoce::core {

/// resources/prices/prices.json, as it was when the program was built.
[[nodiscard]] std::string_view builtInPrices();

} // namespace vivavoce::core
