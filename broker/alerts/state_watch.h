#pragma once

#include "core/base/clock.h"
#include "core/base/units.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::broker::alerts {

/// How things are, and which of that is worth telling: what has stayed so for a while, and was otherwise when it was last told.
/// Threads: one at a time.
class StateWatch {
public:
    void see(const std::string& subject, bool isFine, core::MonotonicTime now);
    /// What has settled and is not told yet; that something is well when it is first seen, too: to other brokers it may be down.
    [[nodiscard]] std::vector<std::pair<std::string, bool>> due(
        core::MonotonicTime now, core::Milliseconds settle) const;
    void told(const std::string& subject, bool isFine);

private:
    struct Entry {
        bool isFine = true;
        core::MonotonicTime since{};
        std::optional<bool> told{};
    };
    std::map<std::string, Entry> m_entries;
};

/// How many of the answers of the last minutes were faults of ours.
/// Invariant: one look a second and window is kept.
class ErrorShare {
public:
    struct Settings {
        int percent = 5;
        core::Milliseconds window{300'000};
    };
    /// Counts since the start. Whether the share is below `percent`; nothing while too few have been answered to tell.
    [[nodiscard]] std::optional<bool> look(
        std::int64_t answers, std::int64_t failures, core::MonotonicTime now, const Settings& settings);
    /// As of the last look.
    [[nodiscard]] std::int64_t answers() const { return m_answers; }
    [[nodiscard]] std::int64_t failures() const { return m_failures; }

private:
    struct Look {
        core::MonotonicTime at;
        std::int64_t answers;
        std::int64_t failures;
    };
    std::deque<Look> m_looks;
    std::int64_t m_answers = 0;
    std::int64_t m_failures = 0;
};

} // namespace vivavoce::broker::alerts
