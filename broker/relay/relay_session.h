#pragma once

#include "broker/relay/client_check.h"
#include "broker/relay/close_codes.h"
#include "broker/relay/session_beginning.h"
#include "broker/relay/stream_account.h"
#include "broker/relay/stream_allowance.h"
#include "broker/relay/transcript_keeper.h"
#include "broker/tokens/session_registry.h"
#include "core/base/clock.h"
#include "net/websocket_session.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

namespace vivavoce::broker::relay {

/// How a stream ended.
struct StreamEnd {
    enum class By { Client, Provider, Broker };
    By by = By::Broker;
    /// What the client was told, or said itself.
    net::WebSocketClose close;
};

/// What went through a stream.
struct StreamCounts {
    std::uint64_t fromClient = 0;
    std::uint64_t fromProvider = 0;
};

/// One client's stream and the provider's, tied together: messages pass whole, in order and unchanged, or not at all.
/// Each direction reads on only when the other side has taken what was read before, but for what its bounded queue holds: a side that does
/// not read stops the other one, and memory stays bounded. Whichever side ends, the other one ends with the same code and reason. Where the
/// client's side ends first, the provider is heard a moment longer: what it was asked for, it bills.
/// Threads: the client's executor, but for what is marked. Lifetime: shared with whoever may end it.
class RelaySession : public std::enable_shared_from_this<RelaySession> {
public:
    struct Settings {
        /// For the provider's side to open.
        core::Milliseconds dialPatience{2'000};
        /// For a provider whose queue is full to take something of it.
        core::Milliseconds sendPatience{10'000};
        /// For it to say what the responses under way cost, once nobody listens to them any more.
        core::Milliseconds billPatience{600};
        /// Of a session, 0: any.
        std::uint64_t messagesPerMinute = 6'000;
        /// A client may catch up with what was said while it had no connection.
        core::Milliseconds audioPerMinute{90'000};
    };
    struct Dependencies {
        std::unique_ptr<ClientCheck> check;
        std::shared_ptr<StreamAllowance> allowance;
        std::shared_ptr<StreamAccount> account;
        const core::Clock& clock;
        /// Null: nothing is made of what the provider says first.
        std::unique_ptr<SessionBeginning> beginning{};
        /// Null: nothing of what is said is kept.
        std::unique_ptr<TranscriptKeeper> keeper{};
    };
    /// Opens the provider's side, on the caller's executor.
    using Dial = std::function<net::Awaitable<core::Expected<std::unique_ptr<net::WebSocketSession>, core::Error>>()>;

    RelaySession(LiveSession session, Settings settings, Dependencies dependencies);

    /// Until both sides have ended. What the client says before the provider is there waits in order.
    [[nodiscard]] net::Awaitable<StreamEnd> run(net::WebSocketSession& client, Dial dial);

    [[nodiscard]] const std::string& sessionId() const { return m_record.id; }
    [[nodiscard]] const StreamCounts& counts() const { return m_counts; }
    [[nodiscard]] StreamAccount& account() const { return *m_deps.account; }
    /// Why the provider made no session of it, where it let us in first.
    [[nodiscard]] const std::optional<core::Error>& refusal() const { return m_refusal; }
    /// However it ended: what is half said is told.
    void endTranscript();
    /// [any thread]
    void end(net::WebSocketClose close);
    /// [any thread]
    [[nodiscard]] bool isToldToEnd();
    /// The session has a newer token. [any thread]
    void renewedUntil(core::WallTime expiresAt) { m_expiresAt = expiresAt; }
    /// Ends it where its token or its time has run out. [any thread]
    void endIfOver(core::WallTime now);

private:
    [[nodiscard]] net::Awaitable<> open(Dial dial);
    [[nodiscard]] net::Awaitable<> passUp();
    /// Until the provider's side has ended, whether anybody is told or not.
    [[nodiscard]] net::Awaitable<> passDown();
    /// Waits for the end, and closes both sides.
    [[nodiscard]] net::Awaitable<> closeBoth();
    [[nodiscard]] net::Awaitable<> closeClient();
    [[nodiscard]] net::Awaitable<> closeUpstream();
    /// Waits until the provider has said what everything cost.
    [[nodiscard]] net::Awaitable<> hearTheBill();
    [[nodiscard]] net::Awaitable<> cancelResponses();
    /// One message of the provider's.
    [[nodiscard]] net::Awaitable<> deliver(net::WebSocketMessage message);
    /// A response that is never heard of again is no reason to make none any more.
    [[nodiscard]] net::Awaitable<> giveUpSilent();
    /// To the provider. False: it does not take it.
    [[nodiscard]] net::Awaitable<bool> passUpOne(net::WebSocketMessage message);
    /// What the provider says that the relay goes by: its formats, and what it bills.
    [[nodiscard]] std::optional<StreamMeter::Bill> heed(net::WebSocketMessage& message);
    /// What is not passed on is answered here. False: the stream ends.
    [[nodiscard]] net::Awaitable<bool> take(net::WebSocketMessage message);
    [[nodiscard]] net::Awaitable<bool> refuse(Verdict verdict);
    /// Whether it goes to the provider now. What the client cannot be refused waits for its turn.
    [[nodiscard]] net::Awaitable<bool> mayAsk(const Verdict& verdict);
    /// Ends it where it may not go on after a bill.
    void finishIfOver(StreamAccount::Settled settled);
    /// The first one counts.
    void finish(StreamEnd::By by, net::WebSocketClose close);

    const SessionRecord m_record;
    const Settings m_settings;
    const Dependencies m_deps;
    StreamCounts m_counts;
    std::atomic<core::WallTime> m_expiresAt;
    net::WebSocketSession* m_client = nullptr;
    std::unique_ptr<net::WebSocketSession> m_upstream;
    std::optional<StreamEnd> m_end;
    std::optional<core::Error> m_refusal;
    bool m_isUpstreamOver = false;
    bool m_isTranscriptOver = false;
    /// Wakes closeBoth.
    struct Bell;
    std::shared_ptr<Bell> m_bell;
    /// Guards what other threads ask for before or while it runs.
    std::mutex m_mutex;
    std::optional<net::IoExecutor> m_executor;
    std::optional<net::WebSocketClose> m_wanted;
};

} // namespace vivavoce::broker::relay
