#pragma once

#include "core/base/clock.h"
#include "core/base/units.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace vivavoce::core {

/// How long one reply took, as the user felt it.
struct ReplyLatency {
    std::string responseId;
    /// From the last sample of speech leaving us to the first reply audio (or text) here: endpoint silence included.
    /// Absent for typed turns.
    std::optional<Milliseconds> fromEndOfSpeech;
    /// From the provider's word that the turn is over (or our typed message) to the same.
    Milliseconds fromTurnEnd{0};
};

/// Matches positions in the audio that we sent with the times at which it left.
/// Invariant: remembers at most the last minute of sending. Pure but for the times that it is given.
class LatencyMeter {
public:
    /// A new provider session counts audio from zero again, sent at that rate.
    void reset(SampleRate rate = kRealtimeRate);
    /// It turns out to take another one.
    void setRate(SampleRate rate) { m_rate = rate; }
    void audioSent(FrameCount frames, MonotonicTime now);
    /// `audioEnd` is the provider's `audio_end_ms`, which includes the silence that told it so (OpenAI Realtime GA).
    void speechStopped(Milliseconds audioEnd, Milliseconds silence, MonotonicTime now);
    void textSent(MonotonicTime now);
    /// The first output of a reply; nothing where no turn is open (a reply that the provider made of its own accord).
    [[nodiscard]] std::optional<ReplyLatency> replyStarted(const std::string& responseId, MonotonicTime now);

private:
    struct Mark {
        FrameCount end;
        MonotonicTime at;
    };
    [[nodiscard]] std::optional<MonotonicTime> sentAt(FrameCount position) const;

    SampleRate m_rate = kRealtimeRate;
    std::deque<Mark> m_marks;
    FrameCount m_sent;
    std::optional<MonotonicTime> m_turnEnd;
    std::optional<MonotonicTime> m_speechEnd;
};

} // namespace vivavoce::core
