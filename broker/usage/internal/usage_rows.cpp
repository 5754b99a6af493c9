#include "broker/usage/internal/usage_rows.h"

#include "broker/usage/internal/usage_sums.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace vivavoce::broker::usage::rows {
namespace {

using soci::into;
using soci::use;

constexpr std::int64_t kDayMs = 86'400'000;
/// So much of a session's time may not be told of yet (StreamAccount::kTellEvery).
constexpr std::int64_t kHeldMs = 15'000;
/// One that has lost its place hears so within a second, hears the provider out for another one, and tells the ledger.
constexpr std::int64_t kFormerMs = 15'000;
/// One that goes on is heard of at least every kHeldMs.
constexpr std::int64_t kStreamHeardMs = 2 * kHeldMs;
/// A part told again counts once, as long as it is remembered.
constexpr std::int64_t kPartsKeptMs = 2 * kDayMs;
/// Within the time in which a part told again counts once.
constexpr std::int64_t kReportedWithinMs = kDayMs;
/// A reply every nine seconds of a day.
constexpr long long kMostReportedParts = 10'000;
constexpr std::int64_t kLongestMonth = 31;

std::int64_t millisOf(core::WallTime time)
{
    return std::chrono::duration_cast<core::Milliseconds>(time.time_since_epoch()).count();
}

/// What an amount of each measure is put into and taken out of, in the order of measureList.
class MeasureValues {
public:
    MeasureValues() = default;
    explicit MeasureValues(const Amounts& amounts)
    {
        std::transform(allMeasures().begin(), allMeasures().end(), m_values.begin(),
            [&](Measure measure) { return amounts[measure]; });
    }
    [[nodiscard]] Amounts amounts() const
    {
        Amounts amounts;
        for (const Measure measure : allMeasures()) {
            amounts[measure] = m_values[static_cast<std::size_t>(measure)];
        }
        return amounts;
    }
    /// What Connection::ask takes.
    [[nodiscard]] auto uses() const
    {
        return [this](soci::statement& statement) {
            for (const long long& value : m_values) {
                statement.exchange(use(value));
            }
        };
    }
    [[nodiscard]] auto intos()
    {
        return [this](soci::statement& statement) {
            for (long long& value : m_values) {
                statement.exchange(into(value));
            }
        };
    }

private:
    std::array<long long, kMeasures> m_values{};
};

/// "0, 0, …".
std::string nothingList()
{
    std::string list;
    for (std::size_t i = 0; i < kMeasures; ++i) {
        list += i == 0 ? "0" : ", 0";
    }
    return list;
}

/// "turns = usage_days.turns + excluded.turns, …".
std::string additionList(std::string_view table)
{
    std::string list;
    for (const Measure measure : allMeasures()) {
        const std::string_view column = columnOf(measure);
        list.append(list.empty() ? "" : ", ").append(column).append(" = ").append(table).append(".").append(column);
        list.append(" + excluded.").append(column);
    }
    return list;
}

/// "turns = turns + :turns, …".
std::string growthList()
{
    std::string list;
    for (const Measure measure : allMeasures()) {
        const std::string_view column = columnOf(measure);
        list.append(list.empty() ? "" : ", ").append(column).append(" = ").append(column).append(" + :").append(column);
    }
    return list;
}

std::string dayInsertion(int sessions, const std::string& values, const std::string& additions)
{
    return "INSERT INTO usage_days (day, caller, issuer, subject, project, provider, model, transport, sessions, "
        + measureList() + ") VALUES (" + sums::kOpenDay
        + ", :caller, :issuer, :subject, :project, :provider, :model, :transport, " + std::to_string(sessions) + ", "
        + values + ") ON CONFLICT (day, caller, project, provider, model, transport) DO UPDATE SET " + additions;
}

void addSessionToDay(Connection& sql, const Account& account, long long day)
{
    static const std::string text = dayInsertion(1, nothingList(), "sessions = usage_days.sessions + 1");
    sql.ask(text, use(day), use(day), use(account.caller), use(account.issuer), use(account.subject),
        use(account.project), use(account.provider), use(account.model), use(account.transport));
}

struct Spending {
    long long nanoDollars = 0;
    long long connectedMs = 0;

