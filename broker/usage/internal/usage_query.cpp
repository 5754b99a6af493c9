#include "broker/usage/internal/usage_query.h"

#include "broker/store/connection.h"
#include "broker/usage/internal/usage_rows.h"
#include "broker/usage/internal/usage_sums.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vivavoce::broker::usage {
namespace {

constexpr std::size_t kMostRows = 1'000;
constexpr std::size_t kTop = 5;
constexpr std::size_t kSums = 4;

const char* columnOf(Grouping by)
{
    switch (by) {
    case Grouping::Project:
        return "project";
    case Grouping::User:
        return "caller";
    case Grouping::Provider:
        return "provider";
    case Grouping::Model:
        return "model";
    case Grouping::Day:
        break;
    }
    return "day";
}

sums::Need needOf(Grouping by)
{
    switch (by) {
    case Grouping::Project:
        return sums::Need::Projects;
    case Grouping::User:
        return sums::Need::Callers;
    case Grouping::Provider:
    case Grouping::Model:
        return sums::Need::Models;
    case Grouping::Day:
        break;
    }
    return sums::Need::Totals;
}

/// Of a UsageRow, but for its amounts.
const std::string& sumList()
{
    // A sum of whole numbers is a decimal one with PostgreSQL.
    static const std::string list = sums::columnList("CAST(COALESCE(SUM(", "), 0) AS BIGINT)");
    return list;
}

UsageRow rowOf(rows::Reading::Row row)
{
    return {row.texts.empty() ? std::string() : std::move(row.texts.front()), row.numbers[0], row.numbers[1],
        row.numbers[2], row.numbers[3], row.amounts};
}

/// The tables' rows that a query is about, as text of SQL.
class Source {
public:
    Source(const UsageQuery& query, std::int64_t closed) : m_query(query), m_closed(closed) {}

    /// "(SELECT … UNION ALL SELECT …) AS found", with the grouping's column as `name`.
    [[nodiscard]] std::string of(sums::Need need, const char* column) { return joined(need, column, ""); }
    /// The same with nothing but the time.
    [[nodiscard]] std::string timesOf(sums::Need need, const char* column)
    {
        m_isOfTimes = true;
        auto text = joined(need, column, "");
        m_isOfTimes = false;
        return text;
    }
    /// Of those alone that the table `top` has. They come first: their few rows are found one after another.
    [[nodiscard]] std::string ofTop(sums::Need need, const char* column)
    {
        return joined(need, column, "top CROSS JOIN ");
    }
    /// What belongs into it, in the order of its placeholders.
    [[nodiscard]] const std::vector<std::variant<std::string, long long>>& parameters() const { return m_parameters; }

private:
    [[nodiscard]] std::string joined(sums::Need need, const char* column, const std::string& before)
    {
        auto pieces = m_query.caller || m_query.session
            ? std::vector<sums::Piece>()
            : sums::piecesOf(need, m_query.project.has_value(), m_query.from, m_query.to, m_closed);
        if (pieces.empty()) {
            pieces.push_back({"", m_query.from, m_query.to});
        }
        std::string text;
        for (const sums::Piece& piece : pieces) {
            text += (text.empty() ? "(" : " UNION ALL ") + select(piece, column, before);
        }
        return text + ") AS found";
    }

    [[nodiscard]] std::string select(const sums::Piece& piece, const std::string& column, const std::string& before)
    {
        const bool isOfDays = piece.scope.empty();
        const std::string day = isOfDays ? "day" : "begin_day";
        const std::string named = column == "day" ? day : column;
        const std::string columns = m_isOfTimes ? "connected_ms"
            : isOfDays                          ? sums::dayColumnList()
                                                : sums::columnList();
        std::string text = "SELECT " + named + " AS name, " + columns + " FROM " + before
            + (m_query.session ? sessionsAsDays()
                    : isOfDays ? "usage_days"
                               : "usage_sums")
            + " WHERE " + (isOfDays ? "" : "scope = '" + piece.scope + "' AND ") + day
            + " >= " + std::to_string(piece.from) + " AND " + day + " <= " + std::to_string(piece.to);
        if (!before.empty()) {
            text += " AND " + column + " = top.name";
        }
        add(text, "caller", m_query.caller);
        add(text, "project", m_query.project);
        add(text, "id", m_query.session);
        return text;
    }

