#pragma once

#include "core/base/secret.h"

namespace vivavoce::platform {

/// Reads a secret and takes it out of the environment: no child inherits it, and the process' own block no longer holds its bytes.
/// Empty where it is not set. Call it before other threads read the environment.
[[nodiscard]] core::Secret takeFromEnvironment(const char* name);

} // namespace vivavoce::platform
