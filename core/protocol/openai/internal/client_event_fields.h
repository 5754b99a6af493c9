#pragma once

#include "core/protocol/openai/client_events.h"
#include "core/protocol/openai/internal/event_codec.h"
#include "core/protocol/openai/internal/response_fields.h"

/// Client events field by field. Those that are not here have none beside type and event_id.
namespace vivavoce::core::openai::internal {

template <typename A, Is<SessionUpdate> E>
void fields(A& a, E& e)
{
    a.required("session", e.session);
}

template <typename A, Is<InputAudioBufferAppend> E>
void fields(A& a, E& e)
{
    if constexpr (A::kReads) {
        a.required("audio", e.audio);
    }
}

inline Audio audioOf(const Style&, const InputAudioBufferAppend& e)
{
    return {"audio", &e.audio};
}

template <typename A, Is<ConversationItemCreate> E>
void fields(A& a, E& e)
{
    a.required("item", e.item);
    a.nullIsAbsent("previous_item_id", e.previousItemId);
    a.check("item.type", e.item.type != ItemType::Reference, kUnsupported);
}

template <typename A, typename E>
requires Is<E, ConversationItemRetrieve> || Is<E, ConversationItemDelete>
void fields(A& a, E& e)
{
    a.required("item_id", e.itemId);
}

template <typename A, Is<ConversationItemTruncate> E>
void fields(A& a, E& e)
{
    a.required("item_id", e.itemId);
    a.required("content_index", e.contentIndex);
    a.check("content_index", e.contentIndex >= 0, kOutOfRange);
    a.required("audio_end_ms", e.audioEndMs);
    a.check("audio_end_ms", e.audioEndMs >= 0, kOutOfRange);
}

template <typename A, Is<ResponseCreate> E>
void fields(A& a, E& e)
{
    a.nullIsAbsent("response", e.response);
}

template <typename A, Is<ResponseCancel> E>
void fields(A& a, E& e)
{
    a.nullIsAbsent("response_id", e.responseId);
}

} // namespace vivavoce::core::openai::internal
