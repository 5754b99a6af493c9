#pragma once

#include "broker/audit/audit_record.h"
#include "core/base/clock.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker::audit {

using ChainHash = std::array<std::uint8_t, 32>;

/// Where a chain stands: the number and the hash of its last line. Zeros before the first.
struct ChainHead {
    std::uint64_t sequence = 0;
    ChainHash hash{};
    bool operator==(const ChainHead&) const = default;
};

/// No line of ours is longer; a longer one is not ours.
inline constexpr std::size_t kMaxLineBytes = 64 * 1024;

/// Keeps the first 512 bytes of each text, so that what waits and what is written has a bound.
void limitTexts(AuditRecord& record);

/// The line after `head`, with its line feed, and moves `head` to it. Pure ASCII: whatever the texts hold, no byte of theirs can end a
/// line or speak to a terminal. The texts are limited already.
[[nodiscard]] std::string makeLine(const AuditRecord& record, core::WallTime time, ChainHead& head);

struct ChainLine {
    std::uint64_t sequence = 0;
    ChainHash previous{};
    ChainHash hash{};
    /// The hash is the one of these bytes.
    bool isWhole = false;
};

/// Reads a line without its line feed; nothing where it is not one of ours.
[[nodiscard]] std::optional<ChainLine> parseLine(std::string_view line);

} // namespace vivavoce::broker::audit
