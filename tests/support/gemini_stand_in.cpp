#include "tests/support/gemini_stand_in.h"

#include "core/base/json.h"
#include "core/protocol/gemini/codec.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::tests {

using namespace core::gemini;
using core::TransportClose;

namespace {

bool isObject(const std::optional<RawJson>& raw)
{
    const auto parsed = raw ? core::parseJson(raw->text) : core::Expected<core::Json, core::JsonError>(core::Json());
    return parsed && parsed->is_object();
}

ServerMessage contentOf(ServerContent content)
{
    ServerMessage message;
    message.serverContent = std::move(content);
    return message;
}

} // namespace

void GeminiStandIn::Connection::heard(std::string_view text)
{
    if (m_isOver) {
        return;
    }
    const auto message = decodeClientMessage(text);
    if (!message) {
        refuse("Invalid JSON payload received. " + message.error().message);
        return;
    }
    if (!std::holds_alternative<Setup>(*message) && !m_isReady) {
        refuse("Request contains an invalid argument.");
        return;
    }
    std::visit([this](const auto& known) { on(known); }, *message);
}

void GeminiStandIn::Connection::on(const Setup& setup)
{
    if (m_session != nullptr) {
        refuse("setup must be the first message and can only be sent once");
        return;
    }
    if (setup.model != m_server.model) {
        hangUp(1008, setup.model + " is not found for API version v1beta");
        return;
    }
    const auto& config = setup.generationConfig;
    if (!config || config->responseModalities.value_or(std::vector<std::string>()).size() != 1) {
        refuse("Request contains an invalid argument.");
        return;
    }
    for (const Tool& tool : setup.tools.value_or(std::vector<Tool>())) {
        for (const FunctionDeclaration& function :
            tool.functionDeclarations.value_or(std::vector<FunctionDeclaration>())) {
            if (function.parametersJsonSchema && !isObject(function.parametersJsonSchema)) {
                refuse("Request contains an invalid argument.");
                return;
            }
        }
    }
    const std::string handle =
        setup.sessionResumption ? setup.sessionResumption->handle.value_or(std::string()) : std::string();
    if (!handle.empty()) {
        const auto known = m_server.m_handles.find(handle);
        if (known == m_server.m_handles.end()) {
            hangUp(1008, "BidiGenerateContent session not found");
            return;
        }
        m_session = known->second;
    } else {
        m_session = std::make_shared<Session>();
    }
    m_session->setup = setup;
    m_wantsHistory = setup.historyConfig && setup.historyConfig->initialHistoryInClientContent.value_or(false);
    if (m_server.confirms) {
        completeSetup();
    }
}

void GeminiStandIn::Connection::completeSetup()
{
    m_isReady = true;
    ServerMessage message;
    message.setupComplete = SetupComplete{"session_1"};
    say(message);
}

void GeminiStandIn::Connection::on(const ClientContent& content)
{
    if (!std::exchange(m_wantsHistory, false) || m_hasBegun || !content.turnComplete.value_or(false)) {
        refuse("Request contains an invalid argument.");
        return;
    }
    m_session->history = content.turns;
}

void GeminiStandIn::Connection::on(const RealtimeInput& input)
{
    if (m_wantsHistory) {
        refuse("Request contains an invalid argument.");
        return;
    }
    m_hasBegun = true;
    const auto& config = m_session->setup.realtimeInputConfig;
    const bool isByHand =
        config && config->automaticActivityDetection && config->automaticActivityDetection->disabled.value_or(false);
    if (input.activityStart || input.activityEnd) {
        if (!isByHand || m_isActive == input.activityStart.has_value()) {
            refuse("Explicit activity control is not supported when automatic activity detection is enabled.");
            return;
        }
        m_isActive = input.activityStart.has_value();
        m_session->activities += m_isActive ? 1 : 0;
        if (!m_isActive && m_server.answer) {
            m_server.answer(*this);
        }
    } else if (input.audio) {
        if (!input.audio->mimeType.starts_with("audio/pcm") || input.audio->data.size() % 2 != 0) {
            refuse("Request contains an invalid argument.");
            return;
        }
        m_session->soundBytes += input.audio->data.size();
        m_session->heldSoundBytes += m_isActive ? input.audio->data.size() : 0;
        if (m_server.listen) {
            m_server.listen(*this, input.audio->data);
        }
    } else if (input.audioStreamEnd) {
        ++m_session->streamEnds;
    } else if (input.text) {
        m_session->texts.push_back(*input.text);
        if (m_server.answer) {
            m_server.answer(*this);
        }
    }
}

