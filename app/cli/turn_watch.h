#pragma once

#include "core/base/clock.h"
#include "core/session/session_state.h"

namespace vivavoce::cli {

/// Decides when a conversation that is fed from files is over. Pure: is told what happens, and asked.
class TurnWatch {
public:
    /// It is over when everything that was said is answered, or before that after so many replies; 0: however many there are.
    explicit TurnWatch(int turns) : m_turns(turns) {}

    void replyEnded() { ++m_replies; }
    void speechHeard() { m_wasSpeechHeard = true; }
    /// The recording is through; what follows is silence.
    void inputEnded(core::MonotonicTime now) { m_inputEnd = now; }
    void activityChanged(core::Activity activity, core::MonotonicTime now);

    [[nodiscard]] int replies() const { return m_replies; }
    [[nodiscard]] bool wasSpeechHeard() const { return m_wasSpeechHeard; }
    /// There are as many replies as were asked for, and the last one has been heard.
    [[nodiscard]] bool hasEnough() const;
    /// Enough replies, or everything is said and answered.
    [[nodiscard]] bool isOver(core::MonotonicTime now, bool hasMoreToSay) const;
    /// What was said is answered, and has been for long enough that no more is to be expected.
    [[nodiscard]] bool isAnswered(core::MonotonicTime now) const;
    /// A reply is waited for, and has been for as long as a session waits.
    [[nodiscard]] bool isReplyOverdue(core::MonotonicTime now) const;
    /// The recording is long through and the agent heard nothing in it.
    [[nodiscard]] bool heardNothing(core::MonotonicTime now) const;

private:
    int m_turns;
    int m_replies = 0;
    bool m_wasSpeechHeard = false;
    std::optional<core::MonotonicTime> m_inputEnd;
    core::Activity m_activity = core::Activity::Listening;
    core::MonotonicTime m_activitySince{};
};

} // namespace vivavoce::cli
