#pragma once

#include "audio/dsp/resampler.h"
#include "audio/internal/playout_queue.h"
#include "audio/rt/level_meter.h"
#include "audio/rt/sample_ring.h"
#include "core/base/units.h"

#include <cstdint>
#include <vector>

namespace vivavoce::audio {

/// From the playout queue, at its rate, to a playback device's ring: to 48 kHz, to the device's rate. Knows which of the
/// queue's samples a position of the ring is.
/// Threads: [worker], under its lock.
class PlaybackChain {
public:
    static core::Expected<PlaybackChain, core::Error> create(core::SampleRate device);

    /// The queue has another rate now. What the first stage holds back, some milliseconds, is lost.
    void useRate(core::SampleRate rate);
    /// Keeps at least `ahead` in the ring.
    void fill(rt::SampleRing& ring, core::FrameCount ahead, PlayoutQueue& queue, rt::LevelMeter& meter);
    /// Lets go of what the stages hold back, so that nothing of a cut reply comes after the cut.
    void restart(const rt::SampleRing& ring, const PlayoutQueue& queue);
    /// The queue's position (PlayoutQueue::given) that is at the ear when the device has taken `taken` and sounds `latency` later.
    [[nodiscard]] std::uint64_t heard(std::uint64_t taken, core::FrameCount latency) const;

private:
    PlaybackChain(core::SampleRate device, dsp::Resampler up, dsp::Resampler toDevice);

    core::SampleRate m_device;
    core::SampleRate m_rate = core::kRealtimeRate;
    dsp::Resampler m_up;
    dsp::Resampler m_toDevice;
    std::vector<std::int16_t> m_piece;
    /// Where ring and queue stood when the stages were empty.
    std::uint64_t m_ringBase = 0;
    std::uint64_t m_queueBase = 0;
};

} // namespace vivavoce::audio
