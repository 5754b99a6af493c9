#pragma once

#include "broker/usage/account.h"

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::broker::alerts {

/// Whose budgets were drawn on since somebody looked. At most 10,000 accounts wait; one more is not noted before it spends again.
/// Threads: [any thread]; one mutex, held for memory operations only.
class SpendingWatch {
public:
    static constexpr std::size_t kMostWaiting = 10'000;

    struct Spender {
        usage::Account account;
        /// Budgets that did not bear what was asked for (usage::BudgetStanding::period).
        std::set<std::string> exhausted;
    };

    void note(const usage::Account& account, const std::string& exhausted);
    /// Those behind the last that were taken, and round to the first: those that spend all the time do not keep the others from their turn.
    [[nodiscard]] std::vector<Spender> take(std::size_t most);
    /// They could not be looked at.
    void giveBack(const std::vector<Spender>& spenders);

private:
    void noteLocked(const usage::Account& account, const std::set<std::string>& exhausted);

    std::mutex m_mutex;
    /// By project and caller.
    std::map<std::string, Spender> m_waiting;
    std::string m_last;
};

} // namespace vivavoce::broker::alerts
