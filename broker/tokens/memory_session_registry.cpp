#include "broker/tokens/memory_session_registry.h"

#include <algorithm>
#include <utility>

namespace vivavoce::broker {

bool MemorySessionRegistry::hasRoom()
{
    const std::lock_guard lock(m_mutex);
    return makeRoom(m_clock.now());
}

core::Expected<void, Fault> MemorySessionRegistry::open(
    SessionRecord record, std::string_view token, core::MonotonicTime expiresAt)
{
    const TokenHash hash = m_hasher.hash(token);
    const std::lock_guard lock(m_mutex);
    if (!makeRoom(m_clock.now())) {
        return core::Unexpected<Fault>(Fault{FaultCode::SessionsFull, "try again later", std::chrono::seconds(5)});
    }
    // Two sessions of one token: a provider that hands out the same value twice would let one end the other.
    if (m_byToken.contains(hash)) {
        return core::Unexpected<Fault>(
            Fault{FaultCode::ProviderMalformed, "it gave the same token twice", std::nullopt});
    }
    Entry entry;
    entry.token = hash;
    entry.expiresAt = expiresAt;
    entry.record = std::move(record);
    m_byToken.emplace(hash, entry.record.id);
    m_entries.emplace(entry.record.id, std::move(entry));
    return {};
}

Renewal MemorySessionRegistry::claimByToken(std::string_view token, const Idempotency& idempotency)
{
    const TokenHash hash = m_hasher.hash(token);
    const std::lock_guard lock(m_mutex);
    const auto known = m_byToken.find(hash);
    const auto found = known == m_byToken.end() ? m_entries.end() : m_entries.find(known->second);
    if (found == m_entries.end()) {
        return Fault{FaultCode::InvalidToken, "not a token of a session here", std::nullopt};
    }
    Entry& entry = found->second;
    if (entry.token != hash) {
        return claimSpent(found, hash, idempotency);
    }
    if (entry.flight != nullptr) {
        if (!idempotency.key.empty() && entry.flightIdempotency == idempotency) {
            return RenewalUnderWay{entry.record.id, entry.flight};
        }
        return Fault{FaultCode::RefreshInProgress, "wait for its answer", std::chrono::seconds(1)};
    }
    if (m_clock.now() >= entry.expiresAt) {
        return Fault{FaultCode::TokenExpired, "ask for a token with resumeSessionId", std::nullopt};
    }
    entry.flight = std::make_shared<Flight>();
    entry.flightIdempotency = idempotency;
    return RenewalLead{entry.record, entry.flight};
}

Renewal MemorySessionRegistry::claimSpent(
    Entries::iterator found, const TokenHash& hash, const Idempotency& idempotency)
{
    Entry& entry = found->second;
    const auto& last = entry.repeatable;
    if (last && last->spent == hash && !idempotency.key.empty() && last->idempotency == idempotency
        && m_clock.now() <= last->until) {
        return RenewalRepeat{entry.record, last->successor.clone(), entry.expiresAt};
    }
    // Somebody has a copy of the token, and nobody can tell who of the two is the owner.
    erase(found);
    return Fault{FaultCode::TokenReused, "ask for a token of a new session", std::nullopt};
}

Renewal MemorySessionRegistry::claimBySession(std::string_view id, std::string_view caller)
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_entries.find(std::string(id));
    if (found == m_entries.end() || found->second.record.caller != caller
        || m_clock.now() > found->second.expiresAt + m_limits.resumeWindow) {
        return Fault{FaultCode::SessionNotFound, "ask for a token without resumeSessionId", std::nullopt};
    }
    Entry& entry = found->second;
    if (entry.flight != nullptr) {
        return Fault{FaultCode::RefreshInProgress, "wait for its answer", std::chrono::seconds(1)};
    }
    entry.flight = std::make_shared<Flight>();
    entry.flightIdempotency = {};
    return RenewalLead{entry.record, entry.flight};
}

