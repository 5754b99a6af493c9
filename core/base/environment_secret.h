#pragma once

#include "core/base/secret.h"

namespace vivavoce::core {

/// Reads a secret and takes it out of the environment: no child inherits it, and the process' own block no longer holds its bytes.
/// Empty where it is not set. Call it before other threads read the environment.
[[nodiscard]] Secret takeFromEnvironment(const char* name);

} // namespace vivavoce::core
