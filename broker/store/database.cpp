#include "broker/store/database.h"

#include "broker/store/database_url.h"
#include "broker/store/internal/sql_connection.h"
#include "broker/store/migrations.h"

#include <nlohmann/json.hpp>
#include <soci/soci.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
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
/// How long the end waits for a database that hangs.
constexpr std::chrono::seconds kFarewell{5};

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
        {
            std::unique_lock lock(m_state->mutex);
            m_state->ended.wait_for(lock, kFarewell, [this] { return m_state->running == 0; });
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
        std::unique_ptr<soci::session> first;
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
                [state = m_state, sql = std::shared_ptr<soci::session>(i == 0 ? std::move(first) : nullptr)]() mutable {
                    state->serve(std::move(sql));
                });
        }
        return {};
    }

    [[nodiscard]] Kind kind() const override { return m_state->address.kind; }
    [[nodiscard]] bool isWorking() const override { return m_state->isWorking; }

protected:
    [[nodiscard]] std::optional<DatabaseDown> submit(Job job) override
    {
        {
            const std::lock_guard lock(m_state->mutex);
            if (m_state->isStopping || m_state->jobs.size() >= m_state->settings.maxQueued) {
                return DatabaseDown{
                    m_state->isStopping ? "the broker is going down" : "too many wait for the database"};
            }
            m_state->jobs.push_back(std::move(job));
        }
        m_state->wake.notify_one();
        return std::nullopt;
    }
    [[nodiscard]] core::Milliseconds patience() const override { return m_state->settings.deadline; }

private:
    struct State {
        State(DatabaseAddress where, Settings wanted, Log& told)
            : address(std::move(where)), settings(std::move(wanted)), log(told)
        {
        }

        void serve(std::shared_ptr<soci::session> sql);
        [[nodiscard]] std::vector<Job> next();
        [[nodiscard]] std::deque<Job> takeAll();
        [[nodiscard]] std::shared_ptr<soci::session> connect(core::Milliseconds& pause);
        void runTogether(soci::session& sql, std::vector<Job>& batch);
        void runAlone(std::shared_ptr<soci::session>& sql, Job& job);
        void tell(LogLevel level, std::string_view event, const std::string& reason);
        void worked();
        void failed(const std::string& reason);
        template <typename Jobs>
        static void refuse(Jobs refused, const std::string& reason)
        {
            for (Job& job : refused) {
                job.done(DatabaseDown{reason});
            }
        }

        const DatabaseAddress address;
        const Settings settings;
        Log& log;
        std::atomic<bool> isWorking{true};
        std::mutex mutex;
        std::condition_variable wake;
        std::condition_variable ended;
        std::deque<Job> jobs;
        bool isStopping = false;
        std::size_t running = 0;
    };

    std::shared_ptr<State> m_state;
    std::vector<std::thread> m_threads;
};

void SqlDatabase::State::serve(std::shared_ptr<soci::session> sql)
{
    core::Milliseconds pause = kFirstPause;
    while (true) {
        std::vector<Job> batch = next();
        if (batch.empty()) {
            break;
        }
        if (sql == nullptr) {
            sql = connect(pause);
        }
        if (sql == nullptr) {
            refuse(std::move(batch), "the database is away");
            continue;
        }
        if (address.kind == Kind::Sqlite) {
            runTogether(*sql, batch);
        } else {
            for (Job& job : batch) {
                runAlone(sql, job);
            }
        }
    }
    sql.reset();
    const std::lock_guard lock(mutex);
    --running;
    ended.notify_all();
}

std::vector<Database::Job> SqlDatabase::State::next()
{
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return !jobs.empty() || isStopping; });
    std::vector<Job> batch;
    const std::size_t most = address.kind == Kind::Sqlite ? kBatch : 1;
    while (!jobs.empty() && batch.size() < most && !isStopping) {
        batch.push_back(std::move(jobs.front()));
        jobs.pop_front();
    }
    return batch;
}

std::deque<Database::Job> SqlDatabase::State::takeAll()
{
    const std::lock_guard lock(mutex);
    return std::exchange(jobs, {});
}

std::shared_ptr<soci::session> SqlDatabase::State::connect(core::Milliseconds& pause)
{
    try {
        std::shared_ptr<soci::session> sql = connectTo(address, settings.deadline);
        pause = kFirstPause;
        return sql;
    } catch (const std::exception& error) {
        failed(reasonOf(error));
        // Whoever comes meanwhile is refused at the queue's pace, not at the network's.
        std::unique_lock lock(mutex);
        wake.wait_for(lock, pause, [this] { return isStopping; });
        pause = std::min(2 * pause, kLongestPause);
        return nullptr;
    }
}

/// One transaction of the file for all of them, in which each is a savepoint: what one of them does wrong takes nobody else along.
void SqlDatabase::State::runTogether(soci::session& sql, std::vector<Job>& batch)
{
    std::vector<std::optional<DatabaseDown>> results(batch.size());
    try {
        soci::transaction all(sql);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (Clock::now() >= batch[i].deadline) {
                results[i] = DatabaseDown{"it waited too long for the database"};
                continue;
            }
            sql << "SAVEPOINT unit";
            try {
                batch[i].work(sql);
            } catch (const std::exception& error) {
                results[i] = DatabaseDown{reasonOf(error)};
                tell(LogLevel::Error, "store.failed", results[i]->reason);
                sql << "ROLLBACK TO unit";
            }
            sql << "RELEASE unit";
        }
        all.commit();
        worked();
    } catch (const std::exception& error) {
        failed(reasonOf(error));
        results.assign(batch.size(), DatabaseDown{reasonOf(error)});
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i].done(std::move(results[i]));
    }
}

void SqlDatabase::State::runAlone(std::shared_ptr<soci::session>& sql, Job& job)
{
    DatabaseDown down{"it waited too long for the database"};
    for (int attempt = 1; attempt <= kAttempts && Clock::now() < job.deadline; ++attempt) {
        try {
            if (sql == nullptr) {
                sql = connectTo(address, settings.deadline);
            }
            soci::transaction alone(*sql);
            job.work(*sql);
            alone.commit();
            worked();
            job.done(std::nullopt);
            return;
        } catch (const std::exception& error) {
            down.reason = reasonOf(error);
            const bool isLost = sql == nullptr || !sql->is_connected();
            if (isLost) {
                sql.reset();
            }
            if (!isLost && !isConflict(error)) {
                tell(LogLevel::Error, "store.failed", down.reason);
                break;
            }
        }
    }
    if (sql == nullptr) {
        failed(down.reason);
    }
    job.done(std::move(down));
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
    if (!isWorking.exchange(true)) {
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

void Database::post(Work work)
{
    Job job;
    job.work = std::move(work);
    job.done = [](const std::optional<DatabaseDown>&) {};
    job.deadline = Clock::now() + patience();
    static_cast<void>(submit(std::move(job)));
}

} // namespace vivavoce::broker
