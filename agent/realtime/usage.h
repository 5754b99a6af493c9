#pragma once

#include "agent/realtime/conversation.h"
#include "core/protocol/openai/response.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace vivavoce::agent::realtime {

/// What one response cost, by OpenAI's rules of duration: a token is 100 ms of the user's audio or 50 ms of ours; words stand
/// for text tokens. Invariant: cached counts are part of the input counts.
struct Usage {
    std::int64_t inputText = 0;
    std::int64_t inputAudio = 0;
    std::int64_t cachedText = 0;
    std::int64_t cachedAudio = 0;
    std::int64_t outputText = 0;
    std::int64_t outputAudio = 0;

    [[nodiscard]] std::int64_t total() const { return inputText + inputAudio + outputText + outputAudio; }
    /// As response.done carries it.
    [[nodiscard]] core::openai::Usage toWire() const;
};

[[nodiscard]] std::int64_t wordCount(std::string_view text);
[[nodiscard]] std::int64_t inputAudioTokens(core::Milliseconds length);
[[nodiscard]] std::int64_t outputAudioTokens(core::Milliseconds length);

/// The input side: instructions (cached when `areInstructionsCached`) and items (cached where they were sent before).
[[nodiscard]] Usage inputUsage(
    std::string_view instructions, bool areInstructionsCached, const std::vector<const Item*>& items);

/// As a completed transcription carries it.
[[nodiscard]] core::openai::TranscriptionUsage transcriptionUsage(
    core::Milliseconds length, std::string_view transcript);

} // namespace vivavoce::agent::realtime
