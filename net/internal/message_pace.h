#pragma once

#include "core/base/units.h"

#include <chrono>

namespace vivavoce::net {

/// Whether a message that has begun comes fast enough to be waited for: whole within its time, and something of it in each third of that.
/// Pure; one thread at a time.
class MessagePace {
public:
    using Time = std::chrono::steady_clock::time_point;

    explicit MessagePace(core::Milliseconds time) : m_time(time) {}

    /// A part of one, and not the last.
    void came(Time now)
    {
        m_began = m_isUnderWay ? m_began : now;
        m_last = now;
        m_isUnderWay = true;
    }
    void isWhole() { m_isUnderWay = false; }

    [[nodiscard]] bool isTooSlow(Time now) const
    {
        constexpr int kPauses = 3;
        return m_isUnderWay && (now - m_began >= m_time || now - m_last >= m_time / kPauses);
    }

private:
    const core::Milliseconds m_time;
    Time m_began;
    Time m_last;
    bool m_isUnderWay = false;
};

} // namespace vivavoce::net
