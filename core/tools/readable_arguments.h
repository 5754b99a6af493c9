#pragma once

#include <string>

namespace vivavoce::core {

/// Arguments (JSON text of an object) for a person's eyes: a line for each, `name: value`, all of it, as readableText() shows it: a value
/// cannot pass for another line.
[[nodiscard]] std::string readableArguments(const std::string& json);

} // namespace vivavoce::core
