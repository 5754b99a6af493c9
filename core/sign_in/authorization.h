#pragma once

#include "core/sign_in/authorization_server.h"
#include "core/sign_in/proof_key.h"
#include "core/sign_in/sign_in_place.h"

#include <string>
#include <string_view>

namespace vivavoce::core {

/// What ties the browser's answer to the question (RFC 9700 §2.1): each is used once.
struct Transaction {
    /// 128 random bits each.
    Secret state;
    Secret nonce;
    ProofKey proof;
    std::string redirectUri;
};

[[nodiscard]] Transaction beginTransaction(std::string redirectUri, const Sha256& sha256);

/// What to ask the issuer for: who it is, the broker's scopes, and refresh tokens where they have to be asked for.
[[nodiscard]] std::string wantedScope(const AuthorizationServer& server, const SignInPlace& place);

/// What the browser is to open (RFC 6749 §4.1.1).
[[nodiscard]] std::string authorizationUrl(
    const AuthorizationServer& server, const SignInPlace& place, const Transaction& transaction);

/// The code out of what the browser has brought back, the query of the redirect (RFC 6749 §4.1.2). Pure. NotAuthorised: it is the answer to
/// another question, another issuer's (RFC 9207), or the issuer's refusal, whose own code it bears; ProviderMalformed: anything else.
[[nodiscard]] Expected<Secret, Error> readRedirect(
    std::string_view query, const AuthorizationServer& server, const Transaction& transaction);

/// Whether it is the answer to that question, whatever it says: whoever else comes by does not know the state. Pure.
[[nodiscard]] bool isAnswerTo(std::string_view query, const Transaction& transaction);

/// What OAuth 2.0 says went wrong (RFC 6749 §4.1.2.1, §5.2), as an error of ours. Only a code of visible ASCII is kept.
[[nodiscard]] Error errorOfOAuth(std::string_view code);

} // namespace vivavoce::core
