#pragma once

#include "core/base/clock.h"
#include "core/base/units.h"

#include <cstddef>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace vivavoce::broker::relay {

/// The names that a client has given its events in the last minute, or two.
/// Invariant: at most twice `kMost` are remembered; of a client that uses more nobody can tell any more, and each counts as used.
/// Threads: one at a time.
class RecentNames {
public:
    static constexpr core::Milliseconds kRemembered{60'000};
    static constexpr std::size_t kMost = 8'192;

    /// False: it was used before, or that cannot be told.
    [[nodiscard]] bool use(std::string_view name, core::MonotonicTime now)
    {
        if (now - m_since >= kRemembered) {
            m_former = std::exchange(m_recent, {});
            m_since = now;
        }
        const std::size_t hash = std::hash<std::string_view>{}(name);
        if (m_former.contains(hash) || m_recent.size() >= kMost) {
            return false;
        }
        return m_recent.insert(hash).second;
    }

private:
    std::unordered_set<std::size_t> m_recent;
    std::unordered_set<std::size_t> m_former;
    core::MonotonicTime m_since{};
};

} // namespace vivavoce::broker::relay
