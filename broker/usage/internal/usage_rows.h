#pragma once

#include "broker/fault.h"
#include "broker/store/connection.h"
#include "broker/usage/account.h"
#include "broker/usage/ledger.h"
#include "core/base/clock.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

/// The ledger's tables. All functions throw soci::soci_error.
namespace vivavoce::broker::usage::rows {

/// Days since 1970, in UTC.
[[nodiscard]] std::int64_t dayOf(core::WallTime time);
/// The first day of that day's month.
[[nodiscard]] std::int64_t monthOf(std::int64_t day);

/// "connected_ms, audio_in_ms, …"; with `each` around every name: "SUM(" and ")".
[[nodiscard]] std::string measureList(const char* before = "", const char* after = "");
/// What a query gives, row by row: texts first, then whole numbers, then an amount of each measure.
class Reading {
public:
    struct Row {
        std::vector<std::string> texts;
        std::vector<long long> numbers;
        Amounts amounts;
    };
    Reading(std::size_t texts, std::size_t numbers) : m_texts(texts), m_numbers(numbers) {}
    /// `parameters` are texts and numbers, in the order of the query's placeholders.
    [[nodiscard]] std::vector<Row> of(Connection& sql, const std::string& query,
        const std::vector<std::variant<std::string, long long>>& parameters) const;

private:
    std::size_t m_texts;
    std::size_t m_numbers;
};

/// One at a time may count what these may still spend, until the transaction ends.
void lockBudgets(Connection& sql, const Account& account);
/// The first of the account's budgets that does not bear what was spent and what is held by its live sessions; with what one more of them
/// holds, where this one is to begin. BudgetExhausted; Unavailable where it is a matter of seconds: a stream that has lost its place has not
/// said yet what it came to.
enum class Stage { Beginning, GoingOn };
[[nodiscard]] std::optional<Fault> overspent(Connection& sql, const Account& account, Stage stage, core::WallTime now);
/// Adds how each of the account's budgets stands that is not there yet.
void addStandings(Connection& sql, const Account& account, core::WallTime now, std::vector<BudgetStanding>& standings);
void insertSession(Connection& sql, const Account& account, core::WallTime now);
/// Ledger::mayGoOn. BudgetExhausted, Unavailable.
[[nodiscard]] std::optional<Fault> mayGoOn(Connection& sql, const Account& account, core::WallTime now);
/// Ledger::begin. BudgetExhausted, Unavailable, and nothing is written.
[[nodiscard]] std::optional<Fault> holdAgain(Connection& sql, const Account& account, core::WallTime now);
/// As much is held for that stream of the session's as well, for as long as what it has asked for may take to be told.
void holdForFormer(Connection& sql, const Account& account, const std::string& former, core::WallTime now);
/// What a session holds, and for which stream.
struct Holding {
    long long isHolding = 0;
    std::string holder;
};
/// Locks the session until the transaction ends.
[[nodiscard]] std::optional<Holding> holdingOf(Connection& sql, const std::string& session);
/// Unless it holds for another stream than the account's by now.
void holdAsBefore(Connection& sql, const Account& account, const Holding& before);
/// Ledger::holders.
[[nodiscard]] std::unordered_map<std::string, std::string> holders(
    Connection& sql, const std::vector<std::string>& sessions);
/// False: the ledger knows nothing of that session, which is older than the ledger.
[[nodiscard]] bool isKnown(Connection& sql, const std::string& session);
/// Ledger::directSession.
[[nodiscard]] std::optional<Ledger::DirectSession> directSession(
    Connection& sql, const std::string& session, const std::string& caller, core::WallTime now);
/// Writes it to its session. What there is now that was not there before.
[[nodiscard]] Amounts record(Connection& sql, const Entry& entry, core::WallTime now);
/// Writes that to its day.
void addToDay(Connection& sql, const Account& account, core::WallTime now, const Amounts& more);
/// Sessions that are in the registry no more, and have no stream that was heard of just now, have ended when they were last heard of.
void closeGone(Connection& sql, core::WallTime now);
/// What ended before that day goes, parts of sessions that ended a while ago, too.
void forget(Connection& sql, std::int64_t firstDayKept, core::WallTime now);

} // namespace vivavoce::broker::usage::rows
