#pragma once

#include "audio/rt/sample_ring.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vivavoce::audio::rt {

/// What a capture device's thread runs: averages the channels into a ring.
/// Threads: `operator()` and `missed` [device], the rest [any thread]. Lifetime: outlives the stream that calls it.
class CaptureCallback {
public:
    explicit CaptureCallback(SampleRing& ring) : m_ring(ring) {}

    /// Interleaved PCM16.
    void operator()(const std::int16_t* samples, std::size_t frames, std::size_t channels) VV_REALTIME;
    /// The device says that it lost input.
    void missed() VV_REALTIME { m_overruns.fetch_add(1, std::memory_order_relaxed); }

    /// Frames that there was no room for.
    [[nodiscard]] std::uint64_t dropped() const VV_REALTIME { return m_dropped.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t overruns() const VV_REALTIME { return m_overruns.load(std::memory_order_relaxed); }
    /// Grows while the device is alive.
    [[nodiscard]] std::uint64_t frames() const VV_REALTIME { return m_frames.load(std::memory_order_relaxed); }

private:
    SampleRing& m_ring;
    std::atomic<std::uint64_t> m_dropped{0};
    std::atomic<std::uint64_t> m_overruns{0};
    std::atomic<std::uint64_t> m_frames{0};
};

} // namespace vivavoce::audio::rt
