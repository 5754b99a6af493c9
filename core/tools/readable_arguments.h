#pragma once

#include <string>

namespace vivavoce::core {

/// Arguments (JSON text of an object) for a person's eyes: a line for each, `name: value`, all of it. What would move, hide or turn round other
/// characters (control, bidirectional and zero-width ones) is shown as U+FFFD, a line end in a value as an arrow, so that a value cannot pass for another line.
[[nodiscard]] std::string readableArguments(const std::string& json);

} // namespace vivavoce::core
