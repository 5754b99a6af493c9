#include "broker/alerts/alert_book.h"

#include "broker/store/connection.h"
#include "core/base/random_id.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>
#include <utility>

namespace vivavoce::broker::alerts {
namespace {

using soci::into;
using soci::use;

constexpr const char* kFine = "ok";
constexpr const char* kFailing = "failing";
/// A mark is of use until the longest period is over, a month: else a threshold is told again within it.
constexpr std::chrono::days kMarksKept{32};

long long millisOf(core::WallTime time)
{
    return std::chrono::duration_cast<core::Milliseconds>(time.time_since_epoch()).count();
}

core::WallTime timeOf(long long millis)
{
    return core::WallTime(core::Milliseconds(millis));
}

/// In the order of time, also where ids are compared as text.
std::string newId(core::WallTime now)
{
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), "alert_%013lld_", millisOf(now));
    return digits.data() + core::randomId();
}

/// Names of callers are longer than an index takes.
std::string shortened(const std::string& mark)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    const void* const bytes = mark.data();
    SHA256(static_cast<const unsigned char*>(bytes), mark.size(), hash.data());
    std::string text;
    for (const unsigned char byte : hash) {
        std::array<char, 3> digits{};
        std::snprintf(digits.data(), digits.size(), "%02x", static_cast<unsigned>(byte));
        text += digits.data();
    }
    return text;
}

/// False: it was there.
bool mark(Connection& sql, const std::string& name, long long now)
{
    const std::string key = shortened(name);
    soci::statement statement =
        (sql.prepare << "INSERT INTO alert_marks (name, at) VALUES (:name, :at) ON CONFLICT (name) DO NOTHING",
            use(key), use(now));
    statement.execute(true);
    return statement.get_affected_rows() == 1;
}

/// False: it was so already, or it is well and nobody knew of it.
bool change(Connection& sql, const std::string& subject, bool isFine, long long now)
{
    sql << "INSERT INTO alert_states (subject, state, since) VALUES (:subject, 'ok', :since) "
           "ON CONFLICT (subject) DO NOTHING",
        use(subject), use(now);
    const std::string state = isFine ? kFine : kFailing;
    soci::statement statement = (sql.prepare
            << "UPDATE alert_states SET state = :state, since = :since WHERE subject = :subject AND state <> :same",
        use(state), use(now), use(subject), use(state));
    statement.execute(true);
    return statement.get_affected_rows() == 1;
}

bool isNew(Connection& sql, const Draft& draft, long long now)
{
    if (draft.marks.empty()) {
        return change(sql, draft.subject, draft.isFine, now);
    }
    bool isLastNew = false;
    for (const std::string& name : draft.marks) {
        isLastNew = mark(sql, name, now);
    }
    return isLastNew;
}

/// How many of that kind came within the last hour. Each severity by itself: what is good to know does not crowd out what is urgent.
long long countOf(Connection& sql, const std::string& kind, const std::string& severity, long long now)
{
    constexpr long long kHour = 3'600'000;
    const long long since = now - kHour;
    long long count = 0;
    sql << "SELECT COUNT(*) FROM alerts WHERE kind = :kind AND severity = :severity AND at > :since", into(count),
        use(kind), use(severity), use(since);
    return count;
}

/// Gives it as it is written down.
Alert insert(Connection& sql, const Draft& draft)
{
    Alert alert = draft.alert;
    const std::string kind(textOf(alert.kind));
    const std::string severity(textOf(alert.severity));
    const long long before = countOf(sql, kind, severity, millisOf(alert.at));
    if (before == AlertBook::kMostTold - 1) {
        alert.title += " (for an hour, further ones of this kind and severity are only at /api/admin/alerts)";
    }
    const long long at = millisOf(alert.at);
    sql << "INSERT INTO alerts (id, kind, severity, title, data, broker, at) "
           "VALUES (:id, :kind, :severity, :title, :data, :broker, :at)",
        use(alert.id), use(kind), use(severity), use(alert.title), use(alert.data), use(alert.broker), use(at);
    const bool isTold = before < AlertBook::kMostTold;
    for (const std::string& channel : isTold ? draft.channels : std::vector<std::string>()) {
        sql << "INSERT INTO alert_deliveries (alert, channel, state, attempts, at, reason) "
               "VALUES (:alert, :channel, 'waiting', 0, :at, '')",
            use(alert.id), use(channel), use(at);
    }
    return alert;
}

/// As the columns of `kAlert` have it.
struct AlertRow {
    std::string id;
    std::string kind;
    std::string severity;
    std::string title;
    std::string data;
    std::string broker;
    long long at = 0;

    [[nodiscard]] Alert alert() const
    {
        Alert alert;
        alert.id = id;
        alert.kind = alertKindOf(kind).value_or(AlertKind::Block);
        alert.severity = severity == "info" ? Severity::Info
            : severity == "warning"         ? Severity::Warning
                                            : Severity::Critical;
        alert.title = title;
        alert.data = data;
        alert.broker = broker;
        alert.at = timeOf(at);
        return alert;
    }
};

std::vector<Delivery> deliveriesOf(Connection& sql, const std::string& alert)
{
    std::vector<Delivery> all;
    Delivery one;
    long long at = 0;
    soci::statement statement = (sql.prepare << "SELECT channel, state, attempts, at, reason FROM alert_deliveries "
                                                "WHERE alert = :alert ORDER BY channel",
        into(one.channel), into(one.state), into(one.attempts), into(at), into(one.reason), use(alert));
    for (bool isThere = statement.execute(true); isThere; isThere = statement.fetch()) {
        one.at = timeOf(at);
        all.push_back(one);
    }
    return all;
}

