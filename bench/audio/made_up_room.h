#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace vivavoce::bench {

/// A room that does not exist: what a loudspeaker plays comes back late, quieter and smeared. At 48 kHz.
struct MadeUpRoom {
    double delayMs = 100;
    /// Of the echo below the loudspeaker.
    double lossDb = 12;
    /// Until the reverberation is 60 dB down.
    double decayMs = 120;
    /// The loudspeaker's clock against the microphone's.
    double driftPpm = 0;

    [[nodiscard]] std::vector<double> echoOf(std::span<const std::int16_t> played) const
    {
        constexpr double kRate = 48'000;
        const auto taps = static_cast<std::size_t>(decayMs / 1000 * kRate / 4);
        // The same room each time.
        std::mt19937 random(7); // NOLINT(cert-msc32-c,cert-msc51-cpp)
        std::normal_distribution<double> noise;
        std::vector<double> room(taps);
        double energy = 0;
        for (std::size_t i = 0; i < taps; ++i) {
            room[i] =
                (i == 0 ? 4 : noise(random)) * std::pow(10, -3 * static_cast<double>(i) / (decayMs / 1000 * kRate));
            energy += room[i] * room[i];
        }
        const double gain = std::pow(10, -lossDb / 20) / std::sqrt(energy);
        // Every eighth tap is enough of a smear, and eight times as fast to make.
        std::vector<double> smeared(played.size());
        for (std::size_t tap = 0; tap < taps; tap += 8) {
            const double weight = room[tap] * gain * std::sqrt(8.0);
            for (std::size_t i = tap; i < played.size(); ++i) {
                smeared[i] += weight * played[i - tap];
            }
        }
        std::vector<double> echo(played.size());
        const double delay = delayMs / 1000 * kRate;
        for (std::size_t i = 0; i < echo.size(); ++i) {
            const double from = static_cast<double>(i) * (1 + driftPpm * 1e-6) - delay;
            const auto before = static_cast<std::ptrdiff_t>(std::floor(from));
            if (before >= 0 && static_cast<std::size_t>(before) + 1 < smeared.size()) {
                const double part = from - std::floor(from);
                echo[i] = smeared[static_cast<std::size_t>(before)] * (1 - part)
                    + smeared[static_cast<std::size_t>(before) + 1] * part;
            }
        }
        return echo;
    }
};

} // namespace vivavoce::bench
