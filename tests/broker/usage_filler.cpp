#include "tests/broker/usage_filler.h"

#include "broker/store/connection.h"
#include "broker/usage/amounts.h"
#include "broker/usage/internal/usage_rows.h"
#include "broker/usage/internal/usage_sums.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <stdexcept>

namespace vivavoce::tests {
namespace {

using broker::usage::Measure;
namespace rows = broker::usage::rows;

/// What is counted of session number i: each measure has a period of its own.
std::string amountList()
{
    std::string list;
    for (const Measure measure : broker::usage::allMeasures()) {
        const auto number = static_cast<std::int64_t>(measure);
        const std::string factor = measure == Measure::NanoDollars ? " * 12347" : "";
        list += (list.empty() ? "" : ", ") + ("i % " + std::to_string(997 + 2 * number)) + factor;
    }
    return list;
}

} // namespace

UsageFiller::UsageFiller(const std::string& url)
{
    broker::Database::Settings settings;
    settings.url = core::Secret(url);
    settings.deadline = core::Milliseconds{600'000};
    auto opened = broker::Database::open(std::move(settings), m_log);
    if (!opened) {
        throw std::runtime_error(opened.error().detail);
    }
    m_database = std::move(*opened);
}

void UsageFiller::run(const std::function<void(broker::Connection&)>& work)
{
    std::function<int(broker::Connection&)> all = [&work](broker::Connection& sql) {
        work(sql);
        return 0;
    };
    const auto done =
        boost::asio::co_spawn(m_threads.executor(), m_database->run<int>(std::move(all)), boost::asio::use_future)
            .get();
    if (!done) {
        throw std::runtime_error(done.error().reason + m_log.text());
    }
}

std::string UsageFiller::userNamed(std::int64_t number)
{
    return "2:21:https://login.example:user-" + std::to_string(number);
}

std::string UsageFiller::projectNamed(std::int64_t number)
{
    return "project-" + std::to_string(number);
}

void UsageFiller::fill(const Wanted& wanted)
{
    const auto number = [](std::int64_t value) { return std::to_string(value); };
    const std::string user = "((i * 7919 + i / " + number(wanted.users) + ") % " + number(wanted.users) + ")";
    const std::string day =
        number(wanted.today - wanted.days + 1) + " + i * " + number(wanted.days) + " / " + number(wanted.sessions);
    const std::string begin = "((" + day + ") * 86400000 + i % 86000 * 1000)";
    run([&](broker::Connection& sql) {
        sql << "INSERT INTO usage_sessions (id, transport, caller, issuer, subject, project, provider, model, started_at, "
               "last_seen, ended_at, reason, is_final, is_reported, is_holding, hold, "
                + rows::measureList() + ") SELECT 'voice_' || i, CASE WHEN i % 10 = 0 THEN 'direct' ELSE 'relay' END, '"
                + userNamed(0).substr(0, userNamed(0).size() - 1) + "' || " + user
                + ", 'https://login.example', 'user-' || " + user + ", 'project-' || (" + user + " % "
                + number(wanted.projects)
                + "), CASE WHEN i % 3 = 0 THEN 'gemini' ELSE 'openai' END, 'model-' || (i % 6), " + begin + ", " + begin
                + " + 60000, " + begin + " + 60000, 'hung_up', 0, 0, 0, 0, " + amountList()
                + " FROM (WITH RECURSIVE numbers(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE "
                  "i + 1 < "
                + number(wanted.sessions) + ") SELECT i FROM numbers) AS n";
        const std::string names = "caller, issuer, subject, project, provider, model, transport";
        sql << "INSERT INTO usage_days (day, " + names + ", sessions, " + rows::measureList()
                + ") SELECT started_at / 86400000, " + names + ", COUNT(*), " + rows::measureList("SUM(", ")")
                + " FROM usage_sessions GROUP BY started_at / 86400000, " + names;
    });
}

int UsageFiller::closeDays(core::WallTime now, std::size_t atOnce)
{
    int times = 0;
    for (bool isMore = true; isMore; ++times) {
        run([&](broker::Connection& sql) { isMore = broker::usage::sums::closeDays(sql, now, atOnce); });
    }
    return times - 1;
}

} // namespace vivavoce::tests
