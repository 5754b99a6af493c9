#pragma once

#include "audio/audio_backend.h"

#include <memory>

namespace vivavoce::audio {

/// PortAudio. What its host APIs print while they look for devices does not reach the user.
/// SoundFailed: the library does not start.
/// Threads: one alone, after `preparePortAudio`.
[[nodiscard]] core::Expected<std::unique_ptr<AudioBackend>, core::Error> makePortAudioBackend();
/// Call it on the main thread, before there are others.
void preparePortAudio();

} // namespace vivavoce::audio
