#pragma once

#include "core/base/clock.h"
#include "core/base/units.h"

namespace vivavoce::tests {

/// Clocks that stand still until the test moves them. They start at a fixed moment, not at zero.
class ManualClock final : public core::Clock {
public:
    [[nodiscard]] core::MonotonicTime now() const override { return m_now; }
    [[nodiscard]] core::WallTime wallNow() const override { return m_wall; }

    void advance(core::Milliseconds by)
    {
        m_now += by;
        m_wall += by;
    }
    /// Somebody sets the clock of the wall; monotonic time does not care.
    void jumpWall(core::Milliseconds by) { m_wall += by; }

private:
    core::MonotonicTime m_now{std::chrono::hours{100}};
    core::WallTime m_wall{std::chrono::seconds{1'800'000'000}};
};

} // namespace vivavoce::tests
