#pragma once

#include "broker/config.h"

#include <string>
#include <vector>

namespace vivavoce::broker {

/// The keys of the file whose values differ, secrets included: names, never values.
[[nodiscard]] std::vector<std::string> changedKeys(const Config& running, const Config& wanted);

/// Puts back in `wanted` what cannot change while a broker runs, and names those keys.
[[nodiscard]] std::vector<std::string> keepUntilRestart(const Config& running, Config& wanted);

/// "a, b".
[[nodiscard]] std::string listed(const std::vector<std::string>& keys);

} // namespace vivavoce::broker
