#pragma once

#include "audio/sound_faults.h"

namespace vivavoce::audio {

/// One line where something could be heard; `vivavoce.sound` to Qt's logging rules.
void logFaults(const SoundFaults& faults);

} // namespace vivavoce::audio
