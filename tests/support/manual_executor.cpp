#include "tests/support/manual_executor.h"

#include <algorithm>

namespace vivavoce::tests {

class ManualExecutor::Pending final : public core::Timer {
public:
    Pending(std::weak_ptr<Timers> timers, std::uint64_t id) : m_timers(std::move(timers)), m_id(id) {}
    ~Pending() override
    {
        if (const auto timers = m_timers.lock()) {
            timers->remove_if([this](const Entry& entry) { return entry.id == m_id; });
        }
    }

private:
    std::weak_ptr<Timers> m_timers;
    std::uint64_t m_id;
};

std::unique_ptr<core::Timer> ManualExecutor::after(core::Milliseconds delay, std::function<void()> work)
{
    m_timers->push_back({++m_lastId, m_clock.now() + delay, std::move(work)});
    return std::make_unique<Pending>(m_timers, m_lastId);
}

void ManualExecutor::runPosted()
{
    while (!m_posted.empty()) {
        const auto work = std::move(m_posted.front());
        m_posted.pop_front();
        work();
    }
}

void ManualExecutor::advance(core::Milliseconds by)
{
    const core::MonotonicTime end = m_clock.now() + by;
    runPosted();
    while (true) {
        const auto first = std::min_element(
            m_timers->begin(), m_timers->end(), [](const Entry& a, const Entry& b) { return a.due < b.due; });
        if (first == m_timers->end() || first->due > end) {
            break;
        }
        m_clock.advance(std::chrono::duration_cast<core::Milliseconds>(
            std::max(first->due - m_clock.now(), core::MonotonicTime::duration{0})));
        const auto work = std::move(first->work);
        m_timers->erase(first);
        work();
        runPosted();
    }
    m_clock.advance(std::chrono::duration_cast<core::Milliseconds>(end - m_clock.now()));
}

} // namespace vivavoce::tests
