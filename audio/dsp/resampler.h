#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/units.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vivavoce::dsp {

/// Changes the rate of a mono PCM16 stream and keeps its state across pieces, so that pieces of any length give the same
/// samples as the whole. Delays by `latency`; the same rate passes through untouched.
/// Threads: one at a time.
class Resampler {
public:
    /// SoundFailed for rates outside SampleRate's range.
    static core::Expected<Resampler, core::Error> create(core::SampleRate from, core::SampleRate to);

    Resampler(Resampler&&) noexcept;
    Resampler& operator=(Resampler&&) noexcept;
    ~Resampler();

    [[nodiscard]] std::vector<std::int16_t> process(std::span<const std::int16_t> samples);
    /// What is still inside, at the end of a stream.
    [[nodiscard]] std::vector<std::int16_t> flush();
    /// In frames of the output.
    [[nodiscard]] core::FrameCount latency() const;

private:
    struct State;
    explicit Resampler(std::unique_ptr<State> state);

    std::unique_ptr<State> m_state;
};

/// A whole recording at another rate: the same time, up to a sample, and without the delay of a stream. Rates that no Resampler can be made for
/// give silence.
[[nodiscard]] std::vector<std::int16_t> resampled(
    std::span<const std::int16_t> samples, core::SampleRate from, core::SampleRate to);

} // namespace vivavoce::dsp
