#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace vivavoce::agent::realtime {

/// Threads that run work in order of arrival. The queue is bounded; work that does not fit is refused, never dropped silently.
/// Threads: submit from any thread. Lifetime: the destructor drops waiting work and joins; running work must end by itself.
class WorkerPool {
public:
    using Work = std::function<void()>;

    WorkerPool(std::size_t threads, std::size_t maxQueued);
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// False: full or stopping. [any thread]
    [[nodiscard]] bool submit(Work work);
    /// Refuses new work, drops what waits, and waits for what runs. [any thread but the pool's own]
    void stop();

private:
    void run();

    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<Work> m_queue;
    const std::size_t m_maxQueued;
    bool m_isStopping = false;
    std::vector<std::thread> m_threads;
};

/// One session's work on a shared pool: in order, never two at a time, a turn each, so that no session starves another.
/// Not bounded by itself: the owner looks at cost() and stops reading from its socket (back-pressure, nothing is lost).
/// Threads: [any thread].
class SerialLane : public std::enable_shared_from_this<SerialLane> {
public:
    explicit SerialLane(WorkerPool& pool) : m_pool(pool) {}

    /// `cost` is in bytes. False: closed, or the pool refused.
    [[nodiscard]] bool post(std::size_t cost, WorkerPool::Work work);
    /// Bytes that wait.
    [[nodiscard]] std::size_t cost() const;
    /// Drops what waits.
    void close();

private:
    struct Entry {
        std::size_t cost = 0;
        WorkerPool::Work work;
    };
    void step();

    WorkerPool& m_pool;
    mutable std::mutex m_mutex;
    std::deque<Entry> m_queue;
    std::size_t m_cost = 0;
    bool m_isRunning = false;
    bool m_isClosed = false;
};

/// The threads of an agent, apart by what they wait for, so that waiting never stops computing:
/// `cpu` decodes, listens and speaks and never waits; `thinkers` run brains, which may wait for a network;
/// `usher` waits for a free recogniser on behalf of one utterance after the other.
struct SpeechWorkers {
    explicit SpeechWorkers(std::size_t sessions);
    /// In the order in which they wait for each other.
    void stop();

    WorkerPool cpu;
    WorkerPool thinkers;
    WorkerPool usher;
};

} // namespace vivavoce::agent::realtime
