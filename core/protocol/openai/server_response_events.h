#pragma once

#include "core/base/base64.h"
#include "core/protocol/openai/items.h"
#include "core/protocol/openai/response.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// A response as it comes. See server_events.h.
namespace vivavoce::core::openai {

struct ResponseCreated {
    static constexpr std::string_view kType = "response.created";
    std::string eventId;
    Response response;
};

/// However it ended: a cancelled response ends with this one too.
struct ResponseDone {
    static constexpr std::string_view kType = "response.done";
    std::string eventId;
    Response response;
};

struct ResponseOutputItemAdded {
    static constexpr std::string_view kType = "response.output_item.added";
    std::string eventId;
    std::string responseId;
    std::int64_t outputIndex = 0;
    Item item;
};

struct ResponseOutputItemDone {
    static constexpr std::string_view kType = "response.output_item.done";
    std::string eventId;
    std::string responseId;
    std::int64_t outputIndex = 0;
    Item item;
};

struct ResponseContentPartAdded {
    static constexpr std::string_view kType = "response.content_part.added";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::int64_t contentIndex = 0;
    std::optional<ContentPart> part;
};

struct ResponseContentPartDone {
    static constexpr std::string_view kType = "response.content_part.done";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::int64_t contentIndex = 0;
    std::optional<ContentPart> part;
};

struct ResponseOutputTextDelta {
    static constexpr std::string_view kType = "response.output_text.delta";
    static constexpr std::string_view kBetaType = "response.text.delta";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::int64_t contentIndex = 0;
    std::string delta;
};

struct ResponseOutputTextDone {
    static constexpr std::string_view kType = "response.output_text.done";
    static constexpr std::string_view kBetaType = "response.text.done";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::int64_t contentIndex = 0;
    std::string text;
};

struct ResponseOutputAudioDelta {
    static constexpr std::string_view kType = "response.output_audio.delta";
    static constexpr std::string_view kBetaType = "response.audio.delta";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::int64_t contentIndex = 0;
    Bytes audio;
};

struct ResponseOutputAudioDone {
    static constexpr std::string_view kType = "response.output_audio.done";
    static constexpr std::string_view kBetaType = "response.audio.done";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::int64_t contentIndex = 0;
};

struct ResponseOutputAudioTranscriptDelta {
    static constexpr std::string_view kType = "response.output_audio_transcript.delta";
    static constexpr std::string_view kBetaType = "response.audio_transcript.delta";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::int64_t contentIndex = 0;
    std::string delta;
};

struct ResponseOutputAudioTranscriptDone {
    static constexpr std::string_view kType = "response.output_audio_transcript.done";
    static constexpr std::string_view kBetaType = "response.audio_transcript.done";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::int64_t contentIndex = 0;
    std::string transcript;
};

} // namespace vivavoce::core::openai
