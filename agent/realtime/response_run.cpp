#include "agent/realtime/response_run.h"

#include "core/base/random_id.h"

#include <algorithm>
#include <utility>

namespace vivavoce::agent::realtime {

namespace openai = core::openai;
using openai::ResponseStatus;

namespace {

constexpr core::Milliseconds kRetry{20};

} // namespace

ResponseRun::ResponseRun(ResponseParts parts, ResponseSettings settings)
    : m_parts(std::move(parts)), m_settings(std::move(settings)), m_id("resp_" + core::randomId())
{
}

ResponseRun::~ResponseRun()
{
    m_stop.request_stop();
}

void ResponseRun::announce()
{
    m_parts.events.send(openai::ResponseCreated{{}, toWire(ResponseStatus::InProgress)});
}

void ResponseRun::think(BrainRequest request, Usage input)
{
    m_isBegun = true;
    m_usage = input;
    const bool isTaken = thinkOn(m_parts.workers.thinkers, m_parts.brain, std::move(request), m_parts.executor,
        std::static_pointer_cast<ThoughtTaker>(shared_from_this()), m_stop.get_token());
    if (!isTaken) {
        fail({"rate_limit_exceeded", "The agent is too busy to reply now.", {}, "server_error"});
    }
}

void ResponseRun::say(const std::string& text)
{
    m_isBegun = true;
    takeText(text);
    takeEnd(std::optional<BrainUsage>(), {});
}

void ResponseRun::takeText(std::string piece)
{
    if (m_isOver || m_isThought) {
        return;
    }
    if (m_settings.modality == Modality::Text) {
        writeText(piece);
        return;
    }
    for (std::string& sentence : m_splitter.add(piece)) {
        m_steps.emplace_back(std::move(sentence));
    }
    pump();
}

void ResponseRun::takeCall(std::string name, std::string arguments)
{
    if (m_isOver || m_isThought) {
        return;
    }
    if (std::string sentence = m_splitter.finish(); !sentence.empty()) {
        m_steps.emplace_back(std::move(sentence));
    }
    m_steps.emplace_back(Call{std::move(name), std::move(arguments)});
    pump();
}

void ResponseRun::takeStyle(SpeakingStyle style)
{
    *m_parts.style = style;
}

void ResponseRun::takeEnd(core::Expected<std::optional<BrainUsage>, core::Error> result, ReminderChanges reminders)
{
    if (m_isOver || m_isThought) {
        return;
    }
    m_reminders = std::move(reminders);
    m_isThought = true;
    if (!result) {
        fail(serverFault("The agent could not think of a reply: " + result.error().detail));
        return;
    }
    if (*result) {
        m_usage.inputText = (*result)->inputTokens;
        m_usage.cachedText = std::min(m_usage.cachedText, m_usage.inputText);
        m_usage.outputText = (*result)->outputTokens;
    }
    if (std::string sentence = m_splitter.finish(); !sentence.empty()) {
        m_steps.emplace_back(std::move(sentence));
    }
    pump();
}

void ResponseRun::pump()
{
    m_retry.reset();
    while (!m_isOver && !m_isSpeaking && !m_steps.empty()) {
        if (m_parts.events.backlog() > EventWriter::kReplyBacklog) {
            m_retry = m_parts.executor->after(kRetry, [weak = weak_from_this()] {
                if (const auto self = weak.lock()) {
                    self->pump();
                }
            });
            return;
        }
        Step step = std::move(m_steps.front());
        m_steps.pop_front();
        if (const Call* call = std::get_if<Call>(&step)) {
            emitCall(*call);
        } else {
            speak(std::move(std::get<std::string>(step)));
        }
    }
    if (!m_isOver && !m_isSpeaking && m_isThought && m_steps.empty()) {
        closeMessage(ItemStatus::Completed);
        finish(ResponseStatus::Completed, std::nullopt);
    }
}

void ResponseRun::speak(std::string sentence)
{
    openMessage();
    ContentPart& part = m_output.back().content.front();
    const std::string delta = (part.text->empty() ? "" : " ") + sentence;
    *part.text += delta;
    auto event = itemEvent<openai::ResponseOutputAudioTranscriptDelta>();
    event.delta = delta;
    m_parts.events.send(std::move(event));
    syncMessage();
    if (isOverBudget()) {
        return;
    }

    SpeakingStyle style = *m_parts.style;
    style.rate *= m_settings.speed;
    m_isSpeaking = true;
    const bool isTaken = m_parts.workers.cpu.submit(
        [weak = weak_from_this(), executor = m_parts.executor, &voice = m_parts.voice, sentence = std::move(sentence),
            style, format = m_settings.outputFormat, stop = m_stop.get_token()] {
            if (stop.stop_requested()) {
                return;
            }
            auto result = speakSentence(voice, sentence, style, format, stop, [&](core::Bytes chunk) {
                executor->post([weak, chunk = std::make_shared<core::Bytes>(std::move(chunk))] {
                    if (const auto self = weak.lock()) {
                        self->takeChunk(std::move(*chunk));
                    }
                });
            });
            executor->post([weak, result = std::move(result)] {
                if (const auto self = weak.lock()) {
                    self->sentenceSpoken(result);
                }
            });
        });
    if (!isTaken) {
        fail({"rate_limit_exceeded", "The agent is too busy to speak now.", {}, "server_error"});
    }
}

void ResponseRun::takeChunk(core::Bytes chunk)
{
    if (m_isOver) {
        return;
    }
    auto event = itemEvent<openai::ResponseOutputAudioDelta>();
    event.audio = chunk;
    m_parts.events.send(std::move(event));
    m_hasSpoken = true;

    ContentPart& part = m_output.back().content.front();
    const auto before = part.audioLength;
    m_messageBytes += chunk.size();
    part.audioLength = playTime(m_messageBytes, m_settings.outputFormat);
    m_audioLength += part.audioLength - before;
    syncMessage();
    if (m_parts.conversation != nullptr && !m_isLeftAlone) {
        m_parts.conversation->keepAudio(m_output.back().id, std::move(chunk));
    }
    static_cast<void>(isOverBudget());
}

void ResponseRun::sentenceSpoken(const core::Expected<void, core::Error>& result)
{
    if (m_isOver) {
        return;
    }
    m_isSpeaking = false;
    if (!result) {
        fail(serverFault("The voice failed: " + result.error().detail));
        return;
    }
    ContentPart& part = m_output.back().content.front();
    part.marks.push_back({part.audioLength, part.text->size()});
    syncMessage();
    pump();
}

void ResponseRun::writeText(const std::string& piece)
{
    if (piece.empty()) {
        return;
    }
    openMessage();
    *m_output.back().content.front().text += piece;
    auto event = itemEvent<openai::ResponseOutputTextDelta>();
    event.delta = piece;
    m_parts.events.send(std::move(event));
    syncMessage();
    static_cast<void>(isOverBudget());
}

void ResponseRun::cancel(CancelReason reason)
{
    if (m_isOver) {
        return;
    }
    closeMessage(ItemStatus::Incomplete);
    const char* const why = reason == CancelReason::TurnDetected ? "turn_detected" : "client_cancelled";
    finish(ResponseStatus::Cancelled, openai::StatusDetails{ResponseStatus::Cancelled, why, {}});
}

void ResponseRun::fail(const EventFault& fault)
{
    if (m_isOver) {
        return;
    }
    closeMessage(ItemStatus::Incomplete);
    finish(ResponseStatus::Failed,
        openai::StatusDetails{ResponseStatus::Failed, {}, openai::StatusError{fault.type, fault.code, fault.message}});
}

/// Ends the response as incomplete once it has used up max_output_tokens; answers whether it did.
bool ResponseRun::isOverBudget()
{
    if (m_isOver || !m_settings.maxOutputTokens) {
        return m_isOver;
    }
    std::int64_t used = outputAudioTokens(m_audioLength);
    for (const Item& item : m_output) {
        used += wordCount(item.payload);
        for (const ContentPart& part : item.content) {
            used += wordCount(part.text.value_or(""));
        }
    }
    if (used <= *m_settings.maxOutputTokens) {
        return false;
    }
    closeMessage(ItemStatus::Incomplete);
    finish(ResponseStatus::Incomplete, openai::StatusDetails{ResponseStatus::Incomplete, "max_output_tokens", {}});
    return true;
}

} // namespace vivavoce::agent::realtime
