#pragma once

#include "audio/dsp/echo_canceller.h"
#include "bench/audio/made_up_room.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace vivavoce::bench {

/// Plays `far` in a room, speaks `near` into the same microphone, and gives what the canceller makes of it. All at 48 kHz.
inline std::vector<std::int16_t> runCanceller(dsp::EchoCanceller& canceller, std::span<const std::int16_t> far,
    std::span<const double> echo, std::span<const std::int16_t> near, core::Milliseconds delay)
{
    constexpr std::size_t kFrame = dsp::EchoCanceller::kFrameSamples;
    std::vector<std::int16_t> out;
    out.reserve(far.size());
    for (std::size_t at = 0; at + kFrame <= far.size(); at += kFrame) {
        canceller.rendered(std::span<const std::int16_t, kFrame>(far.data() + at, kFrame));
        std::vector<std::int16_t> frame(kFrame);
        for (std::size_t i = 0; i < kFrame; ++i) {
            const double voice = at + i < near.size() ? near[at + i] : 0;
            frame[i] = static_cast<std::int16_t>(std::clamp(std::lround(echo[at + i] + voice), -32768L, 32767L));
        }
        const auto voice = canceller.process(std::span<const std::int16_t, kFrame>(frame.data(), kFrame), delay);
        // What was held back stands where it was heard.
        out.resize(at + kFrame);
        std::copy(voice.begin(), voice.end(), out.end() - static_cast<std::ptrdiff_t>(voice.size()));
    }
    return out;
}

template <typename Samples>
double decibels(const Samples& samples, std::size_t from, std::size_t to)
{
    double energy = 1e-9;
    for (std::size_t i = from; i < std::min<std::size_t>(to, samples.size()); ++i) {
        energy += static_cast<double>(samples[i]) * static_cast<double>(samples[i]);
    }
    return 10 * std::log10(energy);
}

/// How much of `voice` there is in `mixture`, in decibels: 0 is all of it.
inline double shareOf(std::span<const std::int16_t> voice, std::span<const std::int16_t> mixture, std::size_t from)
{
    double product = 0;
    double energy = 1e-9;
    for (std::size_t i = from; i < std::min(voice.size(), mixture.size()); ++i) {
        product += static_cast<double>(voice[i]) * mixture[i];
        energy += static_cast<double>(voice[i]) * voice[i];
    }
    return 20 * std::log10(std::max(product / energy, 1e-6));
}

} // namespace vivavoce::bench
