#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/auth/caller.h"
#include "broker/limits/gatekeeper.h"
#include "broker/log.h"
#include "broker/metrics.h"
#include "broker/projects/policy_judge.h"
#include "broker/providers/providers.h"
#include "broker/tokens/client.h"
#include "broker/tokens/session_registry.h"
#include "broker/tokens/session_tokens.h"
#include "broker/tokens/successor_seal.h"
#include "broker/tokens/token_hasher.h"
#include "broker/usage/ledger.h"
#include "broker/usage/rate_card.h"
#include "core/protocol/broker/messages.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vivavoce::broker {

struct TokenOutcome {
    core::Expected<core::broker::TokenResponse, Fault> result;
    /// Nothing: no limit was asked.
    std::optional<Charge> charge;
    /// Whose it is, where a refresh is refused and that is known: for the audit.
    std::optional<SessionRecord> session{};
};

/// Mints tokens, renews and resumes sessions: gatekeeper, registry, provider and audit put together.
/// Invariant: no token leaves before that is in the audit.
/// Threads: [any thread]; holds no lock while others are asked.
class TokenService {
public:
    struct Dependencies {
        SessionRegistry& registry;
        const Providers& providers;
        PolicyJudge& judge;
        Gatekeeper& gatekeeper;
        AuditTrail& audit;
        const TokenHasher& hasher;
        const SessionTokens& sessionTokens;
        usage::Ledger& ledger;
        const usage::RateCard& rates;
        const core::Clock& clock;
        Log& log;
        Metrics& metrics;
    };
    struct Settings {
        std::chrono::seconds life{60};
        std::size_t maxSessionsPerUser = 5;
        /// A session is not renewed beyond this.
        std::chrono::seconds longest{86'400};
        /// The same for those through the relay, whose tokens live longer. They cannot outlive their session.
        std::chrono::seconds relayLife{900};
        std::chrono::seconds relayLongest{900};
        /// What clients know the broker by: "https://voice.example".
        std::function<std::string()> baseUrl;
        /// How long a repetition waits for the request that it repeats.
        core::Milliseconds followPatience{20'000};
    };

    TokenService(Settings settings, Dependencies dependencies);

    /// Counts a new session before anything of the request is looked at.
    [[nodiscard]] net::Awaitable<Admission> admit(Client client, SessionTransport transport);
    /// A new session's token: the provider's own, or one of ours for the relay. The client is admitted already.
    [[nodiscard]] net::Awaitable<TokenOutcome> mint(
        Client client, core::broker::TokenRequest request, SessionTransport transport);
    /// Continues a session of the client's own; counted in the session's refresh bucket.
    [[nodiscard]] net::Awaitable<TokenOutcome> resume(
        Client client, core::broker::TokenRequest request, SessionTransport transport);
    /// `look` is let go of once it is known whose token that is, if anybody's.
    [[nodiscard]] net::Awaitable<TokenOutcome> refresh(
        Client client, core::Secret token, Idempotency idempotency, std::shared_ptr<void> look = {});

    /// The client's own live ones.
    [[nodiscard]] SessionRegistry::Answer<std::vector<LiveSession>> sessionsOf(Client client);
    [[nodiscard]] std::size_t mostSessionsOfOne() const { return m_settings.maxSessionsPerUser; }

private:
    struct Fresh {
        core::Secret token;
        core::WallTime expiresAt;
    };
    class HeldLead;
    [[nodiscard]] net::Awaitable<core::Expected<Fresh, Fault>> nextToken(SessionRecord record);
    [[nodiscard]] net::Awaitable<core::Expected<Fresh, Fault>> askProvider(SessionRecord record);
    /// What is minted while the audit takes no line would be thrown away: where it is known not to work, one at a time tries it first.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> faultOfFailingAudit();
    [[nodiscard]] net::Awaitable<TokenOutcome> refreshClaimed(Client client, HeldLead lead, core::Secret token);
    [[nodiscard]] net::Awaitable<TokenOutcome> renewResumed(Client client, HeldLead lead);
    [[nodiscard]] net::Awaitable<core::Expected<core::broker::TokenResponse, Fault>> renewAdmitted(
        Client client, HeldLead lead, AuditEvent event, std::optional<core::Secret> spent);
    [[nodiscard]] net::Awaitable<Fault> tellOfReuse(Client client, SessionRecord session, TokenHash token);
    [[nodiscard]] net::Awaitable<core::Expected<Policy, Fault>> policyOfSession(Client client, std::string sessionId);
    [[nodiscard]] SessionCaps caps(const Policy& policy) const;
    [[nodiscard]] core::Expected<core::broker::TokenResponse, Fault> answerAgain(
        const RenewalRepeat& repeat, const core::Secret& spent) const;
    [[nodiscard]] net::Awaitable<Admission> admitRefresh(const Client& client, const SessionRecord& record);
    [[nodiscard]] TokenHash hashOf(const core::Secret& token) const { return m_deps.hasher.hash(token.reveal()); }
    [[nodiscard]] core::broker::TokenResponse answer(
        const SessionRecord& record, core::Secret token, core::WallTime expiresAt) const;
    /// Makes the session what is asked for; what is not asked for stays as it is, or is filled in. Refuses what the policy does not allow,
    /// also of what it was until now.
    [[nodiscard]] std::optional<Fault> settle(
        const Policy& policy, core::broker::TokenRequest asked, SessionRecord& record) const;

    const Settings m_settings;
    const Dependencies m_deps;
    const SuccessorSeal m_seal;
    std::atomic<bool> m_isTryingAudit{false};
};

} // namespace vivavoce::broker
