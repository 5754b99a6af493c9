#pragma once

#include "core/base/expected.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// What a trail that is as it was written tells.
struct AuditSummary {
    std::uint64_t files = 0;
    std::uint64_t lines = 0;
    /// The numbers of the first and the last line; above 1 the first, where older files were taken away. 0 without lines.
    std::uint64_t firstSequence = 0;
    std::uint64_t lastSequence = 0;
    /// Hexadecimal. A copy kept elsewhere shows later that nothing was cut off the end.
    std::string lastHash;
    /// Bytes behind the last whole line: a line that a crash cut off, or that is being written now.
    std::uint64_t tornBytes = 0;
};

enum class AuditFlaw {
    /// There is no file to verify.
    Missing,
    Unreadable,
    /// A line that the trail never writes.
    Foreign,
    /// A line whose bytes are not the ones that its hash was made of.
    Altered,
    /// A whole line that does not follow the one before: something was removed, added or moved.
    Broken,
    /// A line without an end that is not the last of all.
    Torn,
};

/// "audit.altered" and the like: stable.
[[nodiscard]] std::string_view auditFlawText(AuditFlaw flaw);

/// The first thing that is wrong, and what was right before it.
struct AuditFinding {
    AuditFlaw flaw = AuditFlaw::Unreadable;
    /// The file's name; the line's number in it from 1, 0 for the file as a whole.
    std::string file;
    std::uint64_t line = 0;
    AuditSummary before;
};

/// Follows a chain from its first line to its last.
class AuditVerifier {
public:
    using Verified = core::Expected<AuditSummary, AuditFinding>;

    /// One file, or a folder with the files of one trail. Blocks its caller; a trail that is being written may be read. Once `isStopped` is
    /// true it goes no further than the next line: Unreadable. [any thread]
    [[nodiscard]] static Verified verify(
        const std::filesystem::path& path, const std::atomic<bool>* isStopped = nullptr);
};

} // namespace vivavoce::broker
