#pragma once

#include "core/usage/usage_tally.h"

#include <cstdint>

namespace vivavoce::core {

inline constexpr std::int64_t kNanoDollarsInACent = 10'000'000;

/// What something came to, in all. Sums of parts are their whole.
struct UsageFigures {
    UsageTally tokens;
    TranscriptionTally transcription;
    Milliseconds connected{0};
    std::int64_t turns = 0;
    /// Billionths of a US dollar, an estimate.
    std::int64_t nanoDollars = 0;
    /// Replies and transcriptions whose price nobody knows: the money is less than it should be.
    std::int64_t unpriced = 0;

    UsageFigures& operator+=(const UsageFigures& other)
    {
        tokens += other.tokens;
        transcription += other.transcription;
        connected += other.connected;
        turns += other.turns;
        nanoDollars += other.nanoDollars;
        unpriced += other.unpriced;
        return *this;
    }
    bool operator==(const UsageFigures&) const = default;
};

} // namespace vivavoce::core
