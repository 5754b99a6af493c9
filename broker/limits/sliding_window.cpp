#include "broker/limits/sliding_window.h"

#include <chrono>

namespace vivavoce::broker {

SlidingWindow::Decision SlidingWindow::take(const std::string& key)
{
    using namespace std::chrono;
    const std::lock_guard lock(m_mutex);
    // Read under the lock: times in a deque are in order.
    const core::MonotonicTime now = m_clock.now();
    if (m_admitted.size() >= m_policy.maxKeys || now - m_lastForgot > m_policy.window) {
        forgetIdle(now);
    }
    Decision decision;
    decision.limit = m_policy.maxRequests;
    decision.secondsToReset = ceil<seconds>(m_policy.window).count();
    auto known = m_admitted.find(key);
    if (known == m_admitted.end()) {
        if (m_admitted.size() >= m_policy.maxKeys || m_policy.maxRequests == 0) {
            return decision;
        }
        known = m_admitted.emplace(key, std::deque<core::MonotonicTime>()).first;
    }
    auto& admitted = known->second;
    dropOld(admitted, now);
    if (admitted.size() < m_policy.maxRequests) {
        admitted.push_back(now);
        decision.isAllowed = true;
    }
    decision.remaining = m_policy.maxRequests - admitted.size();
    decision.secondsToReset = ceil<seconds>(m_policy.window - (now - admitted.front())).count();
    return decision;
}

std::size_t SlidingWindow::keys() const
{
    const std::lock_guard lock(m_mutex);
    return m_admitted.size();
}

void SlidingWindow::dropOld(std::deque<core::MonotonicTime>& admitted, core::MonotonicTime now) const
{
    while (!admitted.empty() && now - admitted.front() >= m_policy.window) {
        admitted.pop_front();
    }
}

void SlidingWindow::forgetIdle(core::MonotonicTime now)
{
    m_lastForgot = now;
    for (auto it = m_admitted.begin(); it != m_admitted.end();) {
        dropOld(it->second, now);
        it = it->second.empty() ? m_admitted.erase(it) : std::next(it);
    }
}

} // namespace vivavoce::broker
