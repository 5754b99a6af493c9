#pragma once

#include "core/base/clock.h"
#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

namespace vivavoce::broker {

/// Admits so many requests of one key in any stretch of time of one length.
/// Invariant: no window [t, t + W) holds more than N admitted requests of a key; refused ones are not
/// counted. At most `maxKeys` keys are remembered: when all of them are in use a new key is refused, never an old one forgotten.
/// Threads: [any thread]; one mutex, held for memory operations only.
class SlidingWindow {
public:
    struct Policy {
        std::size_t maxRequests = 10;
        core::Milliseconds window{60'000};
        std::size_t maxKeys = 10'000;
    };

    struct Decision {
        bool isAllowed = false;
        std::size_t limit = 0;
        std::size_t remaining = 0;
        /// Whole seconds, rounded up, until the oldest admitted request leaves the window; what Retry-After says.
        std::int64_t secondsToReset = 0;
    };

    SlidingWindow(Policy policy, const core::Clock& clock) : m_policy(policy), m_clock(clock) {}

    /// Counts one request of `key` if it is admitted.
    [[nodiscard]] Decision take(const std::string& key);
    [[nodiscard]] const Policy& policy() const { return m_policy; }
    [[nodiscard]] std::size_t keys() const;

private:
    void forgetIdle(core::MonotonicTime now);
    void dropOld(std::deque<core::MonotonicTime>& admitted, core::MonotonicTime now) const;

    const Policy m_policy;
    const core::Clock& m_clock;
    mutable std::mutex m_mutex;
    std::unordered_map<std::string, std::deque<core::MonotonicTime>> m_admitted;
    core::MonotonicTime m_lastForgot;
};

} // namespace vivavoce::broker