    Spending& operator+=(const Spending& other)
    {
        nanoDollars += other.nanoDollars;
        connectedMs += other.connectedMs;
        return *this;
    }
    Spending operator-(const Spending& other) const
    {
        return {nanoDollars - other.nanoDollars, connectedMs - other.connectedMs};
    }
};

/// Of a caller or a project since a day. What clients say of sessions that nobody else saw neither spends a budget nor saves it.
Spending spentSince(Connection& sql, const char* column, const std::string& who, long long day)
{
    Spending spent;
    sql.ask("SELECT CAST(COALESCE(SUM(nano_dollars), 0) AS BIGINT), CAST(COALESCE(SUM(connected_ms), 0) AS BIGINT) "
            "FROM usage_days WHERE "
            + std::string(column) + " = :who AND day >= :day AND transport = 'relay'",
        into(spent.nanoDollars), into(spent.connectedMs), use(who), use(day));
    return spent;
}

/// Of the sessions `u` that hold something. One that is gone does until its stream, which hears the provider out, has said all.
constexpr const char* kIsHolding =
    "u.ended_at = 0 AND u.is_holding = 1 AND ((u.holder <> '' AND u.last_seen > :heard) OR EXISTS "
    "(SELECT 1 FROM sessions s WHERE s.id = u.id AND s.expires_at > :now))";

struct Held {
    Spending byAll;
    /// Of that, by streams that have lost their place: for some seconds.
    Spending byFormers;
};

/// What live sessions, and streams that have lost their place, may come to before the ledger hears of it.
Held heldBy(Connection& sql, const char* column, const std::string& who, long long now)
{
    const std::string isTheirs = std::string(column) + " = :who AND ";
    const long long heard = now - kStreamHeardMs;
    Held held;
    long long sessions = 0;
    long long formers = 0;
    // In this order: a stream that loses its place meanwhile is counted twice, not never.
    sql.ask("SELECT COUNT(*), CAST(COALESCE(SUM(u.hold), 0) AS BIGINT) FROM usage_sessions u WHERE u." + isTheirs
            + kIsHolding,
        into(sessions), into(held.byAll.nanoDollars), use(who), use(heard), use(now));
    sql.ask(
        "SELECT COUNT(*), CAST(COALESCE(SUM(hold), 0) AS BIGINT) FROM usage_holds WHERE " + isTheirs + "until > :now",
        into(formers), into(held.byFormers.nanoDollars), use(who), use(now));
    held.byFormers.connectedMs = formers * kHeldMs;
    held.byAll.connectedMs = sessions * kHeldMs;
    held.byAll += held.byFormers;
    return held;
}

/// Parts only grow: what was kept for a while and comes after something newer is old.
Amounts growth(const Amounts& before, const Amounts& after)
{
    Amounts more;
    for (const Measure measure : allMeasures()) {
        more[measure] = std::max<std::int64_t>(after[measure] - before[measure], 0);
    }
    return more;
}

bool isShared(Connection& sql)
{
    return sql.get_backend_name() == "postgresql";
}

struct Period {
    const char* column;
    std::string who;
    const Budget& budget;
    std::int64_t since;
    std::int64_t until;
    const char* name;
};

std::optional<Fault> exhausted(const Period& period, core::WallTime now)
{
    const core::WallTime again{std::chrono::milliseconds(period.until * kDayMs)};
    const auto wait = std::chrono::ceil<std::chrono::seconds>(again - now);
    return Fault{
        FaultCode::BudgetExhausted, "what is left of the budget does not bear one more turn", wait, period.name};
}

std::array<Period, 4> periodsOf(const Account& account, core::WallTime now)
{
    const std::int64_t today = dayOf(now);
    const std::int64_t month = monthOf(today);
    const std::int64_t nextMonth = monthOf(month + kLongestMonth);
    const Budgets& budgets = account.budgets;
    return {Period{"caller", account.caller, budgets.userDay, today, today + 1, "user_day"},
        Period{"caller", account.caller, budgets.userMonth, month, nextMonth, "user_month"},
        Period{"project", account.project, budgets.projectDay, today, today + 1, "project_day"},
        Period{"project", account.project, budgets.projectMonth, month, nextMonth, "project_month"}};
}

bool isOver(const Budget& budget, const Spending& sum)
{
    return (budget.nanoDollars && sum.nanoDollars > *budget.nanoDollars)
        || (budget.connected && sum.connectedMs > budget.connected->count());
}

} // namespace