    /// Each session as if it were its day.
    [[nodiscard]] static std::string sessionsAsDays()
    {
        return "(SELECT id, started_at / 86400000 AS day, caller, project, provider, model, transport, 1 AS sessions, "
            + rows::measureList() + " FROM usage_sessions) AS one";
    }

    void add(std::string& text, const std::string& column, const std::optional<std::string>& value)
    {
        if (value) {
            m_parameters.emplace_back(*value);
            text += " AND " + column + " = :p" + std::to_string(m_parameters.size());
        }
    }

    const UsageQuery& m_query;
    const std::int64_t m_closed;
    bool m_isOfTimes = false;
    std::vector<std::variant<std::string, long long>> m_parameters;
};

UsageRow totalOf(Connection& sql, const UsageQuery& query, std::int64_t closed)
{
    Source source(query, closed);
    const std::string from = source.of(sums::Need::Totals, "day");
    auto found = rows::Reading(0, kSums).of(sql, "SELECT " + sumList() + " FROM " + from, source.parameters());
    return rowOf(std::move(found.front()));
}

/// There may be many more of them than are told.
bool isOfMany(const UsageQuery& query, Grouping by, std::size_t most)
{
    return !query.caller && !query.session && (by == Grouping::User || (by == Grouping::Project && most < kMostRows));
}

/// The ones with the most time first; days in their order.
std::vector<UsageRow> groupsOf(
    Connection& sql, const UsageQuery& query, std::int64_t closed, Grouping by, std::size_t most)
{
    const char* const column = columnOf(by);
    const sums::Need need = needOf(by);
    const std::string order =
        std::string(by == Grouping::Day ? "name" : "SUM(connected_ms) DESC, 1") + " LIMIT " + std::to_string(most);
    Source source(query, closed);
    std::string before;
    std::string from;
    if (isOfMany(query, by, most)) {
        // Only of those that are told everything is summed up.
        before = "WITH top AS (SELECT name FROM " + source.timesOf(need, column) + " GROUP BY name ORDER BY "
            + "SUM(connected_ms) DESC, name LIMIT " + std::to_string(most) + ") ";
        from = source.ofTop(need, column);
    } else {
        from = source.of(need, column);
    }
    const auto found = rows::Reading(1, kSums).of(sql,
        before + "SELECT CAST(name AS TEXT), " + sumList() + " FROM " + from + " GROUP BY name ORDER BY " + order,
        source.parameters());
    std::vector<UsageRow> groups;
    std::transform(found.begin(), found.end(), std::back_inserter(groups), rowOf);
    return groups;
}

} // namespace

UsageReport reportOf(Connection& sql, const UsageQuery& query, std::int64_t firstDayKept)
{
    // First: what is closed meanwhile is still among the days.
    const std::int64_t closed = sums::closedUntil(sql);
    UsageQuery kept = query;
    if (!query.session) {
        kept.from = std::max(query.from, firstDayKept);
    }
    UsageReport report;
    report.query = query;
    report.total = totalOf(sql, kept, closed);
    UsageQuery today = query;
    today.from = today.to = query.today;
    report.today = totalOf(sql, today, closed);
    report.topProjects = groupsOf(sql, kept, closed, Grouping::Project, kTop + 1);
    std::erase_if(report.topProjects, [](const UsageRow& row) { return row.key.empty(); });
    report.topProjects.resize(std::min(report.topProjects.size(), kTop));
    report.rows = groupsOf(sql, kept, closed, query.by, kMostRows + 1);
    report.isCut = report.rows.size() > kMostRows;
    report.rows.resize(std::min(report.rows.size(), kMostRows));
    if (query.by == Grouping::Day) {
        for (UsageRow& row : report.rows) {
            row.key = dateOf(std::stoll(row.key));
        }
    }
    return report;
}

} // namespace vivavoce::broker::usage
