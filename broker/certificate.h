#pragma once

#include "core/base/clock.h"

#include <optional>
#include <string>

namespace vivavoce::broker {

/// When the first certificate of a PEM file ends; nothing where there is none to be read. Blocks its caller.
[[nodiscard]] std::optional<core::WallTime> certificateEnd(const std::string& file);

} // namespace vivavoce::broker
