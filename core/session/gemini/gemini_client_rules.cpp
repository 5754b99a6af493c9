#include "core/base/json.h"
#include "core/session/gemini/gemini_setup.h"
#include "core/session/gemini/gemini_translator.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::core {
namespace {

/// Gemini's own rate is 16 kHz; it takes others that are named.
constexpr const char* kSoundType = "audio/pcm;rate=24000";
/// 100 ms. A turn that is shorter is a key that was touched, and Gemini is not told of it.
constexpr std::size_t kShortestTurnBytes = 4'800;

std::string textOf(const openai::Item& item)
{
    std::string text;
    for (const openai::ContentPart& part : item.content) {
        text += part.text.value_or(part.transcript.value_or(std::string()));
    }
    return text;
}

/// Gemini takes objects only.
gemini::RawJson responseOf(const std::string& output)
{
    auto parsed = parseJson(output);
    if (parsed && parsed->is_object()) {
        return {output};
    }
    return {writeJson(Json{{"output", parsed ? std::move(*parsed) : Json(output)}})};
}

/// What the user has stopped is nothing to speak of.
bool isStopped(const std::string& output)
{
    const auto parsed = parseJson(output);
    return parsed && parsed->is_object() && parsed->value("error", Json()) == Json(codeText(ErrorCode::Cancelled));
}

gemini::Content contentOf(bool isUsers, std::string text)
{
    gemini::Part part;
    part.text = std::move(text);
    return {isUsers ? "user" : "model", {std::move(part)}};
}

} // namespace

gemini::Setup GeminiTranslator::setup() const
{
    gemini::Setup setup = setupOf(m_session);
    setup.sessionResumption = gemini::SessionResumption{};
    if (!m_memory.handle.empty() && m_memory.isWhole) {
        setup.sessionResumption->handle = m_memory.handle;
    } else if (!m_memory.items.empty()) {
        setup.historyConfig = gemini::HistoryConfig{true};
    }
    return setup;
}

void GeminiTranslator::on(const openai::SessionUpdate& update)
{
    const openai::Session before = std::exchange(m_session, merge(m_session, update.session));
    if (!m_setup) {
        m_setup = setup();
        m_takesHistory = m_setup->historyConfig.has_value();
        send(*m_setup);
    } else if (setupOf(before) != setupOf(m_session)) {
        // A session is set up once: another connection goes on in its place.
        m_steps.endsIn = Milliseconds{0};
    } else if (m_isReady) {
        tell(openai::SessionUpdated{{}, m_session});
    }
}

void GeminiTranslator::on(openai::InputAudioBufferAppend& append)
{
    m_soundBytes += append.audio.size();
    if (!m_session.turnDetection.isNull()) {
        tellLines(false);
        sendSound(std::move(append.audio));
        return;
    }
    if (!m_isHeld) {
        return;
    }
    if (m_isHeldTold) {
        sendSound(std::move(append.audio));
        return;
    }
    m_heldSound.insert(m_heldSound.end(), append.audio.begin(), append.audio.end());
    if (m_heldSound.size() >= kShortestTurnBytes) {
        beginHeldTurn();
    }
}

void GeminiTranslator::on(const openai::InputAudioBufferClear&)
{
    // The key goes down; or up at once, and it was no turn.
    if (m_session.turnDetection.isNull() && !m_isHeldTold) {
        m_isHeld = !m_isHeld;
        m_heldSound.clear();
    }
}

void GeminiTranslator::on(const openai::InputAudioBufferCommit&)
{
    gemini::RealtimeInput end;
    if (m_session.turnDetection.isNull()) {
        if (!m_isHeldTold) {
            beginHeldTurn();
        }
        m_isHeld = m_isHeldTold = false;
        end.activityEnd = gemini::Mark{};
    } else {
        end.audioStreamEnd = true;
    }
    send(std::move(end));
    if (!std::exchange(m_isUserSpeaking, false)) {
        newUserItem();
    }
    commitUserItem();
    if (!m_earlyWords.empty()) {
        userWords({std::exchange(m_earlyWords, {})});
    }
    m_isReplyDue = true;
}

void GeminiTranslator::on(openai::ConversationItemCreate& create)
{
    const openai::Item& item = create.item;
    switch (item.type) {
    case openai::ItemType::Message:
        // A session that was resumed knows what was said.
        if (!m_setup->sessionResumption->handle || m_memory.items.count(item.id) == 0) {
            m_lines.push_back({item.role != openai::Role::Assistant, textOf(item)});
        }
        m_memory.items.insert(item.id);
        return;
    case openai::ItemType::FunctionCall:
        m_earlierCalls[item.callId] = item.name + "(" + item.arguments + ")";
        return;
    case openai::ItemType::FunctionCallOutput:
        answerCall(item.callId, item.output);
        return;
    case openai::ItemType::Reference:
    case openai::ItemType::Other:
        return;
    }
}

