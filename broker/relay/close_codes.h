#pragma once

#include <cstdint>

namespace vivavoce::broker::relay {

/// Codes of close frames (RFC 6455 §7.4.1), and those that the relay itself says (docs/protocol.md, "The relay").
namespace closing {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;
/// There was a close frame, and no code in it.
inline constexpr std::uint16_t kNoCode = 1005;
/// There was no close frame.
inline constexpr std::uint16_t kLost = 1006;
inline constexpr std::uint16_t kPolicyViolation = 1008;
inline constexpr std::uint16_t kTooBig = 1009;
inline constexpr std::uint16_t kInternal = 1011;
/// It may go better in a moment.
inline constexpr std::uint16_t kTryAgainLater = 1013;
inline constexpr std::uint16_t kTokenExpired = 4401;
inline constexpr std::uint16_t kBudgetExhausted = 4402;
inline constexpr std::uint16_t kSessionEnded = 4403;
inline constexpr std::uint16_t kSessionTooLong = 4408;
inline constexpr std::uint16_t kTakenOver = 4409;
} // namespace closing

} // namespace vivavoce::broker::relay