std::vector<ListedAlert> listed(Connection& sql, const std::string& before, int most)
{
    std::vector<ListedAlert> all;
    AlertRow row;
    soci::statement statement = (sql.prepare
            << "SELECT id, kind, severity, title, data, broker, at FROM alerts WHERE :any = '' OR id < :before "
               "ORDER BY id DESC LIMIT :most",
        into(row.id), into(row.kind), into(row.severity), into(row.title), into(row.data), into(row.broker),
        into(row.at), use(before), use(before), use(most));
    for (bool isThere = statement.execute(true); isThere; isThere = statement.fetch()) {
        all.push_back({row.alert(), {}});
    }
    for (ListedAlert& one : all) {
        one.deliveries = deliveriesOf(sql, one.alert.id);
    }
    return all;
}

std::optional<AlertBook::Errand> taken(Connection& sql, const std::string& channel, long long now)
{
    AlertRow row;
    int attempts = 0;
    long long due = 0;
    sql << "SELECT a.id, a.kind, a.severity, a.title, a.data, a.broker, a.at, d.attempts, d.at FROM alert_deliveries d "
           "JOIN alerts a ON a.id = d.alert WHERE d.channel = :channel AND d.state = 'waiting' AND d.at <= :now "
           "ORDER BY d.alert LIMIT 1",
        into(row.id), into(row.kind), into(row.severity), into(row.title), into(row.data), into(row.broker),
        into(row.at), into(attempts), into(due), use(channel), use(now);
    if (!sql.got_data()) {
        return std::nullopt;
    }
    const long long until = now + AlertBook::kLease.count();
    ++attempts;
    // Another broker may have seen it too: the one that finds it as it was has it.
    soci::statement statement =
        (sql.prepare << "UPDATE alert_deliveries SET at = :until, attempts = :attempts "
                        "WHERE alert = :alert AND channel = :channel AND state = 'waiting' AND at = :due",
            use(until), use(attempts), use(row.id), use(channel), use(due));
    statement.execute(true);
    if (statement.get_affected_rows() != 1) {
        return std::nullopt;
    }
    return AlertBook::Errand{row.alert(), attempts};
}

} // namespace

AlertBook::Result<std::vector<Alert>> AlertBook::add(std::vector<Draft> drafts)
{
    const core::WallTime now = m_clock.wallNow();
    for (Draft& draft : drafts) {
        draft.alert.id = newId(now);
        draft.alert.at = now;
    }
    // In one order for everybody, so that no two brokers wait for each other.
    std::sort(drafts.begin(), drafts.end(),
        [](const Draft& a, const Draft& b) { return std::tie(a.marks, a.subject) < std::tie(b.marks, b.subject); });
    std::function<std::vector<Alert>(Connection&)> work = [drafts = std::move(drafts), now](Connection& sql) {
        std::vector<Alert> added;
        for (const Draft& draft : drafts) {
            if (isNew(sql, draft, millisOf(now))) {
                added.push_back(insert(sql, draft));
            }
        }
        return added;
    };
    auto added = co_await m_database.run<std::vector<Alert>>(std::move(work));
    co_return added;
}

AlertBook::Result<std::vector<ListedAlert>> AlertBook::list(std::string before, std::size_t most)
{
    std::function<std::vector<ListedAlert>(Connection&)> work =
        [before = std::move(before), most = static_cast<int>(std::min(most, kMostListed))](
            Connection& sql) { return listed(sql, before, most); };
    auto all = co_await m_database.run<std::vector<ListedAlert>>(std::move(work));
    co_return all;
}

AlertBook::Result<std::optional<AlertBook::Errand>> AlertBook::take(std::string channel)
{
    std::function<std::optional<Errand>(Connection&)> work = [channel = std::move(channel),
                                                                 now = millisOf(m_clock.wallNow())](
                                                                 Connection& sql) { return taken(sql, channel, now); };
    auto errand = co_await m_database.run<std::optional<Errand>>(std::move(work));
    co_return errand;
}

AlertBook::Result<bool> AlertBook::settle(std::string alert, std::string channel, int attempts, Outcome outcome)
{
    std::function<bool(Connection&)> work = [alert = std::move(alert), channel = std::move(channel), attempts,
                                                outcome = std::move(outcome),
                                                now = millisOf(m_clock.wallNow())](Connection& sql) {
        const std::string state = outcome.isSent ? "sent" : outcome.next ? "waiting" : "given_up";
        const long long at = outcome.next ? millisOf(*outcome.next) : now;
        soci::statement statement = (sql.prepare
                << "UPDATE alert_deliveries SET state = :state, at = :at, reason = :reason WHERE alert = :alert "
                   "AND channel = :channel AND state = 'waiting' AND attempts = :attempts",
            use(state), use(at), use(outcome.reason), use(alert), use(channel), use(attempts));
        statement.execute(true);
        return statement.get_affected_rows() == 1;
    };
    auto settled = co_await m_database.run<bool>(std::move(work));
    co_return settled;
}

void AlertBook::forget(std::chrono::days kept)
{
    const core::WallTime now = m_clock.wallNow();
    const long long before = millisOf(now - kept);
    const long long beforeMarks = millisOf(now - std::max(kept, kMarksKept));
    m_database.post([before, beforeMarks](Connection& sql) {
        sql << "DELETE FROM alert_deliveries WHERE alert IN (SELECT id FROM alerts WHERE at < :before)", use(before);
        sql << "DELETE FROM alerts WHERE at < :before", use(before);
        sql << "DELETE FROM alert_marks WHERE at < :before", use(beforeMarks);
    });
}

} // namespace vivavoce::broker::alerts
