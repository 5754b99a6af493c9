#pragma once

#include "broker/projects/policy_judge.h"
#include "broker/relay/locks.h"
#include "broker/tokens/session_registry.h"
#include "broker/tokens/session_tokens.h"
#include "broker/tokens/token_hasher.h"
#include "core/base/clock.h"
#include "core/base/secret.h"

namespace vivavoce::broker::relay {

/// Lets the bearer of a relayed session's token in.
/// Threads: [any thread]. Lifetime: what it is made of outlives it.
class RelayDoor {
public:
    struct Dependencies {
        const SessionTokens& tokens;
        SessionRegistry& registry;
        const TokenHasher& hasher;
        PolicyJudge& judge;
        const core::Clock& clock;
    };
    struct Permit {
        LiveSession session;
        Locks locks;
        /// As it is now; the session was held against it when it got its token.
        Policy policy;
    };

    explicit RelayDoor(Dependencies dependencies) : m_deps(dependencies) {}

    /// Asks nobody: InvalidToken (not ours, forged), TokenExpired.
    [[nodiscard]] core::Expected<SessionClaims, Fault> read(const core::Secret& token) const;
    /// InvalidToken (superseded, of a session that has ended), ProjectNotAllowed (its project is not the caller's any more),
    /// Unavailable.
    [[nodiscard]] net::Awaitable<core::Expected<Permit, Fault>> enter(core::Secret token, SessionClaims claims);

private:
    const Dependencies m_deps;
};

} // namespace vivavoce::broker::relay
