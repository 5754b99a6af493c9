#pragma once

#include "core/protocol/openai/internal/event_codec.h"
#include "core/protocol/openai/internal/response_fields.h"
#include "core/protocol/openai/server_events.h"

/// Server events field by field. What an event means nothing without is `required`; ids, indexes and figures that some
/// compatible servers leave out are `expected`.
namespace vivavoce::core::openai::internal {

template <typename A>
void errorFields(A& a, auto& e)
{
    a.expected("type", e.type);
    a.orNull("code", e.code);
    a.expected("message", e.message);
    a.orNull("param", e.param);
}

template <typename A, Is<ErrorDetail> E>
void fields(A& a, E& e)
{
    errorFields(a, e);
    a.orNull("event_id", e.eventId);
}

template <typename A, Is<TranscriptionLanguage> E>
void fields(A& a, E& e)
{
    a.expected("code", e.code);
}

template <typename A, Is<RateLimit> E>
void fields(A& a, E& e)
{
    a.expected("name", e.name);
    a.expected("limit", e.limit);
    a.expected("remaining", e.remaining);
    a.expected("reset_seconds", e.resetSeconds);
}

template <typename A, typename E>
requires Is<E, ErrorEvent>
void fields(A& a, E& e)
{
    a.required("error", e.error);
}

template <typename A, typename E>
requires Is<E, SessionCreated> || Is<E, SessionUpdated>
void fields(A& a, E& e)
{
    a.required("session", e.session);
}

template <typename A, Is<ConversationCreated> E>
void fields(A& a, E& e)
{
    a.group("conversation", true, [&](auto& conversation) {
        conversation.expected("id", e.conversationId);
        conversation.constant("object", "realtime.conversation");
    });
}

template <typename A, typename E>
requires Is<E, ConversationItemAdded> || Is<E, ConversationItemDone> || Is<E, ConversationItemCreated>
void fields(A& a, E& e)
{
    a.required("item", e.item);
    a.orNull("previous_item_id", e.previousItemId);
}

template <typename A, Is<ConversationItemRetrieved> E>
void fields(A& a, E& e)
{
    a.required("item", e.item);
}

template <typename A, Is<ConversationItemDeleted> E>
void fields(A& a, E& e)
{
    a.required("item_id", e.itemId);
}

template <typename A, Is<ConversationItemTruncated> E>
void fields(A& a, E& e)
{
    a.required("item_id", e.itemId);
    a.expected("content_index", e.contentIndex);
    a.expected("audio_end_ms", e.audioEndMs);
}

// --- What the user said --------------------------------------------------------------------------------------------

template <typename A>
void transcribedPart(A& a, auto& e)
{
    a.expected("item_id", e.itemId);
    a.expected("content_index", e.contentIndex);
}

template <typename A, Is<InputAudioTranscriptionDelta> E>
void fields(A& a, E& e)
{
    transcribedPart(a, e);
    a.expected("delta", e.delta);
    a.optional("logprobs", e.logprobs);
}

template <typename A, Is<InputAudioTranscriptionCompleted> E>
void fields(A& a, E& e)
{
    transcribedPart(a, e);
    a.required("transcript", e.transcript);
    a.optional("usage", e.usage);
    a.optional("languages", e.languages);
    a.optional("logprobs", e.logprobs);
}

template <typename A, Is<InputAudioTranscriptionFailed> E>
void fields(A& a, E& e)
{
    transcribedPart(a, e);
    // No event of the client's is to blame here.
    a.group("error", true, [&](auto& error) { errorFields(error, e.error); });
}

template <typename A, Is<InputAudioTranscriptionSegment> E>
void fields(A& a, E& e)
{
    transcribedPart(a, e);
    a.expected("id", e.id);
    a.required("text", e.text);
    a.expected("speaker", e.speaker);
    a.expected("start", e.start);
    a.expected("end", e.end);
}

// --- Buffers -------------------------------------------------------------------------------------------------------

template <typename A, Is<InputAudioBufferCommitted> E>
void fields(A& a, E& e)
{
    a.expected("item_id", e.itemId);
    a.orNull("previous_item_id", e.previousItemId);
}

template <typename A, Is<InputAudioBufferSpeechStarted> E>
void fields(A& a, E& e)
{
    a.expected("audio_start_ms", e.audioStartMs);
    a.expected("item_id", e.itemId);
}

template <typename A, Is<InputAudioBufferSpeechStopped> E>
void fields(A& a, E& e)
{
    a.expected("audio_end_ms", e.audioEndMs);
    a.expected("item_id", e.itemId);
}

template <typename A, Is<InputAudioBufferTimeoutTriggered> E>
void fields(A& a, E& e)
{
    a.expected("audio_start_ms", e.audioStartMs);
    a.expected("audio_end_ms", e.audioEndMs);
    a.expected("item_id", e.itemId);
}

template <typename A, Is<InputAudioBufferDtmfEventReceived> E>
void fields(A& a, E& e)
{
    a.required("event", e.event);
    a.expected("received_at", e.receivedAt);
}

template <typename A, typename E>
requires Is<E, OutputAudioBufferStarted> || Is<E, OutputAudioBufferStopped> || Is<E, OutputAudioBufferCleared>
void fields(A& a, E& e)
{
    a.expected("response_id", e.responseId);
}

// --- Responses -----------------------------------------------------------------------------------------------------

template <typename A, typename E>
requires Is<E, ResponseCreated> || Is<E, ResponseDone>
void fields(A& a, E& e)
{
    a.required("response", e.response);
}

template <typename A, typename E>
requires Is<E, ResponseOutputItemAdded> || Is<E, ResponseOutputItemDone>
void fields(A& a, E& e)
{
    a.expected("response_id", e.responseId);
    a.expected("output_index", e.outputIndex);
    a.required("item", e.item);
}

template <typename A>
void outputItem(A& a, auto& e)
{
    a.expected("response_id", e.responseId);
    a.expected("item_id", e.itemId);
    a.expected("output_index", e.outputIndex);
}

template <typename A>
void outputPart(A& a, auto& e)
{
    outputItem(a, e);
    a.expected("content_index", e.contentIndex);
}

template <typename A, typename E>
requires Is<E, ResponseContentPartAdded> || Is<E, ResponseContentPartDone>
void fields(A& a, E& e)
{
    outputPart(a, e);
    // Called "audio" and "text" here in GA too.
    a.inBetaWords().optional("part", e.part);
}

template <typename A, typename E>
requires Is<E, ResponseOutputTextDelta> || Is<E, ResponseOutputAudioTranscriptDelta>
void fields(A& a, E& e)
{
    outputPart(a, e);
    a.required("delta", e.delta);
}

template <typename A, Is<ResponseOutputTextDone> E>
void fields(A& a, E& e)
{
    outputPart(a, e);
    a.expected("text", e.text);
}

template <typename A, Is<ResponseOutputAudioTranscriptDone> E>
void fields(A& a, E& e)
{
    outputPart(a, e);
    a.expected("transcript", e.transcript);
}

template <typename A, Is<ResponseOutputAudioDelta> E>
void fields(A& a, E& e)
{
    outputPart(a, e);
    if constexpr (A::kReads) {
        a.required("delta", e.audio);
    }
}

inline Audio audioOf(const Style&, const ResponseOutputAudioDelta& e)
{
    return {"delta", &e.audio};
}

template <typename A, Is<ResponseOutputAudioDone> E>
void fields(A& a, E& e)
{
    outputPart(a, e);
}

// --- Tools ---------------------------------------------------------------------------------------------------------

template <typename A, Is<ResponseFunctionCallArgumentsDelta> E>
void fields(A& a, E& e)
{
    outputItem(a, e);
    a.expected("call_id", e.callId);
    a.required("delta", e.delta);
}

template <typename A, Is<ResponseFunctionCallArgumentsDone> E>
void fields(A& a, E& e)
{
    outputItem(a, e);
    a.expected("call_id", e.callId);
    a.expected("name", e.name);
    a.required("arguments", e.arguments);
}

template <typename A, Is<ResponseMcpCallArgumentsDelta> E>
void fields(A& a, E& e)
{
    outputItem(a, e);
    a.required("delta", e.delta);
}

template <typename A, Is<ResponseMcpCallArgumentsDone> E>
void fields(A& a, E& e)
{
    outputItem(a, e);
    a.required("arguments", e.arguments);
}

template <typename A, typename E>
requires Is<E, ResponseMcpCallInProgress> || Is<E, ResponseMcpCallCompleted> || Is<E, ResponseMcpCallFailed>
void fields(A& a, E& e)
{
    a.expected("output_index", e.outputIndex);
    a.expected("item_id", e.itemId);
}

template <typename A, typename E>
requires Is<E, McpListToolsInProgress> || Is<E, McpListToolsCompleted> || Is<E, McpListToolsFailed>
void fields(A& a, E& e)
{
    a.expected("item_id", e.itemId);
}

template <typename A, Is<RateLimitsUpdated> E>
void fields(A& a, E& e)
{
    a.expected("rate_limits", e.rateLimits);
}

} // namespace vivavoce::core::openai::internal
