#pragma once

#include "broker/audit/audit_record.h"
#include "core/base/clock.h"
#include "core/base/units.h"

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace vivavoce::broker {

/// Keeps those who are refused over and over from filling the trail: of one caller and one reason, the first denial of a window is a
/// record of its own, and the others are one more when the window is over.
/// Invariant: a window has at most two records of each caller and reason, and at most `maxCallers` callers; what is more than that is
/// summed up by reason alone.
/// Threads: [any thread]; one mutex, held for memory operations only.
class DenialDigest {
public:
    struct Settings {
        core::Milliseconds window{60'000};
        /// Callers and reasons that are told apart.
        std::size_t maxCallers = 1'000;
    };

    DenialDigest(Settings settings, const core::Clock& clock) : m_settings(settings), m_clock(clock) {}

    /// Counts a denial of `caller`. What is to be told now: nothing, or this record; and what was summed up of its caller before.
    [[nodiscard]] std::vector<AuditRecord> take(const std::string& caller, AuditRecord denial);
    /// The sums of the windows that are over.
    [[nodiscard]] std::vector<AuditRecord> takeDue();
    /// All sums: nobody will ask later.
    [[nodiscard]] std::vector<AuditRecord> takeAll();

private:
    struct Entry {
        core::MonotonicTime since;
        /// The latest one that was not told by itself, and how many there were.
        AuditRecord latest;
        std::uint64_t untold = 0;
    };

    [[nodiscard]] bool isOver(const Entry& entry) const { return m_clock.now() - entry.since >= m_settings.window; }
    template <typename Which>
    [[nodiscard]] std::vector<AuditRecord> takeWhere(Which isWanted);

    const Settings m_settings;
    const core::Clock& m_clock;
    std::mutex m_mutex;
    std::unordered_map<std::string, Entry> m_entries;
};

} // namespace vivavoce::broker
