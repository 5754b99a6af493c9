#include "agent/realtime/session_settings.h"

#include "agent/realtime/client_shapes.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::agent::realtime {

using core::Json;

namespace {

constexpr const char* kDefaultInstructions =
    "You are a helpful voice assistant. Answer briefly and clearly, and say so when you did not understand.";

Json defaultTurnDetection(const std::string& type)
{
    if (type == "semantic_vad") {
        return {{"type", type}, {"eagerness", "auto"}, {"create_response", true}, {"interrupt_response", true}};
    }
    return {{"type", "server_vad"}, {"threshold", 0.5}, {"prefix_padding_ms", 300}, {"silence_duration_ms", 500},
        {"idle_timeout_ms", nullptr}, {"create_response", true}, {"interrupt_response", true}};
}

/// A format says all there is to say in its type; so a new one replaces the old one whole.
Json wholeFormat(const Json& format)
{
    if (format.value("type", "") == "audio/pcm") {
        return {{"type", "audio/pcm"}, {"rate", 24'000}};
    }
    return format;
}

void mergeTurnDetection(Json& into, const Json& update)
{
    if (update.is_null()) {
        into = nullptr;
        return;
    }
    const std::string type = update.value("type", "server_vad");
    if (!into.is_object() || into.value("type", "") != type) {
        into = defaultTurnDetection(type);
    }
    into.update(update);
}

void mergeAudio(Json& into, const Json& update)
{
    for (const auto& [side, fields] : update.items()) {
        for (const auto& [name, value] : fields.items()) {
            if (name == "format") {
                into[side][name] = wholeFormat(value);
            } else if (name == "turn_detection") {
                mergeTurnDetection(into[side][name], value);
            } else {
                into[side][name] = value;
            }
        }
    }
}

WireFormat formatOf(const Json& format)
{
    const std::string type = format.value("type", "audio/pcm");
    return type == "audio/pcmu" ? WireFormat::Pcmu : type == "audio/pcma" ? WireFormat::Pcma : WireFormat::Pcm24k;
}

core::Milliseconds eagernessSilence(const std::string& eagerness)
{
    return core::Milliseconds{eagerness == "high" ? 300 : eagerness == "low" ? 1'200 : 700};
}

std::vector<Tool> toolsOf(const Json& list)
{
    std::vector<Tool> tools;
    for (const Json& tool : list) {
        if (tool.value("type", "") != "function") {
            continue;
        }
        const auto description = tool.find("description");
        const auto parameters = tool.find("parameters");
        tools.push_back({tool.value("name", ""),
            description != tool.end() && description->is_string() ? description->get<std::string>() : std::string(),
            parameters != tool.end() && parameters->is_object() ? core::writeJson(*parameters) : std::string("{}")});
    }
    return tools;
}

void applyToolChoice(const Json& choice, ResponseSettings& settings)
{
    settings.requiredTool.clear();
    if (choice.is_string()) {
        settings.toolChoice = choice == "none" ? ToolChoice::None
            : choice == "required"             ? ToolChoice::Required
                                               : ToolChoice::Auto;
    } else if (choice.value("type", "") == "function") {
        settings.toolChoice = ToolChoice::Required;
        settings.requiredTool = choice.value("name", "");
    }
}

} // namespace

core::SampleRate wireRate(WireFormat format)
{
    return format == WireFormat::Pcm24k ? core::kRealtimeRate : core::SampleRate{8'000};
}

std::size_t bytesPerMillisecond(WireFormat format)
{
    return format == WireFormat::Pcm24k ? 48 : 8;
}

SessionSettings SessionSettings::defaults(
    const std::string& model, const std::string& sessionId, std::int64_t expiresAt)
{
    const Json pcm{{"type", "audio/pcm"}, {"rate", 24'000}};
    auto effective =
        std::make_shared<Json>(Json{{"type", "realtime"}, {"object", "realtime.session"}, {"id", sessionId},
            {"model", model}, {"output_modalities", Json::array({"audio"})}, {"instructions", kDefaultInstructions},
            {"tools", Json::array()}, {"tool_choice", "auto"}, {"max_output_tokens", "inf"}, {"tracing", nullptr},
            {"truncation", "auto"}, {"prompt", nullptr}, {"expires_at", expiresAt}, {"include", nullptr},
            {"audio",
                {{"input",
                     {{"format", pcm}, {"transcription", nullptr}, {"noise_reduction", nullptr},
                         {"turn_detection", defaultTurnDetection("server_vad")}}},
                    {"output", {{"format", pcm}, {"voice", "slt"}, {"speed", 1.0}}}}}});
    return SessionSettings(std::move(effective));
}

core::Expected<SessionSettings, EventFault> SessionSettings::merged(const Json& update, bool isVoiceLocked) const
{
    if (auto fault = sessionRule()(update, "session")) {
        return core::Unexpected<EventFault>(std::move(*fault));
    }
    if (const auto model = update.find("model"); model != update.end() && *model != m_effective->at("model")) {
        return core::Unexpected<EventFault>(invalidValue("session.model", "The model of a session cannot be changed."));
    }
    auto next = std::make_shared<Json>(*m_effective);
    for (const auto& [name, value] : update.items()) {
        if (name == "audio") {
            mergeAudio((*next)["audio"], value);
        } else {
            (*next)[name] = value;
        }
    }
    const Json::json_pointer voice("/audio/output/voice");
    if (isVoiceLocked && next->at(voice) != m_effective->at(voice)) {
        return core::Unexpected<EventFault>(EventFault{"cannot_update_voice",
            "Cannot update a conversation's voice if assistant audio is present.", "session.audio.output.voice"});
    }
    return SessionSettings(std::move(next));
}

core::Expected<SessionSettings, EventFault> SessionSettings::seeded(const Json& session) const
{
    if (!session.is_object() || !session.contains("model")) {
        return merged(session, false);
    }
    auto named = std::make_shared<Json>(*m_effective);
    (*named)["model"] = session.at("model");
    return SessionSettings(std::move(named)).merged(session, false);
}

std::string SessionSettings::model() const
{
    return m_effective->value("model", "");
}

WireFormat SessionSettings::inputFormat() const
{
    return formatOf(m_effective->at("audio").at("input").at("format"));
}

bool SessionSettings::isTranscribing() const
{
    return !m_effective->at("audio").at("input").at("transcription").is_null();
}

TurnDetection SessionSettings::turnDetection() const
{
    const Json& json = m_effective->at("audio").at("input").at("turn_detection");
    TurnDetection turn;
    if (json.is_null()) {
        turn.isManual = true;
        return turn;
    }
    turn.createsResponse = json.value("create_response", true);
    turn.interruptsResponse = json.value("interrupt_response", true);
    if (json.value("type", "") == "semantic_vad") {
        turn.silence = eagernessSilence(json.value("eagerness", "auto"));
        return turn;
    }
    turn.threshold = json.value("threshold", 0.5);
    turn.prefixPadding = core::Milliseconds{json.value("prefix_padding_ms", 300)};
    turn.silence = core::Milliseconds{json.value("silence_duration_ms", 500)};
    if (const auto idle = json.find("idle_timeout_ms"); idle != json.end() && idle->is_number()) {
        turn.idleTimeout = core::Milliseconds{idle->get<int>()};
    }
    return turn;
}

ResponseSettings SessionSettings::responseSettings(const Json& options) const
{
    Json merged = *m_effective;
    if (options.is_object()) {
        for (const auto& [name, value] : options.items()) {
            if (name == "audio") {
                mergeAudio(merged["audio"], value);
            } else if (!value.is_null() && name != "input") {
                merged[name] = value;
            }
        }
    }
    const Json& output = merged.at("audio").at("output");
    ResponseSettings settings;
    settings.instructions = merged.value("instructions", "");
    settings.modality = merged.at("output_modalities").at(0) == "text" ? Modality::Text : Modality::Audio;
    settings.outputFormat = formatOf(output.at("format"));
    settings.voiceJson = core::writeJson(output.at("voice"));
    settings.speed = output.value("speed", 1.0);
    settings.tools = toolsOf(merged.at("tools"));
    applyToolChoice(merged.at("tool_choice"), settings);
    if (const Json& limit = merged.at("max_output_tokens"); limit.is_number()) {
        settings.maxOutputTokens = limit.get<std::int64_t>();
    }
    if (merged.contains("metadata")) {
        settings.metadataJson = core::writeJson(merged.at("metadata"));
    }
    settings.isOutOfBand = merged.value("conversation", "auto") == "none";
    return settings;
}

} // namespace vivavoce::agent::realtime
