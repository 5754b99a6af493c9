#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace vivavoce::tests {

inline std::vector<std::int16_t> sine(double frequency, double amplitude, double rate, std::size_t samples)
{
    std::vector<std::int16_t> out(samples);
    for (std::size_t i = 0; i < samples; ++i) {
        out[i] = static_cast<std::int16_t>(std::lround(
            amplitude * 32767 * std::sin(2 * std::numbers::pi * frequency * static_cast<double>(i) / rate)));
    }
    return out;
}

/// Decibels between the sine of that frequency that fits best and everything else.
inline double signalToNoise(std::span<const std::int16_t> samples, double frequency, double rate)
{
    double sineSine = 0;
    double cosCos = 0;
    double sineCos = 0;
    double withSine = 0;
    double withCos = 0;
    double mean = 0;
    for (const std::int16_t sample : samples) {
        mean += sample;
    }
    mean /= static_cast<double>(samples.size());
    const auto phase = [&](std::size_t i) { return 2 * std::numbers::pi * frequency * static_cast<double>(i) / rate; };
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double s = std::sin(phase(i));
        const double c = std::cos(phase(i));
        const double value = samples[i] - mean;
        sineSine += s * s;
        cosCos += c * c;
        sineCos += s * c;
        withSine += value * s;
        withCos += value * c;
    }
    const double determinant = sineSine * cosCos - sineCos * sineCos;
    const double a = (withSine * cosCos - withCos * sineCos) / determinant;
    const double b = (withCos * sineSine - withSine * sineCos) / determinant;
    double signal = 0;
    double noise = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double fit = a * std::sin(phase(i)) + b * std::cos(phase(i));
        const double rest = samples[i] - mean - fit;
        signal += fit * fit;
        noise += rest * rest;
    }
    return 10 * std::log10(signal / noise);
}

} // namespace vivavoce::tests
