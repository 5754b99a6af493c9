#include "core/base/json.h"
#include "core/session/gemini/gemini_translator.h"
#include "core/session/gemini/gemini_usage.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

namespace vivavoce::core {
namespace {

using openai::ResponseStatus;

/// A provider takes some time to find out that somebody speaks.
constexpr Milliseconds kNoticed{1'000};

openai::Response responseOf(const std::string& id, ResponseStatus status)
{
    openai::Response response;
    response.id = id;
    response.status = status;
    return response;
}

/// Of "audio/pcm;rate=24000"; nothing: it names none, or none that could be played.
std::optional<SampleRate> rateIn(std::string_view mimeType)
{
    constexpr std::string_view kRate = "rate=";
    const std::size_t begin = mimeType.find(kRate);
    if (begin == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view text = mimeType.substr(begin + kRate.size());
    std::uint32_t hz = 0;
    const bool isRead = std::from_chars(text.data(), text.data() + text.size(), hz).ec == std::errc();
    const SampleRate rate(hz);
    return isRead && rate.isValid() ? std::optional(rate) : std::nullopt;
}

openai::Item messageItem(const std::string& id, openai::ItemStatus status)
{
    openai::Item item;
    item.id = id;
    item.role = openai::Role::Assistant;
    item.status = status;
    return item;
}

} // namespace

void GeminiTranslator::on(const gemini::SetupComplete&)
{
    if (m_setup && !std::exchange(m_isReady, true)) {
        tell(openai::SessionUpdated{{}, m_session});
    }
}

void GeminiTranslator::on(gemini::ServerContent& content)
{
    if (content.interrupted.value_or(false)) {
        interrupted();
    }
    if (content.inputTranscription) {
        userWords(*content.inputTranscription);
    }
    if (!m_isMuted && content.modelTurn) {
        for (gemini::Part& part : content.modelTurn->parts) {
            modelSaid(part);
        }
    }
    if (!m_isMuted && content.outputTranscription && !content.outputTranscription->text.empty()) {
        replyWords(content.outputTranscription->text);
    }
    if (content.generationComplete.value_or(false) && m_reply) {
        endReply(ResponseStatus::Completed, nullptr);
    }
    if (content.turnComplete.value_or(false)) {
        turnOver();
    }
}

void GeminiTranslator::modelSaid(gemini::Part& part)
{
    const bool isText = part.text && !part.text->empty() && !part.thought.value_or(false);
    // A picture or a video is none.
    const bool isSound = part.inlineData && !part.inlineData->data.empty()
        && (part.inlineData->mimeType.empty() || part.inlineData->mimeType.starts_with("audio/pcm"));
    if (!isText && !isSound) {
        return;
    }
    beginReply();
    beginItem();
    if (isText) {
        m_reply->text += *part.text;
        tell(openai::ResponseOutputTextDelta{{}, m_reply->id, m_reply->itemId, 0, 0, std::move(*part.text)});
    }
    if (isSound) {
        m_reply->hasSound = true;
        const SampleRate before = m_session.outputFormat ? m_session.outputFormat->rate : kRealtimeRate;
        if (const auto named = rateIn(part.inlineData->mimeType); named && *named != before) {
            m_session.outputFormat = openai::AudioFormat{openai::AudioEncoding::Pcm, *named};
            tell(openai::SessionUpdated{{}, m_session});
        }
        tell(
            openai::ResponseOutputAudioDelta{{}, m_reply->id, m_reply->itemId, 0, 0, std::move(part.inlineData->data)});
    }
}

void GeminiTranslator::replyWords(const std::string& words)
{
    if (!m_reply && !m_ending) {
        beginReply();
    }
    if (m_reply) {
        beginItem();
    }
    Reply& reply = m_reply ? *m_reply : *m_ending;
    reply.transcript += words;
    tell(openai::ResponseOutputAudioTranscriptDelta{{}, reply.id, reply.itemId, 0, 0, words});
}

void GeminiTranslator::beginReply()
{
    if (m_reply) {
        return;
    }
    const bool isSameTurn = m_ending || m_hasCalled;
    if (m_ending) {
        endTranscript(*std::exchange(m_ending, std::nullopt));
    }
    const bool isAsked = std::exchange(m_isReplyAsked, false);
    const bool isDue = std::exchange(m_isReplyDue, false);
    bool isExpected = isAsked || isDue || isSameTurn || isWaitingForCalls();
    // A late word comes behind the answer to what the user has said meanwhile.
    if (!m_isUserSpeaking && !isDue && (isAsked || !isExpected) && m_lateWordsDue > 0) {
        --m_lateWordsDue;
        isExpected = true;
    }
    const bool isByHand = m_session.turnDetection.isNull();
    if (!m_isUserSpeaking && !isExpected && !isByHand && m_soundBytes > m_turnEndBytes) {
        // It answers something that it has heard, and has not told us of.
        userTurnBegins(FrameCount{static_cast<std::int64_t>(m_turnEndBytes / 2)}.duration(kRealtimeRate));
    }
    if (m_isUserSpeaking) {
        userTurnEnds(std::nullopt);
    }
    // Clang 14 does not believe that it can be made in place.
    m_reply = Reply{};
    m_reply->id = m_memory.newId("resp");
    m_memory.isWhole = false;
    tell(openai::ResponseCreated{{}, responseOf(m_reply->id, ResponseStatus::InProgress)});
}

void GeminiTranslator::beginItem()
{
    if (m_reply->itemId.empty()) {
        m_reply->itemId = m_memory.newId("item");
        m_memory.items.insert(m_reply->itemId);
        tell(openai::ResponseOutputItemAdded{
            {}, m_reply->id, 0, messageItem(m_reply->itemId, openai::ItemStatus::InProgress)});
    }
}

void GeminiTranslator::endReply(ResponseStatus status, const char* reason, std::vector<openai::Item> calls)
{
    Reply reply = std::move(*std::exchange(m_reply, std::nullopt));
    openai::Response response = responseOf(reply.id, status);
    response.usage = std::exchange(m_memory.untold, std::nullopt);
    if (reason != nullptr) {
        response.statusDetails = openai::StatusDetails{status, reason, std::nullopt};
    }
    if (!reply.itemId.empty()) {
        const bool isWhole = status == ResponseStatus::Completed;
        response.output.push_back(
            messageItem(reply.itemId, isWhole ? openai::ItemStatus::Completed : openai::ItemStatus::Incomplete));
        if (reply.hasSound) {
            tell(openai::ResponseOutputAudioDone{{}, reply.id, reply.itemId, 0, 0});
        }
        if (!reply.text.empty()) {
            tell(openai::ResponseOutputTextDone{{}, reply.id, reply.itemId, 0, 0, reply.text});
        }
        if (isWhole && calls.empty()) {
            // Its last words come until the turn is over.
            m_ending = reply;
        } else {
            endTranscript(reply);
        }
    }
    std::move(calls.begin(), calls.end(), std::back_inserter(response.output));
    tell(openai::ResponseDone{{}, std::move(response)});
}

void GeminiTranslator::endTranscript(const Reply& reply)
{
    if (!reply.transcript.empty()) {
        tell(openai::ResponseOutputAudioTranscriptDone{{}, reply.id, reply.itemId, 0, 0, reply.transcript});
    }
}

void GeminiTranslator::replyNothing(ResponseStatus status)
{
    m_isReplyAsked = false;
    m_isReplyDue = false;
    const std::string id = m_memory.newId("resp");
    tell(openai::ResponseCreated{{}, responseOf(id, ResponseStatus::InProgress)});
    tell(openai::ResponseDone{{}, responseOf(id, status)});
}

void GeminiTranslator::interrupted()
{
    if (m_isMuted) {
        return;
    }
    // Typed words and a key interrupt, too, and the session knows of those.
    const bool isBySpeech = !m_session.turnDetection.isNull() && !m_isReplyAsked;
    if (isBySpeech && !m_isUserSpeaking) {
        userTurnBegins(std::max(soundSent() - kNoticed, Milliseconds{0}));
    }
    if (m_reply) {
        endReply(ResponseStatus::Cancelled, "turn_detected");
    }
    if (m_ending) {
        endTranscript(*std::exchange(m_ending, std::nullopt));
    }
    // Gemini has been seen to go on.
    m_isMuted = true;
    m_hasCalled = false;
}

void GeminiTranslator::turnOver()
{
    m_hasCalled = false;
    if (std::exchange(m_isMuted, false)) {
        return;
    }
    const bool wasReply = m_reply || m_ending;
    if (m_reply) {
        endReply(ResponseStatus::Completed, nullptr);
    }
    if (m_ending) {
        endTranscript(*std::exchange(m_ending, std::nullopt));
    }
    if (!wasReply && m_isUserSpeaking) {
        // Heard, and nothing to say to it.
        userTurnEnds(std::nullopt);
        replyNothing(ResponseStatus::Completed);
    } else if (!wasReply && m_isReplyAsked && !isWaitingForCalls()) {
        replyNothing(ResponseStatus::Completed);
    }
    if (!m_isUserSpeaking) {
        endUserWords();
    }
    if (!m_earlyWords.empty() && !m_session.turnDetection.isNull()) {
        userTurnBegins(FrameCount{static_cast<std::int64_t>(m_turnEndBytes / 2)}.duration(kRealtimeRate));
    }
}

void GeminiTranslator::on(const gemini::ToolCall& toolCall)
{
    if (toolCall.functionCalls.empty()) {
        return;
    }
    if (!m_isMuted) {
        beginReply();
    }
    std::vector<openai::Item> items;
    for (const gemini::FunctionCall& call : toolCall.functionCalls) {
        openai::Item item;
        item.type = openai::ItemType::FunctionCall;
        item.status = openai::ItemStatus::Completed;
        item.callId = call.id.empty() ? m_memory.newId("call") : call.id;
        item.name = call.name;
        item.arguments = call.args ? call.args->text : "{}";
        item.id = m_memory.newId("item");
        m_calls[item.callId] = call.name;
        items.push_back(std::move(item));
    }
    if (m_isMuted) {
        // The user has stopped it; unanswered, it would stand in the way of what comes next.
        for (const openai::Item& item : items) {
            answerCall(item.callId, writeJson(Json{{"error", codeText(ErrorCode::Cancelled)}}));
        }
        return;
    }
    std::int64_t index = m_reply->itemId.empty() ? 0 : 1;
    for (const openai::Item& item : items) {
        tell(openai::ResponseOutputItemAdded{{}, m_reply->id, index, item});
        tell(openai::ResponseOutputItemDone{{}, m_reply->id, index, item});
        ++index;
    }
    endReply(ResponseStatus::Completed, nullptr, std::move(items));
    m_hasCalled = true;
}

void GeminiTranslator::on(const gemini::ToolCallCancellation& cancellation)
{
    for (const std::string& id : cancellation.ids) {
        m_calls.erase(id);
        std::erase_if(m_answers, [&](const gemini::FunctionResponse& answer) { return answer.id == id; });
    }
    sendAnswers();
}

void GeminiTranslator::on(const gemini::SessionResumptionUpdate& update)
{
    // While it speaks or waits for a function there is none; the last good one stays.
    if (update.resumable.value_or(false) && !update.newHandle.empty()) {
        m_memory.handle = update.newHandle;
        m_memory.isWhole = !m_reply && !m_isUserSpeaking && !m_isReplyAsked && !m_isReplyDue && m_calls.empty();
    }
}

void GeminiTranslator::on(const gemini::UsageMetadata& snapshot)
{
    const openai::Usage usage = usageOf(snapshot);
    if (usage.totalTokens == 0) {
        return;
    }
    if (m_reply) {
        m_memory.untold = m_memory.untold ? sumOf(*m_memory.untold, usage) : usage;
    } else {
        tellUsage(usage);
    }
}

void GeminiTranslator::tellUsage(const openai::Usage& usage)
{
    // The end of a reply that nobody waits for: all that it says is what it cost.
    openai::Response response = responseOf(m_memory.newId("usage"), ResponseStatus::Completed);
    response.usage = usage;
    tell(openai::ResponseDone{{}, std::move(response)});
}

void GeminiTranslator::on(const gemini::VoiceActivity& activity)
{
    if (m_session.turnDetection.isNull()) {
        return;
    }
    if (activity.voiceActivityType == "ACTIVITY_START" && !m_isUserSpeaking) {
        userTurnBegins(activity.audioOffset.value_or(std::max(soundSent() - kNoticed, Milliseconds{0})));
    } else if (activity.voiceActivityType == "ACTIVITY_END" && m_isUserSpeaking) {
        userTurnEnds(activity.audioOffset);
        m_isReplyDue = true;
    }
}

} // namespace vivavoce::core
