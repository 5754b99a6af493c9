#pragma once

#include "core/base/executor.h"
#include "tests/support/manual_clock.h"

#include <cstdint>
#include <deque>
#include <list>

namespace vivavoce::tests {

/// Runs nothing by itself: the test says when posted work runs, and moves the clock over due timers.
class ManualExecutor final : public core::Executor {
public:
    explicit ManualExecutor(ManualClock& clock) : m_clock(clock) {}

    void post(std::function<void()> work) override { m_posted.push_back(std::move(work)); }
    [[nodiscard]] std::unique_ptr<core::Timer> after(core::Milliseconds delay, std::function<void()> work) override;

    /// Runs what is posted until nothing is left.
    void runPosted();
    /// Moves the clock on, running each timer at its time and posted work in between.
    void advance(core::Milliseconds by);
    [[nodiscard]] std::size_t pendingTimers() const { return m_timers->size(); }

private:
    struct Entry {
        std::uint64_t id;
        core::MonotonicTime due;
        std::function<void()> work;
    };
    class Pending;
    using Timers = std::list<Entry>;

    ManualClock& m_clock;
    std::uint64_t m_lastId = 0;
    std::deque<std::function<void()>> m_posted;
    std::shared_ptr<Timers> m_timers = std::make_shared<Timers>();
};

} // namespace vivavoce::tests
