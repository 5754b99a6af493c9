#pragma once

#include <string>

namespace vivavoce::core {

/// 128 bits from the system's random source as 22 URL-safe characters: for ids that must not collide or be guessed.
[[nodiscard]] std::string randomId();

} // namespace vivavoce::core
