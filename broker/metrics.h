#pragma once

#include "core/base/clock.h"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace vivavoce::broker {

/// Counts of the API's answers, since the start. [any thread]
class Metrics {
public:
    void answered(unsigned status, core::MonotonicTime::duration took)
    {
        ++m_requests;
        m_failures += status >= 500 ? 1 : 0;
        m_microseconds += std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    }

    [[nodiscard]] std::int64_t requests() const { return m_requests; }
    /// 0 to 1.
    [[nodiscard]] double errorRate() const
    {
        const std::int64_t requests = m_requests;
        return requests == 0 ? 0 : static_cast<double>(m_failures) / static_cast<double>(requests);
    }
    [[nodiscard]] double averageMilliseconds() const
    {
        const std::int64_t requests = m_requests;
        return requests == 0 ? 0 : static_cast<double>(m_microseconds) / 1000.0 / static_cast<double>(requests);
    }

private:
    std::atomic<std::int64_t> m_requests{0};
    std::atomic<std::int64_t> m_failures{0};
    std::atomic<std::int64_t> m_microseconds{0};
};

} // namespace vivavoce::broker
