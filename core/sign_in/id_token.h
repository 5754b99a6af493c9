#pragma once

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/secret.h"

#include <string>
#include <string_view>

namespace vivavoce::core {

/// Whom an ID token names.
struct Person {
    /// Unique at the issuer.
    std::string subject;
    /// For showing: `preferred_username`, else `email`, else the subject.
    std::string name;
};

struct IdTokenRules {
    std::string_view issuer;
    std::string_view clientId;
    /// Empty: none was asked for (device flow, refresh).
    std::string_view nonce;
    WallTime now;
};

/// Checks the claims of an ID token (OpenID Connect Core §3.1.3.7). The signature need not be verified: the token comes straight from the token
/// endpoint over TLS (rule 6), and may go nowhere else. Five minutes of leeway: clocks of desktops are what they are. Pure.
/// ProviderMalformed: no such token; NotAuthorised: another issuer, client or nonce, or it has expired.
[[nodiscard]] Expected<Person, Error> readIdToken(const Secret& token, const IdTokenRules& rules);

} // namespace vivavoce::core
