#include "broker/usage/internal/usage_sums.h"

#include "broker/usage/internal/usage_rows.h"

#include <algorithm>
#include <chrono>
#include <functional>

namespace vivavoce::broker::usage::sums {
namespace {

using soci::into;

/// Brokers whose clocks differ by less do not lose a day's last minutes to the next one.
constexpr std::chrono::hours kOpenFor{1};
constexpr std::int64_t kTen = 10;
constexpr std::int64_t kLastTenBegins = 21;
/// An arbitrary number that means us.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(7482903156)";

std::chrono::year_month_day dateAt(std::int64_t day)
{
    return std::chrono::year_month_day{std::chrono::sys_days{std::chrono::days{day}}};
}

std::int64_t nextMonth(std::int64_t day)
{
    const auto date = dateAt(day);
    const auto next = (date.year() / date.month() / 1) + std::chrono::months(1);
    return std::chrono::sys_days{next}.time_since_epoch().count();
}

/// Of the ten days that it is among: a month has three times ten, the last of them with what is left.
std::int64_t tenOf(std::int64_t day)
{
    const std::int64_t date = static_cast<unsigned>(dateAt(day).day());
    const std::int64_t first = std::min((date - 1) / kTen * kTen + 1, kLastTenBegins);
    return day - (date - first);
}

std::int64_t nextTen(std::int64_t day)
{
    const std::int64_t begin = tenOf(day);
    return static_cast<unsigned>(dateAt(begin).day()) == kLastTenBegins ? nextMonth(begin) : begin + kTen;
}

std::int64_t quarterOf(std::int64_t day)
{
    const auto date = dateAt(day);
    const auto first = date.year() / std::chrono::month((static_cast<unsigned>(date.month()) - 1) / 3 * 3 + 1) / 1;
    return std::chrono::sys_days{first}.time_since_epoch().count();
}

std::int64_t nextQuarter(std::int64_t day)
{
    return nextMonth(nextMonth(nextMonth(quarterOf(day))));
}

struct Period {
    const char* scope;
    std::int64_t (*beginOf)(std::int64_t day);
    std::int64_t (*endOf)(std::int64_t day);
};
const Period kQuarters{"_quarter", &quarterOf, &nextQuarter};
const Period kMonths{"_month", &rows::monthOf, &nextMonth};
const Period kTens{"_ten", &tenOf, &nextTen};

/// From the longest periods that are whole within the days to the shortest at both ends; what is left is for `rest`.
void cover(std::int64_t from, std::int64_t to, const std::string& name, const std::vector<Period>& periods,
    const std::function<void(std::int64_t, std::int64_t)>& rest, std::vector<Piece>& pieces)
{
    if (from > to) {
        return;
    }
    if (periods.empty()) {
        rest(from, to);
        return;
    }
    const Period& longest = periods.front();
    const std::vector<Period> shorter(periods.begin() + 1, periods.end());
    const std::int64_t begin = longest.beginOf(from) == from ? from : longest.endOf(from);
    const std::int64_t end = longest.endOf(to) == to + 1 ? to + 1 : longest.beginOf(to);
    if (begin >= end) {
        cover(from, to, name, shorter, rest, pieces);
        return;
    }
    cover(from, begin - 1, name, shorter, rest, pieces);
    pieces.push_back({name + longest.scope, begin, end - 1});
    cover(end, to, name, shorter, rest, pieces);
}

/// Rows of `scope` with what `source`, within those days, comes to for each combination of `columns`.
void sumUp(soci::session& sql, const std::string& scope, std::int64_t begin, const std::string& source,
    const std::string& columns, std::int64_t from, std::int64_t to)
{
    const bool isOfDays = source == "usage_days";
    const std::string day = isOfDays ? "day" : "begin_day";
    // One row for each day, or for all of them.
    const bool isDaily = begin < 0;
    const std::string beginDay = isDaily ? day : "CAST(" + std::to_string(begin) + " AS BIGINT)";
    const auto orNone = [&](const std::string& column) {
        return columns.find(column) == std::string::npos ? std::string("''") : column;
    };
    sql << "INSERT INTO usage_sums (scope, begin_day, caller, project, provider, model, " + columnList() + ") SELECT '"
            + scope + "', " + beginDay + ", " + orNone("caller") + ", " + orNone("project") + ", " + orNone("provider")
            + ", " + orNone("model") + ", " + columnList("CAST(SUM(", ") AS BIGINT)") + " FROM "
            + (isOfDays ? "(SELECT day, caller, project, provider, model, " + dayColumnList() + " FROM usage_days"
                        : "(SELECT * FROM usage_sums")
            + " WHERE " + (isOfDays ? "" : "scope = '" + source + "' AND ") + day + " >= " + std::to_string(from)
            + " AND " + day + " <= " + std::to_string(to) + ") AS found GROUP BY " + (isDaily ? day + ", " : "")
            + columns;
}

/// The first day that somebody used anything.
std::optional<std::int64_t> firstDay(soci::session& sql)
{
    long long day = 0;
    soci::indicator known = soci::i_null;
    sql << "SELECT MIN(day) FROM usage_days", into(day, known);
    return known == soci::i_ok ? std::optional<std::int64_t>(day) : std::nullopt;
}

} // namespace

std::string columnList(const char* before, const char* after)
{
    std::string list;
    for (const char* column : {"sessions", "relayed", "relayed_ms", "reported_nano_dollars"}) {
        list += std::string(before) + column + after + ", ";
    }
    return list + rows::measureList(before, after);
}

std::string dayColumnList()
{
    return "sessions, CASE WHEN transport = 'relay' THEN sessions ELSE 0 END AS relayed, "
           "CASE WHEN transport = 'relay' THEN connected_ms ELSE 0 END AS relayed_ms, "
           "CASE WHEN transport = 'direct' THEN nano_dollars ELSE 0 END AS reported_nano_dollars, "
        + rows::measureList();
}

std::vector<Piece> piecesOf(Need need, bool isOfOneProject, std::int64_t from, std::int64_t to, std::int64_t closed)
{
    std::vector<Piece> pieces;
    const std::int64_t lastClosed = std::min(to, closed);
    const auto days = [&](const std::string& scope) {
        return [&pieces, scope](std::int64_t first, std::int64_t last) { pieces.push_back({scope, first, last}); };
    };
    switch (need) {
    case Need::Totals:
        cover(from, lastClosed, "", {}, days(isOfOneProject ? "project_day" : "model_day"), pieces);
        break;
    case Need::Models:
        cover(from, lastClosed, "", {}, days(isOfOneProject ? "project_model_day" : "model_day"), pieces);
        break;
    case Need::Projects:
        cover(from, lastClosed, "project", {kMonths}, days("project_day"), pieces);
        break;
    case Need::Callers:
        cover(from, lastClosed, "caller", {kQuarters, kMonths, kTens}, days(""), pieces);
        break;
    }
    if (std::max(from, closed + 1) <= to) {
        pieces.push_back({"", std::max(from, closed + 1), to});
    }
    return pieces;
}

std::int64_t closedUntil(soci::session& sql)
{
    long long until = -1;
    sql << "SELECT until_day FROM usage_closed", into(until);
    return until;
}

bool closeDays(soci::session& sql, core::WallTime now)
{
    const std::int64_t last = rows::dayOf(now - kOpenFor) - 1;
    if (closedUntil(sql) >= last) {
        return false;
    }
    if (sql.get_backend_name() == "postgresql") {
        sql << kLock;
    }
    const std::int64_t closed = closedUntil(sql);
    const auto first = firstDay(sql);
    if (closed >= last || !first || *first > last) {
        return false;
    }
    const std::int64_t from = std::max(closed + 1, *first);
    const std::int64_t to = std::min(last, nextTen(from) - 1);
    constexpr std::int64_t kEachDay = -1;
    sumUp(sql, "project_model_day", kEachDay, "usage_days", "project, provider, model", from, to);
    sumUp(sql, "project_day", kEachDay, "project_model_day", "project", from, to);
    sumUp(sql, "model_day", kEachDay, "project_model_day", "provider, model", from, to);
    if (nextTen(to) == to + 1) {
        sumUp(sql, "caller_ten", tenOf(to), "usage_days", "caller, project", tenOf(to), to);
    }
    if (nextMonth(to) == to + 1) {
        const std::int64_t month = rows::monthOf(to);
        sumUp(sql, "caller_month", month, "caller_ten", "caller, project", month, to);
        sumUp(sql, "project_month", month, "project_day", "project", month, to);
    }
    if (nextQuarter(to) == to + 1) {
        sumUp(sql, "caller_quarter", quarterOf(to), "caller_month", "caller, project", quarterOf(to), to);
    }
    sql << "UPDATE usage_closed SET until_day = " + std::to_string(to);
    return true;
}

std::string openDay(std::int64_t day)
{
    const std::string text = std::to_string(day);
    return "(SELECT CASE WHEN until_day >= " + text + " THEN until_day + 1 ELSE " + text + " END FROM usage_closed)";
}

void forget(soci::session& sql, std::int64_t firstDayKept)
{
    sql << "DELETE FROM usage_sums WHERE scope IN ('caller_month', 'caller_quarter', 'caller_ten', 'model_day', 'project_day', "
           "'project_model_day', 'project_month') AND begin_day < "
            + std::to_string(firstDayKept);
}

} // namespace vivavoce::broker::usage::sums
