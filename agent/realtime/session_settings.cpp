#include "agent/realtime/session_settings.h"

#include <utility>
#include <variant>

namespace vivavoce::agent::realtime {

namespace openai = core::openai;

namespace {

constexpr const char* kDefaultInstructions =
    "You are a helpful voice assistant. Answer briefly and clearly, and say so when you did not understand.";

void fillIn(openai::ServerVad& vad)
{
    const TurnDetection defaults;
    vad.threshold = vad.threshold.value_or(defaults.threshold);
    vad.prefixPaddingMs = vad.prefixPaddingMs.value_or(defaults.prefixPadding.count());
    vad.silenceDurationMs = vad.silenceDurationMs.value_or(defaults.silence.count());
    if (vad.idleTimeoutMs.isAbsent()) {
        vad.idleTimeoutMs = openai::Null{};
    }
}

void fillIn(openai::SemanticVad& vad)
{
    vad.eagerness = vad.eagerness.value_or(openai::Eagerness::Auto);
}

/// Clients read from session.updated what holds, so what they leave out of a detector is told too.
void fillIn(openai::TurnDetection& detection)
{
    std::visit(
        [](auto& vad) {
            fillIn(vad);
            vad.createResponse = vad.createResponse.value_or(true);
            vad.interruptResponse = vad.interruptResponse.value_or(true);
        },
        detection);
}

core::Milliseconds eagernessSilence(std::optional<openai::Eagerness> eagerness)
{
    return core::Milliseconds{eagerness == openai::Eagerness::High ? 300
            : eagerness == openai::Eagerness::Low                  ? 1'200
                                                                   : 700};
}

void takeOver(TurnDetection& turn, const openai::ServerVad& vad)
{
    turn.threshold = vad.threshold.value_or(turn.threshold);
    turn.prefixPadding = core::Milliseconds{vad.prefixPaddingMs.value_or(turn.prefixPadding.count())};
    turn.silence = core::Milliseconds{vad.silenceDurationMs.value_or(turn.silence.count())};
    if (const auto* idle = vad.idleTimeoutMs.value()) {
        turn.idleTimeout = core::Milliseconds{*idle};
    }
}

void takeOver(TurnDetection& turn, const openai::SemanticVad& vad)
{
    turn.silence = eagernessSilence(vad.eagerness);
}

std::vector<Tool> functionsOf(const std::vector<openai::Tool>& list)
{
    std::vector<Tool> tools;
    for (const openai::Tool& tool : list) {
        if (const auto* function = std::get_if<openai::FunctionTool>(&tool)) {
            tools.push_back({function->name, function->description.value_or(std::string()),
                function->parameters.value_or(openai::RawJson{"{}"}).text});
        }
    }
    return tools;
}

void setToolChoice(ResponseSettings& settings, const openai::ToolChoice& choice)
{
    if (const auto* function = std::get_if<openai::ToolChoiceFunction>(&choice)) {
        settings.toolChoice = ToolChoice::Required;
        settings.requiredTool = function->name;
    } else if (const auto* mode = std::get_if<openai::ToolChoiceMode>(&choice)) {
        settings.toolChoice = *mode == openai::ToolChoiceMode::None ? ToolChoice::None
            : *mode == openai::ToolChoiceMode::Required             ? ToolChoice::Required
                                                                    : ToolChoice::Auto;
    }
}

/// What is meant where no rate is said.
void fillIn(std::optional<openai::AudioFormat>& format)
{
    if (format && !format->rate.isValid()) {
        format->rate = wireRate(format->encoding);
    }
}

} // namespace

core::SampleRate wireRate(WireFormat format)
{
    return format == WireFormat::Pcm ? core::kRealtimeRate : core::SampleRate{8'000};
}

std::size_t bytesPerMillisecond(WireFormat format)
{
    return format == WireFormat::Pcm ? 48 : 8;
}

core::Milliseconds playTime(std::size_t bytes, WireFormat format)
{
    return core::Milliseconds{static_cast<long long>(bytes / bytesPerMillisecond(format))};
}

SessionSettings SessionSettings::defaults(
    const std::string& model, const std::string& sessionId, std::int64_t expiresAt)
{
    openai::Session session;
    session.id = sessionId;
    session.expiresAt = expiresAt;
    session.model = model;
    session.instructions = kDefaultInstructions;
    session.outputModalities = {Modality::Audio};
    session.inputFormat = openai::AudioFormat{};
    session.transcription = openai::Null{};
    session.noiseReduction = openai::Null{};
    openai::TurnDetection detection;
    fillIn(detection);
    session.turnDetection = std::move(detection);
    session.outputFormat = openai::AudioFormat{};
    session.voice = openai::Voice{"slt"};
    session.speed = 1.0;
    session.tools.emplace();
    session.toolChoice = openai::ToolChoiceMode::Auto;
    session.maxOutputTokens = openai::TokenLimit{};
    session.truncation = openai::TruncationMode::Auto;
    session.tracing = openai::Null{};
    session.prompt = openai::Null{};
    session.include = openai::Null{};
    return SessionSettings(std::make_shared<openai::Session>(std::move(session)));
}

core::Expected<SessionSettings, EventFault> SessionSettings::merged(
    const openai::Session& update, bool isVoiceLocked) const
{
    if (update.model && update.model != m_effective->model) {
        return core::Unexpected<EventFault>(invalidValue("session.model", "The model of a session cannot be changed."));
    }
    auto next = std::make_shared<openai::Session>(merge(*m_effective, update));
    if (isVoiceLocked && next->voice != m_effective->voice) {
        return core::Unexpected<EventFault>(EventFault{"cannot_update_voice",
            "Cannot update a conversation's voice if assistant audio is present.", "session.audio.output.voice"});
    }
    if (auto* detection = next->turnDetection.value()) {
        fillIn(*detection);
    }
    fillIn(next->inputFormat);
    fillIn(next->outputFormat);
    return SessionSettings(std::move(next));
}

WireFormat SessionSettings::inputFormat() const
{
    return m_effective->inputFormat.value_or(openai::AudioFormat{}).encoding;
}

bool SessionSettings::isTranscribing() const
{
    return m_effective->transcription.hasValue();
}

TurnDetection SessionSettings::turnDetection() const
{
    TurnDetection turn;
    const auto* detection = m_effective->turnDetection.value();
    turn.isManual = detection == nullptr;
    if (detection != nullptr) {
        std::visit(
            [&turn](const auto& vad) {
                turn.createsResponse = vad.createResponse.value_or(true);
                turn.interruptsResponse = vad.interruptResponse.value_or(true);
                takeOver(turn, vad);
            },
            *detection);
    }
    return turn;
}

ResponseSettings SessionSettings::responseSettings(const openai::ResponseConfig& overrides) const
{
    openai::Session update;
    update.instructions = overrides.instructions;
    update.outputModalities = overrides.outputModalities;
    update.outputFormat = overrides.outputFormat;
    update.voice = overrides.voice;
    update.tools = overrides.tools;
    update.toolChoice = overrides.toolChoice;
    update.maxOutputTokens = overrides.maxOutputTokens;
    const openai::Session merged = merge(*m_effective, update);

    ResponseSettings settings;
    settings.instructions = merged.instructions.value_or(std::string());
    settings.modality = merged.outputModalities.value_or(std::vector{Modality::Audio}).front();
    settings.outputFormat = merged.outputFormat.value_or(openai::AudioFormat{}).encoding;
    settings.voice = merged.voice.value_or(openai::Voice{});
    settings.speed = merged.speed.value_or(1.0);
    settings.tools = functionsOf(merged.tools.value_or(std::vector<openai::Tool>()));
    setToolChoice(settings, merged.toolChoice.value_or(openai::ToolChoiceMode::Auto));
    settings.maxOutputTokens = merged.maxOutputTokens.value_or(openai::TokenLimit{}).count;
    settings.metadata = overrides.metadata;
    settings.isOutOfBand = overrides.conversation == "none";
    return settings;
}

} // namespace vivavoce::agent::realtime
