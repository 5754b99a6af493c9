#include "broker/limits/sliding_window.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace vivavoce::broker {
namespace {

/// Every request cleans a little: no single one pays for a million idle keys.
constexpr std::size_t kSweptBuckets = 16;
constexpr std::size_t kSweptWhenFull = 4'096;
/// What most callers need of one window, and three times fit the smallest piece of memory anyway.
constexpr std::size_t kFirstCapacity = 3;

} // namespace

SlidingWindow::Decision SlidingWindow::take(std::string_view key)
{
    using namespace std::chrono;
    const Key hashed = keyOf(key);
    const std::lock_guard lock(m_mutex);
    // Read under the lock: the times of an entry are in order.
    const core::MonotonicTime now = m_clock.now();
    sweep(kSweptBuckets, now);
    Decision decision;
    decision.limit = m_policy.maxRequests;
    decision.secondsToReset = ceil<seconds>(m_policy.window).count();
    if (m_policy.maxRequests == 0) {
        return decision;
    }
    Entry* const entry = entryOf(hashed, now);
    if (entry == nullptr) {
        decision.isAllowed = m_policy.whenFull == WhenFull::AdmitUncounted;
        return decision;
    }
    dropOld(*entry, now);
    if (entry->admitted.size() < m_policy.maxRequests) {
        admit(*entry, now);
        decision.isAllowed = true;
        decision.ticket = now;
    }
    // More than the limit are there where it was lowered: all but one of them have to go before there is room.
    const std::size_t held = entry->admitted.size();
    const std::size_t surplus = held - std::min(held, m_policy.maxRequests);
    decision.remaining = m_policy.maxRequests - (held - surplus);
    decision.secondsToReset = ceil<seconds>(m_policy.window - (now - entry->admitted[surplus])).count();
    if (!decision.isAllowed) {
        decision.isViolation = now < entry->waitUntil;
        entry->waitUntil = now + seconds(decision.secondsToReset);
    }
    return decision;
}

SlidingWindow::Decision SlidingWindow::look(std::string_view key) const
{
    using namespace std::chrono;
    const Key hashed = keyOf(key);
    const std::lock_guard lock(m_mutex);
    const core::MonotonicTime now = m_clock.now();
    Decision decision;
    decision.limit = m_policy.maxRequests;
    decision.remaining = m_policy.maxRequests;
    if (m_policy.maxRequests == 0) {
        decision.secondsToReset = ceil<seconds>(m_policy.window).count();
        return decision;
    }
    const auto known = m_entries.find(hashed);
    if (known != m_entries.end()) {
        const auto& admitted = known->second.admitted;
        const auto young = std::find_if(
            admitted.begin(), admitted.end(), [&](core::MonotonicTime time) { return now - time < m_policy.window; });
        const auto held = static_cast<std::size_t>(admitted.end() - young);
        decision.remaining -= std::min(held, decision.remaining);
        if (held > 0) {
            const std::size_t surplus = held - std::min(held, m_policy.maxRequests);
            const core::MonotonicTime oldest = *(young + static_cast<std::ptrdiff_t>(surplus));
            decision.secondsToReset = ceil<seconds>(m_policy.window - (now - oldest)).count();
        }
    }
    decision.isAllowed = decision.remaining > 0;
    return decision;
}

void SlidingWindow::giveBack(std::string_view key, const Ticket& ticket)
{
    if (!ticket) {
        return;
    }
    const Key hashed = keyOf(key);
    const std::lock_guard lock(m_mutex);
    const auto known = m_entries.find(hashed);
    if (known == m_entries.end()) {
        return;
    }
    auto& admitted = known->second.admitted;
    // Its own and nobody else's: others of the key may have come since, and are to stay for as long as they would have.
    const auto own = std::lower_bound(admitted.begin(), admitted.end(), *ticket);
    if (own != admitted.end() && *own == *ticket) {
        admitted.erase(own);
    }
    if (admitted.empty()) {
        m_entries.erase(known);
    }
}

void SlidingWindow::setMaxRequests(std::size_t maxRequests)
{
    const std::lock_guard lock(m_mutex);
    m_policy.maxRequests = maxRequests;
}

void SlidingWindow::setWindow(core::Milliseconds window)
{
    const std::lock_guard lock(m_mutex);
    m_policy.window = window;
}

SlidingWindow::Policy SlidingWindow::policy() const
{
    const std::lock_guard lock(m_mutex);
    return m_policy;
}

std::size_t SlidingWindow::keys() const
{
    const std::lock_guard lock(m_mutex);
    return m_entries.size();
}

SlidingWindow::Key SlidingWindow::keyOf(std::string_view key) const
{
    const TokenHash hash = m_hasher.hash(key);
    Key result{};
    std::memcpy(result.data(), hash.data(), sizeof result);
    return result;
}

SlidingWindow::Entry* SlidingWindow::entryOf(const Key& key, core::MonotonicTime now)
{
    if (const auto known = m_entries.find(key); known != m_entries.end()) {
        return &known->second;
    }
    if (m_entries.size() >= m_policy.maxKeys) {
        sweep(kSweptWhenFull, now);
        if (m_entries.size() >= m_policy.maxKeys) {
            return nullptr;
        }
    }
    return &m_entries[key];
}

void SlidingWindow::admit(Entry& entry, core::MonotonicTime now) const
{
    auto& admitted = entry.admitted;
    if (admitted.size() == admitted.capacity()) {
        // Doubling past the limit would be memory that nothing can use.
        admitted.reserve(std::min(m_policy.maxRequests, std::max(kFirstCapacity, 2 * admitted.size())));
    }
    admitted.push_back(now);
}

void SlidingWindow::dropOld(Entry& entry, core::MonotonicTime now) const
{
    const auto young = std::find_if(entry.admitted.begin(), entry.admitted.end(),
        [&](core::MonotonicTime time) { return now - time < m_policy.window; });
    entry.admitted.erase(entry.admitted.begin(), young);
}

void SlidingWindow::sweep(std::size_t buckets, core::MonotonicTime now)
{
    m_idle.clear();
    const std::size_t all = m_entries.bucket_count();
    for (std::size_t i = 0; i < std::min(buckets, all); ++i) {
        m_nextBucket = m_nextBucket + 1 < all ? m_nextBucket + 1 : 0;
        for (auto it = m_entries.cbegin(m_nextBucket); it != m_entries.cend(m_nextBucket); ++it) {
            if (now - it->second.admitted.back() >= m_policy.window) {
                m_idle.push_back(it->first);
            }
        }
    }
    for (const Key& key : m_idle) {
        m_entries.erase(key);
    }
}

} // namespace vivavoce::broker