bool MemorySessionRegistry::complete(const RenewalLead& lead, std::string_view successor, core::MonotonicTime expiresAt)
{
    const TokenHash hash = m_hasher.hash(successor);
    bool isDone = false;
    {
        const std::lock_guard lock(m_mutex);
        const auto found = m_entries.find(lead.record.id);
        if (found != m_entries.end() && found->second.flight == lead.flight && !m_byToken.contains(hash)) {
            Entry& entry = found->second;
            const TokenHash spent = std::exchange(entry.token, hash);
            entry.expiresAt = expiresAt;
            entry.record = lead.record;
            m_byToken.emplace(hash, entry.record.id);
            entry.spent.push_back(spent);
            if (entry.spent.size() > m_limits.maxSpent) {
                m_byToken.erase(entry.spent.front());
                entry.spent.pop_front();
            }
            entry.repeatable.reset();
            if (!entry.flightIdempotency.key.empty()) {
                entry.repeatable.emplace(Repeatable{
                    spent, entry.flightIdempotency, core::Secret(successor), m_clock.now() + m_limits.repeatWindow});
            }
            entry.flight.reset();
            isDone = true;
        }
    }
    if (isDone) {
        lead.flight->land({});
    } else {
        abandon(lead, Fault{FaultCode::InvalidToken, "the session has ended", std::nullopt});
    }
    return isDone;
}

void MemorySessionRegistry::abandon(const RenewalLead& lead, Fault fault)
{
    {
        const std::lock_guard lock(m_mutex);
        const auto found = m_entries.find(lead.record.id);
        if (found != m_entries.end() && found->second.flight == lead.flight) {
            found->second.flight.reset();
        }
    }
    lead.flight->land({std::move(fault)});
}

std::optional<SessionRecord> MemorySessionRegistry::end(std::string_view id)
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_entries.find(std::string(id));
    if (found == m_entries.end()) {
        return std::nullopt;
    }
    SessionRecord record = found->second.record;
    erase(found);
    return record;
}

std::vector<SessionRecord> MemorySessionRegistry::endAllOf(std::string_view caller)
{
    std::vector<SessionRecord> ended;
    const std::lock_guard lock(m_mutex);
    for (auto it = m_entries.begin(); it != m_entries.end();) {
        const auto here = it++;
        if (here->second.record.caller == caller) {
            ended.push_back(here->second.record);
            erase(here);
        }
    }
    return ended;
}

std::optional<SessionRecord> MemorySessionRegistry::find(std::string_view id) const
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_entries.find(std::string(id));
    return found == m_entries.end() ? std::nullopt : std::optional(found->second.record);
}

std::optional<SessionRecord> MemorySessionRegistry::findByToken(std::string_view token) const
{
    const TokenHash hash = m_hasher.hash(token);
    const std::lock_guard lock(m_mutex);
    const auto known = m_byToken.find(hash);
    const auto found = known == m_byToken.end() ? m_entries.end() : m_entries.find(known->second);
    return found == m_entries.end() ? std::nullopt : std::optional(found->second.record);
}

std::size_t MemorySessionRegistry::activeOf(std::string_view caller) const
{
    const std::lock_guard lock(m_mutex);
    const auto now = m_clock.now();
    return static_cast<std::size_t>(std::count_if(m_entries.begin(), m_entries.end(),
        [&](const auto& item) { return item.second.record.caller == caller && now < item.second.expiresAt; }));
}

void MemorySessionRegistry::sweep()
{
    const std::lock_guard lock(m_mutex);
    sweepAt(m_clock.now());
}

std::size_t MemorySessionRegistry::active() const
{
    const std::lock_guard lock(m_mutex);
    const auto now = m_clock.now();
    return static_cast<std::size_t>(std::count_if(
        m_entries.begin(), m_entries.end(), [&](const auto& item) { return now < item.second.expiresAt; }));
}

void MemorySessionRegistry::erase(Entries::iterator entry)
{
    m_byToken.erase(entry->second.token);
    for (const TokenHash& spent : entry->second.spent) {
        m_byToken.erase(spent);
    }
    m_entries.erase(entry);
}

void MemorySessionRegistry::sweepAt(core::MonotonicTime now)
{
    for (auto it = m_entries.begin(); it != m_entries.end();) {
        const auto here = it++;
        Entry& entry = here->second;
        if (entry.repeatable && now > entry.repeatable->until) {
            entry.repeatable.reset();
        }
        if (entry.flight == nullptr && now > entry.expiresAt + m_limits.resumeWindow) {
            erase(here);
        }
    }
}

bool MemorySessionRegistry::makeRoom(core::MonotonicTime now)
{
    if (m_entries.size() < m_limits.maxSessions) {
        return true;
    }
    const auto oldest = std::min_element(m_entries.begin(), m_entries.end(), [](const auto& a, const auto& b) {
        // One with a renewal under way is not idle, whatever its age.
        return std::pair(a.second.flight != nullptr, a.second.expiresAt)
            < std::pair(b.second.flight != nullptr, b.second.expiresAt);
    });
    if (oldest == m_entries.end() || oldest->second.flight != nullptr || now < oldest->second.expiresAt) {
        return false;
    }
    erase(oldest);
    return true;
}

} // namespace vivavoce::broker
