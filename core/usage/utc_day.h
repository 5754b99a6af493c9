#pragma once

#include "core/base/rfc3339.h"

#include <string>

namespace vivavoce::core {

/// "2026-11-29", in UTC as prices and brokers' ledgers have it.
[[nodiscard]] inline std::string utcDay(WallTime time)
{
    return formatRfc3339(time).substr(0, std::string_view("2026-11-29").size());
}

/// The first day of its month.
[[nodiscard]] inline std::string firstOfMonth(std::string_view day)
{
    return std::string(day.substr(0, std::string_view("2026-11-").size())) + "01";
}

} // namespace vivavoce::core
