#include "net/task_group.h"

#include "net/internal/boost.h"
#include "net/run_on.h"
#include "net/timer.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace vivavoce::net {
namespace {

/// Threads: only on `executor`, but for the executor itself.
struct Child {
    explicit Child(IoExecutor where) : executor(std::move(where)) {}

    IoExecutor executor;
    asio::cancellation_signal signal;
    bool isCancelled = false;
};

} // namespace

struct TaskGroup::State {
    explicit State(IoExecutor where) : executor(std::move(where)) {}

    IoExecutor executor;
    mutable std::mutex mutex;
    std::set<std::shared_ptr<Child>> children;
    std::vector<std::shared_ptr<Timer>> waiters;
    bool isCancelled = false;

    void ended(const std::shared_ptr<Child>& child)
    {
        std::vector<std::shared_ptr<Timer>> wake;
        {
            const std::lock_guard lock(mutex);
            children.erase(child);
            if (children.empty()) {
                wake.swap(waiters);
            }
        }
        for (const auto& timer : wake) {
            asio::post(timer->get_executor(), [timer] { timer->cancel(); });
        }
    }

    /// [on `executor`]
    static Awaitable<bool> allEnded(std::shared_ptr<State> state, core::Milliseconds deadline)
    {
        const auto timer = std::make_shared<Timer>(co_await asio::this_coro::executor, deadline);
        {
            const std::lock_guard lock(state->mutex);
            if (state->children.empty()) {
                co_return true;
            }
            state->waiters.push_back(timer);
        }
        co_await timer->async_wait(asTuple);
        const std::lock_guard lock(state->mutex);
        std::erase(state->waiters, timer);
        co_return state->children.empty();
    }
};

TaskGroup::TaskGroup(IoExecutor executor) : m_state(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup()
{
    cancel();
}

bool TaskGroup::spawn(IoExecutor executor, Awaitable<> task)
{
    auto child = std::make_shared<Child>(executor);
    {
        const std::lock_guard lock(m_state->mutex);
        if (m_state->isCancelled) {
            return false;
        }
        m_state->children.insert(child);
    }
    // The child begins where it runs, so that a cancellation from another thread cannot come in between.
    asio::post(executor, [state = m_state, child, task = std::move(task)]() mutable {
        if (child->isCancelled) {
            state->ended(child);
            return;
        }
        asio::co_spawn(child->executor, std::move(task),
            asio::bind_cancellation_slot(child->signal.slot(),
                // A task that throws has ended like any other: its own code is where errors are told.
                [state, child](const std::exception_ptr&) { state->ended(child); }));
    });
    return true;
}

void TaskGroup::cancel()
{
    std::set<std::shared_ptr<Child>> children;
    {
        const std::lock_guard lock(m_state->mutex);
        if (std::exchange(m_state->isCancelled, true)) {
            return;
        }
        children = m_state->children;
    }
    for (const auto& child : children) {
        asio::post(child->executor, [child] {
            child->isCancelled = true;
            child->signal.emit(asio::cancellation_type::terminal);
        });
    }
}

Awaitable<bool> TaskGroup::join(core::Milliseconds deadline)
{
    // Whoever joins may run elsewhere.
    co_return co_await runOn(m_state->executor, State::allEnded(m_state, deadline));
}

std::size_t TaskGroup::size() const
{
    const std::lock_guard lock(m_state->mutex);
    return m_state->children.size();
}

} // namespace vivavoce::net
