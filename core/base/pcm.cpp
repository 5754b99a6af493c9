#include "core/base/pcm.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vivavoce::core {
namespace {

/// A sinc of so many crossings each way under Hann's window: 60 dB below the band's edge are enough for speech that is said again.
constexpr double kCrossings = 16;

std::int16_t sampleAt(std::span<const std::int16_t> samples, double at, double band)
{
    const double reach = kCrossings / band;
    const auto first = static_cast<std::size_t>(std::max(std::ceil(at - reach), 0.0));
    const auto end = std::min(samples.size(), static_cast<std::size_t>(std::floor(at + reach)) + 1);
    double sum = 0;
    for (std::size_t i = first; i < end; ++i) {
        const double distance = (static_cast<double>(i) - at) * band;
        const double phase = std::numbers::pi * distance;
        const double sinc = distance == 0 ? 1 : std::sin(phase) / phase;
        sum += samples[i] * sinc * (0.5 + 0.5 * std::cos(phase / kCrossings));
    }
    return static_cast<std::int16_t>(std::lrint(std::clamp(sum * band, -32768.0, 32767.0)));
}

} // namespace

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

Milliseconds pcmDuration(std::size_t bytes, SampleRate rate)
{
    return FrameCount{static_cast<std::int64_t>(bytes / 2)}.duration(rate);
}

std::size_t pcmBytesIn(Milliseconds time, SampleRate rate)
{
    return static_cast<std::size_t>(std::max<std::int64_t>(FrameCount::of(time, rate).value(), 0)) * 2;
}

Bytes pcmAtRate(std::span<const std::uint8_t> bytes, SampleRate from, SampleRate to)
{
    if (from == to) {
        return {bytes.begin(), bytes.end()};
    }
    const std::vector<std::int16_t> samples = pcmSamples(bytes);
    const double step = static_cast<double>(from.hz()) / static_cast<double>(to.hz());
    // Nothing above half of the lower rate: it would come back as something else.
    const double band = std::min(1.0, 1.0 / step);
    std::vector<std::int16_t> out(samples.size() * to.hz() / from.hz());
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = sampleAt(samples, static_cast<double>(i) * step, band);
    }
    return pcmBytes(out);
}

} // namespace vivavoce::core
