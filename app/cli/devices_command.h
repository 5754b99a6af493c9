#pragma once

#include "app/cli/json_lines.h"
#include "app/cli/options.h"
#include "core/ports/device_catalog.h"

#include <vector>

namespace vivavoce::cli {

/// Lists microphones and loudspeakers. Blocks, running the event loop; answers the exit code: 5 where there is neither.
[[nodiscard]] int runDevices(const DevicesOptions& options);
/// These; the exit code.
[[nodiscard]] int tellDevices(EventWriter& events, const std::vector<core::SoundDevice>& found);

} // namespace vivavoce::cli
