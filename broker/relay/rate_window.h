#pragma once

#include "core/base/clock.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vivavoce::broker::relay {

/// Amounts of something in the last minute, by seconds.
/// Invariant: no minute, wherever it begins, admits more than the limit; up to a second's worth may be refused that a minute had room for.
/// Threads: one at a time.
class RateWindow {
public:
    /// 0: no limit.
    explicit RateWindow(std::uint64_t limit) : m_limit(limit) {}

    /// False: it is too much now, and counts for nothing.
    [[nodiscard]] bool take(std::uint64_t amount, core::MonotonicTime now)
    {
        forget(now);
        if (m_limit != 0 && m_sum + amount > m_limit) {
            return false;
        }
        m_seconds[static_cast<std::size_t>(m_second) % m_seconds.size()] += amount;
        m_sum += amount;
        return true;
    }

    /// Nothing was admitted in the last minute.
    [[nodiscard]] bool isEmpty(core::MonotonicTime now)
    {
        forget(now);
        return m_sum == 0;
    }

private:
    void forget(core::MonotonicTime now)
    {
        const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
        for (int passed = 0; m_second < second; ++passed) {
            if (passed == kSeconds) {
                // All is long ago.
                m_second = second;
                break;
            }
            ++m_second;
            auto& oldest = m_seconds[static_cast<std::size_t>(m_second) % m_seconds.size()];
            m_sum -= oldest;
            oldest = 0;
        }
    }

    /// A minute, and the second that it begins in the middle of.
    static constexpr int kSeconds = 61;
    const std::uint64_t m_limit;
    std::array<std::uint64_t, kSeconds> m_seconds{};
    std::uint64_t m_sum = 0;
    std::int64_t m_second = 0;
};

} // namespace vivavoce::broker::relay
