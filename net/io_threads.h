#pragma once

#include "net/awaitable.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace vivavoce::net {

/// A few contexts, each run by one thread. What belongs together, the two connections of a relayed session for example, is on one
/// of them, so that nothing on its way from the one to the other changes threads.
class IoThreads {
public:
    /// The contexts, not yet running; at least one.
    explicit IoThreads(std::size_t count);
    /// Stops and joins. What waits on a context is destroyed while all of them are still there.
    ~IoThreads();
    IoThreads(const IoThreads&) = delete;
    IoThreads& operator=(const IoThreads&) = delete;

    /// The first of them.
    [[nodiscard]] IoExecutor executor() const;
    [[nodiscard]] std::vector<IoExecutor> executors() const;

    /// Runs each in a thread of its own, until `stop`. Once.
    void start();
    /// As `start`, but the first in this thread; returns when `stop` was called and the others have ended.
    void run();
    /// [any thread]
    void stop();
    /// Waits for the threads of `start`. [not one of them]
    void join();

private:
    class Context;
    struct Thread;
    std::vector<std::unique_ptr<Context>> m_contexts;
    std::vector<std::unique_ptr<Thread>> m_threads;
};

} // namespace vivavoce::net
