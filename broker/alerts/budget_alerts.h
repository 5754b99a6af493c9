#pragma once

#include "broker/alerts/alert_book.h"
#include "broker/usage/budget_standing.h"

#include <string>
#include <vector>

namespace vivavoce::broker::alerts {

/// What is to be told of a budget that stands so: the highest of `thresholds` (percent) that is reached, once for each period, threshold and
/// amount of the budget; the lower ones count as told. All of it is reached where the budget has refused somebody, `isRefusing`, too. Pure.
void addBudgetDrafts(const usage::BudgetStanding& standing, bool isRefusing, const std::vector<int>& thresholds,
    std::vector<Draft>& drafts);

/// "$81.25", rounded to the nearest cent.
[[nodiscard]] std::string dollarText(std::int64_t nanoDollars);
/// "12 min", rounded down. Pure.
[[nodiscard]] std::string minuteText(std::int64_t milliseconds);
/// What "unit" of a budget's alert is.
inline constexpr const char* kMoneyUnit = "nanoDollars";
inline constexpr const char* kTimeUnit = "milliseconds";

} // namespace vivavoce::broker::alerts
