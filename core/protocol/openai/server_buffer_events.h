#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The audio buffers and the voice detection. See server_events.h.
namespace vivavoce::core::openai {

struct InputAudioBufferCommitted {
    static constexpr std::string_view kType = "input_audio_buffer.committed";
    std::string eventId;
    std::string itemId;
    std::optional<std::string> previousItemId;
};

struct InputAudioBufferCleared {
    static constexpr std::string_view kType = "input_audio_buffer.cleared";
    std::string eventId;
};

/// `itemId` is the one that the user's item will have.
struct InputAudioBufferSpeechStarted {
    static constexpr std::string_view kType = "input_audio_buffer.speech_started";
    std::string eventId;
    std::int64_t audioStartMs = 0;
    std::string itemId;
};

struct InputAudioBufferSpeechStopped {
    static constexpr std::string_view kType = "input_audio_buffer.speech_stopped";
    std::string eventId;
    std::int64_t audioEndMs = 0;
    std::string itemId;
};

struct InputAudioBufferTimeoutTriggered {
    static constexpr std::string_view kType = "input_audio_buffer.timeout_triggered";
    std::string eventId;
    std::int64_t audioStartMs = 0;
    std::int64_t audioEndMs = 0;
    std::string itemId;
};

/// SIP only. The one event without an id.
struct InputAudioBufferDtmfEventReceived {
    static constexpr std::string_view kType = "input_audio_buffer.dtmf_event_received";
    std::string eventId;
    std::string event;
    std::int64_t receivedAt = 0;
};

/// WebRTC and SIP only.
struct OutputAudioBufferStarted {
    static constexpr std::string_view kType = "output_audio_buffer.started";
    std::string eventId;
    std::string responseId;
};

struct OutputAudioBufferStopped {
    static constexpr std::string_view kType = "output_audio_buffer.stopped";
    std::string eventId;
    std::string responseId;
};

struct OutputAudioBufferCleared {
    static constexpr std::string_view kType = "output_audio_buffer.cleared";
    std::string eventId;
    std::string responseId;
};

} // namespace vivavoce::core::openai
