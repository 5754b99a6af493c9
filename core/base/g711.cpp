#include "core/base/g711.h"

#include <algorithm>
#include <bit>

namespace vivavoce::core {
namespace {

constexpr int kMuBias = 0x84;
constexpr int kMuClip = 32'635;
/// Every second bit of A-law is inverted on the wire.
constexpr int kAMask = 0x55;

} // namespace

std::uint8_t encodeMuLaw(std::int16_t sample)
{
    const int sign = sample < 0 ? 0x80 : 0;
    const int magnitude =
        std::min(sample < 0 ? -static_cast<int>(sample) : static_cast<int>(sample), kMuClip) + kMuBias;
    const int segment = static_cast<int>(std::bit_width(static_cast<unsigned>(magnitude))) - 8;
    const int step = (magnitude >> (segment + 3)) & 0x0F;
    return static_cast<std::uint8_t>(~(sign | (segment << 4) | step));
}

std::int16_t decodeMuLaw(std::uint8_t code)
{
    const int bits = ~code & 0xFF;
    const int segment = (bits >> 4) & 7;
    const int magnitude = ((((bits & 0x0F) << 3) + kMuBias) << segment) - kMuBias;
    return static_cast<std::int16_t>((bits & 0x80) != 0 ? -magnitude : magnitude);
}

std::uint8_t encodeALaw(std::int16_t sample)
{
    const int sign = sample >= 0 ? 0x80 : 0;
    // 13 bits of magnitude: -1 and 0 share the smallest step.
    const int magnitude = (sample >= 0 ? static_cast<int>(sample) : -static_cast<int>(sample) - 1) >> 3;
    const int segment = std::max(0, static_cast<int>(std::bit_width(static_cast<unsigned>(magnitude))) - 5);
    const int step = (segment < 2 ? magnitude >> 1 : magnitude >> segment) & 0x0F;
    return static_cast<std::uint8_t>((sign | (segment << 4) | step) ^ kAMask);
}

std::int16_t decodeALaw(std::uint8_t code)
{
    const int bits = code ^ kAMask;
    const int segment = (bits >> 4) & 7;
    int magnitude = ((bits & 0x0F) << 4) + 8;
    if (segment > 0) {
        magnitude = (magnitude + 0x100) << (segment - 1);
    }
    return static_cast<std::int16_t>((bits & 0x80) != 0 ? magnitude : -magnitude);
}

} // namespace vivavoce::core
