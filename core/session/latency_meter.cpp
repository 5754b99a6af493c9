#include "core/session/latency_meter.h"

#include <algorithm>

namespace vivavoce::core {
namespace {

constexpr std::chrono::seconds kRemembered{60};

Milliseconds between(MonotonicTime from, MonotonicTime to)
{
    return std::chrono::duration_cast<Milliseconds>(to - from);
}

} // namespace

void LatencyMeter::reset(SampleRate rate)
{
    *this = LatencyMeter();
    m_rate = rate;
}

void LatencyMeter::audioSent(FrameCount frames, MonotonicTime now)
{
    m_sent += frames;
    m_marks.push_back({m_sent, now});
    while (now - m_marks.front().at > kRemembered) {
        m_marks.pop_front();
    }
}

void LatencyMeter::speechStopped(Milliseconds audioEnd, Milliseconds silence, MonotonicTime now)
{
    m_turnEnd = now;
    m_speechEnd = sentAt(FrameCount::of(std::max(audioEnd - silence, Milliseconds{0}), m_rate));
}

void LatencyMeter::textSent(MonotonicTime now)
{
    m_turnEnd = now;
    m_speechEnd.reset();
}

std::optional<ReplyLatency> LatencyMeter::replyStarted(const std::string& responseId, MonotonicTime now)
{
    if (!m_turnEnd) {
        return std::nullopt;
    }
    ReplyLatency latency;
    latency.responseId = responseId;
    latency.fromTurnEnd = between(*m_turnEnd, now);
    if (m_speechEnd) {
        latency.fromEndOfSpeech = between(*m_speechEnd, now);
    }
    m_turnEnd.reset();
    m_speechEnd.reset();
    return latency;
}

std::optional<MonotonicTime> LatencyMeter::sentAt(FrameCount position) const
{
    const auto mark = std::find_if(m_marks.begin(), m_marks.end(), [&](const Mark& m) { return m.end >= position; });
    if (mark == m_marks.end()) {
        return std::nullopt;
    }
    return mark->at;
}

} // namespace vivavoce::core
