#include "broker/store/database.h"

#include "broker/store/connection.h"
#include "broker/store/database_url.h"
#include "broker/store/internal/sql_connection.h"
#include "broker/store/migrations.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <vector>

namespace vivavoce::broker {
namespace {

using Clock = std::chrono::steady_clock;

/// So many units of work share a write to the disk, at most.
constexpr std::size_t kBatch = 256;
constexpr int kAttempts = 3;
constexpr core::Milliseconds kFirstPause{50};
constexpr core::Milliseconds kLongestPause{2'000};
/// So often what puts something right is tried while the database works: for minutes.
constexpr int kMostFailures = 50;
/// Between two looks whether the database takes writes again.
constexpr core::Milliseconds kLookPause{1'000};
/// How long the end waits for a database that hangs.
constexpr std::chrono::seconds kFarewell{5};
/// And at least, so that one that works is left in order.
constexpr core::Milliseconds kShortestFarewell{250};
constexpr const char* kTookTooLong = "the database took too long for it";

/// Has the file's write lock from the beginning, for which SQLite waits a while: whoever has read before is refused it at once where
/// another program has it.
class WriteTransaction {
public:
    explicit WriteTransaction(Connection& sql) : m_sql(sql) { m_sql.ask("BEGIN IMMEDIATE"); }
    ~WriteTransaction()
    {
        if (m_isOver) {
            return;
        }
        try {
            m_sql.ask("ROLLBACK");
        } catch (const std::exception&) {
            // SQLite has rolled it back by itself.
        }
    }
    WriteTransaction(const WriteTransaction&) = delete;
    WriteTransaction& operator=(const WriteTransaction&) = delete;
    void commit()
    {
        m_sql.ask("COMMIT");
        m_isOver = true;
    }

private:
    Connection& m_sql;
    bool m_isOver = false;
};

} // namespace

/// Shared with the threads, which may outlive the database where that hangs.
class SqlDatabase final : public Database {
public:
    SqlDatabase(DatabaseAddress address, Settings settings, Log& log)
        : m_state(std::make_shared<State>(std::move(address), std::move(settings), log))
    {
    }

    ~SqlDatabase() override
    {
        {
            const std::lock_guard lock(m_state->mutex);
            m_state->isStopping = true;
        }
        m_state->wake.notify_all();
        m_state->stop.notify_all();
        {
            std::unique_lock lock(m_state->mutex);
            const auto now = Clock::now();
            const auto until = std::clamp<Clock::time_point>(m_state->end, now + kShortestFarewell, now + kFarewell);
            m_state->ended.wait_until(lock, until, [this] { return m_state->running == 0; });
        }
        const bool isOver = m_state->running == 0;
        for (std::thread& thread : m_threads) {
            isOver ? thread.join() : thread.detach();
        }
        State::refuse(m_state->takeAll(), "the broker is going down");
    }

    SqlDatabase(const SqlDatabase&) = delete;
    SqlDatabase& operator=(const SqlDatabase&) = delete;

    core::Expected<void, core::Error> begin()
    {
        std::unique_ptr<Connection> first;
        try {
            first = connectTo(m_state->address, m_state->settings.deadline);
            if (const auto fault = migrate(*first, kind())) {
                return core::fail(core::ErrorCode::BadConfiguration, "database.url: " + *fault);
            }
        } catch (const std::exception& error) {
            const auto code =
                kind() == Kind::Sqlite ? core::ErrorCode::OutputUnwritable : core::ErrorCode::BadConfiguration;
            return core::fail(code, "the database cannot be opened: " + reasonOf(error));
        }
        const std::size_t count = kind() == Kind::Sqlite ? 1 : m_state->settings.connections;
        m_state->running = count;
        for (std::size_t i = 0; i < count; ++i) {
            m_threads.emplace_back(
                [state = m_state, sql = std::shared_ptr<Connection>(i == 0 ? std::move(first) : nullptr)]() mutable {
                    state->serve(std::move(sql));
                });
        }
        return {};
    }

    [[nodiscard]] Kind kind() const override { return m_state->address.kind; }
    [[nodiscard]] bool isWorking() const override { return m_state->isWorking && !m_state->hangs(); }
    void closeBy(Clock::time_point end) override
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->end = end;
    }

protected:
    [[nodiscard]] std::optional<DatabaseDown> submit(Job job) override
    {
        {
            const std::lock_guard lock(m_state->mutex);
            if (m_state->isStopping || m_state->jobs.size() >= m_state->settings.maxQueued) {
                return DatabaseDown{
                    m_state->isStopping ? "the broker is going down" : "too many wait for the database"};
            }
            auto& queue = job.isMending ? m_state->mending : m_state->jobs;
            queue.push_back(State::Unit{std::move(job)});
        }
        m_state->wake.notify_one();
        return std::nullopt;
    }
    [[nodiscard]] core::Milliseconds patience() const override { return m_state->settings.deadline; }

private:
    struct State {
        struct Unit : Job {
            /// Of what puts something right: how often it could not be done, and when it is tried again.
            int failures = 0;
            Clock::time_point due{};
        };

        State(DatabaseAddress where, Settings wanted, Log& told)
            : address(std::move(where)), settings(std::move(wanted)), log(told)
        {
        }

        void serve(std::shared_ptr<Connection> sql);
        /// False: it is over.
        [[nodiscard]] bool waitForWork();
        /// Nothing: others were faster.
        [[nodiscard]] std::vector<Unit> next();
        /// The first time at which there is something to put right; the end of time where there is not.
        [[nodiscard]] Clock::time_point nextDue() const;
        void finished(Clock::time_point oldest);
        /// Of what in it somebody waits for; the end of time where that is nothing.
        [[nodiscard]] static Clock::time_point deadlineOf(const std::vector<Unit>& batch);
        [[nodiscard]] bool hangs();
        [[nodiscard]] std::deque<Unit> takeAll();
        [[nodiscard]] std::shared_ptr<Connection> connect(core::Milliseconds& pause);
        void runTogether(std::shared_ptr<Connection>& sql, std::vector<Unit>& batch);
        void runAlone(std::shared_ptr<Connection>& sql, Unit& job);
        /// What is done, and nobody's.
        void takeBack(Job& job);
        /// What puts something right and could not be done now.
        void keep(std::vector<Unit>& batch);
        /// The same after a pause, in which others go first; given up, and told, where it has failed too often and that is no outage.
        void putOff(Unit unit, const std::string& reason, bool isOutage);
        /// Whoever waited for it has been told that it is not done.
        [[nodiscard]] static bool isTooLate(const Job& job) { return !job.isUpkeep && Clock::now() >= job.deadline; }
        void tell(LogLevel level, std::string_view event, const std::string& reason);
        void worked();
        void failed(const std::string& reason);
        /// It takes no writes, until `lookAgain` has found that it does.
        void refuses(const std::string& reason);
        /// Once it has refused a write: whether it takes one.
        void lookAgain(std::shared_ptr<Connection>& sql);
        template <typename Jobs>
        static void refuse(Jobs refused, const std::string& reason)
        {
            for (Job& job : refused) {
                static_cast<void>(job.done(DatabaseDown{reason}));
            }
        }

        const DatabaseAddress address;
        const Settings settings;
        Log& log;
        std::atomic<bool> isWorking{true};
        /// It takes no writes, as far as we know; it may be read.
        std::atomic<bool> isRefusing{false};
        std::mutex mutex;
        std::condition_variable wake;
        /// Of those who wait before they connect again: work is not theirs.
        std::condition_variable stop;
        std::condition_variable ended;
        std::deque<Unit> jobs;
        std::deque<Unit> mending;
        /// The deadlines of what the threads have in hand, and somebody waits for.
        std::multiset<Clock::time_point> underWay;
        /// When a unit of work went well.
        Clock::time_point lastDone;
        /// When it is looked again whether it takes writes.
        Clock::time_point nextLook;
        /// Threads that have a connection, as far as they know.
        std::atomic<std::size_t> connected{0};
        Clock::time_point end = Clock::time_point::max();
        bool isStopping = false;
        std::size_t running = 0;
    };

    std::shared_ptr<State> m_state;
    std::vector<std::thread> m_threads;
};

void SqlDatabase::State::serve(std::shared_ptr<Connection> sql)
{
    core::Milliseconds pause = kFirstPause;
    bool isConnected = false;
    const auto tellConnected = [&] {
        if (isConnected != (sql != nullptr)) {
            isConnected = sql != nullptr;
            isConnected ? ++connected : --connected;
        }
    };
    tellConnected();
    while (waitForWork()) {
        if (sql == nullptr) {
            sql = connect(pause);
            tellConnected();
        }
        std::vector<Unit> batch = sql == nullptr ? std::vector<Unit>() : next();
        if (batch.empty()) {
            continue;
        }
        const Clock::time_point oldest = deadlineOf(batch);
        if (address.kind == Kind::Sqlite) {
            runTogether(sql, batch);
        } else {
            for (Unit& job : batch) {
                runAlone(sql, job);
            }
        }
        finished(oldest);
        tellConnected();
    }
    sql.reset();
    const std::lock_guard lock(mutex);
    --running;
    ended.notify_all();
}

bool SqlDatabase::State::waitForWork()
{
    std::unique_lock lock(mutex);
    while (!isStopping && jobs.empty()) {
        const Clock::time_point due = nextDue();
        if (due <= Clock::now()) {
            break;
        }
        if (due == Clock::time_point::max()) {
            wake.wait(lock);
        } else {
            wake.wait_until(lock, due);
        }
    }
    return !isStopping;
}

Clock::time_point SqlDatabase::State::nextDue() const
{
    Clock::time_point first = Clock::time_point::max();
    for (const Unit& unit : mending) {
        first = std::min(first, unit.due);
    }
    return first;
}

std::vector<SqlDatabase::State::Unit> SqlDatabase::State::next()
{
    const std::lock_guard lock(mutex);
    std::vector<Unit> batch;
    const std::size_t most = address.kind == Kind::Sqlite ? kBatch : 1;
    const auto now = Clock::now();
    for (std::deque<Unit>* queue : {&mending, &jobs}) {
        for (auto unit = queue->begin(); unit != queue->end() && batch.size() < most && !isStopping;) {
            if (unit->due > now) {
                ++unit;
                continue;
            }
            batch.push_back(std::move(*unit));
            unit = queue->erase(unit);
        }
    }
    if (!batch.empty()) {
        underWay.insert(deadlineOf(batch));
    }
    return batch;
}

Clock::time_point SqlDatabase::State::deadlineOf(const std::vector<Unit>& batch)
{
    Clock::time_point first = Clock::time_point::max();
    for (const Job& job : batch) {
        first = job.isUpkeep ? first : std::min(first, job.deadline);
    }
    return first;
}

void SqlDatabase::State::finished(Clock::time_point oldest)
{
    const std::lock_guard lock(mutex);
    underWay.erase(underWay.find(oldest));
}

/// A server that was stopped in the middle, or whose host is gone, says nothing: only time tells.
bool SqlDatabase::State::hangs()
{
    const auto now = Clock::now();
    const std::lock_guard lock(mutex);
    const auto onTime = underWay.upper_bound(now);
    const auto late = std::distance(underWay.begin(), onTime);
    const auto next = std::find_if(jobs.begin(), jobs.end(), [](const Job& job) { return !job.isUpkeep; });
    // One that is slow, on one connection of several, says nothing of the others where those have done something since.
    // The youngest counts: one that was begun a moment before the last success would hide the others.
    const bool isAlone = late > 0 && *std::prev(onTime) - settings.deadline >= lastDone;
    const bool areAll = late > 0 && static_cast<std::size_t>(late) >= connected;
    return isAlone || areAll || (next != jobs.end() && next->deadline <= now);
}

std::deque<SqlDatabase::State::Unit> SqlDatabase::State::takeAll()
{
    const std::lock_guard lock(mutex);
    return std::exchange(jobs, {});
}

std::shared_ptr<Connection> SqlDatabase::State::connect(core::Milliseconds& pause)
{
    if (connected > 0) {
        // Those who are connected go on meanwhile; one of them may sleep through what woke this one.
        wake.notify_all();
    }
    try {
        std::shared_ptr<Connection> sql = connectTo(address, settings.deadline);
        pause = kFirstPause;
        return sql;
    } catch (const std::exception& error) {
        if (connected == 0) {
            failed(reasonOf(error));
            refuse(takeAll(), "the database is away");
        }
        // Whoever comes meanwhile is refused at the queue's pace, not at the network's.
        std::unique_lock lock(mutex);
        stop.wait_for(lock, pause, [this] { return isStopping; });
        pause = std::min(2 * pause, kLongestPause);
        return nullptr;
    }
}

/// One transaction of the file for all of them, in which each is a savepoint: what one of them does wrong takes nobody else along.
void SqlDatabase::State::runTogether(std::shared_ptr<Connection>& connection, std::vector<Unit>& batch)
{
    Connection& sql = *connection;
    std::vector<std::optional<DatabaseDown>> results(batch.size());
    std::vector<bool> areRefused(batch.size());
    bool isAway = false;
    std::optional<std::string> refusal;
    try {
        WriteTransaction all(sql);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (Clock::now() >= batch[i].deadline) {
                results[i] = DatabaseDown{"it waited too long for the database"};
                continue;
            }
            sql.ask("SAVEPOINT unit");
            try {
                batch[i].work(sql);
                if (isTooLate(batch[i])) {
                    results[i] = DatabaseDown{kTookTooLong};
                    sql.ask("ROLLBACK TO unit");
                }
            } catch (const std::exception& error) {
                results[i] = DatabaseDown{reasonOf(error)};
                areRefused[i] = isRefusal(error);
                refusal = areRefused[i] ? results[i]->reason : refusal;
                tell(LogLevel::Error, "store.failed", results[i]->reason);
                sql.ask("ROLLBACK TO unit");
            }
            sql.ask("RELEASE unit");
        }
        all.commit();
        worked();
    } catch (const std::exception& error) {
        isAway = true;
        refusal = isRefusal(error) ? std::optional(reasonOf(error)) : refusal;
        failed(reasonOf(error));
        results.assign(batch.size(), DatabaseDown{reasonOf(error)});
        keep(batch);
    }
    if (refusal) {
        refuses(*refusal);
    } else {
        lookAgain(connection);
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const bool isDone = !results[i];
        if (batch[i].isMending && !isDone) {
            if (!isAway) {
                putOff(std::move(batch[i]), results[i]->reason, areRefused[i]);
            }
            continue;
        }
        if (!batch[i].done(std::move(results[i])) && isDone) {
            takeBack(batch[i]);
        }
    }
}

void SqlDatabase::State::runAlone(std::shared_ptr<Connection>& sql, Unit& job)
{
    DatabaseDown down{"it waited too long for the database"};
    bool mayBeDone = false;
    bool isAway = false;
    bool isRefused = false;
    for (int attempt = 1; attempt <= kAttempts && Clock::now() < job.deadline; ++attempt) {
        bool isCommitting = false;
        isRefused = false;
        try {
            if (sql == nullptr) {
                isAway = true;
                sql = connectTo(address, settings.deadline);
                isAway = false;
            }
            soci::transaction alone(*sql);
            job.work(*sql);
            if (isTooLate(job)) {
                down.reason = kTookTooLong;
                break;
            }
            isCommitting = true;
            alone.commit();
            worked();
            if (!job.done(std::nullopt)) {
                takeBack(job);
            }
            lookAgain(sql);
            return;
        } catch (const std::exception& error) {
            down.reason = reasonOf(error);
            isRefused = sql != nullptr && isRefusal(error);
            const bool isLost = sql == nullptr || !sql->is_connected() || isOfThisConnection(error);
            if (isLost) {
                sql.reset();
                mayBeDone = mayBeDone || isCommitting;
            }
            if (!isLost && !isConflict(error)) {
                if (!isRefused) {
                    tell(LogLevel::Error, "store.failed", down.reason);
                }
                break;
            }
        }
    }
    if (isRefused) {
        isRefusing = true;
    }
    // A connection that is lost says nothing of the others'.
    if (isRefused || (sql == nullptr && (isAway || connected <= 1))) {
        failed(down.reason);
    }
    if (job.isMending && (sql != nullptr || isRefused)) {
        putOff(std::move(job), down.reason, isRefused);
        return;
    }
    if (job.isMending) {
        const std::lock_guard lock(mutex);
        mending.push_front(std::move(job));
        return;
    }
    static_cast<void>(job.done(std::move(down)));
    if (mayBeDone) {
        takeBack(job);
    }
}

void SqlDatabase::State::takeBack(Job& job)
{
    if (!job.undo) {
        return;
    }
    Unit undoing{mendingJob(std::move(job.undo))};
    {
        const std::lock_guard lock(mutex);
        mending.push_back(std::move(undoing));
    }
    wake.notify_one();
}

void SqlDatabase::State::keep(std::vector<Unit>& batch)
{
    std::unique_lock lock(mutex);
    std::for_each(batch.rbegin(), batch.rend(), [this](const Unit& job) {
        if (job.isMending) {
            mending.push_front(job);
        }
    });
    if (!mending.empty()) {
        // It would be tried again at once.
        stop.wait_for(lock, kFirstPause, [this] { return isStopping; });
    }
}

void SqlDatabase::State::putOff(Unit unit, const std::string& reason, bool isOutage)
{
    constexpr int kDoublings = 6;
    core::Milliseconds pause = kLongestPause;
    if (!isOutage) {
        pause = std::min(kFirstPause * (1 << std::min(unit.failures, kDoublings)), kLongestPause);
        if (++unit.failures >= kMostFailures) {
            tell(LogLevel::Error, "store.not_mended", reason);
            return;
        }
    }
    unit.due = Clock::now() + pause;
    {
        const std::lock_guard lock(mutex);
        mending.push_back(std::move(unit));
    }
    // Who waits for work already knows of nothing that is due.
    wake.notify_one();
}

/// A thread that a hanging database keeps may outlive the log: then nothing is told any more.
void SqlDatabase::State::tell(LogLevel level, std::string_view event, const std::string& reason)
{
    const std::lock_guard lock(mutex);
    if (!isStopping) {
        log.write(level, event, {{"reason", reason}});
    }
}

void SqlDatabase::State::worked()
{
    {
        const std::lock_guard lock(mutex);
        lastDone = Clock::now();
    }
    // What only reads goes well all the same.
    if (!isRefusing && !isWorking.exchange(true)) {
        tell(LogLevel::Info, "store.up", "");
    }
}

void SqlDatabase::State::failed(const std::string& reason)
{
    // Told once, not at each attempt.
    if (isWorking.exchange(false)) {
        tell(LogLevel::Warning, "store.down", reason);
    }
}

void SqlDatabase::State::refuses(const std::string& reason)
{
    isRefusing = true;
    failed(reason);
}

void SqlDatabase::State::lookAgain(std::shared_ptr<Connection>& sql)
{
    if (!isRefusing) {
        return;
    }
    {
        const std::lock_guard lock(mutex);
        if (Clock::now() < nextLook) {
            return;
        }
        nextLook = Clock::now() + kLookPause;
    }
    try {
        tryToWrite(*sql, address.kind);
    } catch (const std::exception& error) {
        if (isOfThisConnection(error)) {
            sql.reset();
        }
        if (sql == nullptr || !sql->is_connected() || isRefusal(error)) {
            return;
        }
        // Whatever else it is, it is no refusal.
    }
    isRefusing = false;
    worked();
}

core::Expected<std::unique_ptr<Database>, core::Error> Database::open(Settings settings, Log& log)
{
    auto address = parseDatabaseUrl(settings.url);
    if (!address) {
        return core::Unexpected<core::Error>(address.error());
    }
    auto database = std::make_unique<SqlDatabase>(std::move(*address), std::move(settings), log);
    if (auto begun = database->begin(); !begun) {
        return core::Unexpected<core::Error>(begun.error());
    }
    return std::unique_ptr<Database>(std::move(database));
}

Database::Job Database::mendingJob(Work work)
{
    Job job;
    job.work = std::move(work);
    job.done = [](const std::optional<DatabaseDown>&) { return true; };
    job.deadline = Clock::time_point::max();
    job.isUpkeep = true;
    job.isMending = true;
    return job;
}

void Database::putRight(Work work)
{
    static_cast<void>(submit(mendingJob(std::move(work))));
}

void Database::post(Work work)
{
    Job job;
    job.work = std::move(work);
    job.done = [](const std::optional<DatabaseDown>&) { return true; };
    job.deadline = Clock::now() + patience();
    job.isUpkeep = true;
    static_cast<void>(submit(std::move(job)));
}

} // namespace vivavoce::broker
