#pragma once

#include "core/protocol/openai/items.h"
#include "core/protocol/openai/response.h"
#include "core/protocol/openai/server_session_events.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The conversation's items and what the user was heard to say. See server_events.h.
namespace vivavoce::core::openai {

struct TranscriptionLanguage {
    std::string code;
};

struct ConversationItemAdded {
    static constexpr std::string_view kType = "conversation.item.added";
    static constexpr std::string_view kBetaType = "conversation.item.created";
    std::string eventId;
    Item item;
    std::optional<std::string> previousItemId;
};

struct ConversationItemDone {
    static constexpr std::string_view kType = "conversation.item.done";
    std::string eventId;
    Item item;
    std::optional<std::string> previousItemId;
};

/// The older twin of ConversationItemAdded: take either as "the item exists".
struct ConversationItemCreated {
    static constexpr std::string_view kType = "conversation.item.created";
    std::string eventId;
    Item item;
    std::optional<std::string> previousItemId;
};

struct ConversationItemRetrieved {
    static constexpr std::string_view kType = "conversation.item.retrieved";
    std::string eventId;
    Item item;
};

struct ConversationItemDeleted {
    static constexpr std::string_view kType = "conversation.item.deleted";
    std::string eventId;
    std::string itemId;
};

struct ConversationItemTruncated {
    static constexpr std::string_view kType = "conversation.item.truncated";
    std::string eventId;
    std::string itemId;
    std::int64_t contentIndex = 0;
    std::int64_t audioEndMs = 0;
};

struct InputAudioTranscriptionDelta {
    static constexpr std::string_view kType = "conversation.item.input_audio_transcription.delta";
    std::string eventId;
    std::string itemId;
    std::int64_t contentIndex = 0;
    std::string delta;
    std::optional<RawJson> logprobs;
};

struct InputAudioTranscriptionCompleted {
    static constexpr std::string_view kType = "conversation.item.input_audio_transcription.completed";
    std::string eventId;
    std::string itemId;
    std::int64_t contentIndex = 0;
    std::string transcript;
    std::optional<TranscriptionUsage> usage;
    std::optional<std::vector<TranscriptionLanguage>> languages;
    std::optional<RawJson> logprobs;
};

struct InputAudioTranscriptionFailed {
    static constexpr std::string_view kType = "conversation.item.input_audio_transcription.failed";
    std::string eventId;
    std::string itemId;
    std::int64_t contentIndex = 0;
    ErrorDetail error;
};

/// Of a transcript that tells speakers apart; times in seconds.
struct InputAudioTranscriptionSegment {
    static constexpr std::string_view kType = "conversation.item.input_audio_transcription.segment";
    std::string eventId;
    std::string itemId;
    std::int64_t contentIndex = 0;
    std::string id;
    std::string text;
    std::string speaker;
    double start = 0;
    double end = 0;
};

} // namespace vivavoce::core::openai
