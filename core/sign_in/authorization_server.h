#pragma once

#include "core/base/error.h"

#include <string>
#include <string_view>

namespace vivavoce::core {

/// What an issuer says of itself (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), as far as signing in uses it.
struct AuthorizationServer {
    std::string issuer;
    std::string authorizationUrl;
    std::string tokenUrl;
    /// RFC 8628; empty where it has none.
    std::string deviceUrl;
    /// RFC 7009; empty where it has none.
    std::string revocationUrl;
    /// Its answers name it (RFC 9207).
    bool tellsIssuer = false;
    /// It gives refresh tokens to whoever asks for `offline_access`.
    bool offersOffline = false;
};

/// Where the metadata are (Discovery §4.1): the path is appended to the issuer.
[[nodiscard]] std::string discoveryUrl(std::string_view issuer);

/// Pure. ProviderMalformed: not the right JSON, another issuer than `issuer` (letter for letter, Discovery §4.3), an endpoint that is neither
/// https nor on this computer, or PKCE without S256.
[[nodiscard]] Expected<AuthorizationServer, Error> readAuthorizationServer(
    std::string_view issuer, std::string_view document);

} // namespace vivavoce::core