void GeminiStandIn::Connection::on(const ToolResponse& response)
{
    for (const FunctionResponse& result : response.functionResponses) {
        if (m_calls.erase(result.id) == 0 || result.name.empty() || !isObject(result.response)) {
            refuse("Request contains an invalid argument.");
            return;
        }
        m_session->answers.push_back(result);
    }
    if (m_calls.empty() && m_server.answer) {
        m_server.answer(*this);
    }
}

void GeminiStandIn::Connection::say(const ServerMessage& message)
{
    if (!m_isOver) {
        m_say(encode(message));
    }
}

void GeminiStandIn::Connection::hangUp(std::uint16_t code, std::string reason)
{
    if (!std::exchange(m_isOver, true)) {
        m_close = {code, std::move(reason)};
        m_hangUp(m_close);
    }
}

void GeminiStandIn::Connection::sound(core::Milliseconds duration)
{
    Part part;
    part.inlineData = Blob{"audio/pcm;rate=24000", core::Bytes(static_cast<std::size_t>(duration.count()) * 48, 1)};
    ServerContent content;
    content.modelTurn = Content{"model", {std::move(part)}};
    say(contentOf(std::move(content)));
}

void GeminiStandIn::Connection::words(const std::string& text)
{
    ServerContent content;
    content.outputTranscription = TranscriptPiece{text};
    say(contentOf(std::move(content)));
}

void GeminiStandIn::Connection::userWords(const std::string& text, bool isLast)
{
    ServerContent content;
    content.inputTranscription = TranscriptPiece{text};
    if (isLast) {
        content.inputTranscription->finished = true;
    }
    say(contentOf(std::move(content)));
}

void GeminiStandIn::Connection::generationComplete()
{
    ServerContent content;
    content.generationComplete = true;
    say(contentOf(std::move(content)));
}

void GeminiStandIn::Connection::turnComplete()
{
    ServerContent content;
    content.turnComplete = true;
    say(contentOf(std::move(content)));
}

void GeminiStandIn::Connection::interrupt()
{
    ServerContent content;
    content.interrupted = true;
    say(contentOf(std::move(content)));
}

void GeminiStandIn::Connection::reply(const std::string& text)
{
    sound(core::Milliseconds{40});
    words(text);
    usage(10, 20, 30);
    generationComplete();
    turnComplete();
}

void GeminiStandIn::Connection::call(const std::string& id, const std::string& name, const std::string& args)
{
    m_calls.insert(id);
    ServerMessage message;
    message.toolCall = ToolCall{{{id, name, RawJson{args}}}};
    say(message);
}

void GeminiStandIn::Connection::cancelCall(const std::string& id)
{
    m_calls.erase(id);
    ServerMessage message;
    message.toolCallCancellation = ToolCallCancellation{{id}};
    say(message);
}

void GeminiStandIn::Connection::usage(std::int64_t textIn, std::int64_t audioIn, std::int64_t audioOut)
{
    UsageMetadata usage;
    usage.promptTokenCount = Int64{textIn + audioIn};
    usage.responseTokenCount = Int64{audioOut};
    usage.totalTokenCount = Int64{textIn + audioIn + audioOut};
    usage.promptTokensDetails = std::vector<ModalityCount>{{"TEXT", {textIn}}, {"AUDIO", {audioIn}}};
    usage.responseTokensDetails = std::vector<ModalityCount>{{"AUDIO", {audioOut}}};
    ServerMessage message;
    message.usageMetadata = std::move(usage);
    say(message);
}

void GeminiStandIn::Connection::goAway(core::Milliseconds left)
{
    ServerMessage message;
    message.goAway = GoAway{left};
    say(message);
}

std::string GeminiStandIn::Connection::handle()
{
    const std::string handle = "handle_" + std::to_string(m_server.m_handles.size() + 1);
    // As it is now: what this connection still hears is not in it.
    m_server.m_handles[handle] = std::make_shared<Session>(*m_session);
    ServerMessage message;
    message.sessionResumptionUpdate = SessionResumptionUpdate{handle, true, std::nullopt};
    say(message);
    return handle;
}

} // namespace vivavoce::tests
