#include "broker/audit/denial_digest.h"

#include <utility>

namespace vivavoce::broker {
namespace {

/// Of many callers nothing is told but how often, and why.
AuditRecord nameless(AuditRecord denial)
{
    AuditRecord record;
    record.event = denial.event;
    record.outcome = denial.outcome;
    record.why = std::move(denial.why);
    return record;
}

} // namespace

std::vector<AuditRecord> DenialDigest::take(const std::string& caller, AuditRecord denial)
{
    std::vector<AuditRecord> told;
    const std::lock_guard lock(m_mutex);
    // No reason has a line break.
    std::string key = denial.why + "\n" + caller;
    if (m_entries.count(key) == 0 && m_entries.size() >= m_settings.maxCallers) {
        denial = nameless(std::move(denial));
        key = denial.why;
    }
    auto known = m_entries.find(key);
    if (known != m_entries.end() && isOver(known->second)) {
        if (known->second.untold > 0) {
            told.push_back(std::move(known->second.latest));
        }
        m_entries.erase(known);
        known = m_entries.end();
    }
    if (known == m_entries.end()) {
        m_entries[key].since = m_clock.now();
        told.push_back(std::move(denial));
        return told;
    }
    Entry& entry = known->second;
    denial.count = ++entry.untold;
    entry.latest = std::move(denial);
    return told;
}

template <typename Which>
std::vector<AuditRecord> DenialDigest::takeWhere(Which isWanted)
{
    std::vector<AuditRecord> told;
    const std::lock_guard lock(m_mutex);
    for (auto it = m_entries.begin(); it != m_entries.end();) {
        if (!isWanted(it->second)) {
            ++it;
            continue;
        }
        if (it->second.untold > 0) {
            told.push_back(std::move(it->second.latest));
        }
        it = m_entries.erase(it);
    }
    return told;
}

std::vector<AuditRecord> DenialDigest::takeDue()
{
    return takeWhere([this](const Entry& entry) { return isOver(entry); });
}

std::vector<AuditRecord> DenialDigest::takeAll()
{
    return takeWhere([](const Entry&) { return true; });
}

} // namespace vivavoce::broker
