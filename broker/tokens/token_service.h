#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/auth/caller.h"
#include "broker/limits/gatekeeper.h"
#include "broker/log.h"
#include "broker/providers/provider.h"
#include "broker/tokens/session_registry.h"
#include "broker/tokens/token_hasher.h"
#include "core/protocol/broker/messages.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace vivavoce::broker {

/// Who asks, and from where.
struct Client {
    /// Nobody in particular where a token of ours is all there is.
    auth::Caller caller;
    /// Of the connection, or what a trusted proxy says.
    std::string address;
    /// The id that the answer bears, too.
    std::string request;
};

struct TokenOutcome {
    core::Expected<core::broker::TokenResponse, Fault> result;
    /// Nothing: no limit was asked.
    std::optional<Charge> charge;
};

/// Mints tokens, renews, resumes and ends sessions: gatekeeper, registry, provider and audit put together.
/// Invariant: no token leaves and no session ends before that is in the audit.
/// Threads: [any thread]; holds no lock while others are asked.
class TokenService {
public:
    struct Dependencies {
        SessionRegistry& registry;
        Provider& provider;
        Gatekeeper& gatekeeper;
        AuditTrail& audit;
        const core::Clock& clock;
        Log& log;
    };
    struct Settings {
        std::chrono::seconds life{60};
        /// How long a repetition waits for the request that it repeats.
        core::Milliseconds followPatience{20'000};
    };

    TokenService(Settings settings, Dependencies dependencies);

    /// Counts a mint before anything of the request is looked at.
    [[nodiscard]] net::Awaitable<Admission> admitMint(const Client& client);
    /// A new session's token. The client is admitted already.
    [[nodiscard]] net::Awaitable<TokenOutcome> mint(Client client, core::broker::TokenRequest request);
    /// Continues a session of the client's own; counted in the session's refresh bucket.
    [[nodiscard]] net::Awaitable<TokenOutcome> resume(Client client, core::broker::TokenRequest request);
    [[nodiscard]] net::Awaitable<TokenOutcome> refresh(
        Client client, const core::Secret& token, Idempotency idempotency);

    /// Ends a session of the client's own, or with the admin's scope anybody's. SessionNotFound, also for what is somebody else's.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> end(Client client, std::string sessionId);
    /// Ends all sessions of a caller (auth::Caller::key); how many there were.
    [[nodiscard]] net::Awaitable<core::Expected<std::size_t, Fault>> endAllOf(Client admin, std::string caller);

    enum class ProviderState { Unknown, Ok, Failing };
    [[nodiscard]] ProviderState providerState() const { return m_providerState; }
    [[nodiscard]] std::int64_t totalRefreshes() const { return m_refreshes; }

private:
    struct Fresh {
        core::Secret token;
        core::MonotonicTime expiresAt;
    };
    [[nodiscard]] net::Awaitable<core::Expected<Fresh, Fault>> askProvider(SessionRecord record);
    [[nodiscard]] net::Awaitable<TokenOutcome> renew(Client client, RenewalLead lead, AuditEvent event);
    [[nodiscard]] net::Awaitable<core::Expected<core::broker::TokenResponse, Fault>> renewAdmitted(
        Client client, RenewalLead lead, AuditEvent event);
    [[nodiscard]] net::Awaitable<TokenOutcome> repeat(Client client, RenewalRepeat repeat);
    [[nodiscard]] net::Awaitable<Admission> admitRefresh(const Client& client, const SessionRecord& record);
    /// Durable when it returns; the fault that the client gets otherwise.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> witness(AuditRecord record);
    [[nodiscard]] AuditRecord recordOf(AuditEvent event, const Client& client, const SessionRecord& session) const;
    [[nodiscard]] TokenHash hashOf(const core::Secret& token) const { return m_hasher.hash(token.reveal()); }
    [[nodiscard]] core::broker::TokenResponse answer(
        const SessionRecord& record, core::Secret token, core::MonotonicTime expiresAt) const;
    [[nodiscard]] std::optional<Fault> unknownProvider(const core::broker::TokenRequest& request) const;

    const Settings m_settings;
    const Dependencies m_deps;
    const TokenHasher m_hasher;
    std::atomic<ProviderState> m_providerState{ProviderState::Unknown};
    std::atomic<std::int64_t> m_refreshes{0};
};

} // namespace vivavoce::broker
