#pragma once

#include "broker/config.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// The range of a number, wherever it is written.
struct Range {
    std::int64_t lowest;
    std::int64_t highest;
};
inline constexpr Range kTokenLifeRange{10, 7200};
inline constexpr Range kRateRange{1, 100'000};
inline constexpr Range kMaxSessionsRange{1, 100'000};
inline constexpr Range kConnectionsRange{1, 100'000};
inline constexpr Range kRelayRange{60, 86'400};
inline constexpr Range kSessionLengthRange{60, 31'536'000};
inline constexpr Range kViolationsRange{0, 1'000};
inline constexpr Range kBlockRange{1, 86'400};
inline constexpr Range kWindowRange{1, 86'400};
inline constexpr Range kTimeoutRange{100, 25'000};
/// 0: no limit.
inline constexpr Range kMessagesRange{0, 1'000'000};
inline constexpr Range kAudioRange{0, 3'600};
inline constexpr Range kKeptDaysRange{32, 36'500};
inline constexpr Range kTranscriptDaysRange{1, 3'650};
inline constexpr Range kHoldRange{0, 1'000'000};

/// Each writes one value or answers BadConfiguration; `key` is what the message names.
using Written = core::Expected<void, core::Error>;
[[nodiscard]] Written checkRange(std::string_view key, std::int64_t value, Range range);
[[nodiscard]] Written writeListen(std::string_view key, const std::string& text, Config& config);
[[nodiscard]] Written writeMetricsListen(std::string_view key, const std::string& text, Config& config);
[[nodiscard]] Written writeLogLevel(std::string_view key, const std::string& text, Config& config);
[[nodiscard]] core::Expected<std::int64_t, core::Error> readNumber(
    std::string_view key, const std::string& text, Range range);

/// What a file holds, without the line's end; nothing where it is no plain file, cannot be read, is empty or longer than 16 KiB. Every copy of the bytes on
/// the way is wiped.
[[nodiscard]] std::optional<core::Secret> readSecretFile(const std::string& path);
/// It is a plain file, and its beginning can be read.
[[nodiscard]] bool isReadablePlainFile(const std::string& path);
/// Of a plain file of at most so many bytes, all that is in it.
[[nodiscard]] std::optional<std::string> readPlainFile(const std::string& path, std::size_t longest);

/// Separated by commas or blanks.
[[nodiscard]] std::vector<std::string> words(std::string_view list);

[[nodiscard]] core::Unexpected<core::Error> badConfig(std::string_view key, std::string_view what);

} // namespace vivavoce::broker
