#pragma once

#include "core/protocol/openai/internal/session_fields.h"
#include "core/protocol/openai/response.h"

/// Items and responses field by field.
namespace vivavoce::core::openai::internal {

// Kinds that are kept raw, and values of several types (response_values.cpp).
void readCustom(const Place& place, Json& json, Item& target);
void readCustom(const Place& place, Json& json, ContentPart& target);
void readCustom(const Place& place, Json& json, Metadata& target);
void readCustom(const Place& place, Json& json, TranscriptionUsage& target);
void writeCustom(const Style& style, Json& slot, const Item& value);
void writeCustom(const Style& style, Json& slot, const ContentPart& value);
void writeCustom(const Style& style, Json& slot, const Metadata& value);
void writeCustom(const Style& style, Json& slot, const TranscriptionUsage& value);

template <typename A, Is<StatusError> E>
void fields(A& a, E& e)
{
    a.optional("type", e.type);
    a.optional("code", e.code);
    a.optional("message", e.message);
}

template <typename A, Is<StatusDetails> E>
void fields(A& a, E& e)
{
    a.optional("type", e.type);
    a.optional("reason", e.reason);
    a.optional("error", e.error);
}

/// `hasImages`: inputs only.
template <typename A>
void tokenCounts(A& a, auto& counts, bool hasImages)
{
    a.expected("text_tokens", counts.text);
    a.expected("audio_tokens", counts.audio);
    if (hasImages) {
        a.expected("image_tokens", counts.image);
    }
}

template <typename A, Is<InputTokenDetails> E>
void fields(A& a, E& e)
{
    a.expected("cached_tokens", e.cached);
    tokenCounts(a, e.tokens, true);
    if constexpr (A::kReads) {
        a.optional("cached_tokens_details", e.cachedDetails);
    } else {
        a.group("cached_tokens_details", e.cachedDetails.has_value(),
            [&](auto& cached) { tokenCounts(cached, *e.cachedDetails, true); });
    }
}

template <typename A, Is<TokenCounts> E>
void fields(A& a, E& e)
{
    tokenCounts(a, e, A::kReads || e.image != 0);
}

template <typename A, Is<Usage> E>
void fields(A& a, E& e)
{
    a.expected("total_tokens", e.totalTokens);
    a.expected("input_tokens", e.inputTokens);
    a.expected("output_tokens", e.outputTokens);
    a.optional("input_token_details", e.inputDetails);
    a.optional("output_token_details", e.outputDetails);
}

template <typename A>
void audioOutput(A& a, auto& e)
{
    const bool hasAny = e.outputFormat || e.voice;
    a.group("audio", hasAny, [&](auto& audio) {
        audio.group("output", hasAny, [&](auto& output) {
            output.optional("format", e.outputFormat);
            output.optional("voice", e.voice);
        });
    });
}

/// What session, response and response.create have each under two names.
template <typename A>
void outputFields(A& a, auto& e, const char* betaLimitKey)
{
    if (a.hasGa()) {
        outputModalities(a, e.outputModalities);
        audioOutput(a, e);
        a.optional("max_output_tokens", e.maxOutputTokens);
    }
    if (a.hasBeta()) {
        flatModalities(a, e.outputModalities);
        flatFormatField(a, "output_audio_format", e.outputFormat);
        a.optional("voice", e.voice);
        a.optional(betaLimitKey, e.maxOutputTokens);
    }
}

template <typename A, Is<Response> E>
void fields(A& a, E& e)
{
    a.expected("id", e.id);
    a.constant("object", "realtime.response");
    a.optional("status", e.status);
    a.orNull("status_details", e.statusDetails);
    a.orNull("usage", e.usage);
    a.expected("output", e.output);
    a.orNull("conversation_id", e.conversationId);
    a.orNull("metadata", e.metadata);
    outputFields(a, e, "max_output_tokens");
}

template <typename A, Is<ResponseConfig> E>
void fields(A& a, E& e)
{
    a.nullIsAbsent("instructions", e.instructions);
    outputFields(a, e, "max_response_output_tokens");
    a.optional("tools", e.tools);
    a.optional("tool_choice", e.toolChoice);
    a.optional("conversation", e.conversation);
    a.check("conversation", e.conversation.value_or("auto") == "auto" || e.conversation == "none", kUnsupported);
    a.nullIsAbsent("metadata", e.metadata);
    a.check("metadata", !e.metadata || e.metadata->size() <= 16, "holds more than 16 pairs");
    a.optional("input", e.input);
    if (a.hasGa()) {
        a.optional("parallel_tool_calls", e.parallelToolCalls);
        a.optional("prompt", e.prompt);
        reasoning(a, e.reasoningEffort);
    }
}

} // namespace vivavoce::core::openai::internal
