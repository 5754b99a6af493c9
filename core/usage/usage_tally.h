#pragma once

#include "core/base/units.h"
#include "core/protocol/openai/response.h"

#include <cstdint>

namespace vivavoce::core {

/// Tokens by kind, as they are billed. The cached ones are not among the fresh ones.
struct UsageTally {
    std::int64_t textIn = 0;
    std::int64_t audioIn = 0;
    std::int64_t imageIn = 0;
    std::int64_t cachedTextIn = 0;
    std::int64_t cachedAudioIn = 0;
    std::int64_t cachedImageIn = 0;
    std::int64_t textOut = 0;
    std::int64_t audioOut = 0;

    /// A count that cannot be is taken for the nearest that can.
    [[nodiscard]] static UsageTally of(const openai::Usage& usage);
    [[nodiscard]] std::int64_t cachedIn() const { return cachedTextIn + cachedAudioIn + cachedImageIn; }
    /// What came from a cache is a part of it.
    [[nodiscard]] std::int64_t allIn() const { return textIn + audioIn + imageIn + cachedIn(); }
    [[nodiscard]] std::int64_t allOut() const { return textOut + audioOut; }
    /// Sums of a million of them do not overflow, whatever a server may say.
    [[nodiscard]] UsageTally clamped() const;
    [[nodiscard]] bool isEmpty() const { return *this == UsageTally{}; }
    UsageTally& operator+=(const UsageTally& other);
    bool operator==(const UsageTally&) const = default;
};

/// What writing down the user's words came to. A transcriber counts in tokens or in time.
struct TranscriptionTally {
    std::int64_t tokens = 0;
    Milliseconds time{0};

    [[nodiscard]] static TranscriptionTally of(const openai::TranscriptionUsage& usage);
    [[nodiscard]] bool isEmpty() const { return *this == TranscriptionTally{}; }
    /// As UsageTally::clamped.
    [[nodiscard]] TranscriptionTally clamped() const;
    TranscriptionTally& operator+=(const TranscriptionTally& other);
    bool operator==(const TranscriptionTally&) const = default;
};

} // namespace vivavoce::core
