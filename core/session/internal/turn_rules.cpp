#include "core/base/pcm.h"
#include "core/session/internal/provider_errors.h"
#include "core/session/internal/session_update.h"
#include "core/session/internal/stepper.h"

#include <algorithm>
#include <utility>

namespace vivavoce::core::internal {

using namespace session_effect;

namespace {

/// Text of a message item, whatever kinds of content carry it.
std::string messageText(const openai::Item& item)
{
    std::string text;
    for (const openai::ContentPart& part : item.content) {
        text += part.text.value_or(part.transcript.value_or(std::string()));
    }
    return text;
}

openai::Item textMessage(const ConversationEntry& entry)
{
    openai::ContentPart part;
    part.type = entry.speaker == Speaker::User ? openai::ContentType::InputText : openai::ContentType::OutputText;
    part.text = std::string(entry.heardText());
    openai::Item item;
    item.id = entry.itemId;
    item.type = openai::ItemType::Message;
    item.role = entry.speaker == Speaker::User ? openai::Role::User : openai::Role::Assistant;
    item.content.push_back(std::move(part));
    return item;
}

} // namespace

// --- The life of the session ---------------------------------------------------------------------------------------

void Stepper::on(session_event::ServerSaid& said)
{
    if (m_state.phase != Phase::Starting && m_state.phase != Phase::Configuring && m_state.phase != Phase::Live) {
        return;
    }
    heardOf();
    giveNames(said.event);
    if (said.sessionLeft) {
        planHandOver(*said.sessionLeft);
    }
    if (std::holds_alternative<openai::ResponseDone>(said.event)) {
        m_state.server.endsReplies = true;
    }
    const bool isError = std::holds_alternative<openai::ErrorEvent>(said.event);
    if (!isError) {
        errorSurvived();
        if (m_state.phase == Phase::Starting) {
            greeted(said.event);
        }
        if (isLive()) {
            m_state.attempts = 0;
        }
    }
    std::visit(
        [this](auto& event) {
            using Event = std::decay_t<decltype(event)>;
            if constexpr (std::is_same_v<Event, openai::ErrorEvent>) {
                providerError(event);
            } else if constexpr (
                std::is_same_v<Event,
                    openai::
                        ConversationItemAdded> || std::is_same_v<Event, openai::ConversationItemCreated> || std::is_same_v<Event, openai::ConversationItemDone>) {
                itemExists(event.item, event.previousItemId.value_or(std::string()));
            } else if constexpr (requires { this->on(event); }) {
                on(event);
            }
        },
        said.event);
}

void Stepper::on(const session_event::ServerGarbled& garbled)
{
    if (m_state.phase == Phase::Starting || m_state.phase == Phase::Configuring || m_state.phase == Phase::Live) {
        heardOf();
        if (m_state.phase == Phase::Starting) {
            // Whoever cannot say hello is not a provider.
            lost(garbled.error);
        } else {
            tell(session_notice::Problem{garbled.error});
        }
    }
}

void Stepper::configure()
{
    setPhase(Phase::Configuring);
    const bool isPcmAsked = !m_state.leftOut.contains(Setting::Formats);
    m_state.server.encodings = isPcmAsked ? SoundEncodings() : m_state.server.ownEncodings;
    useRates(wantedRates());
    send(sessionUpdate(*m_state.options, m_state.rates, m_state.held.isByHand, m_state.leftOut));
    const SessionDeadlines& deadlines = m_state.options->deadlines;
    startTimer(SessionTimer::Configured, isGemini() ? deadlines.firstEvent : deadlines.configured);
}

void Stepper::on(const openai::SessionUpdated& updated)
{
    if (m_state.phase == Phase::Configuring) {
        stopTimer(SessionTimer::Configured);
        compareSettings(updated.session);
        believeFormats(updated.session);
        goLive();
    } else if (isLive()) {
        // Later than we waited for it.
        believeFormats(updated.session);
    }
}

void Stepper::goLiveAsItIs()
{
    m_state.server.encodings = m_state.server.ownEncodings;
    useRates(wantedRates());
    goLive();
}

void Stepper::goLive()
{
    const bool isFirst = !m_state.wasLive;
    m_state.isCredentialSuspect = false;
    m_state.wasLive = true;
    setPhase(Phase::Live);
    if (isFirst && !m_state.options->capturesWhileConnecting) {
        put(StartVoice{});
    }
    // Ahead of what may take a while: whether the connection is alive is known before that is through.
    ping();
    seed();
    if (m_state.held.isDown || m_state.held.isEnding || m_state.held.isDue) {
        // It begins with what was kept.
        if (isGemini()) {
            send(openai::InputAudioBufferClear{});
        }
        heldTurnBegins();
    }
    sendHeld();
    settleActivity();
}

void Stepper::seed()
{
    // Each connection is a new, empty session: it is told what was said, as text (clients cannot create assistant audio).
    Speaker last = Speaker::Assistant;
    for (const ConversationEntry& entry : m_state.log.entries()) {
        // Of a reply that was interrupted the user knows only what was heard.
        if (!entry.heardText().empty()) {
            openai::ConversationItemCreate create;
            create.item = textMessage(entry);
            send(std::move(create));
            last = entry.speaker;
        }
    }
    // What was heard of an answer is not said twice.
    const OwedReply owed = std::exchange(m_state.owedReply, OwedReply::None);
    if (owed == OwedReply::ToTools) {
        seedCalls();
    }
    if (owed == OwedReply::ToTools || (owed == OwedReply::ToWords && last == Speaker::User)) {
        requestReply();
    }
}

void Stepper::seedCalls()
{
    // Without them the model would have it done again: a second mail, a second timer.
    for (const AnsweredCall& answered : m_state.tools.answered) {
        openai::ConversationItemCreate create;
        create.item.type = openai::ItemType::FunctionCall;
        create.item.callId = answered.call.callId;
        create.item.name = answered.call.name;
        create.item.arguments = answered.call.arguments;
        send(std::move(create));
        sendOutput(answered.call.callId, answered.output);
    }
}

// --- The user speaks, types, interrupts ----------------------------------------------------------------------------

void Stepper::on(session_event::TextEntered& entered)
{
    if (m_state.phase == Phase::Closing || m_state.phase == Phase::Ended) {
        return;
    }
    forgetOldWords();
    ConversationEntry& entry =
        m_state.log.upsert(m_state.options->typedIdPrefix + std::to_string(++m_state.typedMessages), Speaker::User);
    entry.text = std::move(entered.text);
    entry.isFinal = true;
    tellEntry(entry);
    if (!isLive()) {
        m_state.owedReply = std::max(m_state.owedReply, OwedReply::ToWords);
        return;
    }
    m_state.tools.rounds = 0;
    stopReply();
    openai::ConversationItemCreate create;
    create.item = textMessage(entry);
    send(std::move(create));
    requestReply();
}

void Stepper::on(const session_event::Interrupt&)
{
    if (isLive()) {
        m_state.reply.isWanted = false;
        m_state.reply.isPartOfTurn = false;
        stopTools();
        stopReply();
        settleActivity();
    }
}

void Stepper::on(const session_event::LoudspeakerGone&)
{
    if (!m_state.isPlaying || m_state.phase == Phase::Closing || m_state.phase == Phase::Ended) {
        return;
    }
    // What of it is still made has no ear any more. One that is only asked for can be read.
    if (isLive() && !m_state.reply.activeId.empty() && !m_state.reply.isDeaf) {
        cancelReply();
    }
    put(CutPlayback{});
    if (isLive()) {
        settleActivity();
    }
}

void Stepper::stopReply()
{
    if (!m_state.reply.activeId.empty() && !m_state.reply.isDeaf) {
        cancelReply();
    } else if (m_state.reply.isRequested) {
        m_state.reply.cancelWhenCreated = true;
    }
    if (m_state.isPlaying) {
        put(CutPlayback{});
    }
}

void Stepper::requestReply()
{
    const auto& running = m_state.tools.running;
    const bool isHeldUp = std::any_of(running.begin(), running.end(),
        [this](const ToolCall& call) { return !m_state.server.beside.contains(call.name); });
    if (!m_state.reply.isFree() || isHeldUp) {
        m_state.reply.isWanted = true;
        return;
    }
    m_state.reply.isRequested = true;
    m_state.reply.isWanted = false;
    m_state.reply.isForTools = std::exchange(m_state.tools.wantsReply, false);
    m_state.reply.requestId = "reply_" + std::to_string(++m_state.replyRequests);
    openai::ResponseCreate create;
    create.eventId = m_state.reply.requestId;
    send(std::move(create));
    startTimer(SessionTimer::Reply, m_state.options->deadlines.reply);
    settleActivity();
}

void Stepper::askForWanted()
{
    if (m_state.reply.isWanted && !isUsersTurn()) {
        requestReply();
    }
}

void Stepper::on(const openai::InputAudioBufferSpeechStarted& started)
{
    m_state.isUserSpeaking = true;
    m_state.turnItemId = started.itemId;
    m_state.tools.rounds = 0;
    m_state.speech.turnBegan(started.itemId, Milliseconds{started.audioStartMs});
    m_state.reply.isAwaited = false;
    if (!m_state.reply.activeId.empty()) {
        // The provider cancels it by itself (interrupt_response); what still comes is not to be heard.
        deafen();
    }
    if (m_state.isPlaying) {
        put(CutPlayback{});
    }
    settleActivity();
}

void Stepper::on(const openai::InputAudioBufferSpeechStopped& stopped)
{
    m_state.isUserSpeaking = false;
    m_state.speech.turnEnded(stopped.itemId, Milliseconds{stopped.audioEndMs});
    if (stopped.audioEndMs >= 0) {
        tell(session_notice::SpeechStopped{Milliseconds{stopped.audioEndMs}});
    }
    m_state.reply.isAwaited = true;
    m_state.reply.isPartOfTurn = std::exchange(m_state.reply.isWanted, false) || m_state.reply.isPartOfTurn;
    startTimer(SessionTimer::Reply, m_state.options->deadlines.reply);
    settleActivity();
}

void Stepper::on(const session_event::PlaybackCut& cut)
{
    tellCut(cut.heard);
    if (m_state.endsWithCut) {
        ended();
    } else if (isLive()) {
        settleActivity();
    }
}

void Stepper::tellCut(const HeardAudio& heard)
{
    auto& items = m_state.replyItems;
    const auto isQueued = [](const ReplyItem& item) { return item.isQueued; };
    const auto isAtEar = [&](const ReplyItem& item) { return item.isQueued && item.id == heard.itemId; };
    auto item = std::find_if(items.begin(), items.end(), isAtEar);
    if (heard.wasWhole && item != items.end()) {
        item->isComplete = true;
    } else if (item != items.end()) {
        item->contentIndex = heard.contentIndex;
        const auto bytes = static_cast<double>(pcmBytesIn(heard.heard, m_state.rates.output));
        cutItem(*item, heard.heard, bytes / static_cast<double>(item->bytes));
        // What stood behind it was not heard at all.
        while ((item = std::find_if(item + 1, items.end(), isQueued)) != items.end()) {
            cutItem(*item, Milliseconds{0}, 0);
        }
    }
    queueHeard();
    if (m_state.reply.isDeaf) {
        // All of it that had come was heard.
        cutUnfinished();
    }
}

void Stepper::on(const session_event::PlaybackDrained&)
{
    queueHeard();
    if (isLive()) {
        settleActivity();
    }
}

// --- Items and the user's transcript -------------------------------------------------------------------------------

void Stepper::itemExists(const openai::Item& item, const std::string& previousItemId)
{
    if (item.type != openai::ItemType::Message || item.role == openai::Role::System || item.id.empty()) {
        return;
    }
    const bool isNew = m_state.log.find(item.id) == nullptr;
    const Speaker speaker = item.role == openai::Role::User ? Speaker::User : Speaker::Assistant;
    ConversationEntry& entry = m_state.log.upsert(item.id, speaker, previousItemId);
    if (isNew && speaker == Speaker::User) {
        // Typed words are there at once; spoken ones come as a transcript later.
        if (std::string text = messageText(item); !text.empty()) {
            entry.text = std::move(text);
            entry.isFinal = true;
            tellEntry(entry);
        }
    }
}

void Stepper::on(const openai::InputAudioBufferCommitted& committed)
{
    m_state.speech.committed(committed.itemId);
    forgetOldWords();
    if (committed.itemId.empty()) {
        return;
    }
    m_state.log.upsert(committed.itemId, Speaker::User, committed.previousItemId.value_or(std::string()));
}

void Stepper::on(const openai::ConversationItemDeleted& deleted)
{
    forgetEntry(deleted.itemId);
}

void Stepper::forgetEntry(const std::string& itemId)
{
    if (m_state.log.find(itemId) != nullptr) {
        m_state.log.remove(itemId);
        tell(session_notice::TranscriptRemoved{itemId});
    }
}

void Stepper::on(const openai::InputAudioTranscriptionDelta& delta)
{
    ConversationEntry& entry = m_state.log.upsert(nameOfTurn(delta.itemId), Speaker::User);
    if (!entry.isFinal) {
        entry.text += delta.delta;
        tellEntry(entry);
    }
}

void Stepper::on(const openai::InputAudioTranscriptionCompleted& completed)
{
    m_state.speech.writtenDown(completed.itemId);
    ConversationEntry& entry = m_state.log.upsert(nameOfTurn(completed.itemId), Speaker::User);
    m_state.namelessTurns += completed.itemId.empty() ? 1 : 0;
    entry.text = completed.transcript;
    entry.isFinal = true;
    tellEntry(entry);
    if (completed.usage) {
        tell(session_notice::TranscriptionUsage{
            completed.itemId, *completed.usage, m_state.options->transcriptionModel});
    }
}

void Stepper::on(const openai::InputAudioTranscriptionFailed& failed)
{
    ConversationEntry& entry = m_state.log.upsert(nameOfTurn(failed.itemId), Speaker::User);
    m_state.namelessTurns += failed.itemId.empty() ? 1 : 0;
    entry.isFinal = true;
    tellEntry(entry);
    tell(session_notice::Problem{
        classify("transcription", failed.error.code.value_or(std::string()), failed.error.message).error});
}

// --- What goes on --------------------------------------------------------------------------------------------------

void Stepper::setActivity(Activity activity)
{
    if (m_state.activity != activity) {
        m_state.activity = activity;
        tell(session_notice::ActivityChanged{activity});
    }
}

void Stepper::settleActivity()
{
    if (m_state.isStalled) {
        setActivity(Activity::Stalled);
    } else if (m_state.isUserSpeaking) {
        setActivity(Activity::HearingUser);
    } else if (m_state.isPlaying) {
        setActivity(Activity::Speaking);
    } else if (!m_state.tools.running.empty()) {
        setActivity(Activity::RunningTool);
    } else if ((!m_state.reply.isFree() && !m_state.reply.isDeaf) || m_state.reply.isAwaited) {
        setActivity(Activity::Thinking);
    } else {
        setActivity(Activity::Listening);
    }
}

} // namespace vivavoce::core::internal
