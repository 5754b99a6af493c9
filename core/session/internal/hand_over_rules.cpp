#include "core/session/internal/stepper.h"

#include <algorithm>

namespace vivavoce::core::internal {

using namespace session_effect;

// A provider ends each session after a time (OpenAI: an hour). The conversation goes on in a fresh one, between two turns if it can.

void Stepper::planHandOver(Milliseconds left)
{
    // An end as near as that is a clock's fault: a fresh session would be as near to its own, and we would hand over all day.
    if (left >= 2 * m_state.options->deadlines.handOver) {
        startTimer(SessionTimer::HandOver, left - m_state.options->deadlines.handOver);
    }
}

void Stepper::on(const session_event::EndAnnounced& announced)
{
    if (m_state.phase == Phase::Configuring || isLive()) {
        m_state.isHandOverDue = true;
        startTimer(SessionTimer::HandOver,
            std::max(announced.left - m_state.options->deadlines.lastHandOver, Milliseconds{0}));
    }
}

bool Stepper::isQuiet() const
{
    const ReplyGate& reply = m_state.reply;
    return !m_state.isUserSpeaking && !m_state.isPlaying && !m_state.isStalled && reply.isFree() && !reply.isAwaited
        && !reply.isWanted && !reply.isPartOfTurn && m_state.tools.running.empty() && !m_state.tools.wantsReply
        && m_state.speech.isWrittenDown();
}

void Stepper::handOver()
{
    letGo();
    m_state.phase = Phase::Waiting;
    tell(session_notice::PhaseChanged{Phase::Waiting, Milliseconds{0}, true});
    // Gemini may announce an end at any time, also of what has just begun: no faster than that.
    startTimer(SessionTimer::Backoff, isGemini() ? m_state.options->firstBackoff : Milliseconds{0});
}

SessionStep Stepper::finish() &&
{
    if (isLive() && m_state.isHandOverDue && isQuiet()) {
        handOver();
    }
    return {std::move(m_state), std::move(m_effects)};
}

} // namespace vivavoce::core::internal
