#pragma once

#include "broker/auth/json_web_key.h"
#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/expected.h"
#include "core/base/json.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::auth {

/// Why a token is refused. To the caller all but `Expired` look alike.
enum class JwtFault {
    /// Longer than 8 KiB, not three parts of strict base64url, not the right JSON.
    Malformed,
    /// `none`, or one that we do not have.
    UnsupportedAlgorithm,
    /// `crit`, `b64`, compression, or a key or address of a key inside: nothing of it is looked at, and nothing fetched.
    UnsupportedHeader,
    /// No key of that name and algorithm: the set may be older than the token.
    UnknownKey,
    BadSignature,
    WrongType,
    WrongIssuer,
    WrongAudience,
    MissingClaim,
    Expired,
    NotYetValid,
};
[[nodiscard]] std::string_view jwtFaultText(JwtFault fault);

/// A JWS in compact form (RFC 7515 §7.1), taken apart. Nothing in it is to be believed before `verify`.
struct UnverifiedToken {
    JoseAlgorithm algorithm = JoseAlgorithm::Hs256;
    std::string kid;
    /// As written; empty where absent.
    std::string type;
    /// For choosing whose keys to verify with, and nothing else.
    std::string claimedIssuer;
    /// Without the signature it opens nothing.
    std::string signedPart;
    core::Bytes signature;
    std::shared_ptr<const core::Json> claims;
};

/// Pure.
[[nodiscard]] core::Expected<UnverifiedToken, JwtFault> readToken(std::string_view token);

/// What a token is, that it may be used for one thing only (RFC 8725 §3.11).
enum class TokenKind {
    /// `typ` "at+jwt" (RFC 9068).
    AccessToken,
    /// OpenID Connect's; `typ` absent or "JWT".
    IdToken,
    /// Our own, for a relayed session; `typ` "voice-session+jwt".
    SessionToken,
};

/// What an issuer's tokens have to say.
struct ClaimRules {
    std::string issuer;
    /// One of these has to be in `aud`. Empty: `authorizedParties` stands in.
    std::vector<std::string> audiences;
    /// Allowed values of `azp`, for issuers whose tokens have no audience (Clerk). Empty: any. Where it stands in, an `aud` that is there
    /// may hold nothing else either.
    std::vector<std::string> authorizedParties;
    TokenKind kind = TokenKind::AccessToken;
    /// At most 60 s is sensible.
    std::chrono::seconds leeway{30};
};

/// Claims whose signature, type, issuer, audience and times are right.
struct VerifiedToken {
    std::string issuer;
    std::string subject;
    core::WallTime expiresAt;
    std::shared_ptr<const core::Json> claims;
};

/// Subject, audience and times, of claims that are to be believed already: verified, or told by the issuer itself. Pure.
[[nodiscard]] core::Expected<VerifiedToken, JwtFault> checkClaims(
    std::shared_ptr<const core::Json> claims, const ClaimRules& rules, core::WallTime now);

/// Signature first, claims afterwards (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725). Pure.
[[nodiscard]] core::Expected<VerifiedToken, JwtFault> verify(
    UnverifiedToken token, const JsonWebKeySet& keys, const ClaimRules& rules, core::WallTime now);

} // namespace vivavoce::broker::auth
