#pragma once

#include "core/base/units.h"

#include <cstddef>
#include <cstdio>

namespace vivavoce::platform {

/// What takes anything takes so much at once (POSIX: PIPE_BUF).
inline constexpr std::size_t kTakenAtOnce = 512;

/// Waits until so much can be written there without waiting, or cannot be written at all; false: neither, for so long, or a signal came.
/// On Windows it is always true.
[[nodiscard]] bool waitUntilTaken(std::FILE* out, core::Milliseconds patience);

} // namespace vivavoce::platform
