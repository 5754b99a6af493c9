#include "core/session/gemini/gemini_setup.h"

#include <algorithm>
#include <array>

namespace vivavoce::core {
namespace {

constexpr const char* kBlocking = "BLOCKING";
constexpr const char* kNonBlocking = "NON_BLOCKING";

/// What a model is told of functions that take no time, and of those that do; null: nothing. As of 2026-11, by ai.google.dev ("Tool use with
/// Live API" and the models' pages): 2.x block unless they are told otherwise, 3.1 knows nothing else, 3.8 blocks only where it is told to, and
/// the one that thinks for longer never does.
struct CallStyle {
    std::string_view model;
    const char* quick = nullptr;
    const char* slow = nullptr;
};
constexpr std::array kCallStyles{CallStyle{"models/gemini-2.", nullptr, kNonBlocking},
    CallStyle{"models/gemini-live-2.", nullptr, kNonBlocking},
    CallStyle{"models/gemini-3.8-live-extended-thinking", kNonBlocking, kNonBlocking},
    CallStyle{"models/gemini-3.8-", kBlocking, kNonBlocking}};

/// Of a model that nobody has heard of nothing is known.
CallStyle callStyle(std::string_view model)
{
    const auto* const known = std::find_if(
        kCallStyles.begin(), kCallStyles.end(), [&](const CallStyle& style) { return model.starts_with(style.model); });
    return known == kCallStyles.end() ? CallStyle{} : *known;
}

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

std::vector<gemini::FunctionDeclaration> declarations(
    const std::vector<openai::Tool>& tools, const CallStyle& style, const TakesTime& takesTime)
{
    std::vector<gemini::FunctionDeclaration> all;
    for (const openai::Tool& tool : tools) {
        if (const auto* function = std::get_if<openai::FunctionTool>(&tool)) {
            gemini::FunctionDeclaration declaration;
            declaration.name = function->name;
            declaration.description = function->description;
            declaration.parametersJsonSchema = function->parameters;
            const bool isSlow = takesTime && takesTime(function->name);
            if (const char* behavior = isSlow ? style.slow : style.quick) {
                declaration.behavior = behavior;
            }
            all.push_back(std::move(declaration));
        }
    }
    return all;
}

} // namespace

gemini::Setup geminiSetup(const openai::Session& session, std::string_view model, const TakesTime& takesTime)
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
    const auto tools = session.tools.value_or(std::vector<openai::Tool>());
    if (auto functions = declarations(tools, callStyle(setup.model), takesTime); !functions.empty()) {
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

bool runsBeside(const gemini::Setup& setup, std::string_view function)
{
    for (const gemini::Tool& tool : setup.tools.value_or(std::vector<gemini::Tool>())) {
        for (const auto& declaration : tool.functionDeclarations.value_or(std::vector<gemini::FunctionDeclaration>())) {
            if (declaration.name == function) {
                return declaration.behavior == kNonBlocking;
            }
        }
    }
    return false;
}

std::set<std::string> functionsBeside(
    const std::vector<openai::FunctionTool>& functions, std::string_view model, const TakesTime& takesTime)
{
    openai::Session session;
    session.tools.emplace(functions.begin(), functions.end());
    const gemini::Setup setup = geminiSetup(session, model, takesTime);
    std::set<std::string> beside;
    for (const openai::FunctionTool& function : functions) {
        if (runsBeside(setup, function.name)) {
            beside.insert(function.name);
        }
    }
    return beside;
}

} // namespace vivavoce::core
