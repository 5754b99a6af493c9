#pragma once

#include "broker/alerts/alert_book.h"
#include "broker/alerts/alert_channel.h"
#include "broker/alerts/spending_watch.h"
#include "broker/alerts/state_watch.h"
#include "broker/log.h"
#include "broker/metrics.h"
#include "broker/usage/ledger.h"
#include "net/task_group.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::broker::alerts {

/// How the broker does, for one look.
struct Observed {
    /// By name; those of which something is known.
    std::vector<std::pair<std::string, bool>> providers;
    bool isAuditWorking = true;
    /// Since the start, and how many of them were faults of ours.
    std::int64_t answers = 0;
    std::int64_t failures = 0;
};

/// Notices what operators want to know, writes it down, and has it told. At most 1,000 things that were raised wait for the database: one more
/// drops the oldest, which the log tells. What is written down waits in the database, and is tried again after 1 s, and twice as long each time,
/// 15 minutes at most, until a day has gone by: at least once, also where the broker is killed meanwhile. Nobody's request waits for any of it.
/// Threads: `raise` and what is given to the ledger [any thread]; the rest one at a time on one executor, that of `start`.
/// Lifetime: what it is made of outlives it; `stop` first.
class AlertDesk {
public:
    static constexpr std::size_t kMostWaiting = 1'000;

    struct Dependencies {
        AlertBook& book;
        usage::Ledger& ledger;
        const core::Clock& clock;
        Log& log;
        Metrics& metrics;
        Fetch fetch;
        /// From 0 to 1, for jitter. [any thread]
        std::function<double()> random;
        std::shared_ptr<SpendingWatch> spending;
        /// Which broker this is, for people.
        std::string broker;
    };

    AlertDesk(AlertSettings settings, Dependencies dependencies);

    /// Other channels and thresholds, from now on. [any thread]
    void reconfigure(AlertSettings settings);
    /// Something has happened. `mark` tells it from all that has: the same one is not told twice. Nothing is kept of it where nobody ever looks:
    /// before `start`, unless there are channels.
    void raise(AlertKind kind, Severity severity, std::string title, const core::Json& data, std::string mark);

    void start(net::IoExecutor executor);
    /// One look, about every second; and has what is due told.
    [[nodiscard]] net::Awaitable<> turn(Observed observed);
    /// Attempts under way are cut off at the deadline, and are made again after the next start. What waits is written down.
    [[nodiscard]] net::Awaitable<> stop(core::Milliseconds deadline);

    /// Somebody hears of what is told.
    [[nodiscard]] bool hasChannels() const;
    /// What was raised and is not written down yet.
    [[nodiscard]] std::size_t waiting() const;

private:
    struct Configured;
    [[nodiscard]] std::shared_ptr<const Configured> configured() const;
    [[nodiscard]] Draft addressed(Draft draft) const;
    /// Writes them down. False: the database is away.
    [[nodiscard]] net::Awaitable<bool> write(std::vector<Draft> drafts);
    /// The oldest of what was raised; gives how many. Under the lock.
    [[nodiscard]] std::size_t dropBeyondBound();
    void tellDropped(std::size_t count);
    /// Some of what was raised. False: nothing is left, or the database is away.
    [[nodiscard]] net::Awaitable<bool> writeRaised();
    [[nodiscard]] net::Awaitable<> lookAtStates(Observed observed);
    [[nodiscard]] net::Awaitable<> lookAtBudgets();
    /// All that is due with one channel, one after another.
    [[nodiscard]] net::Awaitable<> deliver(std::string channel);
    [[nodiscard]] net::Awaitable<bool> deliverNext(const std::string& channel);

    const Dependencies m_deps;
    mutable std::mutex m_mutex;
    std::shared_ptr<const Configured> m_configured;
    std::deque<Draft> m_raised;
    StateWatch m_states;
    ErrorShare m_errors;
    std::int64_t m_forgotOn = 0;
    std::atomic<bool> m_isStarted{false};
    std::optional<net::IoExecutor> m_executor;
    std::unique_ptr<net::TaskGroup> m_tasks;
    /// Channels that are being told something.
    const std::shared_ptr<std::set<std::string>> m_busy = std::make_shared<std::set<std::string>>();
};

/// How long to wait after so many attempts that failed. Pure.
[[nodiscard]] core::Milliseconds pauseAfter(int attempts, double random);

} // namespace vivavoce::broker::alerts
