#pragma once

#include "core/base/units.h"

#include <cstdint>
#include <optional>

namespace vivavoce::broker {

/// What may be spent. Nothing: any amount.
struct Budget {
    /// Billionths of a US dollar.
    std::optional<std::int64_t> nanoDollars;
    /// How long sessions may be connected, in all.
    std::optional<core::Milliseconds> connected;

    [[nodiscard]] bool isUnlimited() const { return !nanoDollars && !connected; }
    bool operator==(const Budget&) const = default;
};

/// By user and by project, in a day and in a month (both of UTC).
struct Budgets {
    Budget userDay;
    Budget userMonth;
    Budget projectDay;
    Budget projectMonth;

    [[nodiscard]] bool areUnlimited() const { return *this == Budgets(); }
    /// One of them is of time.
    [[nodiscard]] bool boundTime() const
    {
        return userDay.connected || userMonth.connected || projectDay.connected || projectMonth.connected;
    }
    bool operator==(const Budgets&) const = default;
};

} // namespace vivavoce::broker
