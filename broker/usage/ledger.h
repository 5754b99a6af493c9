#pragma once

#include "broker/fault.h"
#include "broker/log.h"
#include "broker/store/database.h"
#include "broker/usage/account.h"
#include "broker/usage/budget_standing.h"
#include "broker/usage/usage_report.h"
#include "core/base/clock.h"
#include "core/base/expected.h"
#include "net/awaitable.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace vivavoce::broker::usage {

/// What every session came to: by session, and by day.
/// Invariants: an entry told twice counts once; a session begins only where the budgets bear what all live sessions hold and one hold more.
/// What the store cannot take now is kept and told later; it is lost when the broker ends before that.
/// Threads: [any thread]; coroutines on the caller's executor. Lifetime: database, clock and log outlive it.
class Ledger {
public:
    struct Settings {
        /// Days whose usage is kept.
        std::chrono::days kept{400};
    };
    /// Somebody's budgets were drawn on. `exhausted`: the one of them that did not bear it, as in BudgetStanding::period; empty: none. It neither
    /// waits nor throws. [any thread]
    using OnSpent = std::function<void(const Account& account, const std::string& exhausted)>;
    struct Dependencies {
        Database& database;
        const core::Clock& clock;
        Log& log;
        /// May be empty.
        OnSpent onSpent{};
    };

    Ledger(Settings settings, Dependencies dependencies) : m_settings(settings), m_deps(dependencies) {}

    /// To be run in the transaction that opens a session: BudgetExhausted, or Unavailable for some seconds, and nothing is written.
    [[nodiscard]] std::function<std::optional<Fault>(Connection&)> opening(Account account) const;
    /// Whether the budgets bear a turn of a session that goes on. BudgetExhausted; Unavailable where nobody can tell, be it since a stream that
    /// another one has taken the place of has not said yet what it came to.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> mayGoOn(Account account);
    /// The account's stream begins: the same, and from now on the session holds for that stream, whichever it held for before, what it may
    /// not have held any more since its last one ended. As much is held for that other one besides, until it has said all or should have: only where
    /// `mayGoOn` says so after that do the budgets bear both. Where the caller has given up, it is as it was.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> begin(Account account);
    /// Another stream of the session has its place, or is about to. Not waited for.
    void release(const Account& account);
    /// The stream that each of these sessions holds for, by session. Nothing of a session that has none.
    [[nodiscard]] net::Awaitable<std::unordered_map<std::string, std::string>> holders(
        std::vector<std::string> sessions);

    struct Recorded {
        /// The sessions whose budgets do not bear a next turn.
        std::vector<std::string> over;
        /// False: the store was away, and nobody knows of any budget.
        bool isTold = true;
    };
    /// Durable when it returns, unless the store was away: then it is told later.
    [[nodiscard]] net::Awaitable<Recorded> record(std::vector<Entry> entries);
    /// Why a session is about to end, where that is not its stream's doing. Not waited for.
    void endsBecause(std::string sessionId, std::string reason);

    /// A session that the broker does not see, of that caller's.
    struct DirectSession {
        Account account;
        core::WallTime startedAt;
    };
    /// SessionNotFound: not theirs, through the relay, not told of for a day, over for as long, or told of so often that nobody could believe it.
    [[nodiscard]] net::Awaitable<core::Expected<DirectSession, Fault>> directSession(
        std::string sessionId, std::string caller);

    [[nodiscard]] net::Awaitable<core::Expected<UsageReport, Fault>> report(UsageQuery query);
    /// How the budgets of these accounts stand, each of them once.
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<BudgetStanding>, Fault>> standings(
        std::vector<Account> accounts);

    /// Tells what waits, closes the accounts of sessions that are gone, forgets what is old; called often. The sessions whose budgets do not
    /// bear a next turn, as what was told late has shown.
    [[nodiscard]] net::Awaitable<std::vector<std::string>> tend();
    /// Tells what waits, as far as the store takes it. For the end.
    [[nodiscard]] net::Awaitable<> flush();
    /// Entries that the store has not taken yet.
    [[nodiscard]] std::size_t waiting() const;

private:
    using Check = std::optional<Fault> (*)(Connection&, const Account&, core::WallTime);
    [[nodiscard]] net::Awaitable<std::optional<Fault>> ask(Account account, Check check);
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<std::string>, DatabaseDown>> write(
        std::vector<Entry> entries);
    void keep(std::vector<Entry> entries, const std::string& reason);
    [[nodiscard]] net::Awaitable<std::vector<std::string>> tellLate();

    const Settings m_settings;
    const Dependencies m_deps;
    std::atomic<std::int64_t> m_forgotOn{0};
    mutable std::mutex m_mutex;
    std::deque<Entry> m_waiting;
};

} // namespace vivavoce::broker::usage
