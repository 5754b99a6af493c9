#pragma once

#include "core/base/json.h"
#include "core/protocol/gemini/codec.h"
#include "core/protocol/internal/reader.h"
#include "core/protocol/internal/writer.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

/// One function per struct tells both directions (core/protocol/internal: reader.h, writer.h).
namespace vivavoce::core::gemini {

using openai::internal::Place;
using openai::internal::Reader;
using openai::internal::ReadState;
using openai::internal::Style;
using openai::internal::Writer;

template <typename E, typename T>
concept Is = std::is_same_v<std::remove_const_t<E>, T>;

void readCustom(const Place& place, Json& json, Int64& target);
void writeCustom(const Style& style, Json& slot, const Int64& value);
void readCustom(const Place& place, Json& json, Blob& target);
/// The tree of an object, or why there is none.
[[nodiscard]] Expected<Json, ProtocolError> parseObject(std::string_view text);

inline constexpr std::string_view kUnknown = "has a value that is not known";

[[nodiscard]] inline bool isOneOf(const std::optional<std::string>& word, std::initializer_list<std::string_view> known)
{
    return !word || std::find(known.begin(), known.end(), *word) != known.end();
}

template <typename A, Is<Mark> E>
void fields(A&, E&)
{
}

template <typename A, Is<Blob> E>
void fields(A& a, E& e)
{
    a.optionalText("mimeType", e.mimeType);
    a.required("data", e.data);
}

template <typename A, Is<FunctionCall> E>
void fields(A& a, E& e)
{
    a.optionalText("id", e.id);
    a.optionalText("name", e.name);
    a.optional("args", e.args);
}

template <typename A, Is<FunctionResponse> E>
void fields(A& a, E& e)
{
    a.optionalText("id", e.id);
    a.optionalText("name", e.name);
    a.optional("response", e.response);
    a.optional("scheduling", e.scheduling);
    a.check(
        "scheduling", isOneOf(e.scheduling, {"SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT"}), kUnknown);
    a.optional("willContinue", e.willContinue);
}

template <typename A, Is<Part> E>
void fields(A& a, E& e)
{
    a.optional("text", e.text);
    a.optional("thought", e.thought);
    a.optional("inlineData", e.inlineData);
    a.optional("functionCall", e.functionCall);
    a.optional("functionResponse", e.functionResponse);
}

template <typename A, Is<Content> E>
void fields(A& a, E& e)
{
    a.optionalText("role", e.role);
    if constexpr (A::kReads) {
        std::optional<std::vector<Part>> parts;
        a.optional("parts", parts);
        e.parts = std::move(parts).value_or(std::vector<Part>());
    } else {
        a.required("parts", e.parts);
    }
}

template <typename A, Is<FunctionDeclaration> E>
void fields(A& a, E& e)
{
    a.required("name", e.name);
    a.optional("description", e.description);
    a.optional("parameters", e.parameters);
    a.optional("parametersJsonSchema", e.parametersJsonSchema);
    a.optional("behavior", e.behavior);
    a.check("behavior", isOneOf(e.behavior, {"UNSPECIFIED", "BLOCKING", "NON_BLOCKING"}), kUnknown);
}

template <typename A, Is<Tool> E>
void fields(A& a, E& e)
{
    a.optional("functionDeclarations", e.functionDeclarations);
    a.optional("googleSearch", e.googleSearch);
}

template <typename A, Is<GenerationConfig> E>
void fields(A& a, E& e)
{
    a.optional("responseModalities", e.responseModalities);
    a.optional("temperature", e.temperature);
    a.optional("topP", e.topP);
    a.optional("topK", e.topK);
    a.optional("maxOutputTokens", e.maxOutputTokens);
    a.optional("seed", e.seed);
    a.optional("mediaResolution", e.mediaResolution);
    a.group("speechConfig", e.languageCode || e.voiceName, [&](auto& speech) {
        speech.optional("languageCode", e.languageCode);
        speech.group("voiceConfig", e.voiceName.has_value(), [&](auto& voice) {
            voice.group("prebuiltVoiceConfig", e.voiceName.has_value(),
                [&](auto& prebuilt) { prebuilt.optional("voiceName", e.voiceName); });
        });
    });
    a.optional("thinkingConfig", e.thinkingConfig);
    a.optional("enableAffectiveDialog", e.enableAffectiveDialog);
    a.optional("translationConfig", e.translationConfig);
}

template <typename A, Is<ActivityDetection> E>
void fields(A& a, E& e)
{
    a.optional("disabled", e.disabled);
    a.optional("startOfSpeechSensitivity", e.startOfSpeechSensitivity);
    a.optional("endOfSpeechSensitivity", e.endOfSpeechSensitivity);
    a.optional("prefixPaddingMs", e.prefixPaddingMs);
    a.optional("silenceDurationMs", e.silenceDurationMs);
}

template <typename A, Is<RealtimeInputConfig> E>
void fields(A& a, E& e)
{
    a.optional("automaticActivityDetection", e.automaticActivityDetection);
    a.optional("activityHandling", e.activityHandling);
    a.optional("turnCoverage", e.turnCoverage);
}

template <typename A, Is<SessionResumption> E>
void fields(A& a, E& e)
{
    a.optional("handle", e.handle);
}

template <typename A, Is<SlidingWindow> E>
void fields(A& a, E& e)
{
    a.optional("targetTokens", e.targetTokens);
}

template <typename A, Is<ContextWindowCompression> E>
void fields(A& a, E& e)
{
    a.optional("triggerTokens", e.triggerTokens);
    a.optional("slidingWindow", e.slidingWindow);
}

template <typename A, Is<HistoryConfig> E>
void fields(A& a, E& e)
{
    a.optional("initialHistoryInClientContent", e.initialHistoryInClientContent);
}

template <typename A, Is<Setup> E>
void fields(A& a, E& e)
{
    a.optionalText("model", e.model);
    a.optional("generationConfig", e.generationConfig);
    a.optional("systemInstruction", e.systemInstruction);
    a.optional("tools", e.tools);
    a.optional("realtimeInputConfig", e.realtimeInputConfig);
    a.optional("sessionResumption", e.sessionResumption);
    a.optional("contextWindowCompression", e.contextWindowCompression);
    a.optional("inputAudioTranscription", e.inputAudioTranscription);
    a.optional("outputAudioTranscription", e.outputAudioTranscription);
    a.optional("historyConfig", e.historyConfig);
    a.optional("proactivity", e.proactivity);
    a.optional("safetySettings", e.safetySettings);
    a.optional("labels", e.labels);
    a.optional("avatarConfig", e.avatarConfig);
}

} // namespace vivavoce::core::gemini
