#pragma once

#include "core/base/rfc3339.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

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

/// Each day's part of the time that ends then, the earliest first: `each(day, milliseconds)`.
template <typename Each>
void eachUtcDay(WallTime until, WallTime::duration time, const Each& each)
{
    for (WallTime from = until - time; from < until;) {
        const WallTime midnight = std::chrono::floor<std::chrono::days>(from) + std::chrono::days{1};
        const WallTime to = std::min(until, midnight);
        each(utcDay(from), std::chrono::duration_cast<std::chrono::milliseconds>(to - from));
        from = to;
    }
}

} // namespace vivavoce::core
