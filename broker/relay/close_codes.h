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
/// 1012 to 1014, which IANA has and the RFC has not: Qt, and so a client on Debian 12, takes them for faults of the protocol.
inline constexpr std::uint16_t kFirstUnreadable = 1012;
inline constexpr std::uint16_t kLastUnreadable = 1014;
/// It may go better in a moment; what 1013 means, for whoever cannot read that.
inline constexpr std::uint16_t kTryAgainLater = 4013;
inline constexpr std::uint16_t kTokenExpired = 4401;
inline constexpr std::uint16_t kBudgetExhausted = 4402;
inline constexpr std::uint16_t kSessionEnded = 4403;
inline constexpr std::uint16_t kSessionTooLong = 4408;
inline constexpr std::uint16_t kTakenOver = 4409;
} // namespace closing

} // namespace vivavoce::broker::relay
