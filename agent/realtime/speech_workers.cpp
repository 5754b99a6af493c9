#include "agent/realtime/speech_workers.h"

#include <algorithm>
#include <utility>

namespace vivavoce::agent::realtime {

namespace {

/// A session has at most a lane, two utterances and two replies at work.
constexpr std::size_t kQueuedPerSession = 8;
constexpr std::size_t kMaxThinkers = 16;

std::size_t cpuThreads()
{
    return std::max<std::size_t>(2, std::thread::hardware_concurrency());
}

} // namespace

WorkerPool::WorkerPool(std::size_t threads, std::size_t maxQueued) : m_maxQueued(maxQueued)
{
    m_threads.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) {
        m_threads.emplace_back([this] { run(); });
    }
}

WorkerPool::~WorkerPool()
{
    stop();
}

bool WorkerPool::submit(Work work)
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_isStopping || m_queue.size() >= m_maxQueued) {
            return false;
        }
        m_queue.push_back(std::move(work));
    }
    m_wake.notify_one();
    return true;
}

void WorkerPool::stop()
{
    std::deque<Work> dropped;
    {
        const std::lock_guard lock(m_mutex);
        m_isStopping = true;
        dropped.swap(m_queue);
    }
    m_wake.notify_all();
    for (std::thread& thread : m_threads) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

void WorkerPool::run()
{
    for (;;) {
        Work work;
        {
            std::unique_lock lock(m_mutex);
            m_wake.wait(lock, [this] { return m_isStopping || !m_queue.empty(); });
            if (m_isStopping) {
                return;
            }
            work = std::move(m_queue.front());
            m_queue.pop_front();
        }
        work();
    }
}

bool SerialLane::post(std::size_t cost, WorkerPool::Work work)
{
    const std::lock_guard lock(m_mutex);
    if (m_isClosed) {
        return false;
    }
    if (!m_isRunning && !m_pool.submit([self = shared_from_this()] { self->step(); })) {
        return false;
    }
    m_isRunning = true;
    m_queue.push_back({cost, std::move(work)});
    m_cost += cost;
    return true;
}

std::size_t SerialLane::cost() const
{
    const std::lock_guard lock(m_mutex);
    return m_cost;
}

void SerialLane::close()
{
    std::deque<Entry> dropped;
    const std::lock_guard lock(m_mutex);
    m_isClosed = true;
    m_cost = 0;
    dropped.swap(m_queue);
}

void SerialLane::step()
{
    for (;;) {
        Entry entry;
        {
            const std::lock_guard lock(m_mutex);
            if (m_queue.empty()) {
                m_isRunning = false;
                return;
            }
            entry = std::move(m_queue.front());
            m_queue.pop_front();
        }
        entry.work();
        const std::lock_guard lock(m_mutex);
        m_cost -= std::min(entry.cost, m_cost);
        if (m_queue.empty()) {
            m_isRunning = false;
            return;
        }
        if (m_pool.submit([self = shared_from_this()] { self->step(); })) {
            return;
        }
        // The pool is full: the turn goes on here rather than leave the lane standing.
    }
}

SpeechWorkers::SpeechWorkers(std::size_t sessions)
    : cpu(cpuThreads(), kQueuedPerSession * (sessions + 1)),
      thinkers(std::min(kMaxThinkers, sessions + 1), kQueuedPerSession * (sessions + 1)),
      usher(1, kQueuedPerSession * (sessions + 1))
{
}

void SpeechWorkers::stop()
{
    usher.stop();
    thinkers.stop();
    cpu.stop();
}

} // namespace vivavoce::agent::realtime
