#include "core/session/internal/stepper.h"

namespace vivavoce::core::internal {

using namespace session_effect;

// A dead network tells nobody: what has been sent waits in the system for a quarter of an hour before that gives up.

void Stepper::ping()
{
    m_state.speech.pinged();
    put(Ping{});
    startTimer(SessionTimer::Liveness, m_state.options->deadlines.ping);
}

void Stepper::pingUnanswered()
{
    const SessionDeadlines& deadlines = m_state.options->deadlines;
    if (!m_state.isRelayed && !m_state.arePingsAnswered) {
        ping();
        return;
    }
    const Milliseconds silence = deadlines.ping * ++m_state.unansweredPings;
    if (silence >= (m_state.isRelayed ? deadlines.relaySilence : deadlines.silence) + m_state.backlog) {
        lost({ErrorCode::ProviderSilent,
            "nothing has come over the connection for " + std::to_string(silence.count()) + " ms", std::nullopt, {}});
        return;
    }
    if (silence >= deadlines.stalled + m_state.backlog) {
        m_state.isStalled = true;
        settleActivity();
    }
    ping();
}

void Stepper::on(const session_event::PingAnswered& answered)
{
    if (m_state.phase == Phase::Starting || m_state.phase == Phase::Configuring || isLive()) {
        m_state.arePingsAnswered = true;
    }
    if (isLive()) {
        // Gemini tells of a turn late: what it has, and has not spoken of, may be one.
        m_state.speech.pingAnswered(answered.ping, !m_state.isRelayed && !isGemini());
        if (m_state.speech.arrived() >= m_state.backlogEnd) {
            m_state.backlog = Milliseconds{0};
        }
        m_state.attempts = 0;
        heardOf();
        errorSurvived();
    }
}

/// An error that the connection has survived is not what it ends of, but for the one that announces the end.
void Stepper::errorSurvived()
{
    if (m_state.lastProviderError && m_state.lastProviderError->code != ErrorCode::SessionExpired) {
        m_state.lastProviderError.reset();
    }
}

void Stepper::heardOf()
{
    m_state.unansweredPings = 0;
    if (std::exchange(m_state.isStalled, false)) {
        sendHeld();
        settleActivity();
    }
}

} // namespace vivavoce::core::internal
