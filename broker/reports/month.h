#pragma once

#include "core/base/clock.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker::reports {

/// A month of UTC. Value type.
class Month {
public:
    /// "2026-11"; nothing for anything else, and for years that no ledger can have.
    [[nodiscard]] static std::optional<Month> parse(std::string_view text);
    [[nodiscard]] static Month of(core::WallTime time);

    /// "2026-11".
    [[nodiscard]] std::string text() const;
    /// Days since 1970: its first, and the first of the next one.
    [[nodiscard]] std::int64_t firstDay() const;
    [[nodiscard]] std::int64_t endDay() const;
    /// Nothing is written down for it any more: five minutes after its end, for a database that was slow and brokers whose clocks differ.
    [[nodiscard]] bool isOver(core::WallTime now) const;

private:
    explicit Month(std::chrono::year_month month) : m_month(month) {}
    std::chrono::year_month m_month;
};

} // namespace vivavoce::broker::reports
