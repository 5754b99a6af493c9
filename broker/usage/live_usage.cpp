#include "broker/usage/live_usage.h"

#include "broker/store/connection.h"
#include "broker/usage/internal/usage_rows.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

namespace vivavoce::broker::usage {
namespace {

using core::Unexpected;
using Parameters = std::vector<std::variant<std::string, long long>>;
using SpentRows = std::vector<Spent>;

constexpr std::size_t kTexts = 8;
constexpr std::size_t kTimes = 2;

Fault storeIsAway()
{
    return {FaultCode::Unavailable, "the sessions' store cannot be asked now", std::chrono::seconds(5)};
}

core::WallTime timeOf(long long millis)
{
    return core::WallTime(core::Milliseconds(millis));
}

Parameters parametersOf(const LiveQuery& query)
{
    Parameters parameters;
    for (const auto& one : {query.caller, query.project, query.before}) {
        if (one) {
            parameters.emplace_back(*one);
        }
    }
    return parameters;
}

LiveUsage liveOf(const rows::Reading::Row& row)
{
    LiveUsage live;
    live.sessionId = row.texts[0];
    live.transport = row.texts[1];
    live.caller = row.texts[2];
    live.issuer = row.texts[3];
    live.subject = row.texts[4];
    live.project = row.texts[5];
    live.provider = row.texts[6];
    live.model = row.texts[7];
    live.startedAt = timeOf(row.numbers[0]);
    live.expiresAt = timeOf(row.numbers[1]);
    live.amounts = row.amounts;
    return live;
}

/// Of those whose `column` meets the condition, by it.
std::string spentStatement(
    const std::string& column, const std::string& condition, std::size_t most, core::WallTime now)
{
    const std::int64_t today = rows::dayOf(now);
    // A sum of whole numbers is a decimal one with PostgreSQL.
    const auto sum = [](const std::string& value) { return "CAST(SUM(" + value + ") AS BIGINT)"; };
    const auto ofToday = [&](const std::string& value) {
        return sum("CASE WHEN day = " + std::to_string(today) + " THEN " + value + " ELSE 0 END");
    };
    return "SELECT " + column + ", MAX(issuer), MAX(subject), " + ofToday("nano_dollars") + ", "
        + ofToday("connected_ms") + ", " + sum("nano_dollars") + ", " + sum("connected_ms") + " FROM usage_days WHERE "
        + condition + " AND " + column + " <> '' AND day >= " + std::to_string(rows::monthOf(today))
        + " AND transport = 'relay' GROUP BY " + column + " ORDER BY " + column + " LIMIT " + std::to_string(most);
}

SpentRows readSpent(Connection& sql, const char* column, const std::string& condition, const std::string& who,
    std::size_t most, core::WallTime now)
{
    // SOCI takes a vector of one for no vector.
    const std::size_t room = std::max<std::size_t>(most, 2);
    std::vector<std::string> names(room), issuers(room), subjects(room);
    std::vector<long long> dayMoney(room), dayMs(room), monthMoney(room), monthMs(room);
    sql << spentStatement(column, condition, most, now), soci::into(names), soci::into(issuers), soci::into(subjects),
        soci::into(dayMoney), soci::into(dayMs), soci::into(monthMoney), soci::into(monthMs), soci::use(who);
    SpentRows all;
    for (std::size_t i = 0; i < names.size(); ++i) {
        all.push_back({names[i], issuers[i], subjects[i], dayMoney[i], dayMs[i], monthMoney[i], monthMs[i]});
    }
    return all;
}

} // namespace

std::string LiveUsageBook::pageStatement(const LiveQuery& query, core::WallTime now)
{
    const long long at = std::chrono::floor<core::Milliseconds>(now).time_since_epoch().count();
    // Ids begin with the second of their session's start, so their order is that of the starts, and has an index. The plus keeps SQLite from
    // going by expiry, where it would have to sort all of them.
    return "SELECT s.id, s.transport, s.caller, s.issuer, s.subject, s.project, COALESCE(u.provider, ''), s.model, "
           "s.started_at, s.expires_at, "
        + rows::measureList("COALESCE(u.", ", 0)")
        + " FROM sessions s LEFT JOIN usage_sessions u ON u.id = s.id WHERE +s.expires_at > " + std::to_string(at)
        + (query.caller ? " AND s.caller = :caller" : "") + (query.project ? " AND s.project = :project" : "")
        + (query.before ? " AND s.id < :before" : "") + " ORDER BY s.id DESC LIMIT "
        + std::to_string(std::min(query.most, kMost));
}

net::Awaitable<core::Expected<std::vector<LiveUsage>, Fault>> LiveUsageBook::live(LiveQuery query) const
{
    using Page = std::vector<LiveUsage>;
    std::function<Page(Connection&)> work = [query = std::move(query), now = m_clock.wallNow()](Connection& sql) {
        Page page;
        const rows::Reading reading(kTexts, kTimes);
        for (const auto& row : reading.of(sql, pageStatement(query, now), parametersOf(query))) {
            page.push_back(liveOf(row));
        }
        return page;
    };
    auto answer = co_await m_database.run<Page>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

net::Awaitable<core::Expected<SpentRows, Fault>> LiveUsageBook::spent(
    const char* column, std::string after, std::size_t most) const
{
    std::function<SpentRows(Connection&)> work = [column, after = std::move(after), most = std::min(most, kMost),
                                                     now = m_clock.wallNow()](Connection& sql) {
        return readSpent(sql, column, std::string(column) + " > :who", after, most, now);
    };
    auto answer = co_await m_database.run<SpentRows>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

net::Awaitable<core::Expected<SpentRows, Fault>> LiveUsageBook::ofProjects(std::string after, std::size_t most) const
{
    auto answer = co_await spent("project", std::move(after), most);
    co_return answer;
}

net::Awaitable<core::Expected<SpentRows, Fault>> LiveUsageBook::ofCallers(std::string after, std::size_t most) const
{
    auto answer = co_await spent("caller", std::move(after), most);
    co_return answer;
}

net::Awaitable<core::Expected<SpentRows, Fault>> LiveUsageBook::ofThese(std::vector<std::string> projects) const
{
    std::function<SpentRows(Connection&)> work = [projects = std::move(projects), now = m_clock.wallNow()](
                                                     Connection& sql) {
        SpentRows all;
        for (const std::string& project : projects) {
            SpentRows one = readSpent(sql, "project", "project = :who", project, 1, now);
            std::move(one.begin(), one.end(), std::back_inserter(all));
        }
        return all;
    };
    auto answer = co_await m_database.run<SpentRows>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

net::Awaitable<core::Expected<std::map<std::string, std::vector<std::string>>, Fault>> LiveUsageBook::projectsOf(
    std::vector<std::string> callers) const
{
    using Found = std::map<std::string, std::vector<std::string>>;
    std::function<Found(Connection&)> work = [callers = std::move(callers), now = m_clock.wallNow()](Connection& sql) {
        constexpr std::size_t kMostOfOne = 100;
        const auto month = static_cast<long long>(rows::monthOf(rows::dayOf(now)));
        const auto most = static_cast<int>(kMostOfOne);
        Found found;
        for (const std::string& caller : callers) {
            std::vector<std::string> projects(kMostOfOne);
            sql << "SELECT DISTINCT project FROM usage_days WHERE caller = :caller AND day >= :month AND project <> '' "
                   "AND transport = 'relay' ORDER BY project LIMIT :most",
                soci::into(projects), soci::use(caller), soci::use(month), soci::use(most);
            found.emplace(caller, std::move(projects));
        }
        return found;
    };
    auto answer = co_await m_database.run<Found>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

} // namespace vivavoce::broker::usage
