#pragma once

#include "broker/http/entrance.h"
#include "broker/http/request_checks.h"
#include "broker/log.h"
#include "broker/metrics.h"
#include "broker/providers/credential_mask.h"
#include "broker/providers/providers.h"
#include "broker/relay/live_streams.h"
#include "broker/relay/protocol.h"
#include "broker/relay/relay_door.h"
#include "broker/transcripts/transcript_desk.h"
#include "broker/usage/rate_card.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace vivavoce::broker::http {

/// What is the same of all ways into the relay: who bears the token of a relayed session, whether they may begin, and the stream from its
/// beginning to its end in ledger, registry and log.
/// Threads: [any thread]; a stream on its client's executor. Lifetime: shared by handlers and by streams that run.
class StreamOpener {
public:
    struct Dependencies {
        Entrance& entrance;
        relay::RelayDoor& door;
        relay::LiveStreams& streams;
        SessionRegistry& registry;
        usage::Ledger& ledger;
        const usage::RateCard& rates;
        const Providers& providers;
        Gatekeeper& gatekeeper;
        transcripts::TranscriptDesk& transcriptDesk;
        AuditTrail& audit;
        const core::Clock& clock;
        Log& log;
        Metrics& metrics;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };
    /// Who may use that session's stream.
    struct Visitor {
        relay::RelayDoor::Permit permit;
        Client client;
        /// What their token was counted with, and by.
        std::string credential;
        SlidingWindow::Ticket ticket;
    };
    /// One that may run, once.
    struct Opening {
        std::shared_ptr<relay::RelaySession> stream;
        MintOrder order;
        /// What the audit is told where its client hangs up.
        AuditRecord hangUp;
        /// Whose words they are. Null: of a session without a project nothing is kept.
        std::shared_ptr<const transcripts::Conversation> conversation{};
        transcripts::TranscriptDesk::Words words = transcripts::TranscriptDesk::Words::Over;
    };

    StreamOpener(relay::RelaySession::Settings settings, Dependencies dependencies)
        : m_settings(settings), m_deps(std::move(dependencies))
    {
    }

    /// Whoever bears it, or the answer that they get. Counts them as strangers until they have shown a good token, and what is done with that
    /// before anybody is asked about it.
    [[nodiscard]] net::Awaitable<core::Expected<Visitor, net::HttpResponse>> identify(
        Entrance::Stranger stranger, core::Expected<core::Secret, Fault> token);
    /// Charges a connection to the session's bucket, holds the session against its policy as that is now, and asks its budgets.
    [[nodiscard]] net::Awaitable<core::Expected<Opening, net::HttpResponse>> open(
        Visitor visitor, std::string requestId);
    /// Until it has ended, and has been told of.
    [[nodiscard]] net::Awaitable<> run(Opening opening, net::WebSocketSession& client);
    /// A bucket has counted this request and admitted it.
    void countedElsewhere(Visitor& visitor)
    {
        m_deps.gatekeeper.countedElsewhere(visitor.credential, std::exchange(visitor.ticket, std::nullopt));
    }
    /// The allowance that all of that session's streams share.
    [[nodiscard]] std::shared_ptr<relay::StreamAllowance> allowanceOf(const std::string& sessionId)
    {
        return m_deps.streams.allowanceOf(sessionId, m_settings);
    }
    /// What that session speaks.
    [[nodiscard]] const relay::Protocol& protocolOf(const SessionRecord& session) const
    {
        return relay::Protocol::of(m_deps.providers.ofModel(session.model).connect(session.model).dialect);
    }
    /// The problem, with it told to whoever counts refusals where it is one.
    [[nodiscard]] net::HttpResponse turnAway(const Client& client, const Fault& fault);

private:
    /// The same of somebody whose token is not good, or not any more.
    [[nodiscard]] net::HttpResponse turnAway(Entrance::Stranger& stranger, const Fault& fault);
    /// NotAllowed: there is a budget, and what the model costs is not known any more.
    [[nodiscard]] core::Expected<std::shared_ptr<relay::StreamAccount>, Fault> accountFor(
        const relay::RelayDoor::Permit& permit) const;
    /// Null where it has no project.
    [[nodiscard]] std::shared_ptr<const transcripts::Conversation> conversationOf(
        const relay::RelayDoor::Permit& permit) const;
    /// Null: nothing of it is to be kept.
    [[nodiscard]] std::unique_ptr<relay::TranscriptKeeper> keeperFor(
        const Opening& opening, const relay::Protocol& protocol) const;
    /// Whoever hangs up has no use for the session any more: it is no longer one of those that they may have at a time.
    /// The audit is not waited for.
    [[nodiscard]] net::Awaitable<> hungUp(AuditRecord told);
    /// Gives it its session's place, and holds for it what a turn can cost; where others have begun since it was let in, and nothing is left,
    /// it ends.
    [[nodiscard]] net::Awaitable<> begin(std::shared_ptr<relay::RelaySession> stream);
    /// Whether another stream has its session's place, or is about to.
    [[nodiscard]] net::Awaitable<bool> hasSuccessor(relay::RelaySession& stream);
    /// Its last word in ledger, registry and log.
    [[nodiscard]] net::Awaitable<> settleEnd(
        relay::RelaySession& stream, relay::StreamEnd end, AuditRecord hangUp, core::MonotonicTime since);
    [[nodiscard]] net::Awaitable<> toldOf(const std::string& provider, const core::Error& failure) const;
    /// The same for the stream, with none of our credentials in what it says. Null: there is no token beside the key.
    [[nodiscard]] std::unique_ptr<net::WebSocketSession> discreet(std::unique_ptr<net::WebSocketSession> opened,
        std::shared_ptr<const CredentialMask> key, std::shared_ptr<const CredentialMask> token,
        const relay::RelaySession& stream) const;
    void told(const relay::RelaySession& stream, const relay::StreamEnd& end, core::MonotonicTime since) const;

    const relay::RelaySession::Settings m_settings;
    const Dependencies m_deps;
};

/// OpenAI takes events up to 15 MiB, and with them whatever is around the sound.
inline constexpr std::size_t kLongestStreamMessage = 15 * 1024 * 1024;
/// A minute of the provider's speech, which comes faster than it is spoken.
inline constexpr std::size_t kStreamQueueBytes = 4 * 1024 * 1024;
/// Found with the quarter that a look may come late: within five seconds.
inline constexpr core::Milliseconds kStreamSilence{4'000};

} // namespace vivavoce::broker::http
