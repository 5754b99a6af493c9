#pragma once

#include "broker/relay/client_check.h"
#include "broker/relay/stream_meter.h"
#include "broker/usage/ledger.h"
#include "core/base/clock.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::relay {

/// A stream's meter, and its place in the ledger.
/// Threads: [any thread].
class StreamAccount {
public:
    /// So much of a stream's time is lost at most when the broker is killed; what was billed never is.
    static constexpr core::Milliseconds kTellEvery{15'000};
    /// What becomes of the stream once something was billed.
    enum class Settled {
        GoesOn,
        /// The budgets do not bear one more turn.
        Spent,
        /// So much has not come to the ledger that nobody knows whether they do.
        Unknown
    };

    StreamAccount(
        usage::Account account, std::unique_ptr<StreamMeter> meter, usage::Ledger& ledger, const core::Clock& clock);

    /// Nothing where the budgets bear a turn.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> mayGoOn() { return m_ledger.mayGoOn(m_account); }
    /// The same, and from now on it is this stream that the session holds it for. Waits, not for long, where a stream that has lost its place
    /// has not said yet what it came to. BudgetExhausted; Unavailable.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> begin();
    /// Where the budgets do not bear what is held for it and for the one whose place it has taken: waits, not for long, until the latter has
    /// said what it came to. BudgetExhausted; Unavailable.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> outlastFormer();
    /// Another one has taken its place: what the session holds is not held for this one any more.
    void release() { m_ledger.release(m_account); }
    /// It has begun, and the ledger knows.
    [[nodiscard]] bool isHolder() const;
    /// The provider's side is open, or is not any more: that time counts.
    void opened();
    void closed();
    /// Something of the client's that goes to the provider.
    void heard(const Verdict& passed);
    /// The client wants a response. False: the session's budget bears one at a time, and one is under way.
    [[nodiscard]] bool mayAsk(std::string_view eventId);
    /// Where that is so, and the provider has said nothing of it for so long that it never will: what it counts as, and none is under way.
    [[nodiscard]] std::vector<StreamMeter::Bill> giveUpSilent();
    /// A message of the provider's, and what it bills.
    [[nodiscard]] std::optional<StreamMeter::Bill> read(std::string& text);
    /// In the ledger when it returns, unless that takes so long that the conversation would feel it: then it comes there later, and what the
    /// session holds stands for it meanwhile.
    [[nodiscard]] net::Awaitable<Settled> settle(StreamMeter::Bill bill);
    /// Under a budget, and more of the stream has not come to the ledger than the session holds.
    [[nodiscard]] bool isBeyondHold();
    /// The provider may still say what a response costs.
    [[nodiscard]] bool isBillDue() const;
    /// What ends the responses under way, as the client would say it; of each once.
    [[nodiscard]] std::vector<std::string> cancellations();
    /// Responses of which nobody knows what they cost.
    [[nodiscard]] std::uint64_t untold() const;
    /// How the stream stands, where that was not told for a while.
    [[nodiscard]] std::optional<usage::Entry> due();
    /// The last word, with the responses whose end was never told.
    [[nodiscard]] net::Awaitable<> close(std::string reason);
    [[nodiscard]] const usage::Account& account() const { return m_account; }
    [[nodiscard]] std::size_t inputBytesPerMillisecond() const;
    /// StreamMeter::mayHoldWords.
    [[nodiscard]] bool mayHoldWords() const;

private:
    using Told = std::shared_ptr<std::atomic<bool>>;
    /// A bill that came too late to be waited for.
    struct LateBill {
        Told isTold;
        std::int64_t nanoDollars = 0;
    };
    /// How the stream stood.
    struct Mark {
        core::MonotonicTime at{};
        std::int64_t nanoDollars = 0;
    };

    using Question = net::Awaitable<std::optional<Fault>> (usage::Ledger::*)(usage::Account);
    [[nodiscard]] net::Awaitable<std::optional<Fault>> ask(Question question);
    [[nodiscard]] usage::Entry standing(std::string ending) const;
    [[nodiscard]] usage::Entry entryOf(const StreamMeter::Bill& bill) const;

    const usage::Account m_account;
    usage::Ledger& m_ledger;
    const core::Clock& m_clock;
    mutable std::mutex m_mutex;
    const std::unique_ptr<StreamMeter> m_meter;
    std::optional<core::MonotonicTime> m_since;
    std::optional<core::MonotonicTime> m_until;
    core::MonotonicTime m_told;
    std::vector<LateBill> m_lateBills;
    /// As the ledger knows it, and as it was told last; with the latter's word that it has come there.
    Mark m_known;
    Mark m_toldLast;
    Told m_isLastTold;
    std::uint64_t m_untold = 0;
    bool m_isHolder = false;
};

} // namespace vivavoce::broker::relay
