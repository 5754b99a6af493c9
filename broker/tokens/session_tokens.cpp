#include "broker/tokens/session_tokens.h"

#include "broker/tokens/token_hasher.h"

#include <nlohmann/json.hpp>

#include <chrono>

namespace vivavoce::broker {
namespace {

constexpr std::string_view kType = "voice-session+jwt";
constexpr std::string_view kScope = "voice-session";

std::int64_t secondsOf(core::WallTime time)
{
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::string textOf(const core::Json& claims, const char* name)
{
    const auto found = claims.find(name);
    return found != claims.end() && found->is_string() ? found->get<std::string>() : std::string();
}

} // namespace

core::Secret SessionTokens::mint(const SessionRecord& record, core::WallTime now, core::WallTime expiresAt) const
{
    const core::Json claims{{"iss", m_settings.issuer}, {"aud", m_settings.issuer}, {"sub", record.subject},
        {"userId", record.subject}, {"projectId", record.project}, {"sessionId", record.id}, {"scope", kScope},
        {"iat", secondsOf(now)}, {"exp", secondsOf(expiresAt)}, {"jti", randomId()}};
    return m_keys.sign(kType, claims);
}

core::Json SessionTokens::publishedKeys() const
{
    return m_keys.published();
}

core::Expected<SessionClaims, auth::JwtFault> SessionTokens::verify(std::string_view token, core::WallTime now) const
{
    auto read = auth::readToken(token);
    if (!read) {
        return core::Unexpected<auth::JwtFault>(read.error());
    }
    auth::ClaimRules rules;
    rules.issuer = m_settings.issuer;
    rules.audiences = {m_settings.issuer};
    rules.kind = auth::TokenKind::SessionToken;
    rules.leeway = std::chrono::seconds(0);
    const auto verified = auth::verify(std::move(*read), m_keys.verifiers(), rules, now);
    if (!verified) {
        return core::Unexpected<auth::JwtFault>(verified.error());
    }
    const core::Json& claims = *verified->claims;
    if (textOf(claims, "scope") != kScope || textOf(claims, "sessionId").empty()) {
        return core::Unexpected<auth::JwtFault>(auth::JwtFault::MissingClaim);
    }
    return SessionClaims{
        textOf(claims, "sessionId"), textOf(claims, "userId"), textOf(claims, "projectId"), verified->expiresAt};
}

} // namespace vivavoce::broker