std::int64_t dayOf(core::WallTime time)
{
    return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

std::int64_t monthOf(std::int64_t day)
{
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    return std::chrono::sys_days{date.year() / date.month() / 1}.time_since_epoch().count();
}

std::string measureList(const char* before, const char* after)
{
    std::string list;
    for (const Measure measure : allMeasures()) {
        list += (list.empty() ? "" : ", ") + std::string(before) + std::string(columnOf(measure)) + after;
    }
    return list;
}

std::vector<Reading::Row> Reading::of(Connection& sql, const std::string& query,
    const std::vector<std::variant<std::string, long long>>& parameters) const
{
    Row row{std::vector<std::string>(m_texts), std::vector<long long>(m_numbers), {}};
    MeasureValues measures;
    // Not one that is kept: what is asked for is a piece of the text, and seldom the same again.
    soci::statement statement(sql);
    std::for_each(row.texts.begin(), row.texts.end(), [&](auto& text) { statement.exchange(into(text)); });
    std::for_each(row.numbers.begin(), row.numbers.end(), [&](auto& number) { statement.exchange(into(number)); });
    measures.intos()(statement);
    for (const auto& parameter : parameters) {
        std::visit([&](const auto& value) { statement.exchange(use(value)); }, parameter);
    }
    statement.alloc();
    statement.prepare(query);
    statement.define_and_bind();
    std::vector<Row> rows;
    for (bool isThere = statement.execute(true); isThere; isThere = statement.fetch()) {
        row.amounts = measures.amounts();
        rows.push_back(row);
    }
    return rows;
}

void lockBudgets(Connection& sql, const Account& account)
{
    // SQLite has one transaction at a time.
    if (account.budgets.areUnlimited() || !isShared(sql)) {
        return;
    }
    // In one order for everybody, so that no two wait for each other.
    std::array locks{"budget caller " + account.caller, "budget project " + account.project};
    for (const std::string& lock : locks) {
        sql.ask("SELECT pg_advisory_xact_lock(hashtext(:who))", use(lock));
    }
}

std::optional<Fault> overspent(Connection& sql, const Account& account, Stage stage, core::WallTime now)
{
    const auto periods = periodsOf(account, now);
    const bool isBeginning = stage == Stage::Beginning;
    std::optional<Fault> fault;
    for (const Period& period : periods) {
        if (period.budget.isUnlimited() || period.who.empty()) {
            continue;
        }
        // First: what is told in this moment counts twice then, not never.
        const Held held = heldBy(sql, period.column, period.who, millisOf(now));
        Spending sum = spentSince(sql, period.column, period.who, period.since);
        sum += held.byAll;
        sum += isBeginning ? Spending{account.hold, kHeldMs} : Spending();
        if (!isOver(period.budget, sum)) {
            continue;
        }
        if (isOver(period.budget, sum - held.byFormers)) {
            return exhausted(period, now);
        }
        fault = Fault{FaultCode::Unavailable, "what a former stream came to is not known yet", std::chrono::seconds(1)};
    }
    return fault;
}

void addStandings(Connection& sql, const Account& account, core::WallTime now, std::vector<BudgetStanding>& standings)
{
    for (const Period& period : periodsOf(account, now)) {
        const bool isKnown = std::any_of(standings.begin(), standings.end(), [&](const BudgetStanding& one) {
            return one.period == period.name && one.who == period.who && one.budget == period.budget;
        });
        if (isKnown || period.budget.isUnlimited() || period.who.empty()) {
            continue;
        }
        const Held held = heldBy(sql, period.column, period.who, millisOf(now));
        const Spending spent = spentSince(sql, period.column, period.who, period.since);
        Spending sum = spent;
        sum += held.byAll;
        standings.push_back({period.name, period.who, period.budget, period.since, period.until, spent.nanoDollars,
            spent.connectedMs, isOver(period.budget, sum - held.byFormers), account.project});
    }
}

void insertSession(Connection& sql, const Account& account, core::WallTime now)
{
    const long long at = millisOf(now);
    const long long hold = account.hold;
    static const std::string text =
        "INSERT INTO usage_sessions (id, transport, caller, issuer, subject, project, provider, model, started_at, "
        "last_seen, ended_at, reason, is_final, is_reported, is_holding, hold, "
        + measureList()
        + ") VALUES (:id, :transport, :caller, :issuer, :subject, :project, :provider, :model, :started, :seen, 0, "
          "'', 0, 0, 1, :hold, "
        + nothingList() + ")";
    sql.ask(text, use(account.sessionId), use(account.transport), use(account.caller), use(account.issuer),
        use(account.subject), use(account.project), use(account.provider), use(account.model), use(at), use(at),
        use(hold));
    addSessionToDay(sql, account, dayOf(now));
}

std::optional<Fault> mayGoOn(Connection& sql, const Account& account, core::WallTime now)
{
    int isHolding = 0;
    const long long at = millisOf(now);
    const long long heard = at - kStreamHeardMs;
    sql.ask(std::string("SELECT COUNT(*) FROM usage_sessions u WHERE u.id = :id AND ") + kIsHolding, into(isHolding),
        use(account.sessionId), use(heard), use(at));
    return overspent(sql, account, isHolding != 0 ? Stage::GoingOn : Stage::Beginning, now);
}

std::optional<Fault> holdAgain(Connection& sql, const Account& account, core::WallTime now)
{
    auto fault = mayGoOn(sql, account, now);
    if (!fault) {
        // Its session may have ended meanwhile: what it costs until it hears so is held all the same.
        const long long at = millisOf(now);
        sql.ask(
            "UPDATE usage_sessions SET is_holding = 1, holder = :stream, last_seen = :seen, ended_at = 0 WHERE id = :id",
            use(account.stream), use(at), use(account.sessionId));
    }
    return fault;
}

void holdForFormer(Connection& sql, const Account& account, const std::string& former, core::WallTime now)
{
    const long long until = millisOf(now) + kFormerMs;
    sql.ask("INSERT INTO usage_holds (session, stream, caller, project, hold, until) "
            "SELECT id, :stream, caller, project, hold, :until FROM usage_sessions WHERE id = :id "
            "ON CONFLICT (session, stream) DO NOTHING",
        use(former), use(until), use(account.sessionId));
}

std::optional<Holding> holdingOf(Connection& sql, const std::string& session)
{
    Holding holding;
    const bool isKnown = sql.ask(std::string("SELECT is_holding, holder FROM usage_sessions WHERE id = :id")
            + (isShared(sql) ? " FOR UPDATE" : ""),
        into(holding.isHolding), into(holding.holder), use(session));
    return isKnown ? std::optional(std::move(holding)) : std::nullopt;
}

void holdAsBefore(Connection& sql, const Account& account, const Holding& before)
{
    sql.ask("UPDATE usage_sessions SET is_holding = :holding, holder = :former WHERE id = :id AND holder = :stream",
        use(before.isHolding), use(before.holder), use(account.sessionId), use(account.stream));
    sql.ask("DELETE FROM usage_holds WHERE session = :id AND stream = :stream AND EXISTS "
            "(SELECT 1 FROM usage_sessions u WHERE u.id = :id2 AND u.holder = :holder)",
        use(account.sessionId), use(before.holder), use(account.sessionId), use(before.holder));
}

std::unordered_map<std::string, std::string> holders(Connection& sql, const std::vector<std::string>& sessions)
{
    // SQLite takes many more values in one statement; PostgreSQL plans a short list well.
    constexpr std::size_t kAtATime = 200;
    std::unordered_map<std::string, std::string> found;
    for (std::size_t begin = 0; begin < sessions.size(); begin += kAtATime) {
        const std::size_t end = std::min(sessions.size(), begin + kAtATime);
        std::string id;
        std::string holder;
        soci::statement statement(sql);
        std::string marks;
        for (std::size_t i = begin; i < end; ++i) {
            marks += (i == begin ? ":id" : ", :id") + std::to_string(i - begin);
            statement.exchange(use(sessions[i]));
        }
        statement.exchange(into(id));
        statement.exchange(into(holder));
        statement.alloc();
        statement.prepare("SELECT id, holder FROM usage_sessions WHERE holder <> '' AND id IN (" + marks + ")");
        statement.define_and_bind();
        for (bool isThere = statement.execute(true); isThere; isThere = statement.fetch()) {
            found.emplace(id, holder);
        }
    }
    return found;
}

bool isKnown(Connection& sql, const std::string& session)
{
    int found = 0;
    sql.ask("SELECT COUNT(*) FROM usage_sessions WHERE id = :id", into(found), use(session));
    return found > 0;
}

std::optional<Ledger::DirectSession> directSession(
    Connection& sql, const std::string& session, const std::string& caller, core::WallTime now)
{
    const long long since = millisOf(now) - kReportedWithinMs;
    const auto found = Reading(5, 2).of(sql,
        "SELECT issuer, subject, project, provider, model, started_at, "
        "(SELECT COUNT(*) FROM usage_parts p WHERE p.session = u.id), "
            + measureList()
            + " FROM usage_sessions u WHERE id = :id AND caller = :caller AND transport = 'direct' AND last_seen > :since "
              // What is told of it after its end makes it no younger.
              "AND (ended_at = 0 OR ended_at > :end)",
        {session, caller, since, since});
    if (found.empty() || found.front().numbers[1] > kMostReportedParts) {
        return std::nullopt;
    }
    const Reading::Row& row = found.front();
    Ledger::DirectSession direct;
    direct.account.sessionId = session;
    direct.account.caller = caller;
    direct.account.issuer = row.texts[0];
    direct.account.subject = row.texts[1];
    direct.account.project = row.texts[2];
    direct.account.provider = row.texts[3];
    direct.account.model = row.texts[4];
    direct.account.transport = "direct";
    direct.startedAt = core::WallTime(core::Milliseconds(row.numbers[0]));
    return direct;
}

namespace {

/// What there is of that part now that was not there before.
Amounts recordPart(Connection& sql, const Entry& entry, long long at)
{
    static const std::string selection =
        "SELECT " + measureList() + " FROM usage_parts WHERE session = :session AND part = :part";
    static const std::string insertion = "INSERT INTO usage_parts (session, part, at, " + measureList()
        + ") VALUES (:session, :part, :at, " + measureList(":") + ")";
    static const std::string change =
        "UPDATE usage_parts SET at = :at, " + growthList() + " WHERE session = :session AND part = :part";
    const std::string& session = entry.account.sessionId;
    MeasureValues known;
    if (!sql.ask(selection, known.intos(), use(session), use(entry.part))) {
        const MeasureValues all(entry.amounts);
        sql.ask(insertion, use(session), use(entry.part), use(at), all.uses());
        return entry.amounts;
    }
    const Amounts more = growth(known.amounts(), entry.amounts);
    const MeasureValues grown(more);
    sql.ask(change, use(at), grown.uses(), use(session), use(entry.part));
    return more;
}

} // namespace

Amounts record(Connection& sql, const Entry& entry, core::WallTime now)
{
    const std::string& session = entry.account.sessionId;
    if (isShared(sql)) {
        // Two brokers may be told the same at the same time.
        std::string locked;
        sql.ask("SELECT id FROM usage_sessions WHERE id = :id FOR UPDATE", into(locked), use(session));
    }
    const Amounts more = recordPart(sql, entry, millisOf(now));
    const MeasureValues grown(more);
    const long long at = millisOf(now);
    const int isReported = entry.isReported ? 1 : 0;
    static const std::string text = "UPDATE usage_sessions SET last_seen = :seen, " + growthList()
        + ", is_reported = CASE WHEN :reported = 1 THEN 1 ELSE is_reported END WHERE id = :id";
    sql.ask(text, use(at), grown.uses(), use(isReported), use(session));
    if (!entry.ending.empty()) {
        // The stream ends because the session has, and the one who ended it has said why. Where another stream has taken its place meanwhile,
        // the session goes on, and holds what it holds.
        sql.ask(
            "UPDATE usage_sessions SET reason = CASE WHEN is_final = 1 THEN reason ELSE :reason END, is_holding = 0, "
            "holder = '' WHERE id = :id AND (holder = '' OR holder = :stream)",
            use(entry.ending), use(session), use(entry.account.stream));
    }
    if (entry.isLast || !entry.ending.empty()) {
        sql.ask("DELETE FROM usage_holds WHERE session = :session AND stream = :stream", use(session),
            use(entry.account.stream));
    }
    return more;
}

void addToDay(Connection& sql, const Account& account, core::WallTime now, const Amounts& more)
{
    if (more.areNothing()) {
        return;
    }
    static const std::string text = dayInsertion(0, measureList(":"), additionList("usage_days"));
    const long long day = dayOf(now);
    const MeasureValues values(more);
    sql.ask(text, use(day), use(day), use(account.caller), use(account.issuer), use(account.subject),
        use(account.project), use(account.provider), use(account.model), use(account.transport), values.uses());
}

void closeGone(Connection& sql, core::WallTime now)
{
    const long long at = millisOf(now);
    const long long heardSince = at - kStreamHeardMs;
    sql.ask(
        "UPDATE usage_sessions SET ended_at = last_seen, is_holding = 0, reason = CASE WHEN reason = '' THEN 'expired' ELSE "
        "reason END WHERE ended_at = 0 AND (holder = '' OR last_seen <= :since) AND NOT EXISTS "
        "(SELECT 1 FROM sessions s WHERE s.id = usage_sessions.id)",
        use(heardSince));
    sql.ask("DELETE FROM usage_holds WHERE until <= :now", use(at));
}

void forget(Connection& sql, std::int64_t firstDayKept, core::WallTime now)
{
    const long long day = firstDayKept;
    const long long begin = firstDayKept * kDayMs;
    const long long partsBegin = millisOf(now) - kPartsKeptMs;
    sql.ask("DELETE FROM usage_days WHERE day < :day", use(day));
    sql.ask("DELETE FROM usage_sessions WHERE ended_at > 0 AND ended_at < :begin", use(begin));
    sql.ask("DELETE FROM usage_parts WHERE at < :begin AND NOT EXISTS "
            "(SELECT 1 FROM sessions s WHERE s.id = usage_parts.session)",
        use(partsBegin));
}

} // namespace vivavoce::broker::usage::rows
