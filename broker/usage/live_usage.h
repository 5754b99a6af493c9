#pragma once

#include "broker/fault.h"
#include "broker/store/database.h"
#include "broker/usage/amounts.h"
#include "core/base/clock.h"
#include "core/base/expected.h"
#include "net/awaitable.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker::usage {

/// A session with a live token, and what it came to as far as the ledger was told.
struct LiveUsage {
    std::string sessionId;
    std::string transport;
    /// auth::Caller::key, and the same for people to read.
    std::string caller;
    std::string issuer;
    std::string subject;
    std::string project;
    std::string provider;
    std::string model;
    core::WallTime startedAt;
    core::WallTime expiresAt;
    Amounts amounts;
};

/// Whose, and which of them.
struct LiveQuery {
    /// Nothing: everybody's.
    std::optional<std::string> caller;
    std::optional<std::string> project;
    /// The id of the last one of the page before; nothing for the first page.
    std::optional<std::string> before;
    std::size_t most = 100;
};

/// What a caller or a project has spent of what budgets count: relayed sessions, today and this month (both of UTC).
struct Spent {
    std::string who;
    /// Of a caller, for people to read.
    std::string issuer;
    std::string subject;
    std::int64_t dayNanoDollars = 0;
    std::int64_t dayMs = 0;
    std::int64_t monthNanoDollars = 0;
    std::int64_t monthMs = 0;
};

/// What admins look at: one page after the other, each of them fast however many there are.
/// Threads: [any thread]; coroutines on the caller's executor. Lifetime: database and clock outlive it.
class LiveUsageBook {
public:
    static constexpr std::size_t kMost = 1'000;

    LiveUsageBook(Database& database, const core::Clock& clock) : m_database(database), m_clock(clock) {}

    /// The newest first. Unavailable.
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<LiveUsage>, Fault>> live(LiveQuery query) const;
    /// Those who have spent something this month, in the order of their names, after `after`. Unavailable.
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<Spent>, Fault>> ofProjects(
        std::string after, std::size_t most) const;
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<Spent>, Fault>> ofCallers(
        std::string after, std::size_t most) const;
    /// The same of these projects, as many as there are; those that have spent nothing are not there.
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<Spent>, Fault>> ofThese(
        std::vector<std::string> projects) const;
    /// By caller, in which projects each of these has spent something this month, at most 100 each. Unavailable.
    [[nodiscard]] net::Awaitable<core::Expected<std::map<std::string, std::vector<std::string>>, Fault>> projectsOf(
        std::vector<std::string> callers) const;
    /// What the database asks for a page, for tests of its plan.
    [[nodiscard]] static std::string pageStatement(const LiveQuery& query, core::WallTime now);

private:
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<Spent>, Fault>> spent(
        const char* column, std::string after, std::size_t most) const;

    Database& m_database;
    const core::Clock& m_clock;
};

} // namespace vivavoce::broker::usage
