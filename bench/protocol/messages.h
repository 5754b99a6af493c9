#pragma once

#include "core/base/base64.h"

#include <string>

/// What is measured: messages as a conversation has them, whole.
namespace vivavoce::bench {

/// 40 ms of the microphone, 100 ms of a reply: PCM16 at 24 kHz, and no silence.
[[nodiscard]] core::Bytes spoken();
[[nodiscard]] core::Bytes heard();

/// As the providers send them.
[[nodiscard]] std::string openaiAudioDelta();
[[nodiscard]] std::string openaiResponseDone();
[[nodiscard]] std::string geminiAudio();
[[nodiscard]] std::string geminiUsage();

} // namespace vivavoce::bench
