#pragma once

#include "agent/realtime/turn_detector.h"
#include "core/base/error.h"
#include "core/base/expected.h"

#include <memory>

namespace vivavoce::agent::realtime {

/// The detector of real sessions: WebRTC's noise suppression and voice detection. SoundFailed.
[[nodiscard]] core::Expected<std::unique_ptr<ActivityDetector>, core::Error> makeVoiceActivityDetector();

} // namespace vivavoce::agent::realtime
