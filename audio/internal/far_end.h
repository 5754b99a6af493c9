#pragma once

#include "audio/dsp/echo_canceller.h"
#include "audio/dsp/resampler.h"
#include "audio/rt/sample_ring.h"

#include <functional>
#include <span>
#include <vector>

namespace vivavoce::audio {

/// What a loudspeaker really played, on its way to the echo canceller and into a recording. Not what was meant for it: a reply that is
/// cut off has samples that nobody ever heard, and a canceller that waits for their echo is wrong about everything after them.
/// Threads: [worker].
class FarEnd {
public:
    static core::Expected<FarEnd, core::Error> create(core::SampleRate device);

    using Sink = std::function<void(std::span<const std::int16_t> wide)>;

    /// `played` is what the device's callback leaves of it. `processing` may be null: nobody listens. The sink gets it at EchoCanceller::kRate.
    void pump(rt::SampleRing& played, dsp::EchoCanceller* processing, const Sink& sink);
    /// In frames of EchoCanceller::kRate.
    [[nodiscard]] core::FrameCount latency() const { return m_up.latency(); }

private:
    explicit FarEnd(dsp::Resampler up) : m_up(std::move(up)) {}

    dsp::Resampler m_up;
    std::vector<std::int16_t> m_raw;
    std::vector<std::int16_t> m_waiting;
};

} // namespace vivavoce::audio
