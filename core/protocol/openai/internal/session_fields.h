#pragma once

#include "core/protocol/internal/reader.h"
#include "core/protocol/internal/writer.h"
#include "core/protocol/openai/session_config.h"

#include <concepts>
#include <type_traits>

/// The session object field by field. `fields` of a struct serves Reader and Writer alike.
namespace vivavoce::core::openai::internal {

template <typename E, typename T>
concept Is = std::same_as<std::remove_const_t<E>, T>;

// Values that are more than one JSON type, or that change shape with a field of theirs (session_values.cpp).
void readCustom(const Place& place, Json& json, AudioFormat& target);
void readCustom(const Place& place, Json& json, TurnDetection& target);
void readCustom(const Place& place, Json& json, Voice& target);
void readCustom(const Place& place, Json& json, Tool& target);
void readCustom(const Place& place, Json& json, ToolChoice& target);
void readCustom(const Place& place, Json& json, TokenLimit& target);
void readCustom(const Place& place, Json& json, Truncation& target);
void readCustom(const Place& place, Json& json, Tracing& target);
void writeCustom(const Style& style, Json& slot, const AudioFormat& value);
void writeCustom(const Style& style, Json& slot, const TurnDetection& value);
void writeCustom(const Style& style, Json& slot, const Voice& value);
void writeCustom(const Style& style, Json& slot, const Tool& value);
void writeCustom(const Style& style, Json& slot, const ToolChoice& value);
void writeCustom(const Style& style, Json& slot, const TokenLimit& value);
void writeCustom(const Style& style, Json& slot, const Truncation& value);
void writeCustom(const Style& style, Json& slot, const Tracing& value);

[[nodiscard]] FlatFormat flatFormat(const AudioFormat& format);
[[nodiscard]] AudioFormat audioFormat(FlatFormat format);
/// There is one extra: "item.input_audio_transcription.logprobs".
[[nodiscard]] bool mayInclude(const std::vector<std::string>* extras);
/// minimal, low, medium, high, xhigh: efforts of reasoning and delays of transcription.
[[nodiscard]] bool isGrade(const std::optional<std::string>& word);

template <typename T>
[[nodiscard]] bool isWithin(const std::optional<T>& value, T low, T high)
{
    return !value || (*value >= low && *value <= high);
}

inline constexpr std::string_view kOutOfRange = "is out of range";
inline constexpr std::string_view kUnsupported = "has a value that is not supported";

template <typename A, Is<Transcription> E>
void fields(A& a, E& e)
{
    a.optional("model", e.model);
    a.nullIsAbsent("language", e.language);
    a.nullIsAbsent("languages", e.languages);
    a.nullIsAbsent("keywords", e.keywords);
    a.nullIsAbsent("prompt", e.prompt);
    a.nullIsAbsent("delay", e.delay);
    a.check("delay", isGrade(e.delay), kUnsupported);
}

template <typename A, Is<NoiseReduction> E>
void fields(A& a, E& e)
{
    a.optional("type", e.type);
    a.nullIsAbsent("strength", e.strength);
    a.check("strength", isWithin(e.strength, 0.0, 1.0), kOutOfRange);
}

template <typename A, Is<FunctionTool> E>
void fields(A& a, E& e)
{
    a.required("name", e.name);
    a.nullIsAbsent("description", e.description);
    a.nullIsAbsent("parameters", e.parameters);
    a.check("parameters", !e.parameters || e.parameters->text.starts_with('{'), "must be an object");
}

/// The beta's formats and modalities, under the names that session and response give them.
template <typename A>
void flatFormatField(A& a, const char* key, auto& format)
{
    std::optional<FlatFormat> flat;
    if constexpr (!A::kReads) {
        flat = format ? std::optional(flatFormat(*format)) : std::nullopt;
    }
    a.optional(key, flat);
    if constexpr (A::kReads) {
        format = flat ? std::optional(audioFormat(*flat)) : format;
    }
}

/// The beta named both where it spoke, since speech came with a transcript; GA names one.
template <typename A>
void flatModalities(A& a, auto& modalities)
{
    std::optional<std::vector<Modality>> flat;
    if constexpr (!A::kReads) {
        flat = modalities;
        if (flat == std::vector{Modality::Audio}) {
            flat->push_back(Modality::Text);
        }
    }
    a.optional("modalities", flat);
    if constexpr (A::kReads) {
        if (flat && flat->size() == 2) {
            flat = std::vector{Modality::Audio};
        }
        modalities = flat ? flat : modalities;
    }
}

template <typename A>
void outputModalities(A& a, auto& modalities)
{
    a.optional("output_modalities", modalities);
    a.check("output_modalities", !modalities || modalities->size() == 1, "must hold exactly one");
}

template <typename A>
void reasoning(A& a, auto& effort)
{
    a.group("reasoning", effort.has_value(), [&](auto& inner) {
        inner.optional("effort", effort);
        inner.check("effort", isGrade(effort), kUnsupported);
    });
}

template <typename A, Is<Session> E>
void gaAudio(A& a, E& e)
{
    const bool isFull = !a.isStrict() || e.type == SessionType::Realtime;
    const bool hasInput =
        e.inputFormat || !e.transcription.isAbsent() || !e.noiseReduction.isAbsent() || !e.turnDetection.isAbsent();
    const bool hasOutput = isFull && (e.outputFormat || e.voice || e.speed);
    a.group("audio", hasInput || hasOutput, [&](auto& audio) {
        audio.group("input", hasInput, [&](auto& input) {
            input.optional("format", e.inputFormat);
            input.optional("transcription", e.transcription);
            input.optional("noise_reduction", e.noiseReduction);
            input.optional("turn_detection", e.turnDetection);
        });
        if (isFull) {
            audio.group("output", hasOutput, [&](auto& output) {
                output.optional("format", e.outputFormat);
                output.optional("voice", e.voice);
                output.optional("speed", e.speed);
                output.check("speed", isWithin(e.speed, 0.25, 1.5), kOutOfRange);
            });
        }
    });
}

template <typename A, Is<Session> E>
void betaInput(A& a, E& e)
{
    flatFormatField(a, "input_audio_format", e.inputFormat);
    a.optional("input_audio_transcription", e.transcription);
    a.optional("input_audio_noise_reduction", e.noiseReduction);
    a.optional("turn_detection", e.turnDetection);
}

template <typename A, Is<Session> E>
void betaOutput(A& a, E& e)
{
    flatModalities(a, e.outputModalities);
    flatFormatField(a, "output_audio_format", e.outputFormat);
    a.optional("voice", e.voice);
    a.optional("speed", e.speed);
    a.optional("max_response_output_tokens", e.maxOutputTokens);
    a.optional("temperature", e.temperature);
}

template <typename A, Is<Session> E>
void realtimeOnly(A& a, E& e)
{
    a.optional("model", e.model);
    a.optional("instructions", e.instructions);
    if (a.hasGa()) {
        outputModalities(a, e.outputModalities);
        a.optional("max_output_tokens", e.maxOutputTokens);
        a.optional("truncation", e.truncation);
        a.optional("prompt", e.prompt);
        a.optional("parallel_tool_calls", e.parallelToolCalls);
        reasoning(a, e.reasoningEffort);
    }
    if (a.hasBeta()) {
        betaOutput(a, e);
    }
    a.optional("tools", e.tools);
    a.optional("tool_choice", e.toolChoice);
    a.optional("tracing", e.tracing);
}

template <typename A, Is<Session> E>
void fields(A& a, E& e)
{
    if (a.mustHaveGa()) {
        a.expected("type", e.type);
    } else if constexpr (A::kReads) {
        // The beta had no such field; the event's type told it.
        std::optional<SessionType> type;
        a.optional("type", type);
        e.type = type.value_or(e.type);
    }
    if (!a.isStrict()) {
        a.optional("id", e.id);
        if (e.id) {
            a.constant(
                "object", e.type == SessionType::Realtime ? "realtime.session" : "realtime.transcription_session");
        }
        a.optional("expires_at", e.expiresAt);
    }
    if (a.hasGa()) {
        gaAudio(a, e);
    }
    if (a.hasBeta()) {
        betaInput(a, e);
    }
    a.optional("include", e.include);
    a.check("include", mayInclude(e.include.value()), kUnsupported);
    if (!a.isStrict() || e.type == SessionType::Realtime) {
        realtimeOnly(a, e);
    }
}

} // namespace vivavoce::core::openai::internal
