#pragma once

#include "broker/limits/charge.h"
#include "broker/log.h"
#include "broker/providers/provider.h"
#include "broker/tokens/session_registry.h"
#include "core/protocol/broker/messages.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace vivavoce::broker {

struct TokenOutcome {
    core::Expected<core::broker::TokenResponse, Fault> result;
    /// Nothing: no limiter was asked.
    std::optional<Charge> charge;
};

/// Mints tokens, renews and resumes sessions: limiter, registry and provider put together.
/// Threads: [any thread]; holds no lock while the provider is asked.
class TokenService {
public:
    struct Dependencies {
        SessionRegistry& registry;
        Provider& provider;
        const core::Clock& clock;
        Log& log;
    };
    struct Settings {
        std::chrono::seconds life{60};
        SlidingWindow::Policy mint{10, core::Milliseconds{60'000}, 10'000};
        SlidingWindow::Policy refresh{60, core::Milliseconds{60'000}, 10'000};
        /// How long a repetition waits for the request that it repeats.
        core::Milliseconds followPatience{20'000};
    };

    TokenService(Settings settings, Dependencies dependencies);

    /// Counts a mint of `caller` before anything of the request is looked at.
    [[nodiscard]] Charge chargeMint(const std::string& caller);
    /// A new session's token. The caller is charged for already.
    [[nodiscard]] net::Awaitable<TokenOutcome> mint(std::string caller, core::broker::TokenRequest request);
    /// Continues a session of the caller's own; counted in the session's refresh bucket.
    [[nodiscard]] net::Awaitable<TokenOutcome> resume(std::string caller, core::broker::TokenRequest request);
    [[nodiscard]] net::Awaitable<TokenOutcome> refresh(const core::Secret& token, Idempotency idempotency);

    enum class ProviderState { Unknown, Ok, Failing };
    [[nodiscard]] ProviderState providerState() const { return m_providerState; }
    [[nodiscard]] std::int64_t totalRefreshes() const { return m_refreshes; }

private:
    struct Fresh {
        core::Secret token;
        core::MonotonicTime expiresAt;
    };
    [[nodiscard]] net::Awaitable<core::Expected<Fresh, Fault>> askProvider(SessionRecord record);
    [[nodiscard]] net::Awaitable<TokenOutcome> renew(RenewalLead lead);
    [[nodiscard]] net::Awaitable<core::Expected<core::broker::TokenResponse, Fault>> renewCharged(RenewalLead lead);
    [[nodiscard]] Charge chargeRefresh(const std::string& sessionId);
    [[nodiscard]] core::broker::TokenResponse answer(
        const SessionRecord& record, core::Secret token, core::MonotonicTime expiresAt) const;
    [[nodiscard]] std::optional<Fault> unknownProvider(const core::broker::TokenRequest& request) const;

    const Settings m_settings;
    const Dependencies m_deps;
    SlidingWindow m_mintLimit;
    SlidingWindow m_refreshLimit;
    std::atomic<ProviderState> m_providerState{ProviderState::Unknown};
    std::atomic<std::int64_t> m_refreshes{0};
};

/// The refusal that belongs to a charge that was not allowed.
[[nodiscard]] Fault rateLimited(const Charge& charge);

} // namespace vivavoce::broker
