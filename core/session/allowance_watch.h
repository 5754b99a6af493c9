#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/session/session_effect.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vivavoce::core {

struct PriceRow;

/// The `foreignCode` of BadConfiguration: a month has a limit, and nobody knows what it has come to. As stable as the codes are.
inline constexpr const char* kUnknownMonth = "limits.month";

/// What a person allows a conversation.
struct Allowance {
    /// Billionths of a US dollar; 0: whatever it comes to.
    std::int64_t nanoDollars = 0;
    /// During which nobody speaks, types or answers; 0: for ever.
    Milliseconds silence{0};
    /// As nanoDollars, for all conversations of a month of UTC.
    std::int64_t monthNanoDollars = 0;
};

/// Says when a conversation has used up what is allowed. Money is estimated from what the provider says of each reply and the prices that came with
/// the program, as the book of usage has it; the reply that uses it up is still heard, and is the last one. What is paid for by the minute runs out while
/// nobody says anything, too. A limit on what nobody knows the price of is an error, and so is one on a month of which nobody knows what it has come to.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it.
class AllowanceWatch {
public:
    struct Dependencies {
        const Clock& clock;
        Executor& executor;
        Allowance allowance;
        /// Is called once at most, from within `begin`, `told` or the executor.
        std::function<void(Error)> end;
        /// What this month has come to, in billionths of a US dollar, other programs' conversations included; asked at the beginning,
        /// after whatever was paid for, and from time to time while minutes are. Null: no month has a limit.
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
    /// Of today.
    [[nodiscard]] const PriceRow* priceOf(const std::string& model) const;
    /// Some models are paid for by the minute.
    void countTime();
    void add(std::int64_t nanoDollars, const std::string& day);
    void paid(std::int64_t nanoDollars);
    /// Where the connection is paid for by the minute.
    void payForMinutes();
    /// What is left, of the conversation's and of the month's.
    void look();
    /// It runs out though nobody says anything.
    void waitForEnd(std::int64_t nanoDollarsLeft);
    void endIfUsedUp();
    [[nodiscard]] bool hasMonthLimit() const { return m_deps.allowance.monthNanoDollars > 0 && m_deps.spentThisMonth; }
    [[nodiscard]] std::int64_t spentThisMonth() const;
    /// Somebody was there just now.
    void waitForSilence();
    void end(ErrorCode code, std::string detail, std::string foreignCode = {});

    Dependencies m_deps;
    std::string m_model;
    std::int64_t m_nanoDollars = 0;
    Activity m_activity = Activity::Listening;
    bool m_isLive = false;
    /// The first day of the one that the next two are of.
    std::string m_month;
    /// Before this conversation, and in it.
    std::int64_t m_spentBefore = 0;
    std::int64_t m_spentInMonth = 0;
    bool m_isUsedUp = false;
    bool m_isMonthUsedUp = false;
    bool m_isOver = false;
    MonotonicTime m_countedUntil{};
    std::unique_ptr<Timer> m_silence;
    std::unique_ptr<Timer> m_money;
};

} // namespace vivavoce::core
