#pragma once

#include "app/cli/json_lines.h"
#include "app/cli/options.h"
#include "core/ports/usage_book.h"

namespace vivavoce::cli {

/// Tells what was used on this computer, by day or month, and in all; the exit code.
[[nodiscard]] int runUsage(const UsageOptions& options);
/// What that book has.
[[nodiscard]] int tellUsage(EventWriter& events, core::UsageBook& book, core::UsageGrouping by);

} // namespace vivavoce::cli
