#pragma once

#include "core/history/transcript.h"
#include "core/session/session_effect.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// Writes down, from what a session tells of itself, each line with when it was said. A line is settled when no more of it comes and, of
/// a reply that is spoken, when it has been heard: what is not played is not said.
/// Threads: the executor's own thread.
class TranscriptRecorder {
public:
    explicit TranscriptRecorder(const Clock& clock) : m_clock(clock) {}

    void told(const SessionNotice& notice);
    /// Everything that is open stays as it is, and a reply that is being heard counts as interrupted: nobody will finish it.
    void close();
    /// Whether what is said from now on is private, and with it all that is open: what has been begun, or waits to be sent or written down.
    /// A line stays private. Where it is not sure when something was said, it is.
    void setPrivate(bool isPrivate);
    [[nodiscard]] bool isPrivate(std::string_view itemId) const;
    [[nodiscard]] bool hasBegun() const { return m_begin.has_value(); }
    /// The settled lines that have something in them.
    [[nodiscard]] Transcript transcript() const;
    /// The settled line of that id; null: there is none.
    [[nodiscard]] const TranscriptLine* find(std::string_view itemId) const;
    /// The next settled line behind that one; empty: there is none.
    [[nodiscard]] std::string settledAfter(std::string_view itemId) const;
    /// The lines that have been settled, or have changed since, after the last call.
    [[nodiscard]] std::vector<std::string> takeNews();
    [[nodiscard]] WallTime startedAt() const { return m_startedAt; }
    [[nodiscard]] const std::string& model() const { return m_model; }

private:
    struct Kept {
        TranscriptLine line;
        bool isSettled = false;
        bool isNews = false;
        bool isPrivate = false;
        /// The user's, who has not come to the end of it.
        bool isBeingSaid = false;
    };
    struct Span {
        Milliseconds start{0};
        Milliseconds end{0};
        bool isPrivate = false;
    };

    void tellOf(const session_notice::PhaseChanged& changed);
    void tellOf(const session_notice::ActivityChanged& changed);
    void tellOf(const session_notice::TranscriptChanged& changed);
    void tellOf(const session_notice::TranscriptRemoved& removed);
    void tellOf(const session_notice::TokenChanged& changed);
    void tellOf(const session_notice::SpeechStopped& stopped);
    void tellOf(const session_notice::Ended& ended);
    template <typename Other>
    void tellOf(const Other&)
    {
    }

    Kept& upsert(const session_notice::TranscriptChanged& changed);
    /// The user begins to speak, goes on, or ends.
    void followSpeech(Activity before);
    void speechBegins();
    void speechEnds();
    /// When the words were spoken that belong behind that line. Null: behind none.
    [[nodiscard]] Span takeSpan(const TranscriptLine* previous);
    /// The connection that was to finish them is gone.
    void closeUnfinished();
    /// So is the one to which something is being said; it may go on over the next one.
    void carryOver();
    /// Nobody will say again what was lost with a connection.
    void takeBackWithdrawn();
    void settle(Kept& kept);
    void settleReplies();
    /// Whoever listens is reached, or is not: then what is said is sent later.
    void reach();
    [[nodiscard]] Milliseconds elapsed() const;

    const Clock& m_clock;
    std::optional<MonotonicTime> m_begin;
    WallTime m_startedAt{};
    std::string m_model;
    Phase m_phase = Phase::Idle;
    Activity m_activity = Activity::Listening;
    bool m_isPrivate = false;
    /// Nothing was private yet: none.
    std::optional<MonotonicTime> m_privateUntil;
    bool m_isReached = false;
    MonotonicTime m_unreachedSince{};
    /// Speech that begins before may have been private, and is sent only now.
    MonotonicTime m_heardLateUntil{};
    /// When the user spoke; the words to it come later, one transcript each, in order.
    std::deque<Span> m_spoken;
    /// The user has a turn, if only a stalled one: the last of m_spoken is from it, unless words have taken that already.
    bool m_isSaying = false;
    /// The session has told that there was speech in it.
    bool m_hasStopped = false;
    /// It began over a connection that is gone.
    bool m_isCarriedOver = false;
    std::vector<Kept> m_lines;
    /// Words that were to be said again as another item, and have not been yet.
    std::vector<Kept> m_withdrawn;
};

} // namespace vivavoce::core
