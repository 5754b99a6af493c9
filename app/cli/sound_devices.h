#pragma once

#include "core/ports/device_catalog.h"
#include "core/settings/settings.h"

#include <vector>

namespace vivavoce::cli {

/// Looks for sound devices and waits until that is done, ten seconds at most. Microphones first.
[[nodiscard]] std::vector<core::SoundDevice> findSoundDevices(core::SoundBackend backend);

} // namespace vivavoce::cli
