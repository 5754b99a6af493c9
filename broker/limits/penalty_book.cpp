#include "broker/limits/penalty_book.h"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace vivavoce::broker {
namespace {

/// A full book is not searched for room more often than this.
constexpr core::Milliseconds kSweepPause{1'000};

core::Milliseconds blockLength(const Penalty& penalty, int level)
{
    core::Milliseconds length = penalty.firstBlock;
    for (int i = 1; i < level && length < penalty.longestBlock; ++i) {
        length *= 2;
    }
    return std::min(length, std::max(penalty.longestBlock, penalty.firstBlock));
}

} // namespace

std::optional<Block> PenaltyBook::blockOf(const std::string& offender) const
{
    const std::lock_guard lock(m_mutex);
    const core::MonotonicTime now = m_clock.now();
    const auto known = m_entries.find(offender);
    if (known == m_entries.end() || known->second.blockedUntil <= now) {
        return std::nullopt;
    }
    return describe(*known, now);
}

std::optional<Block> PenaltyBook::violated(const Bucket& bucket, const std::string& offender)
{
    if (bucket.penalty.violations == 0) {
        return std::nullopt;
    }
    const std::lock_guard lock(m_mutex);
    const core::MonotonicTime now = m_clock.now();
    Entry* const entry = entryOf(offender, now);
    // Blocked already: by another request that was under way beside this one.
    if (entry == nullptr || entry->blockedUntil > now) {
        return std::nullopt;
    }
    Violations& violations = entry->violations[bucket.name];
    violations.count = now - violations.latest < bucket.penalty.firstBlock ? violations.count + 1 : 1;
    violations.latest = now;
    const auto matters = entry->level > 0 ? bucket.penalty.forgottenAfter : bucket.penalty.firstBlock;
    entry->forgottenAt = std::max(entry->forgottenAt, now + matters);
    if (violations.count < bucket.penalty.violations) {
        return std::nullopt;
    }
    block(*entry, bucket, now);
    return describe({offender, *entry}, now);
}

std::vector<Block> PenaltyBook::blocks(std::size_t atMost) const
{
    std::vector<Block> result;
    {
        const std::lock_guard lock(m_mutex);
        const core::MonotonicTime now = m_clock.now();
        for (const auto& entry : m_entries) {
            if (entry.second.blockedUntil > now) {
                result.push_back(describe(entry, now));
            }
        }
    }
    std::sort(result.begin(), result.end(), [](const Block& a, const Block& b) { return a.left < b.left; });
    result.resize(std::min(result.size(), atMost));
    return result;
}

bool PenaltyBook::lift(const std::string& offender)
{
    const std::lock_guard lock(m_mutex);
    const auto known = m_entries.find(offender);
    if (known == m_entries.end()) {
        return false;
    }
    const bool wasBlocked = known->second.blockedUntil > m_clock.now();
    m_entries.erase(known);
    return wasBlocked;
}

std::size_t PenaltyBook::offenders() const
{
    const std::lock_guard lock(m_mutex);
    return m_entries.size();
}

PenaltyBook::Entry* PenaltyBook::entryOf(const std::string& offender, core::MonotonicTime now)
{
    if (const auto known = m_entries.find(offender); known != m_entries.end()) {
        if (known->second.forgottenAt <= now) {
            known->second = Entry();
        }
        return &known->second;
    }
    if (m_entries.size() >= m_maxOffenders) {
        if (now - m_lastSwept < kSweepPause) {
            return nullptr;
        }
        m_lastSwept = now;
        for (auto it = m_entries.begin(); it != m_entries.end();) {
            it = it->second.forgottenAt <= now ? m_entries.erase(it) : std::next(it);
        }
        if (m_entries.size() >= m_maxOffenders) {
            return nullptr;
        }
    }
    return &m_entries[offender];
}

void PenaltyBook::block(Entry& entry, const Bucket& bucket, core::MonotonicTime now)
{
    ++entry.level;
    entry.violations.clear();
    entry.blockedFor = bucket.name;
    entry.length = blockLength(bucket.penalty, entry.level);
    entry.blockedUntil = now + entry.length;
    entry.forgottenAt = entry.blockedUntil + bucket.penalty.forgottenAfter;
}

Block PenaltyBook::describe(const Entries::value_type& entry, core::MonotonicTime now)
{
    const Entry& what = entry.second;
    return {entry.first, what.blockedFor, what.level, what.length,
        std::chrono::ceil<core::Milliseconds>(what.blockedUntil - now)};
}

} // namespace vivavoce::broker
