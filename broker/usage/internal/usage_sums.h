#pragma once

#include "broker/store/connection.h"
#include "broker/usage/usage_report.h"
#include "core/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What closed days came to, summed up: a report reads it in place of usage_days, which may have a row for each session. A day is closed an
/// hour after its end; from then on it takes nothing more, so that its sums are right for good and nobody who records waits for them.
/// All functions throw soci::soci_error.
namespace vivavoce::broker::usage::sums {

/// What is looked for, and what is told apart in it.
enum class Need { Totals, Models, Projects, Callers };

/// Rows of one kind within some days, both counted in.
struct Piece {
    /// In usage_sums; empty: those of usage_days.
    std::string scope;
    std::int64_t from = 0;
    std::int64_t to = 0;

    bool operator==(const Piece&) const = default;
};

/// Where to read what all callers came to from `from` to `to`, of one project or of all: no day twice, none left out. `closed`: the last
/// closed day.
[[nodiscard]] std::vector<Piece> piecesOf(
    Need need, bool isOfOneProject, std::int64_t from, std::int64_t to, std::int64_t closed);

/// What each piece has of a UsageRow beside its key, in this order, as it is called in usage_sums: "sessions, relayed, …, connected_ms, …";
/// with `each` around every name: "SUM(" and ")".
[[nodiscard]] std::string columnList(const char* before = "", const char* after = "");
/// The same of usage_days: " … AS relayed".
[[nodiscard]] std::string dayColumnList();

/// The last closed day; nothing is closed yet: -1.
[[nodiscard]] std::int64_t closedUntil(Connection& sql);
/// Closes the next day that is due, or a part of it: about so many rows. False: there was nothing to do.
bool closeDays(Connection& sql, core::WallTime now, std::size_t atOnce = 10'000);
/// For an INSERT into usage_days: a day, which it takes twice, or the first one that is not closed.
inline constexpr const char* kOpenDay =
    "(SELECT CASE WHEN closing_day >= :day THEN closing_day + 1 ELSE :same_day END FROM usage_closed)";
/// What began before that day goes; before the days themselves do.
void forget(Connection& sql, std::int64_t firstDayKept);

} // namespace vivavoce::broker::usage::sums
