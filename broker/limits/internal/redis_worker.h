#pragma once

#include "broker/limits/internal/redis_connection.h"
#include "broker/limits/limit_store.h"
#include "broker/log.h"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vivavoce::broker {

/// A thread with a connection to Redis: runs scripts, many at a time in one round trip, and connects again when the connection is lost.
/// Invariant: at most `maxQueued` wait; more are refused at once, and so are all while Redis is known to be away.
/// Threads: [any thread]; answers come on the thread of its own, [redis], without a lock held.
class RedisWorker {
public:
    struct Settings {
        /// For each step of connecting and for each answer.
        core::Milliseconds deadline{500};
        std::size_t maxQueued = 4'096;
        /// Pause after a connection failed, doubled each time up to the longest.
        core::Milliseconds firstPause{50};
        core::Milliseconds longestPause{2'000};
        /// An idle connection is tried so often.
        core::Milliseconds pingEvery{1'000};
        /// A key that may be written to find out whether Redis takes writes.
        std::string probeKey;
    };
    using Answer = core::Expected<RedisValue, StoreDown>;
    using Time = std::chrono::steady_clock::time_point;

    struct Job {
        /// One of the scripts that the worker was made with; it must outlive the worker.
        const char* script = nullptr;
        std::vector<std::string> keys;
        std::vector<std::string> arguments;
        /// Whoever asked has gone by then: not asked any more.
        Time deadline;
        std::function<void(Answer)> done;
    };

    RedisWorker(RedisAddress address, Settings settings, std::vector<const char*> scripts, Log& log);
    /// Waits for the step under way; jobs that are left are answered with StoreDown.
    ~RedisWorker();
    RedisWorker(const RedisWorker&) = delete;
    RedisWorker& operator=(const RedisWorker&) = delete;

    /// Nothing: the job is accepted and will be answered once. Else why not, and it won't.
    [[nodiscard]] std::optional<StoreDown> submit(Job job);
    [[nodiscard]] bool isUp() const { return m_link == Link::Up; }

private:
    /// Untried: jobs wait for the first attempt.
    enum class Link { Untried, Up, Down };
    struct Loaded {
        const char* script;
        std::string hash;
    };

    void run();
    void runUntilLost();
    [[nodiscard]] core::Expected<void, std::string> connect();
    [[nodiscard]] std::vector<Job> nextJobs();
    /// Answers them all. A failure: the connection is to be given up.
    [[nodiscard]] core::Expected<void, std::string> answer(std::vector<Job> jobs);
    [[nodiscard]] RedisConnection::Command commandOf(const Job& job, const std::string& count, bool isWhole) const;
    [[nodiscard]] core::Expected<std::vector<RedisValue>, std::string> ask(const std::vector<Job>& jobs);
    void lose(const std::string& reason);
    void pause(core::Milliseconds duration);
    [[nodiscard]] std::vector<Job> takeAll();
    [[nodiscard]] bool isStopping() const;

    const RedisAddress m_address;
    const Settings m_settings;
    Log& m_log;
    std::atomic<Link> m_link{Link::Untried};
    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<Job> m_jobs;
    bool m_isStopping = false;
    /// [redis] Which script Redis knows by which name.
    std::vector<Loaded> m_scripts;
    std::unique_ptr<RedisConnection> m_connection;
    std::thread m_thread;
};

} // namespace vivavoce::broker
