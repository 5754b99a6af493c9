#pragma once

#include <chrono>

namespace vivavoce::core {

/// How a client looks after its tokens, by the names that such clients give it (`refreshThresholdSeconds`, `maxRetryAttempts`,
/// `enableAutoRefresh`). The fourth of them, `baseUrl`, is the broker's address.
struct TokenSettings {
    /// So long before its end a token is renewed, at the latest: a broker may want it earlier. Never more than a fifth of its life.
    std::chrono::seconds refreshThreshold{30};
    /// After the first attempt, of what somebody has asked for and is waiting for. A conversation that was live is tried for longer.
    int maxRetryAttempts = 3;
    /// Without it a token serves until its end, and the next connection gets another one.
    bool enableAutoRefresh = true;

    bool operator==(const TokenSettings&) const = default;
};

inline constexpr std::chrono::seconds kLongestRefreshThreshold{3600};
inline constexpr int kMostRetryAttempts = 20;

} // namespace vivavoce::core
