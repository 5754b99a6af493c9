#pragma once

#include "core/base/clock.h"
#include "core/base/units.h"

#include <algorithm>
#include <optional>

namespace vivavoce::core {

/// How old the token is, for those who show it. It never sees the token.
class TokenAge {
public:
    void acquired(MonotonicTime now, Milliseconds lifetime, Milliseconds renewIn)
    {
        m_renewals += m_acquired ? 1 : 0;
        m_acquired = now;
        m_lifetime = lifetime;
        m_renewIn = renewIn;
    }
    void forget() { *this = TokenAge(); }
    /// It opens nothing any more; how often it was renewed is still to be told.
    void lost() { m_acquired.reset(); }

    [[nodiscard]] bool isKnown() const { return m_acquired.has_value(); }
    [[nodiscard]] Milliseconds lifetime() const { return m_lifetime; }
    [[nodiscard]] int renewals() const { return m_renewals; }
    [[nodiscard]] Milliseconds untilRenewal(MonotonicTime now) const { return left(now, m_renewIn); }
    /// 1: fresh, 0: used up.
    [[nodiscard]] double freshness(MonotonicTime now) const
    {
        const auto span = m_renewIn.count() > 0 ? m_renewIn : m_lifetime;
        return span.count() <= 0 ? 0.0
                                 : static_cast<double>(left(now, span).count()) / static_cast<double>(span.count());
    }

private:
    [[nodiscard]] Milliseconds left(MonotonicTime now, Milliseconds span) const
    {
        if (!m_acquired) {
            return Milliseconds{0};
        }
        const auto age = std::chrono::duration_cast<Milliseconds>(now - *m_acquired);
        return std::clamp(span - age, Milliseconds{0}, span);
    }

    std::optional<MonotonicTime> m_acquired;
    Milliseconds m_lifetime{0};
    Milliseconds m_renewIn{0};
    int m_renewals = 0;
};

} // namespace vivavoce::core
