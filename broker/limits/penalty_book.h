#pragma once

#include "broker/limits/limit_store.h"
#include "core/base/clock.h"

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace vivavoce::broker {

/// Violations and blocks in memory.
/// Invariant: at most `maxOffenders` offenders. When all of them matter still, a new one is not noted: the limits hold, only a
/// block is missing.
/// Threads: [any thread]; one mutex, held for memory operations only.
class PenaltyBook {
public:
    PenaltyBook(std::size_t maxOffenders, const core::Clock& clock) : m_maxOffenders(maxOffenders), m_clock(clock) {}

    /// The block that runs, if one does.
    [[nodiscard]] std::optional<Block> blockOf(const std::string& offender) const;
    /// Notes a violation. The block, where this one led to it.
    [[nodiscard]] std::optional<Block> violated(const Bucket& bucket, const std::string& offender);
    [[nodiscard]] std::vector<Block> blocks(std::size_t atMost) const;
    [[nodiscard]] bool lift(const std::string& offender);
    [[nodiscard]] std::size_t offenders() const;

private:
    struct Violations {
        std::size_t count = 0;
        core::MonotonicTime latest;
    };
    struct Entry {
        /// By bucket.
        std::map<std::string, Violations> violations;
        std::string blockedFor;
        core::Milliseconds length{0};
        core::MonotonicTime blockedUntil;
        int level = 0;
        /// From here on nothing of the entry matters any more.
        core::MonotonicTime forgottenAt;
    };
    using Entries = std::unordered_map<std::string, Entry>;

    [[nodiscard]] Entry* entryOf(const std::string& offender, core::MonotonicTime now);
    static void block(Entry& entry, const Bucket& bucket, core::MonotonicTime now);
    [[nodiscard]] static Block describe(const Entries::value_type& entry, core::MonotonicTime now);

    const std::size_t m_maxOffenders;
    const core::Clock& m_clock;
    mutable std::mutex m_mutex;
    Entries m_entries;
    core::MonotonicTime m_lastSwept;
};

} // namespace vivavoce::broker
