#pragma once

#include <filesystem>

namespace vivavoce::broker {

/// `vivavoce-broker audit verify`: one JSON line with the counts on standard output, or with the first flaw on standard error. Answers
/// the exit code: 0, or 2 for a trail that is not as it was written. Blocks its caller.
[[nodiscard]] int runAuditVerify(const std::filesystem::path& path);

} // namespace vivavoce::broker
