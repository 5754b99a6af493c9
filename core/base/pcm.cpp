#include "core/base/pcm.h"

namespace vivavoce::core {

Bytes pcmBytes(std::span<const std::int16_t> samples)
{
    Bytes bytes;
    bytes.reserve(samples.size() * 2);
    for (const std::int16_t sample : samples) {
        const auto bits = static_cast<std::uint16_t>(sample);
        bytes.push_back(static_cast<std::uint8_t>(bits & 0xFF));
        bytes.push_back(static_cast<std::uint8_t>(bits >> 8));
    }
    return bytes;
}

std::vector<std::int16_t> pcmSamples(std::span<const std::uint8_t> bytes)
{
    std::vector<std::int16_t> samples;
    samples.reserve(bytes.size() / 2);
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        samples.push_back(static_cast<std::int16_t>(static_cast<std::uint16_t>(bytes[i] | (bytes[i + 1] << 8))));
    }
    return samples;
}

Milliseconds pcmDuration(std::span<const std::uint8_t> bytes)
{
    return FrameCount{static_cast<std::int64_t>(bytes.size() / 2)}.duration(kRealtimeRate);
}

} // namespace vivavoce::core
