#pragma once

#include "broker/log.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/secret.h"
#include "core/base/units.h"
#include "net/pending_value.h"

#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace vivavoce::broker {

class Connection;

/// The database could not do it in time. `reason` is for the log: never a value.
struct DatabaseDown {
    std::string reason;
};

/// What outlives a kill: SQLite in a file, or PostgreSQL, which several brokers share. Threads of its own do the work.
/// A unit of work is one transaction: it is there as a whole and on disk when its result arrives, or it is not there at all. With
/// SQLite those that come together share one write to the disk. After an outage it goes on by itself.
/// Invariant: at most `maxQueued` units wait; more are refused at once.
/// Threads: [any thread]; the work runs on [store] threads. Lifetime: the log outlives it.
class Database {
public:
    enum class Kind { Sqlite, PostgreSql };
    using Work = std::function<void(Connection&)>;

    struct Settings {
        /// "sqlite:///var/lib/vivavoce/broker.db" (or sqlite://relative/path), "sqlite://:memory:" (gone with the process), "postgresql://user:password@host/name".
        core::Secret url;
        /// Connections to PostgreSQL. SQLite has one: it writes one after another anyway.
        std::size_t connections = 4;
        /// How long a unit of work may take with its waiting.
        core::Milliseconds deadline{5'000};
        std::size_t maxQueued = 8'192;
    };

    /// Connects, and brings the tables to this version's shape. OutputUnwritable (SQLite's file), BadConfiguration (the URL, tables of a
    /// newer version, a server that does not answer).
    [[nodiscard]] static core::Expected<std::unique_ptr<Database>, core::Error> open(Settings settings, Log& log);
    /// Lets go of what is queued; waits for what runs.
    virtual ~Database() = default;

    [[nodiscard]] virtual Kind kind() const = 0;
    /// It could be reached and written when that was last tried, and is not seen to hang: what is late is not what waits longest, does not keep
    /// every connection, and others were done since it came. What nobody waits for is never late.
    [[nodiscard]] virtual bool isWorking() const = 0;
    /// The destructor waits no longer than until then, and a moment. [any thread]
    virtual void closeBy(std::chrono::steady_clock::time_point end) = 0;

    /// Takes back what a unit of work has done.
    template <typename T>
    using Undo = std::function<void(Connection&, const T&)>;
    /// Runs `work` in a transaction and gives what it returned. Work that throws is rolled back and counts as DatabaseDown; after a lost
    /// connection or a conflict with another transaction it runs once more, so it must have no other effects, and has to know its own
    /// again: the connection may have been lost while it was committed. What is done later than its deadline is rolled back; what is committed
    /// when its caller has given up is undone, after an outage as soon as that is over.
    template <typename T>
    [[nodiscard]] net::Awaitable<core::Expected<T, DatabaseDown>> run(
        std::function<T(Connection&)> work, Undo<T> undo = {});
    /// The same for what is not taken back: who waits hears what has become of what is being committed at the deadline, for which they wait as
    /// long again.
    template <typename T>
    [[nodiscard]] net::Awaitable<core::Expected<T, DatabaseDown>> runToTheEnd(std::function<T(Connection&)> work);
    /// The same without anybody waiting for it.
    void post(Work work);
    /// What has to be done before all that comes after it: stays through an outage until it is done, and is tried for minutes else.
    void putRight(Work work);

protected:
    /// Called once: nothing where it went well. False: nobody waits any more.
    using Done = std::function<bool(std::optional<DatabaseDown>)>;
    struct Job {
        Work work;
        Done done;
        std::chrono::steady_clock::time_point deadline;
        /// Empty: it may stay.
        Work undo{};
        /// Nobody waits for it.
        bool isUpkeep = false;
        /// It comes before all others, and stays through an outage until it is done: it puts right what would be wrong without it.
        bool isMending = false;
    };
    [[nodiscard]] static Job mendingJob(Work work);
    /// Something: it is refused, and `done` will not be called.
    [[nodiscard]] virtual std::optional<DatabaseDown> submit(Job job) = 0;
    [[nodiscard]] virtual core::Milliseconds patience() const = 0;

private:
    template <typename T>
    [[nodiscard]] net::Awaitable<core::Expected<T, DatabaseDown>> runFor(
        core::Milliseconds wait, std::function<T(Connection&)> work, Undo<T> undo);
};

template <typename T>
net::Awaitable<core::Expected<T, DatabaseDown>> Database::run(std::function<T(Connection&)> work, Undo<T> undo)
{
    return runFor<T>(patience(), std::move(work), std::move(undo));
}

template <typename T>
net::Awaitable<core::Expected<T, DatabaseDown>> Database::runToTheEnd(std::function<T(Connection&)> work)
{
    return runFor<T>(2 * patience(), std::move(work), Undo<T>());
}

template <typename T>
net::Awaitable<core::Expected<T, DatabaseDown>> Database::runFor(
    core::Milliseconds wait, std::function<T(Connection&)> work, Undo<T> undo)
{
    using Result = core::Expected<T, DatabaseDown>;
    const auto executor = co_await boost::asio::this_coro::executor;
    Job job;
    // No later than whoever waits gives up.
    job.deadline = std::chrono::steady_clock::now() + patience();
    const auto pending = std::make_shared<net::PendingValue<Result>>(executor, wait);
    const net::Pending::Waiter waiter(*pending);
    const auto value = std::make_shared<std::optional<T>>();
    job.work = [work = std::move(work), value](Connection& sql) { value->emplace(work(sql)); };
    if (undo) {
        job.undo = [undo = std::move(undo), value](Connection& sql) { undo(sql, **value); };
    }
    job.done = [pending, value, isUndoable = static_cast<bool>(job.undo)](std::optional<DatabaseDown> down) {
        if (down) {
            return pending->complete(core::Unexpected<DatabaseDown>(std::move(*down)));
        }
        return pending->complete(isUndoable ? Result(**value) : Result(std::move(**value)));
    };
    if (auto refused = submit(std::move(job))) {
        co_return core::Unexpected<DatabaseDown>(std::move(*refused));
    }
    co_await pending->wait();
    auto result = pending->take();
    if (!result) {
        co_return core::Unexpected<DatabaseDown>(DatabaseDown{"the database did not answer in time"});
    }
    co_return std::move(*result);
}

} // namespace vivavoce::broker
