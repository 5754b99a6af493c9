#include "core/base/pcm.h"
#include "core/session/internal/session_update.h"
#include "core/session/internal/stepper.h"

#include <utility>

namespace vivavoce::core::internal {

using namespace session_effect;

namespace {

/// Less is a key that was touched: providers refuse it (OpenAI Realtime GA: input_audio_buffer_commit_empty).
constexpr Milliseconds kShortestTurn{100};

} // namespace

// Push to talk. The provider detects no turns: the user's key begins and ends them, and each is answered because we ask for it.

void Stepper::on(const session_event::TurnsByHand& turns)
{
    HeldTurn& held = m_state.held;
    if (held.isByHand == turns.isOn || m_state.phase == Phase::Closing || m_state.phase == Phase::Ended) {
        return;
    }
    if (held.isDown || held.isEnding) {
        stopTimer(SessionTimer::TurnEnd);
        heldTurnEnds();
    }
    const bool isDue = held.isDue && turns.isOn;
    held = HeldTurn();
    held.isByHand = turns.isOn;
    held.isDue = isDue;
    if (m_state.phase == Phase::Configuring || isLive()) {
        send(turnsUpdate(*m_state.options, turns.isOn, m_state.leftOut));
    }
    if (m_state.isUserSpeaking && isLive()) {
        // The provider had noticed that turn, and will not say any more when it ends: with the change.
        commitTurn(m_state.turnItemId);
    }
}

void Stepper::on(const session_event::TalkHeld& talk)
{
    HeldTurn& held = m_state.held;
    if (!held.isByHand || held.isDown == talk.isHeld || m_state.phase == Phase::Closing
        || m_state.phase == Phase::Ended) {
        return;
    }
    held.isDown = talk.isHeld;
    if (!held.isDown) {
        held.isEnding = true;
        startTimer(SessionTimer::TurnEnd, m_state.options->deadlines.turnEnd);
        return;
    }
    // Pressed again at once: one turn with a breath in it.
    const bool goesOn = held.isEnding || held.isDue;
    held.isEnding = false;
    held.isDue = false;
    stopTimer(SessionTimer::TurnEnd);
    if (isLive() && !goesOn) {
        stopReply();
        send(openai::InputAudioBufferClear{});
        heldTurnBegins();
    }
    settleActivity();
}

void Stepper::heldTurnBegins()
{
    m_state.held.begin = m_state.speech.end();
    m_state.turnItemId.clear();
    m_state.speech.turnBegan({}, pcmDuration(m_state.held.begin, m_state.rates.input));
    m_state.isUserSpeaking = true;
    m_state.tools.rounds = 0;
}

void Stepper::heldTurnEnds()
{
    m_state.held.isDue = !isLive() || m_state.isStalled;
    if (m_state.held.isDue) {
        return;
    }
    if (pcmDuration(m_state.speech.end() - m_state.held.begin, m_state.rates.input) < kShortestTurn) {
        m_state.isUserSpeaking = false;
        send(openai::InputAudioBufferClear{});
        m_state.speech.writtenDown({});
        tell(session_notice::SpeechStopped{pcmDuration(m_state.speech.end(), m_state.rates.input), true});
        settleActivity();
        return;
    }
    commitTurn({});
}

void Stepper::commitTurn(const std::string& itemId)
{
    const Milliseconds end = pcmDuration(m_state.speech.end(), m_state.rates.input);
    m_state.isUserSpeaking = false;
    send(openai::InputAudioBufferCommit{});
    m_state.speech.turnEnded(itemId, end);
    tell(session_notice::SpeechStopped{end});
    requestReply();
    // A reply that has to wait is not asked for yet; the turn is over all the same.
    settleActivity();
}

void Stepper::heldTurnSent()
{
    if (m_state.held.isDue) {
        heldTurnEnds();
    }
}

} // namespace vivavoce::core::internal
