#include "broker/usage/ledger.h"

#include "broker/store/connection.h"
#include "broker/usage/internal/usage_query.h"
#include "broker/usage/internal/usage_rows.h"
#include "broker/usage/internal/usage_sums.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <tuple>
#include <utility>

namespace vivavoce::broker::usage {
namespace {

using core::Unexpected;

/// A day of turns of a thousand sessions.
constexpr std::size_t kMostWaiting = 100'000;
constexpr std::size_t kAtOnce = 500;

Fault storeIsAway()
{
    return {FaultCode::Unavailable, "the ledger cannot be asked now", std::chrono::seconds(5)};
}

void tellExhausted(const Ledger::OnSpent& tell, const Account& account, const Fault& fault)
{
    if (tell && fault.code == FaultCode::BudgetExhausted) {
        tell(account, fault.violatedPolicy);
    }
}

/// One order for everybody who writes several rows at once: no two wait for each other.
void sortForWriting(std::vector<Entry>& entries)
{
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::tie(a.account.caller, a.account.project, a.account.sessionId, a.part)
            < std::tie(b.account.caller, b.account.project, b.account.sessionId, b.part);
    });
}

/// The sessions whose budgets do not bear a next turn.
std::vector<std::string> writeAll(Connection& sql, const std::vector<Entry>& entries, core::WallTime now)
{
    std::vector<std::pair<const Account*, Amounts>> days;
    for (const Entry& entry : entries) {
        // Others are of before there was a ledger.
        if (rows::isKnown(sql, entry.account.sessionId)) {
            days.emplace_back(&entry.account, rows::record(sql, entry, now));
        }
    }
    // All sessions before all days, each in its order: two who write at the same time do not wait for each other.
    for (const auto& [account, more] : days) {
        rows::addToDay(sql, *account, now, more);
    }
    std::vector<std::string> over;
    for (const Entry& entry : entries) {
        if (entry.account.budgets.areUnlimited()) {
            continue;
        }
        const auto fault = rows::overspent(sql, entry.account, rows::Stage::GoingOn, now);
        if (fault && fault->code == FaultCode::BudgetExhausted) {
            over.push_back(entry.account.sessionId);
        }
    }
    return over;
}

} // namespace

std::function<std::optional<Fault>(Connection&)> Ledger::opening(Account account) const
{
    // Not this: a database that hangs may outlive it.
    return [tell = m_deps.onSpent, account = std::move(account), now = m_deps.clock.wallNow()](
               Connection& sql) -> std::optional<Fault> {
        rows::lockBudgets(sql, account);
        if (auto fault = rows::overspent(sql, account, rows::Stage::Beginning, now)) {
            tellExhausted(tell, account, *fault);
            return fault;
        }
        rows::insertSession(sql, account, now);
        return std::nullopt;
    };
}

net::Awaitable<std::optional<Fault>> Ledger::ask(Account account, Check check)
{
    std::function<std::optional<Fault>(Connection&)> work = [tell = m_deps.onSpent, account = std::move(account), check,
                                                                now = m_deps.clock.wallNow()](Connection& sql) {
        rows::lockBudgets(sql, account);
        auto fault = check(sql, account, now);
        if (fault) {
            tellExhausted(tell, account, *fault);
        }
        return fault;
    };
    auto answer = co_await m_deps.database.run<std::optional<Fault>>(std::move(work));
    if (!answer) {
        co_return storeIsAway();
    }
    co_return std::move(*answer);
}

net::Awaitable<std::optional<Fault>> Ledger::mayGoOn(Account account)
{
    if (account.budgets.areUnlimited()) {
        co_return std::nullopt;
    }
    auto fault = co_await ask(std::move(account), &rows::mayGoOn);
    co_return fault;
}

net::Awaitable<std::optional<Fault>> Ledger::begin(Account account)
{
    // As it was, for undoing.
    const auto before = std::make_shared<std::optional<rows::Holding>>();
    Database::Undo<std::optional<Fault>> undo = [before, account](Connection& sql, const auto& fault) {
        if (!fault && *before) {
            rows::holdAsBefore(sql, account, **before);
        }
    };
    std::function<std::optional<Fault>(Connection&)> work = [account = std::move(account), before,
                                                                now = m_deps.clock.wallNow()](Connection& sql) {
        rows::lockBudgets(sql, account);
        auto holding = rows::holdingOf(sql, account.sessionId);
        auto fault = rows::holdAgain(sql, account, now);
        // Its own: committed before the connection was lost.
        if (!fault && holding && holding->holder != account.stream) {
            if (!holding->holder.empty() && !account.budgets.areUnlimited()) {
                rows::holdForFormer(sql, account, holding->holder, now);
            }
            *before = std::move(holding);
        }
        return fault;
    };
    auto answer = co_await m_deps.database.run<std::optional<Fault>>(std::move(work), std::move(undo));
    if (!answer) {
        co_return storeIsAway();
    }
    co_return std::move(*answer);
}

void Ledger::release(const Account& account)
{
    m_deps.database.post([id = account.sessionId, stream = account.stream](Connection& sql) {
        sql.ask("UPDATE usage_sessions SET holder = '' WHERE id = :id AND holder = :stream", soci::use(id),
            soci::use(stream));
    });
}

net::Awaitable<std::unordered_map<std::string, std::string>> Ledger::holders(std::vector<std::string> sessions)
{
    using Holders = std::unordered_map<std::string, std::string>;
    std::function<Holders(Connection&)> work = [sessions = std::move(sessions)](
                                                   Connection& sql) { return rows::holders(sql, sessions); };
    auto answer = co_await m_deps.database.run<Holders>(std::move(work));
    co_return answer ? std::move(*answer) : Holders();
}

