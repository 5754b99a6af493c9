#include "app/cli/turn_watch.h"

#include "core/session/session_options.h"

namespace vivavoce::cli {
namespace {

/// A turn ends half a second after the last word; twice that, and the way there and back, must pass before it is settled
/// that no reply will come.
constexpr core::Milliseconds kSettled{1500};
constexpr core::Milliseconds kNothingHeard{4000};
/// The session's own deadline begins and ends with the same events, but for its timer's tick.
constexpr core::Milliseconds kReplyOverdue = core::SessionDeadlines().reply - core::Milliseconds{500};

} // namespace

void TurnWatch::activityChanged(core::Activity activity, core::MonotonicTime now)
{
    m_activity = activity;
    m_activitySince = now;
    if (activity == core::Activity::HearingUser) {
        m_wasSpeechHeard = true;
    }
}

bool TurnWatch::hasEnough() const
{
    return m_activity == core::Activity::Listening && m_turns > 0 && m_replies >= m_turns;
}

bool TurnWatch::isOver(core::MonotonicTime now, bool hasMoreToSay) const
{
    return hasEnough() || (!hasMoreToSay && isAnswered(now));
}

bool TurnWatch::isReplyOverdue(core::MonotonicTime now) const
{
    return m_activity == core::Activity::Thinking && now - m_activitySince >= kReplyOverdue;
}

bool TurnWatch::isAnswered(core::MonotonicTime now) const
{
    if (m_activity != core::Activity::Listening || !m_inputEnd || m_replies == 0) {
        return false;
    }
    return now - *m_inputEnd >= kSettled && now - m_activitySince >= kSettled;
}

bool TurnWatch::heardNothing(core::MonotonicTime now) const
{
    return m_inputEnd && !m_wasSpeechHeard && m_replies == 0 && m_activity == core::Activity::Listening
        && now - *m_inputEnd >= kNothingHeard;
}

} // namespace vivavoce::cli
