#include "core/base/pcm.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vivavoce::core {
namespace {

/// A sinc of so many crossings each way under Hann's window: 60 dB below the band's edge are enough for speech that is said again.
constexpr std::size_t kCrossings = 16;
/// Between two crossings. On straight lines from one to the next it is as exact as 16 bits are.
constexpr std::size_t kPoints = 512;

/// The half of it from its middle on, and one point more. A sine for each sample of each sum would hold up a conversation for half a second.
std::vector<double> windowedSinc()
{
    std::vector<double> points(kCrossings * kPoints + 2);
    points[0] = 1;
    for (std::size_t i = 1; i < points.size(); ++i) {
        const double phase = std::numbers::pi * static_cast<double>(i) / static_cast<double>(kPoints);
        points[i] = std::sin(phase) / phase * (0.5 + 0.5 * std::cos(phase / static_cast<double>(kCrossings)));
    }
    return points;
}

std::int16_t sampleAt(std::span<const std::int16_t> samples, double at, double band, const std::vector<double>& points)
{
    const double reach = static_cast<double>(kCrossings) / band;
    const double scale = band * static_cast<double>(kPoints);
    const auto first = static_cast<std::size_t>(std::max(std::ceil(at - reach), 0.0));
    const auto end = std::min(samples.size(), static_cast<std::size_t>(std::floor(at + reach)) + 1);
    double sum = 0;
    for (std::size_t i = first; i < end; ++i) {
        const double point = std::abs(static_cast<double>(i) - at) * scale;
        const auto before = static_cast<std::size_t>(point);
        const double rise = points[before + 1] - points[before];
        sum += samples[i] * (points[before] + (point - static_cast<double>(before)) * rise);
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
    static const std::vector<double> points = windowedSinc();
    std::vector<std::int16_t> out(samples.size() * to.hz() / from.hz());
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = sampleAt(samples, static_cast<double>(i) * step, band, points);
    }
    return pcmBytes(out);
}

} // namespace vivavoce::core
