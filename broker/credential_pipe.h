#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/secret.h"
#include "core/base/units.h"

#include <vector>

namespace vivavoce::broker {

/// Reads the first `lines` lines, each at most 4 KiB of visible ASCII, from the inherited pipe and not a byte more; the pipe stays
/// open, for its end is the end of our parent. The first line may not be empty. Blocks its caller at most `patience`.
/// BadConfiguration, Timeout.
[[nodiscard]] core::Expected<std::vector<core::Secret>, core::Error> readCredentials(
    int fd, std::size_t lines, core::Milliseconds patience);

} // namespace vivavoce::broker
