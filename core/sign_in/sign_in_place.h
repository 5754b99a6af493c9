#pragma once

#include "core/base/error.h"

#include <string>
#include <string_view>

namespace vivavoce::core {

/// Where a broker's users sign in, and what this program is called there.
struct SignInPlace {
    std::string issuer;
    /// Of a public client: no secret belongs to it.
    std::string clientId;
    /// What to ask for beside who it is, separated by spaces; empty: nothing.
    std::string scope;
    /// Whom the token is to be for (RFC 8707); empty: the issuer knows.
    std::string resource;
};

/// Where the broker tells of it: RFC 9728, below the broker's address.
[[nodiscard]] std::string signInPlaceUrl(std::string_view brokerUrl);

/// Reads RFC 9728's metadata with our member `vivavoce_sign_in`. Pure. BrokerMalformed: not the right JSON, another broker's (§3.3), an
/// issuer that is neither https nor on this computer. BadConfiguration: no issuer of this broker has a client for this program.
[[nodiscard]] Expected<SignInPlace, Error> readSignInPlace(std::string_view brokerUrl, std::string_view document);

} // namespace vivavoce::core
