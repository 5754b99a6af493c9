#include "core/session/internal/stepper.h"

#include "core/base/pcm.h"

#include <algorithm>
#include <iterator>

namespace vivavoce::core::internal {

using namespace session_effect;

void Stepper::on(session_event::AudioCaptured& captured)
{
    if (isLive() && !m_state.isStalled) {
        sendAudio(std::move(captured.pcm));
    } else if (m_state.phase != Phase::Closing && m_state.phase != Phase::Ended) {
        holdAudio(std::move(captured.pcm));
    }
}

void Stepper::sendAudio(Bytes pcm)
{
    m_state.speech.sent(pcm, mostHeld());
    send(openai::InputAudioBufferAppend{{}, std::move(pcm)});
}

void Stepper::holdAudio(Bytes pcm)
{
    m_state.heldAudioSize += pcm.size();
    m_state.heldAudio.push_back(std::move(pcm));
    dropTooOld();
}

std::size_t Stepper::mostHeld() const
{
    return pcmBytesIn(m_state.options->heldAudio, m_state.rates.input);
}

void Stepper::dropTooOld()
{
    while (m_state.heldAudioSize > mostHeld()) {
        const Bytes& oldest = m_state.heldAudio.front();
        m_state.lostAudio += speechIn(oldest, m_state.rates.input);
        m_state.heldAudioSize -= oldest.size();
        m_state.heldAudio.pop_front();
    }
}

void Stepper::sendHeld()
{
    m_state.backlog += pcmDuration(m_state.heldAudioSize, m_state.rates.input);
    for (Bytes& pcm : std::exchange(m_state.heldAudio, {})) {
        sendAudio(std::move(pcm));
    }
    m_state.heldAudioSize = 0;
    m_state.backlogEnd = m_state.speech.end();
    heldTurnSent();
    if (m_state.lostAudio > Milliseconds{0}) {
        tell(session_notice::AudioLost{std::exchange(m_state.lostAudio, Milliseconds{0})});
    }
}

/// There will be no next connection.
void Stepper::tellKeptAsLost()
{
    for (const Bytes& pcm : m_state.heldAudio) {
        m_state.lostAudio += speechIn(pcm, m_state.rates.input);
    }
    m_state.heldAudio.clear();
    m_state.heldAudioSize = 0;
    if (m_state.lostAudio > Milliseconds{0}) {
        tell(session_notice::AudioLost{std::exchange(m_state.lostAudio, Milliseconds{0})});
    }
}

/// The connection is gone. What was said over it and is not in the log is said again over the next one.
void Stepper::keepUnsettledSpeech()
{
    SpeechMemory::Rest rest = m_state.speech.take();
    const bool isAskedBySpeech = !rest.turns.empty();
    for (const std::string& turn : rest.turns) {
        // It becomes another item; what was written down of this one would stand there twice.
        forgetEntry(turn);
    }
    // The provider answers of its own accord what it hears, with everything before it.
    const ReplyGate& reply = m_state.reply;
    const bool isOwed = !reply.isFree() || reply.isAwaited || reply.isWanted || reply.isPartOfTurn
        || m_state.tools.wantsReply || !m_state.tools.running.empty();
    m_state.lostReplies += isOwed ? 1 : 0;
    const bool isStopped = reply.isDeaf || reply.cancelWhenCreated;
    const bool isNothingHeard = reply.isForTools && !isStopped && (reply.isRequested || reply.itemId.empty());
    const bool isToTools = m_state.tools.wantsReply || !m_state.tools.running.empty() || isNothingHeard;
    if (isOwed && !isAskedBySpeech) {
        m_state.owedReply = std::max(m_state.owedReply, isToTools ? OwedReply::ToTools : OwedReply::ToWords);
    }
    HeldTurn& held = m_state.held;
    held.isDue = held.isDue || (held.isByHand && isAskedBySpeech && !held.isDown && !held.isEnding);
    m_state.lostAudio += rest.lost;
    for (const Bytes& pcm : rest.pieces) {
        m_state.heldAudioSize += pcm.size();
    }
    m_state.heldAudio.insert(m_state.heldAudio.begin(), std::make_move_iterator(rest.pieces.begin()),
        std::make_move_iterator(rest.pieces.end()));
    dropTooOld();
}

void Stepper::useRates(const VoiceRates& rates)
{
    if (rates == m_state.rates) {
        return;
    }
    const VoiceRates before = std::exchange(m_state.rates, rates);
    m_state.speech.setRate(rates.input);
    if (rates.input != before.input && m_state.heldAudioSize > 0) {
        // In one: the ends of each of them would be heard.
        Bytes held;
        held.reserve(m_state.heldAudioSize);
        for (const Bytes& pcm : m_state.heldAudio) {
            held.insert(held.end(), pcm.begin(), pcm.end());
        }
        holdInstead(pcmAtRate(held, before.input, rates.input));
    }
    for (ReplyItem& item : m_state.replyItems) {
        item.bytes = item.bytes / 2 * rates.output.hz() / before.output.hz() * 2;
    }
    put(UseRates{rates});
}

void Stepper::holdInstead(std::span<const std::uint8_t> pcm)
{
    m_state.heldAudioSize = pcm.size();
    m_state.heldAudio = inPieces(pcm, m_state.rates.input);
}

} // namespace vivavoce::core::internal
