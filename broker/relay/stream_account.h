#pragma once

#include "broker/relay/session_meter.h"
#include "broker/usage/ledger.h"
#include "core/base/clock.h"
#include "core/base/random_id.h"

#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace vivavoce::broker::relay {

/// A stream's meter, and its place in the ledger.
/// Threads: [any thread].
class StreamAccount {
public:
    /// So much of a stream's time is lost at most when the broker is killed; what was billed never is.
    static constexpr core::Milliseconds kTellEvery{15'000};

    StreamAccount(usage::Account account, SessionMeter meter, usage::Ledger& ledger, const core::Clock& clock)
        : m_account(std::move(account)),
          m_ledger(ledger),
          m_clock(clock),
          m_meter(std::move(meter)),
          m_since(clock.now()),
          m_told(m_since)
    {
    }

    /// Nothing where the budgets bear a turn.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> mayGoOn() { return m_ledger.mayGoOn(m_account); }
    void heard(core::Milliseconds audio);
    /// A message of the provider's, and what it bills.
    [[nodiscard]] std::optional<SessionMeter::Bill> read(const MessageScan& scan, std::string_view text);
    /// In the ledger when it returns, unless that takes so long that the conversation would feel it: then it comes there later. False: the
    /// budgets do not bear one more turn.
    [[nodiscard]] net::Awaitable<bool> settle(SessionMeter::Bill bill);
    /// How the stream stands, where that was not told for a while.
    [[nodiscard]] std::optional<usage::Entry> due();
    /// The last word.
    [[nodiscard]] net::Awaitable<> close(std::string reason);
    [[nodiscard]] std::size_t inputBytesPerMillisecond() const;

private:
    [[nodiscard]] usage::Entry standing(std::string ending) const;

    const usage::Account m_account;
    usage::Ledger& m_ledger;
    const core::Clock& m_clock;
    const std::string m_stream = core::randomId();
    mutable std::mutex m_mutex;
    SessionMeter m_meter;
    const core::MonotonicTime m_since;
    core::MonotonicTime m_told;
};

} // namespace vivavoce::broker::relay
