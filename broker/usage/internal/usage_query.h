#pragma once

#include "broker/store/connection.h"
#include "broker/usage/usage_report.h"

#include <cstdint>

namespace vivavoce::broker::usage {

/// What the ledger has of that. Of what ended before `firstDayKept` nothing is told. Throws soci::soci_error.
[[nodiscard]] UsageReport reportOf(Connection& sql, const UsageQuery& query, std::int64_t firstDayKept);

} // namespace vivavoce::broker::usage
