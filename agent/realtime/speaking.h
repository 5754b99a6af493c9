#pragma once

#include "agent/ports.h"
#include "agent/realtime/session_settings.h"
#include "core/base/base64.h"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace vivavoce::agent::realtime {

/// Speaks one sentence into chunks of about 100 ms (the first of 40 ms, so that the reply starts early).
/// Cancelled by `stop` within one piece of the voice. [worker]
[[nodiscard]] core::Expected<void, core::Error> speakSentence(Voice& voice, std::string_view sentence,
    const SpeakingStyle& style, WireFormat format, std::stop_token stop,
    const std::function<void(core::Bytes)>& onChunk);

} // namespace vivavoce::agent::realtime
