#pragma once

#include "broker/relay/relay_session.h"
#include "broker/tokens/running_streams.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace vivavoce::broker::relay {

/// The streams that run here, each with its session's word that it may go on.
/// A session has one stream: a client that comes again, since its connection died under it, takes the place of its former self once the
/// provider is there for it; with another broker, within a second.
/// Threads: [any thread]; no lock is held while a stream or the registry is asked.
class LiveStreams final : public RunningStreams {
public:
    /// One that is on its way to the provider. Another one of the session that is on its way ends; the one that is there does not.
    void add(const std::shared_ptr<RelaySession>& stream);
    /// It has come there: whichever had the session's place ends.
    void takePlace(const std::shared_ptr<RelaySession>& stream);
    void remove(const std::shared_ptr<RelaySession>& stream);
    /// There is another one of its session.
    [[nodiscard]] bool hasOther(const RelaySession& stream) const;
    [[nodiscard]] std::size_t count() const;
    /// Of a session, the same for all its streams: coming again makes nobody's allowance whole.
    [[nodiscard]] std::shared_ptr<StreamAllowance> allowanceOf(
        const std::string& sessionId, const RelaySession::Settings& settings);

    /// Ends the streams of sessions that have ended, wherever and by whomever that was ordered, and those whose token or time has run out.
    /// While the registry cannot be asked, what is known of them goes on to hold. To be called more often than once a second.
    [[nodiscard]] net::Awaitable<> look(SessionRegistry& registry, const core::Clock& clock);
    /// Tells the ledger how those stand of which it has not heard for a while, and ends those whose budgets are spent, those of which more has
    /// not come there than is held for them, and those whose place another stream of the session has taken, with whichever broker.
    [[nodiscard]] net::Awaitable<> tell(usage::Ledger& ledger);
    /// Ends those of sessions whose budgets are spent.
    void endSpent(const std::vector<std::string>& sessions);

    [[nodiscard]] std::vector<SessionRecord> sessions(const Which& which) const override;
    void endAllOf(const std::vector<SessionRecord>& sessions) override;

private:
    [[nodiscard]] net::Awaitable<> giveWay(usage::Ledger& ledger);
    [[nodiscard]] std::vector<std::shared_ptr<RelaySession>> all() const;
    void forgetWhole(core::MonotonicTime now);

    mutable std::mutex m_mutex;
    using BySession = std::unordered_map<std::string, std::shared_ptr<RelaySession>>;
    /// Those that have their session's place, and those that are on their way.
    BySession m_streams;
    BySession m_coming;
    std::unordered_map<std::string, std::shared_ptr<StreamAllowance>> m_allowances;
};

} // namespace vivavoce::broker::relay
