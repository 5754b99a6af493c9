#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/session/session_effect.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vivavoce::core {

inline constexpr std::int64_t kNanoDollarsInACent = 10'000'000;

/// What a person allows a conversation.
struct Allowance {
    /// Billionths of a US dollar; 0: whatever it comes to.
    std::int64_t nanoDollars = 0;
    /// During which nobody speaks, types or answers; 0: for ever.
    Milliseconds silence{0};
    /// As nanoDollars, for all conversations of a month.
    std::int64_t monthNanoDollars = 0;
};

/// Says when a conversation has used up what is allowed. Money is estimated from what the provider says of each reply and the prices that came with
/// the program; the reply that uses it up is still heard, and is the last one. A limit on what nobody knows the price of is an error, and so is one
/// on a month of which nobody knows what it has come to.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it.
class AllowanceWatch {
public:
    struct Dependencies {
        const Clock& clock;
        Executor& executor;
        Allowance allowance;
        /// Is called once at most, from within `begin`, `told` or the executor.
        std::function<void(Error)> end;
        /// What this month has come to, in billionths of a US dollar, other programs' conversations included; asked at the beginning and
        /// after whatever was paid for. Null: no month has a limit.
        std::function<Expected<std::int64_t, Error>()> spentThisMonth = nullptr;
    };

    explicit AllowanceWatch(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

    /// Before anything is asked for: nothing begins in a month that is used up. False: it has been ended.
    [[nodiscard]] bool begin();
    void told(const SessionNotice& told);

private:
    void phaseChanged(Phase phase);
    void activityChanged(Activity activity);
    void tokenChanged(const session_notice::TokenChanged& changed);
    /// Some models are paid for by the minute.
    void countTime();
    void paid(std::int64_t nanoDollars);
    void endIfUsedUp();
    [[nodiscard]] bool hasMonthLimit() const { return m_deps.allowance.monthNanoDollars > 0 && m_deps.spentThisMonth; }
    [[nodiscard]] bool isMonthUsedUp();
    /// Somebody was there just now.
    void waitForSilence();
    void end(ErrorCode code, std::string detail);

    Dependencies m_deps;
    std::string m_model;
    std::int64_t m_nanoDollars = 0;
    Activity m_activity = Activity::Listening;
    bool m_isLive = false;
    /// Of the month, before this conversation.
    std::int64_t m_spentBefore = 0;
    bool m_isUsedUp = false;
    bool m_isMonthUsedUp = false;
    bool m_isOver = false;
    MonotonicTime m_countedUntil{};
    std::unique_ptr<Timer> m_timer;
};

} // namespace vivavoce::core
