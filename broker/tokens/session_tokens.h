#pragma once

#include "broker/auth/key_ring.h"
#include "broker/tokens/session_registry.h"

#include <string>
#include <string_view>

namespace vivavoce::broker {

/// What a session's token says, once it is verified.
struct SessionClaims {
    std::string sessionId;
    std::string userId;
    std::string projectId;
    core::WallTime expiresAt;
};

/// The tokens of relayed sessions: JWTs of ours, `typ` "voice-session+jwt", so that none is taken for a user's token nor the other way
/// round (RFC 8725 §3.11). A good one is not enough to be let in: the registry has to know it, too.
/// Threads: [any thread].
class SessionTokens {
public:
    struct Settings {
        /// Who issues them, and whom they are for: this broker, by its public address.
        std::string issuer;
    };

    SessionTokens(Settings settings, auth::KeyRing keys) : m_settings(std::move(settings)), m_keys(std::move(keys)) {}

    /// `{userId, projectId, sessionId, scope, iat, exp, jti, iss, aud, sub}`; times in whole seconds, `exp` rounded down.
    [[nodiscard]] core::Secret mint(const SessionRecord& record, core::WallTime now, core::WallTime expiresAt) const;
    [[nodiscard]] core::Expected<SessionClaims, auth::JwtFault> verify(
        std::string_view token, core::WallTime now) const;
    /// RFC 7517.
    [[nodiscard]] core::Json publishedKeys() const;

private:
    const Settings m_settings;
    const auth::KeyRing m_keys;
};

} // namespace vivavoce::broker
