#include "broker/alerts/spending_watch.h"

namespace vivavoce::broker::alerts {

void SpendingWatch::note(const usage::Account& account, const std::string& exhausted)
{
    const std::lock_guard lock(m_mutex);
    noteLocked(account, exhausted.empty() ? std::set<std::string>() : std::set<std::string>{exhausted});
}

void SpendingWatch::noteLocked(const usage::Account& account, const std::set<std::string>& exhausted)
{
    // A project has no line's end in it, so that no two pairs read the same.
    const std::string key = account.project + '\n' + account.caller;
    if (m_waiting.size() >= kMostWaiting && m_waiting.count(key) == 0) {
        return;
    }
    Spender& spender = m_waiting[key];
    spender.account = account;
    spender.exhausted.insert(exhausted.begin(), exhausted.end());
}

std::vector<SpendingWatch::Spender> SpendingWatch::take(std::size_t most)
{
    std::vector<Spender> taken;
    const std::lock_guard lock(m_mutex);
    while (!m_waiting.empty() && taken.size() < most) {
        auto next = m_waiting.upper_bound(m_last);
        if (next == m_waiting.end()) {
            next = m_waiting.begin();
        }
        m_last = next->first;
        taken.push_back(std::move(next->second));
        m_waiting.erase(next);
    }
    return taken;
}

void SpendingWatch::giveBack(const std::vector<Spender>& spenders)
{
    const std::lock_guard lock(m_mutex);
    for (const Spender& spender : spenders) {
        noteLocked(spender.account, spender.exhausted);
    }
}

} // namespace vivavoce::broker::alerts
