#include "core/protocol/openai/session_config.h"

namespace vivavoce::core::openai {
namespace {

template <typename T>
void take(std::optional<T>& into, const std::optional<T>& from)
{
    if (from) {
        into = from;
    }
}

template <typename T>
void take(Nullable<T>& into, const Nullable<T>& from)
{
    if (!from.isAbsent()) {
        into = from;
    }
}

void mergeFields(Transcription& into, const Transcription& from)
{
    take(into.model, from.model);
    take(into.language, from.language);
    take(into.languages, from.languages);
    take(into.keywords, from.keywords);
    take(into.prompt, from.prompt);
    take(into.delay, from.delay);
}

void mergeFields(NoiseReduction& into, const NoiseReduction& from)
{
    take(into.type, from.type);
    take(into.strength, from.strength);
}

void mergeFields(ServerVad& into, const ServerVad& from)
{
    take(into.threshold, from.threshold);
    take(into.prefixPaddingMs, from.prefixPaddingMs);
    take(into.silenceDurationMs, from.silenceDurationMs);
    take(into.createResponse, from.createResponse);
    take(into.interruptResponse, from.interruptResponse);
    take(into.idleTimeoutMs, from.idleTimeoutMs);
}

void mergeFields(SemanticVad& into, const SemanticVad& from)
{
    take(into.eagerness, from.eagerness);
    take(into.createResponse, from.createResponse);
    take(into.interruptResponse, from.interruptResponse);
}

void mergeFields(TurnDetection& into, const TurnDetection& from)
{
    if (into.index() != from.index()) {
        into = from;
        return;
    }
    std::visit([&](auto& kept) { mergeFields(kept, std::get<std::decay_t<decltype(kept)>>(from)); }, into);
}

template <typename T>
void mergeObject(Nullable<T>& into, const Nullable<T>& from)
{
    if (into.hasValue() && from.hasValue()) {
        mergeFields(*into.value(), *from.value());
    } else {
        take(into, from);
    }
}

} // namespace

Session merge(Session effective, const Session& update)
{
    take(effective.model, update.model);
    take(effective.instructions, update.instructions);
    take(effective.outputModalities, update.outputModalities);
    take(effective.inputFormat, update.inputFormat);
    mergeObject(effective.transcription, update.transcription);
    mergeObject(effective.noiseReduction, update.noiseReduction);
    mergeObject(effective.turnDetection, update.turnDetection);
    take(effective.outputFormat, update.outputFormat);
    take(effective.voice, update.voice);
    take(effective.speed, update.speed);
    take(effective.tools, update.tools);
    take(effective.toolChoice, update.toolChoice);
    take(effective.parallelToolCalls, update.parallelToolCalls);
    take(effective.maxOutputTokens, update.maxOutputTokens);
    take(effective.truncation, update.truncation);
    take(effective.tracing, update.tracing);
    take(effective.prompt, update.prompt);
    take(effective.include, update.include);
    take(effective.reasoningEffort, update.reasoningEffort);
    take(effective.temperature, update.temperature);
    return effective;
}

} // namespace vivavoce::core::openai
