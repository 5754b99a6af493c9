#pragma once

#include "core/base/units.h"
#include "net/awaitable.h"

#include <cstddef>
#include <memory>

namespace vivavoce::net {

/// Children that end with their parent: spawns coroutines, cancels them all, awaits their end.
/// Threads: [any thread], guarded by a mutex that is never held while a child runs.
class TaskGroup {
public:
    explicit TaskGroup(IoExecutor executor);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Runs `task` on `executor`, the executor of a context with one thread; refused (false) once cancelled.
    bool spawn(IoExecutor executor, Awaitable<> task);
    /// Asks every child to end at its next wait, for good: nothing can be spawned any more.
    void cancel();
    /// Waits until no child is left, at most `deadline`; answers whether none is.
    Awaitable<bool> join(core::Milliseconds deadline);
    [[nodiscard]] std::size_t size() const;

private:
    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace vivavoce::net
