#pragma once

#include "core/base/base64.h"
#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vivavoce::core {

/// PCM16 as realtime protocols carry it: little endian, whatever this machine is.
[[nodiscard]] Bytes pcmBytes(std::span<const std::int16_t> samples);

/// The reverse. An odd last byte is left out.
[[nodiscard]] std::vector<std::int16_t> pcmSamples(std::span<const std::uint8_t> bytes);

/// How long so many bytes of PCM16 mono at that rate last, and how many that time takes.
[[nodiscard]] Milliseconds pcmDuration(std::size_t bytes, SampleRate rate);
[[nodiscard]] std::size_t pcmBytesIn(Milliseconds time, SampleRate rate);

/// PCM16 mono at another rate, as a whole: what is kept while nobody can take it, and was meant for whoever took another rate. Streams have
/// dsp::Resampler. Both rates valid.
[[nodiscard]] Bytes pcmAtRate(std::span<const std::uint8_t> bytes, SampleRate from, SampleRate to);

} // namespace vivavoce::core
