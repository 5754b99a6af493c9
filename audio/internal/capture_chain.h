#pragma once

#include "audio/dsp/echo_canceller.h"
#include "audio/dsp/resampler.h"
#include "audio/rt/sample_ring.h"
#include "core/base/units.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace vivavoce::audio {

/// From a capture device's ring to voice as providers take it: to 48 kHz, echo and noise out, to kRealtimeRate. Pieces of 10 ms.
/// Threads: [worker].
class CaptureChain {
public:
    using Sink = std::function<void(std::span<const std::int16_t> voice)>;

    static core::Expected<CaptureChain, core::Error> create(core::SampleRate device);

    /// Everything that waits in the ring. `delay`: see EchoCanceller::process.
    void pump(rt::SampleRing& ring, dsp::EchoCanceller& processing, core::Milliseconds delay, const Sink& sink);
    /// What the stages hold back by their nature.
    [[nodiscard]] core::Milliseconds delay() const;

private:
    CaptureChain(core::SampleRate device, dsp::Resampler up, dsp::Resampler down);

    core::SampleRate m_device;
    dsp::Resampler m_up;
    dsp::Resampler m_down;
    std::vector<std::int16_t> m_raw;
    std::vector<std::int16_t> m_waiting;
};

} // namespace vivavoce::audio
