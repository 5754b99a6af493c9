#pragma once

#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vivavoce::dsp {

/// Finds by itself how long after the loudspeaker's frames their echo comes in, because what devices tell of their latency is
/// off by more than an echo canceller forgives. Compares when the two grow louder, over some seconds.
/// Threads: one at a time.
class EchoDelay {
public:
    /// Frames of 10 ms taken at the same time, of any rate, the same for both.
    void add(std::span<const std::int16_t> played, std::span<const std::int16_t> heard);
    /// Unset: nobody played, or no echo came. Right to about 8 ms.
    [[nodiscard]] std::optional<core::Milliseconds> delay() const { return m_delay; }
    /// How alike the two are at the delay that suits them best, 0 to 1; 1 before there is enough to compare.
    [[nodiscard]] double likeness() const { return m_likeness; }

private:
    /// How loud something is in steps of 2 ms, as far as it grows.
    struct Onsets {
        void add(std::span<const std::int16_t> frame);

        std::vector<float> steps;
        std::vector<bool> audible;
        float last = 0;
    };

    void compare();

    Onsets m_played;
    Onsets m_heard;
    std::size_t m_sinceCompared = 0;
    double m_likeness = 1;
    std::optional<std::size_t> m_candidate;
    std::optional<core::Milliseconds> m_delay;
};

} // namespace vivavoce::dsp
