#include "core/base/json.h"
#include "core/base/pcm.h"
#include "core/protocol/openai/wire_sound.h"
#include "core/session/internal/provider_errors.h"
#include "core/session/internal/stepper.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace vivavoce::core::internal {

using namespace session_effect;

namespace {

std::string functionOutput(const Expected<std::string, Error>& output)
{
    if (output) {
        return *output;
    }
    // Told to the model in words that it can act on. What a failed function says of itself may be nobody's business.
    Json told{{"error", codeText(output.error().code)}};
    if (output.error().code == ErrorCode::ToolArguments) {
        told["message"] = output.error().detail;
    }
    return writeJson(told);
}

/// By the user, as the server has it.
bool isSpokenOver(const openai::Response& response)
{
    return response.status == openai::ResponseStatus::Cancelled && response.statusDetails
        && response.statusDetails->reason == "turn_detected";
}

} // namespace

Milliseconds Stepper::soundOf(const ReplyItem& item) const
{
    return pcmDuration(item.bytes, m_state.rates.output);
}

void Stepper::on(const openai::ResponseCreated& created)
{
    const bool isOther = m_state.reply.activeId != created.response.id;
    if (isOther && m_state.reply.hasItemEnded && m_state.server.endsReplies != true) {
        // Another one has begun: that was the end of it. What waits to be asked for waits for this one now.
        const bool wasWanted = std::exchange(m_state.reply.isWanted, false);
        replyEndedUnsaid();
        m_state.reply.isWanted = wasWanted || m_state.reply.isWanted;
    }
    const bool isOwn = !m_state.reply.isRequested && !m_state.reply.isAwaited;
    m_state.reply.isBesideTools = isOwn && !m_state.tools.running.empty();
    m_state.reply.activeId = created.response.id;
    m_state.reply.itemId.clear();
    m_state.reply.hasItemEnded = false;
    m_state.reply.calls.clear();
    m_state.reply.isRequested = false;
    m_state.reply.isAwaited = false;
    m_state.reply.isPartOfTurn = false;
    m_state.reply.isDeaf = false;
    // Whoever asked for it: it goes by all that was told before.
    m_state.reply.isForTools = std::exchange(m_state.tools.wantsReply, false) || m_state.reply.isForTools;
    if (std::exchange(m_state.reply.cancelWhenCreated, false)) {
        cancelReply();
    }
    startTimer(SessionTimer::Reply, m_state.options->deadlines.reply);
    settleActivity();
}

void Stepper::on(const openai::ResponseOutputItemAdded& added)
{
    itemGoesOn(added.responseId);
    itemExists(added.item, {});
}

void Stepper::on(openai::ResponseOutputAudioDelta& delta)
{
    itemGoesOn(delta.responseId);
    if (delta.responseId != m_state.reply.activeId || delta.audio.empty()) {
        return;
    }
    delta.audio = openai::pcmOfWire(std::move(delta.audio), m_state.server.encodings.output);
    ReplyItem& item = replyItem(delta.responseId, delta.itemId);
    item.contentIndex = static_cast<int>(delta.contentIndex);
    if (m_state.reply.isDeaf) {
        // The provider takes what it has sent for heard.
        truncate(item, Milliseconds{0});
        return;
    }
    if (m_state.reply.itemId != delta.itemId) {
        if (m_state.reply.itemId.empty()) {
            tell(session_notice::ReplyStarted{delta.responseId});
        }
        m_state.reply.itemId = delta.itemId;
    }
    if (isTooFarAhead(delta.audio.size() / 2)) {
        tell(session_notice::Problem{
            {ErrorCode::ProviderMalformed, "the provider sends sound faster than it can be heard", std::nullopt, {}}});
        stopReply();
        settleActivity();
        return;
    }
    const std::size_t samples = item.bytes / 2;
    item.bytes += delta.audio.size();
    item.isQueued = item.isQueued || item.bytes / 2 > samples;
    m_state.isPlaying = m_state.isPlaying || item.isQueued;
    turnsAnswered();
    put(Play{delta.itemId, static_cast<int>(delta.contentIndex), std::move(delta.audio)});
    settleActivity();
}

