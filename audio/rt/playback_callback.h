#pragma once

#include "audio/rt/gain_ramp.h"
#include "audio/rt/sample_ring.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vivavoce::audio::rt {

/// What a playback device's thread runs: copies a ring to every channel, silence where there is nothing, and cuts on request.
/// Threads: `operator()` and `missed` [device], `cut` one other thread, the rest [any thread].
/// Lifetime: outlives the stream that calls it.
class PlaybackCallback {
public:
    /// `rampFrames`: how long a cut takes. `played`, where it is given, gets all that the device got, ramps and silence included.
    PlaybackCallback(SampleRing& ring, std::size_t rampFrames, SampleRing* played = nullptr)
        : m_ring(ring), m_played(played), m_rampFrames(rampFrames)
    {
    }

    /// Interleaved PCM16.
    void operator()(std::int16_t* out, std::size_t frames, std::size_t channels) VV_REALTIME;
    void missed() VV_REALTIME { m_underruns.fetch_add(1, std::memory_order_relaxed); }

    /// Lets what is written to the ring until now fade out and drops the rest of it. What is written later is played.
    void cut() VV_REALTIME { m_cutAt.store(m_ring.written(), std::memory_order_release); }
    /// The last cut is through.
    [[nodiscard]] bool isCut() const VV_REALTIME { return m_ring.taken() >= m_cutAt.load(std::memory_order_acquire); }

    /// Frames that the ring could not fill: heard as silence.
    [[nodiscard]] std::uint64_t starved() const VV_REALTIME { return m_starved.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t underruns() const VV_REALTIME { return m_underruns.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t frames() const VV_REALTIME { return m_frames.load(std::memory_order_relaxed); }
    /// The most frames that the device wanted at once.
    [[nodiscard]] std::size_t longestCall() const VV_REALTIME { return m_longestCall.load(std::memory_order_relaxed); }

private:
    std::size_t fill(std::int16_t* mono, std::size_t frames) VV_REALTIME;

    SampleRing& m_ring;
    SampleRing* const m_played;
    const std::size_t m_rampFrames;
    /// Ring position before which everything is unwanted.
    std::atomic<std::uint64_t> m_cutAt{0};
    /// [device] The cut that is being carried out.
    std::uint64_t m_cutting = 0;
    GainRamp m_ramp;
    std::atomic<std::uint64_t> m_starved{0};
    std::atomic<std::uint64_t> m_underruns{0};
    std::atomic<std::uint64_t> m_frames{0};
    std::atomic<std::size_t> m_longestCall{0};
};

} // namespace vivavoce::audio::rt