net::Awaitable<Ledger::Recorded> Ledger::record(std::vector<Entry> entries)
{
    sortForWriting(entries);
    auto over = co_await write(entries);
    Recorded recorded;
    recorded.isTold = over.has_value();
    if (!over) {
        keep(std::move(entries), over.error().reason);
        co_return recorded;
    }
    for (const Entry& entry : entries) {
        if (entry.isTold != nullptr) {
            *entry.isTold = true;
        }
        if (m_deps.onSpent && !entry.account.budgets.areUnlimited()) {
            m_deps.onSpent(entry.account, {});
        }
    }
    recorded.over = std::move(*over);
    co_return recorded;
}

net::Awaitable<core::Expected<std::vector<std::string>, DatabaseDown>> Ledger::write(std::vector<Entry> entries)
{
    std::function<std::vector<std::string>(Connection&)> work = [entries = std::move(entries),
                                                                    now = m_deps.clock.wallNow()](Connection& sql) {
        return writeAll(sql, entries, now);
    };
    auto answer = co_await m_deps.database.run<std::vector<std::string>>(std::move(work));
    co_return std::move(answer);
}

void Ledger::keep(std::vector<Entry> entries, const std::string& reason)
{
    std::size_t lost = 0;
    std::size_t waiting = 0;
    {
        const std::lock_guard lock(m_mutex);
        for (Entry& entry : entries) {
            m_waiting.push_back(std::move(entry));
        }
        while (m_waiting.size() > kMostWaiting) {
            m_waiting.pop_front();
            ++lost;
        }
        waiting = m_waiting.size();
    }
    m_deps.log.write(LogLevel::Error, "usage.not_written", {{"reason", reason}, {"waiting", waiting}, {"lost", lost}});
}

void Ledger::endsBecause(std::string sessionId, std::string reason)
{
    m_deps.database.post([id = std::move(sessionId), reason = std::move(reason)](Connection& sql) {
        sql.ask("UPDATE usage_sessions SET reason = :reason, is_final = 1 WHERE id = :id", soci::use(reason),
            soci::use(id));
    });
}

net::Awaitable<core::Expected<Ledger::DirectSession, Fault>> Ledger::directSession(
    std::string sessionId, std::string caller)
{
    using Found = std::optional<DirectSession>;
    std::function<Found(Connection&)> work = [id = std::move(sessionId), caller = std::move(caller),
                                                 now = m_deps.clock.wallNow()](
                                                 Connection& sql) { return rows::directSession(sql, id, caller, now); };
    auto answer = co_await m_deps.database.run<Found>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    if (!*answer) {
        co_return Unexpected<Fault>(Fault{FaultCode::SessionNotFound,
            "there is no session of yours that went to the provider directly, a day ago or later", std::nullopt});
    }
    co_return std::move(**answer);
}

net::Awaitable<core::Expected<UsageReport, Fault>> Ledger::report(UsageQuery query)
{
    const std::int64_t firstKept = query.today - m_settings.kept.count();
    std::function<UsageReport(Connection&)> work = [query = std::move(query), firstKept](
                                                       Connection& sql) { return reportOf(sql, query, firstKept); };
    auto answer = co_await m_deps.database.run<UsageReport>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

net::Awaitable<core::Expected<std::vector<BudgetStanding>, Fault>> Ledger::standings(std::vector<Account> accounts)
{
    using Standings = std::vector<BudgetStanding>;
    std::function<Standings(Connection&)> work = [accounts = std::move(accounts), now = m_deps.clock.wallNow()](
                                                     Connection& sql) {
        Standings all;
        for (const Account& account : accounts) {
            rows::addStandings(sql, account, now, all);
        }
        return all;
    };
    auto answer = co_await m_deps.database.run<Standings>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

net::Awaitable<std::vector<std::string>> Ledger::tellLate()
{
    std::vector<Entry> late;
    {
        const std::lock_guard lock(m_mutex);
        while (!m_waiting.empty() && late.size() < kAtOnce) {
            late.push_back(std::move(m_waiting.front()));
            m_waiting.pop_front();
        }
    }
    if (late.empty()) {
        co_return std::vector<std::string>();
    }
    auto recorded = co_await record(std::move(late));
    co_return std::move(recorded.over);
}

net::Awaitable<> Ledger::flush()
{
    std::size_t before = waiting();
    while (before > 0) {
        const auto over = co_await tellLate();
        static_cast<void>(over);
        const std::size_t left = waiting();
        before = left < before ? left : 0;
    }
}

net::Awaitable<std::vector<std::string>> Ledger::tend()
{
    auto over = co_await tellLate();
    const core::WallTime now = m_deps.clock.wallNow();
    const std::int64_t today = rows::dayOf(now);
    const bool isNewDay = m_forgotOn.exchange(today) != today;
    m_deps.database.post([isNewDay, now, first = today - m_settings.kept.count()](Connection& sql) {
        rows::closeGone(sql, now);
        if (isNewDay) {
            sums::forget(sql, first);
            rows::forget(sql, first, now);
        }
    });
    // By itself: what keeps it from closing a day keeps nobody's account from being closed.
    m_deps.database.post([now](Connection& sql) { static_cast<void>(sums::closeDays(sql, now)); });
    co_return over;
}

std::size_t Ledger::waiting() const
{
    const std::lock_guard lock(m_mutex);
    return m_waiting.size();
}

} // namespace vivavoce::broker::usage
