#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/units.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vivavoce::dsp {

/// A recording as PCM16 mono at `rate`, whatever its own channels, rate and depth are; channels are averaged.
/// InputUnreadable (no such file, no permission), InputNotAudio (not a sound file, or longer than an hour), InputEmpty (no samples).
[[nodiscard]] core::Expected<std::vector<std::int16_t>, core::Error> readWav(
    const std::string& path, core::SampleRate rate);

/// Writes PCM16 mono as it comes. The header is right after every write, so that a crash leaves a playable file.
/// Every failure (no permission, full disk) is OutputUnwritable. Threads: one at a time.
class WavWriter {
public:
    static core::Expected<WavWriter, core::Error> create(const std::string& path, core::SampleRate rate);

    WavWriter(WavWriter&&) noexcept;
    WavWriter& operator=(WavWriter&&) noexcept;
    ~WavWriter();

    core::Expected<void, core::Error> write(std::span<const std::int16_t> samples);
    core::Expected<void, core::Error> close();

private:
    struct State;
    explicit WavWriter(std::unique_ptr<State> state);

    std::unique_ptr<State> m_state;
};

} // namespace vivavoce::dsp