void GeminiTranslator::on(const openai::ResponseCreate&)
{
    m_isReplyAsked = true;
    tellLines(true);
    if (!m_isReplyDue && m_lateWordsDue == 0 && !m_reply) {
        // Calls that were cancelled meanwhile, say.
        replyNothing(openai::ResponseStatus::Cancelled);
    }
}

void GeminiTranslator::on(const openai::ResponseCancel& cancel)
{
    // There is no word for it: what still comes is not passed on.
    if (m_reply && cancel.responseId.value_or(m_reply->id) == m_reply->id) {
        endReply(openai::ResponseStatus::Cancelled, "client_cancelled");
        m_isMuted = true;
    }
}

void GeminiTranslator::sendSound(Bytes pcm)
{
    gemini::RealtimeInput input;
    input.audio = gemini::Blob{kSoundType, std::move(pcm)};
    send(std::move(input));
}

void GeminiTranslator::beginHeldTurn()
{
    tellLines(false);
    gemini::RealtimeInput start;
    start.activityStart = gemini::Mark{};
    send(std::move(start));
    m_isHeldTold = true;
    if (!m_heldSound.empty()) {
        sendSound(std::exchange(m_heldSound, {}));
    }
}

void GeminiTranslator::tellLines(bool areToBeAnswered)
{
    std::size_t known = m_lines.size();
    while (areToBeAnswered && known > 0 && m_lines[known - 1].isUsers) {
        --known;
    }
    if (std::exchange(m_takesHistory, false)) {
        // Announced, so that it is to come even if there is none.
        gemini::ClientContent history;
        history.turnComplete = true;
        for (std::size_t i = 0; i < known; ++i) {
            history.turns.push_back(contentOf(m_lines[i].isUsers, std::move(m_lines[i].text)));
        }
        send(std::move(history));
        m_lines.erase(m_lines.begin(), m_lines.begin() + static_cast<std::ptrdiff_t>(known));
    }
    std::string text;
    for (const Line& line : m_lines) {
        // What it said itself it cannot be told again.
        if (areToBeAnswered && line.isUsers && !line.text.empty()) {
            text += (text.empty() ? "" : "\n") + line.text;
        }
    }
    if (!text.empty()) {
        gemini::RealtimeInput input;
        input.text = std::move(text);
        send(std::move(input));
        m_memory.isWhole = false;
        m_isReplyDue = true;
    }
    if (areToBeAnswered) {
        m_lines.clear();
    }
}

void GeminiTranslator::answerCall(const std::string& callId, const std::string& output)
{
    if (const auto earlier = m_earlierCalls.find(callId); earlier != m_earlierCalls.end()) {
        // The session that asked for it is gone, and a response to nothing is refused.
        m_lines.push_back({true, "[" + earlier->second + ": " + output + "]"});
        m_earlierCalls.erase(earlier);
        return;
    }
    const auto call = m_calls.find(callId);
    if (call == m_calls.end()) {
        // Cancelled meanwhile.
        return;
    }
    gemini::FunctionResponse answer{callId, call->second, responseOf(output)};
    m_calls.erase(call);
    if (runsBeside(*m_setup, answer.name)) {
        answerLate(std::move(answer), !isStopped(output));
        return;
    }
    m_answers.push_back(std::move(answer));
    sendAnswers();
}

void GeminiTranslator::answerLate(gemini::FunctionResponse answer, bool isToBeSaid)
{
    answer.scheduling = isToBeSaid ? "WHEN_IDLE" : "SILENT";
    send(gemini::ToolResponse{{std::move(answer)}});
    m_lateWordsDue += isToBeSaid ? 1 : 0;
}

void GeminiTranslator::sendAnswers()
{
    if (!isWaitingForCalls() && !m_answers.empty()) {
        send(gemini::ToolResponse{std::exchange(m_answers, {})});
        m_isReplyDue = true;
    }
}

bool GeminiTranslator::isWaitingForCalls() const
{
    return std::any_of(
        m_calls.begin(), m_calls.end(), [this](const auto& call) { return !runsBeside(*m_setup, call.second); });
}

} // namespace vivavoce::core
