#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// Which lines of a trail, from its end backwards.
struct AuditTailQuery {
    /// Those before the line of this number; nothing: from the end.
    std::optional<std::uint64_t> before;
    std::size_t most = 100;
    /// Only lines of these events (auditEventText); empty: all.
    std::vector<std::string> events;
};

struct AuditTailPage {
    /// As they are written, the newest first.
    std::vector<std::string> lines;
    /// The number to go on before; nothing: the trail begins here. A page may hold fewer lines than were asked for and still go on: what is
    /// read for one has a bound.
    std::optional<std::uint64_t> next;
    /// All that was read is as it was written, line after line.
    bool isWhole = true;
};

/// Reads a page of the trail in a folder, at most some megabytes of it. Blocks its caller; the trail may be being written. OutputUnwritable: it
/// cannot be read. [any thread]
[[nodiscard]] core::Expected<AuditTailPage, core::Error> readAuditTail(
    const std::filesystem::path& folder, const AuditTailQuery& query);

} // namespace vivavoce::broker
