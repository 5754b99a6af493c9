#pragma once

#include "core/base/base64.h"
#include "core/base/units.h"

#include <cstdint>
#include <span>
#include <vector>

namespace vivavoce::core {

/// PCM16 as realtime protocols carry it: little endian, whatever this machine is.
[[nodiscard]] Bytes pcmBytes(std::span<const std::int16_t> samples);

/// The reverse. An odd last byte is left out.
[[nodiscard]] std::vector<std::int16_t> pcmSamples(std::span<const std::uint8_t> bytes);

/// How long that much PCM16 mono at kRealtimeRate lasts.
[[nodiscard]] Milliseconds pcmDuration(std::span<const std::uint8_t> bytes);

} // namespace vivavoce::core
