#include "broker/usage/internal/usage_sums.h"

#include "broker/store/connection.h"
#include "broker/usage/internal/usage_rows.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace vivavoce::broker::usage::sums {
namespace {

using soci::into;
using soci::use;

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

std::vector<std::string> columnNames()
{
    std::vector<std::string> names{"sessions", "relayed", "relayed_ms", "reported_nano_dollars"};
    for (const Measure measure : allMeasures()) {
        names.emplace_back(columnOf(measure));
    }
    return names;
}

/// Whose usage of a day: of all who come after `after`, until `last` where that says something.
struct Part {
    std::string day;
    std::string after;
    std::optional<std::string> last;

    [[nodiscard]] std::string condition() const
    {
        return "day = " + day + " AND caller " + (after.empty() ? ">=" : ">") + " :after";
    }
};

/// Adds what they came to, for each combination of `columns`, to the rows of `scope` that begin on that day.
void addUp(Connection& sql, const Part& part, const std::string& scope, std::int64_t begin, const std::string& columns)
{
    const auto orNone = [&](const std::string& column) {
        return columns.find(column) == std::string::npos ? std::string("''") : column;
    };
    std::string additions;
    for (const std::string& name : columnNames()) {
        additions.append(additions.empty() ? "" : ", ").append(name).append(" = usage_sums.").append(name);
        additions.append(" + excluded.").append(name);
    }
    const std::string text = "INSERT INTO usage_sums (scope, begin_day, caller, project, provider, model, "
        + columnList() + ") SELECT '" + scope + "', CAST(" + std::to_string(begin) + " AS BIGINT), " + orNone("caller")
        + ", " + orNone("project") + ", " + orNone("provider") + ", " + orNone("model") + ", "
        + columnList("CAST(SUM(", ") AS BIGINT)") + " FROM (SELECT caller, project, provider, model, " + dayColumnList()
        + " FROM usage_days WHERE " + part.condition() + (part.last ? " AND caller <= :last" : "")
        + ") AS found GROUP BY " + columns
        + " ON CONFLICT (scope, begin_day, caller, project, provider, model) DO UPDATE SET " + additions;
    if (part.last) {
        sql << text, use(part.after), use(*part.last);
    } else {
        sql << text, use(part.after);
    }
}

struct Closing {
    /// The last day that is summed up.
    long long until = -1;
    /// The last one that takes nothing more.
    long long closing = -1;
    /// Of that one: whoever comes before, or is it, is summed up.
    std::string caller;
};

Closing closingOf(Connection& sql)
{
    Closing closing;
    sql << "SELECT until_day, closing_day, caller FROM usage_closed", into(closing.until), into(closing.closing),
        into(closing.caller);
    return closing;
}

/// The first day after that one on which somebody used anything.
std::optional<long long> nextDay(Connection& sql, long long after)
{
    long long day = 0;
    soci::indicator known = soci::i_null;
    sql << "SELECT MIN(day) FROM usage_days WHERE day > " + std::to_string(after), into(day, known);
    return known == soci::i_ok ? std::optional(day) : std::nullopt;
}

} // namespace

std::string columnList(const char* before, const char* after)
{
    std::string list;
    for (const std::string& name : columnNames()) {
        list += (list.empty() ? "" : ", ") + (before + name) + after;
    }
    return list;
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
    const std::int64_t open = std::max(from, closed + 1);
    if (open <= to) {
        // Whoever reads them goes through each piece by itself.
        if (!pieces.empty() && pieces.back().scope.empty() && pieces.back().to + 1 == open) {
            pieces.back().to = to;
        } else {
            pieces.push_back({"", open, to});
        }
    }
    return pieces;
}

std::int64_t closedUntil(Connection& sql)
{
    return closingOf(sql).until;
}

bool closeDays(Connection& sql, core::WallTime now, std::size_t atOnce)
{
    const std::int64_t last = rows::dayOf(now - kOpenFor) - 1;
    if (closedUntil(sql) >= last) {
        return false;
    }
    if (sql.get_backend_name() == "postgresql") {
        sql << kLock;
    }
    Closing at = closingOf(sql);
    const auto day = nextDay(sql, at.until);
    if (!day || *day > last) {
        return false;
    }
    if (at.closing != *day) {
        at.closing = *day;
        at.caller.clear();
    }
    // As many rows as are summed up in a fraction of a second: nobody waits for longer than that.
    Part part{std::to_string(*day), at.caller, std::nullopt};
    std::string end;
    sql << "SELECT caller FROM usage_days WHERE " + part.condition() + " ORDER BY caller LIMIT 1 OFFSET "
            + std::to_string(atOnce),
        into(end), use(part.after);
    const bool isRest = !sql.got_data();
    if (!isRest) {
        part.last = end;
    }
    const auto add = [&](const char* scope, std::int64_t begin, const char* columns) {
        addUp(sql, part, scope, begin, columns);
    };
    add("project_model_day", *day, "project, provider, model");
    add("project_day", *day, "project");
    add("model_day", *day, "provider, model");
    add("project_month", rows::monthOf(*day), "project");
    add("caller_ten", tenOf(*day), "caller, project");
    add("caller_month", rows::monthOf(*day), "caller, project");
    add("caller_quarter", quarterOf(*day), "caller, project");
    at.until = isRest ? *day : at.until;
    at.caller = isRest ? std::string() : end;
    sql << "UPDATE usage_closed SET until_day = :until, closing_day = :closing, caller = :caller", use(at.until),
        use(at.closing), use(at.caller);
    return true;
}

void forget(Connection& sql, std::int64_t firstDayKept)
{
    if (sql.get_backend_name() == "postgresql") {
        // Whoever sums up a day that goes is done with it, or finds nothing of it afterwards.
        sql.ask(kLock);
    }
    sql << "DELETE FROM usage_sums WHERE scope IN ('caller_month', 'caller_quarter', 'caller_ten', 'model_day', 'project_day', "
           "'project_model_day', 'project_month') AND begin_day < "
            + std::to_string(firstDayKept);
}

} // namespace vivavoce::broker::usage::sums
