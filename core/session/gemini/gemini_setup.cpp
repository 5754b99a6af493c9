#include "core/session/gemini/gemini_setup.h"

#include <algorithm>

namespace vivavoce::core {
namespace {

gemini::RealtimeInputConfig inputConfig(const openai::Nullable<openai::TurnDetection>& detection)
{
    gemini::ActivityDetection activity;
    if (detection.isNull()) {
        activity.disabled = true;
    } else if (detection.hasValue()) {
        if (const auto* vad = std::get_if<openai::ServerVad>(detection.value())) {
            activity.prefixPaddingMs = vad->prefixPaddingMs;
            activity.silenceDurationMs = vad->silenceDurationMs;
        }
    }
    gemini::RealtimeInputConfig config;
    config.automaticActivityDetection = std::move(activity);
    return config;
}

std::vector<gemini::FunctionDeclaration> declarations(const std::vector<openai::Tool>& tools)
{
    std::vector<gemini::FunctionDeclaration> all;
    for (const openai::Tool& tool : tools) {
        if (const auto* function = std::get_if<openai::FunctionTool>(&tool)) {
            gemini::FunctionDeclaration declaration;
            declaration.name = function->name;
            declaration.description = function->description;
            declaration.parametersJsonSchema = function->parameters;
            all.push_back(std::move(declaration));
        }
    }
    return all;
}

} // namespace

gemini::Setup geminiSetup(const openai::Session& session, std::string_view model)
{
    gemini::Setup setup;
    setup.model = gemini::modelPath(model);
    const auto modalities = session.outputModalities.value_or(std::vector{openai::Modality::Audio});
    const bool isSpoken = std::find(modalities.begin(), modalities.end(), openai::Modality::Audio) != modalities.end();
    gemini::GenerationConfig generation;
    generation.responseModalities = std::vector<std::string>{isSpoken ? "AUDIO" : "TEXT"};
    if (isSpoken && session.voice) {
        generation.voiceName = session.voice->name;
    }
    if (session.maxOutputTokens) {
        generation.maxOutputTokens = session.maxOutputTokens->count;
    }
    setup.generationConfig = std::move(generation);
    if (session.instructions) {
        gemini::Part part;
        part.text = session.instructions;
        setup.systemInstruction = gemini::Content{{}, {std::move(part)}};
    }
    if (auto functions = declarations(session.tools.value_or(std::vector<openai::Tool>())); !functions.empty()) {
        setup.tools = std::vector<gemini::Tool>{{std::move(functions), std::nullopt}};
    }
    setup.realtimeInputConfig = inputConfig(session.turnDetection);
    // Without it a session ends after a quarter of an hour.
    setup.contextWindowCompression = gemini::ContextWindowCompression{std::nullopt, gemini::SlidingWindow{}};
    if (session.transcription.hasValue()) {
        setup.inputAudioTranscription = gemini::Mark{};
    }
    if (isSpoken) {
        setup.outputAudioTranscription = gemini::Mark{};
    }
    return setup;
}

} // namespace vivavoce::core
