#pragma once

#include "broker/projects/budgets.h"

#include <cstdint>
#include <string>

namespace vivavoce::broker::usage {

/// How much of one budget is spent. What live sessions hold of it is not in it.
struct BudgetStanding {
    /// "user_day", "user_month", "project_day", "project_month".
    std::string period;
    /// auth::Caller::key, or the name of the project.
    std::string who;
    Budget budget;
    /// Days since 1970 in UTC: its first, and the first that is not its any more.
    std::int64_t since = 0;
    std::int64_t until = 0;
    std::int64_t nanoDollars = 0;
    std::int64_t connectedMs = 0;
    /// It does not bear one more turn of a session that goes on.
    bool isExhausted = false;
    /// Of a user's: the project in which it was drawn on, whose policy may give it. Empty: none.
    std::string project{};
};

} // namespace vivavoce::broker::usage
