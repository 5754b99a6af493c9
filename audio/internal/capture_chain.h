#pragma once

#include "audio/dsp/echo_canceller.h"
#include "audio/dsp/resampler.h"
#include "audio/rt/level_meter.h"
#include "audio/rt/sample_ring.h"
#include "core/base/units.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace vivavoce::audio {

/// From a capture device's ring to voice as the provider takes it: to 48 kHz, echo and noise out, to its rate. Pieces of 10 ms.
/// Threads: [worker].
class CaptureChain {
public:
    /// `voice` at the provider's rate. `wide`: the same at EchoCanceller::kRate; `dropped`: frames of that which came before it, were held back
    /// and turned out to be an echo.
    using Sink = std::function<void(
        std::span<const std::int16_t> voice, std::span<const std::int16_t> wide, core::FrameCount dropped)>;

    static core::Expected<CaptureChain, core::Error> create(core::SampleRate device);

    /// The rate of what goes to the sink from now on; kRealtimeRate, unless told.
    void useRate(core::SampleRate rate);
    /// Everything that waits in the ring. `delay`, `isMuted`: see EchoCanceller::process. The meter sees what a person says also while
    /// that goes no further.
    void pump(rt::SampleRing& ring, dsp::EchoCanceller& processing, core::Milliseconds delay, bool isMuted,
        rt::LevelMeter& meter, const Sink& sink);
    /// What came out of the ring and was not given to the sink yet, in frames of EchoCanceller::kRate.
    [[nodiscard]] core::FrameCount inside() const
    {
        return core::FrameCount{static_cast<std::int64_t>(m_waiting.size() + m_held)};
    }
    /// Of the way to the voice processing, in frames of EchoCanceller::kRate.
    [[nodiscard]] core::FrameCount latency() const { return m_up.latency(); }

private:
    CaptureChain(core::SampleRate device, dsp::Resampler up, dsp::Resampler down);

    core::SampleRate m_device;
    core::SampleRate m_rate = core::kRealtimeRate;
    dsp::Resampler m_up;
    dsp::Resampler m_down;
    std::vector<std::int16_t> m_raw;
    std::vector<std::int16_t> m_waiting;
    /// Samples that the voice processing holds back.
    std::size_t m_held = 0;
};

} // namespace vivavoce::audio