bool Stepper::isTooFarAhead(std::size_t samples)
{
    using Duration = MonotonicTime::duration;
    const Duration heard = m_state.isPlaying ? m_now - m_state.soundAheadAt : m_state.soundAhead;
    const Duration sound = std::chrono::duration_cast<Duration>(
        std::chrono::nanoseconds(static_cast<std::int64_t>(samples) * 1'000'000'000 / m_state.rates.output.hz()));
    m_state.soundAhead = std::max(m_state.soundAhead - heard, Duration{0}) + sound;
    m_state.soundAheadAt = m_now;
    return m_state.soundAhead > m_state.options->mostSoundAhead;
}

void Stepper::on(const openai::ResponseOutputAudioDone& done)
{
    if (!m_state.reply.isDeaf && done.responseId == m_state.reply.activeId) {
        replyItem(done.responseId, done.itemId).isComplete = true;
        put(FinishItem{done.itemId});
    }
    itemEnded(done.responseId);
}

void Stepper::on(const openai::ResponseOutputAudioTranscriptDelta& delta)
{
    replyText(delta.responseId, delta.itemId, delta.delta, false);
}

void Stepper::on(const openai::ResponseOutputAudioTranscriptDone& done)
{
    replyText(done.responseId, done.itemId, done.transcript, true);
}

void Stepper::on(const openai::ResponseOutputTextDelta& delta)
{
    itemGoesOn(delta.responseId);
    writingBegins(delta.responseId, delta.itemId);
    replyText(delta.responseId, delta.itemId, delta.delta, false);
}

void Stepper::on(const openai::ResponseOutputTextDone& done)
{
    writingBegins(done.responseId, done.itemId);
    replyText(done.responseId, done.itemId, done.text, true);
    itemEnded(done.responseId);
}

void Stepper::writingBegins(const std::string& responseId, const std::string& itemId)
{
    if (responseId != m_state.reply.activeId) {
        return;
    }
    replyItem(responseId, itemId).isWritten = true;
    if (m_state.reply.itemId.empty() && !m_state.reply.isDeaf) {
        m_state.reply.itemId = itemId;
        turnsAnswered();
        tell(session_notice::ReplyStarted{responseId});
    }
}

void Stepper::replyText(const std::string& responseId, const std::string& itemId, const std::string& text, bool isFinal)
{
    replyHeardOf(responseId);
    ConversationEntry& entry = m_state.log.upsert(itemId, Speaker::Assistant);
    if (entry.isFinal) {
        return;
    }
    if (isFinal) {
        entry.text = text;
        entry.isFinal = true;
    } else {
        entry.text += text;
    }
    if (responseId == m_state.reply.activeId) {
        const ReplyItem& item = replyItem(responseId, itemId);
        const bool wasHeardWhole = item.isComplete && item.bytes > 0 && !item.isCut;
        if (m_state.reply.isDeaf && !item.isWritten && !wasHeardWhole) {
            markHeard(entry, item.heard);
            return;
        }
    }
    tellEntry(entry);
}

ReplyItem& Stepper::replyItem(const std::string& responseId, const std::string& itemId)
{
    auto& items = m_state.replyItems;
    const auto known =
        std::find_if(items.begin(), items.end(), [&](const ReplyItem& item) { return item.id == itemId; });
    if (known != items.end()) {
        return *known;
    }
    ReplyItem item;
    item.id = itemId;
    item.responseId = responseId;
    return items.emplace_back(std::move(item));
}

void Stepper::deafen()
{
    m_state.reply.isDeaf = true;
    cutUnfinished();
}

void Stepper::cutUnfinished()
{
    for (ReplyItem& item : m_state.replyItems) {
        const bool isOver = item.isComplete || item.isCut || item.responseId != m_state.reply.activeId;
        // What is at the ear, or waits for it, is for the sound side to tell.
        if (!isOver && !item.isQueued && !item.isWritten) {
            cutItem(item, soundOf(item), item.bytes > 0 ? 1 : 0);
        }
    }
}

void Stepper::cutItem(ReplyItem& item, Milliseconds heard, double share)
{
    item.isQueued = false;
    item.isCut = true;
    item.heard = share;
    if (item.bytes > 0) {
        truncate(item, heard);
    }
    if (ConversationEntry* entry = m_state.log.find(item.id)) {
        markHeard(*entry, share);
    }
}

void Stepper::truncate(ReplyItem& item, Milliseconds heard)
{
    if (!std::exchange(item.isTruncated, true) && isLive()) {
        // Beyond what has come a provider knows of nothing, and refuses.
        sendTruncate(item, std::min(heard, soundOf(item)));
    }
}

void Stepper::markHeard(ConversationEntry& entry, double share)
{
    entry.wasInterrupted = true;
    entry.isFinal = true;
    entry.wasHeard(share);
    tellEntry(entry);
}

void Stepper::queueHeard()
{
    m_state.isPlaying = false;
    for (ReplyItem& item : m_state.replyItems) {
        item.isQueued = false;
    }
    std::erase_if(m_state.replyItems,
        [this](const ReplyItem& item) { return item.responseId != m_state.reply.activeId || item.responseId.empty(); });
}

void Stepper::settleItems(const std::string& responseId, bool wasCompleted)
{
    for (ReplyItem& item : m_state.replyItems) {
        if (item.responseId != responseId) {
            continue;
        }
        item.isComplete = true;
        item.responseId.clear();
        ConversationEntry* entry = wasCompleted ? nullptr : m_state.log.find(item.id);
        if (entry == nullptr) {
            continue;
        }
        if (item.bytes == 0 && !item.isWritten && !entry->heardBytes) {
            markHeard(*entry, 0);
        } else if (!entry->isFinal) {
            entry->isFinal = true;
            entry->wasInterrupted = true;
            tellEntry(*entry);
        }
    }
    std::erase_if(m_state.replyItems, [](const ReplyItem& item) { return item.responseId.empty() && !item.isQueued; });
}

void Stepper::on(const openai::ResponseDone& done)
{
    const bool isActive = done.response.id == m_state.reply.activeId;
    const openai::Response response = isActive ? withCalls(done.response) : done.response;
    if (response.usage) {
        const bool isTurn = std::exchange(m_state.reply.isCostToCome, false) || isActive;
        tell(session_notice::ReplyUsage{response.id, *response.usage, isTurn});
    } else if (isActive) {
        m_state.reply.isCostToCome = true;
    }
    if (!isActive) {
        // Beside the conversation (conversation "none"), or of a reply that is over for us.
        return;
    }
    if (m_state.reply.isAwaited) {
        // The next turn has ended already; this one was cancelled for it.
        startTimer(SessionTimer::Reply, m_state.options->deadlines.reply);
    } else {
        stopTimer(SessionTimer::Reply);
    }
    const bool wasDeaf = m_state.reply.isDeaf;
    // However it ended, no more sound of it will come; not every server says output_audio.done.
    if (!m_state.reply.itemId.empty()) {
        put(FinishItem{m_state.reply.itemId});
    }
    const bool wasCompleted = response.status == openai::ResponseStatus::Completed;
    settleItems(response.id, wasCompleted);
    if (isSpokenOver(response) && !wasDeaf && m_state.isPlaying) {
        // Not every server says when speech begins.
        put(CutPlayback{});
    }
    forgetOldWords();
    m_state.reply.activeId.clear();
    m_state.reply.isDeaf = false;
    m_state.reply.isForTools = false;
    m_state.reply.hasItemEnded = false;
    if (response.status == openai::ResponseStatus::Failed) {
        const auto& why = response.statusDetails ? response.statusDetails->error : std::nullopt;
        const ProviderFault fault = why
            ? classify(why->type.value_or(std::string()), why->code.value_or(std::string()),
                why->message.value_or(std::string()))
            : ProviderFault{{ErrorCode::ProviderFailed, "the reply failed", std::nullopt, {}}, ErrorWeight::Notable};
        tell(session_notice::Problem{fault.error});
    } else if (response.status == openai::ResponseStatus::Incomplete) {
        std::string why =
            response.statusDetails ? response.statusDetails->reason.value_or(std::string()) : std::string();
        tell(session_notice::Problem{
            {ErrorCode::ProviderFailed, "the reply is not complete", std::nullopt, std::move(why)}});
    }
    if (!wasDeaf) {
        turnsAnswered();
    }
    const bool isLastWord = isAnswer(response) && !m_state.reply.isBesideTools;
    if (isLastWord) {
        m_state.tools.answered.clear();
        m_state.tools.rounds = 0;
    }
    tell(session_notice::ReplyEnded{response.id, wasCompleted && !wasDeaf, isLastWord});
    if (wasCompleted && !wasDeaf) {
        startTools(response);
    }
    askForWanted();
    settleActivity();
}

bool Stepper::isAnswer(const openai::Response& response)
{
    // One that says nothing counts: whoever waits for the reply to a turn waits for no other.
    return std::none_of(response.output.begin(), response.output.end(),
        [](const openai::Item& item) { return item.type == openai::ItemType::FunctionCall; });
}

void Stepper::startTools(const openai::Response& response)
{
    const bool isTooMany = !isAnswer(response) && ++m_state.tools.rounds > m_state.options->mostToolRounds;
    if (isTooMany) {
        tell(session_notice::Problem{
            {ErrorCode::ToolFailed, "the model calls functions and does not answer", std::nullopt, {}}});
    }
    for (const openai::Item& item : response.output) {
        if (item.type != openai::ItemType::FunctionCall) {
            continue;
        }
        ToolCall call{item.callId, item.name, item.arguments};
        tell(session_notice::ToolCalled{call});
        if (isTooMany) {
            // Answered, so that it does not stand in the way of what the user says next; no reply is asked for.
            answerCall(call, fail(ErrorCode::Cancelled, "too many calls in a row"));
            continue;
        }
        put(RunTool{call});
        m_state.tools.running.push_back(std::move(call));
    }
}

void Stepper::on(session_event::ToolAnswered& answered)
{
    auto& running = m_state.tools.running;
    const auto call =
        std::find_if(running.begin(), running.end(), [&](const ToolCall& c) { return c.callId == answered.callId; });
    if (call == running.end() || !isLive()) {
        return;
    }
    m_state.tools.answered.push_back({*call, answerCall(*call, answered.output)});
    running.erase(call);
    // One reply for all of them. Where the user is saying something new, the provider's reply to that goes by the answers, too.
    m_state.tools.wantsReply = running.empty();
    if (m_state.tools.wantsReply && !isUsersTurn()) {
        requestReply();
    }
    settleActivity();
}

std::string Stepper::answerCall(const ToolCall& call, const Expected<std::string, Error>& output)
{
    tell(session_notice::ToolDone{call, output});
    std::string told = functionOutput(output);
    sendOutput(call.callId, told);
    return told;
}

void Stepper::sendOutput(const std::string& callId, std::string output)
{
    openai::ConversationItemCreate create;
    create.item.type = openai::ItemType::FunctionCallOutput;
    create.item.callId = callId;
    create.item.output = std::move(output);
    send(std::move(create));
}

void Stepper::stopTools()
{
    if (m_state.tools.running.empty()) {
        return;
    }
    put(CancelTools{});
    // A call without an answer would stand in the way of all replies to come; this one asks for none.
    const ToolRound stopped = std::exchange(m_state.tools, ToolRound());
    for (const ToolCall& call : stopped.running) {
        answerCall(call, fail(ErrorCode::Cancelled, "the user stopped it"));
    }
}

} // namespace vivavoce::core::internal
