#pragma once

#include "app/cli/options.h"

namespace vivavoce::cli {

/// Lists microphones and loudspeakers. Blocks, running the event loop; answers the exit code: 5 where there is neither.
[[nodiscard]] int runDevices(const DevicesOptions& options);

} // namespace vivavoce::cli
