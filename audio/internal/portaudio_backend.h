#pragma once

#include "audio/audio_backend.h"

#include <memory>

namespace vivavoce::audio {

/// PortAudio. What its host APIs print while they look for devices does not reach the user.
/// SoundFailed: the library does not start.
[[nodiscard]] core::Expected<std::unique_ptr<AudioBackend>, core::Error> makePortAudioBackend();

} // namespace vivavoce::audio
