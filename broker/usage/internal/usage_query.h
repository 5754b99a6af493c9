#pragma once

#include "broker/usage/usage_report.h"

#include <soci/soci.h>

#include <cstdint>

namespace vivavoce::broker::usage {

/// What the ledger has of that. Of what ended before `firstDayKept` nothing is told. Throws soci::soci_error.
[[nodiscard]] UsageReport reportOf(soci::session& sql, const UsageQuery& query, std::int64_t firstDayKept);

} // namespace vivavoce::broker::usage
