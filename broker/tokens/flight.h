#pragma once

#include "broker/fault.h"
#include "core/base/units.h"
#include "net/awaitable.h"

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace vivavoce::broker {

/// A refresh under way: one request leads it, repetitions of that request wait for its end.
/// Threads: [any thread]; the waiters are woken outside the lock.
class Flight {
public:
    struct Landing {
        /// Nothing: it went well.
        std::optional<Fault> fault;
    };

    /// Only the first landing counts.
    void land(Landing landing);
    /// Waits for the landing; nothing after `patience`.
    [[nodiscard]] net::Awaitable<std::optional<Landing>> wait(core::Milliseconds patience);

private:
    std::mutex m_mutex;
    std::optional<Landing> m_landing;
    std::vector<std::function<void()>> m_wake;
};

} // namespace vivavoce::broker
