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
    m_state.speech.sent(pcm, m_state.options->heldAudioBytes);
    send(openai::InputAudioBufferAppend{{}, std::move(pcm)});
}

void Stepper::holdAudio(Bytes pcm)
{
    m_state.heldAudioSize += pcm.size();
    m_state.heldAudio.push_back(std::move(pcm));
    dropTooOld();
}

void Stepper::dropTooOld()
{
    while (m_state.heldAudioSize > m_state.options->heldAudioBytes) {
        const Bytes& oldest = m_state.heldAudio.front();
        m_state.lostAudio += speechIn(oldest);
        m_state.heldAudioSize -= oldest.size();
        m_state.heldAudio.pop_front();
    }
}

void Stepper::sendHeld()
{
    m_state.backlog += FrameCount{static_cast<std::int64_t>(m_state.heldAudioSize / 2)}.duration(kRealtimeRate);
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
        m_state.lostAudio += speechIn(pcm);
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

} // namespace vivavoce::core::internal
