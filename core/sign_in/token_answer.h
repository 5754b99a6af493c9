#pragma once

#include "core/base/clock.h"
#include "core/ports/http_client.h"

#include <memory>

namespace vivavoce::core {

/// What a token endpoint has given (RFC 6749 §5.1).
struct TokenAnswer {
    std::shared_ptr<const Secret> access;
    /// Empty: there is none, or the one before goes on.
    Secret refresh;
    /// OpenID Connect's; empty where there is none.
    Secret idToken;
    Milliseconds life{0};
};

/// Reads the answer of a token endpoint and wipes its body. ProviderMalformed; ProviderFailed (5xx, 408) and RateLimited (429), whatever
/// the code in the body; else what errorOfOAuth makes of it. The code is in `foreignCode`.
[[nodiscard]] Expected<TokenAnswer, Error> readTokenAnswer(HttpClient::Response& response);

/// A failed request to the issuer: the port's words for the broker, which it is not.
[[nodiscard]] Error errorOfIssuer(Error error);
/// An answer of the issuer's that is no success.
[[nodiscard]] Error errorOfIssuer(const HttpClient::Response& response);

} // namespace vivavoce::core
