#pragma once

#include "core/base/base64.h"
#include "core/protocol/openai/items.h"
#include "core/protocol/openai/presence.h"
#include "core/protocol/openai/response.h"
#include "core/protocol/openai/session_config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// What a client may say (OpenAI Realtime GA, 11 events). `eventId` is the client's own and comes back in an error about the
/// event; empty: not written.
namespace vivavoce::core::openai {

struct SessionUpdate {
    static constexpr std::string_view kType = "session.update";
    std::string eventId;
    Session session;
};

/// At most 15 MiB; never acknowledged.
struct InputAudioBufferAppend {
    static constexpr std::string_view kType = "input_audio_buffer.append";
    std::string eventId;
    Bytes audio;
};

struct InputAudioBufferCommit {
    static constexpr std::string_view kType = "input_audio_buffer.commit";
    std::string eventId;
};

struct InputAudioBufferClear {
    static constexpr std::string_view kType = "input_audio_buffer.clear";
    std::string eventId;
};

struct ConversationItemCreate {
    static constexpr std::string_view kType = "conversation.item.create";
    std::string eventId;
    Item item;
    /// "root": at the front; nothing: at the end.
    std::optional<std::string> previousItemId;
};

struct ConversationItemRetrieve {
    static constexpr std::string_view kType = "conversation.item.retrieve";
    std::string eventId;
    std::string itemId;
};

/// Tells the server how much of its audio was heard.
struct ConversationItemTruncate {
    static constexpr std::string_view kType = "conversation.item.truncate";
    std::string eventId;
    std::string itemId;
    std::int64_t contentIndex = 0;
    std::int64_t audioEndMs = 0;
};

struct ConversationItemDelete {
    static constexpr std::string_view kType = "conversation.item.delete";
    std::string eventId;
    std::string itemId;
};

struct ResponseCreate {
    static constexpr std::string_view kType = "response.create";
    std::string eventId;
    std::optional<ResponseConfig> response;
};

struct ResponseCancel {
    static constexpr std::string_view kType = "response.cancel";
    std::string eventId;
    /// Nothing: the one in progress.
    std::optional<std::string> responseId;
};

/// WebRTC and SIP only; refused on a WebSocket.
struct OutputAudioBufferClear {
    static constexpr std::string_view kType = "output_audio_buffer.clear";
    std::string eventId;
};

/// An event of a type that is not known here, of either side. `text` is the whole event as it came and is encoded unchanged.
struct UnknownEvent {
    std::string type;
    std::string eventId;
    std::string text;
};

using ClientEvent = std::variant<SessionUpdate, InputAudioBufferAppend, InputAudioBufferCommit, InputAudioBufferClear,
    ConversationItemCreate, ConversationItemRetrieve, ConversationItemTruncate, ConversationItemDelete, ResponseCreate,
    ResponseCancel, OutputAudioBufferClear, UnknownEvent>;

} // namespace vivavoce::core::openai
