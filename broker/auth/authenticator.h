#pragma once

#include "broker/auth/issuer.h"
#include "broker/auth/service_accounts.h"

#include <memory>
#include <string_view>
#include <vector>

namespace vivavoce::broker::auth {

/// Says who bears a token: the app that started us, a service account, or somebody whom one of the issuers vouches for.
/// Threads: [any thread].
class Authenticator {
public:
    /// `embedded` may be empty: then nobody is the app that started us. An issuer keeps its keys from one authenticator to the next.
    Authenticator(core::Secret embedded, ServiceAccounts services, std::vector<std::shared_ptr<Issuer>> issuers);

    /// Refused with InvalidToken, TokenExpired, or Unavailable where the issuer cannot be asked. The token is at most 8 KiB.
    [[nodiscard]] net::Awaitable<core::Expected<Caller, Refusal>> authenticate(
        std::string_view token, Reach reach = Reach::Issuer);
    [[nodiscard]] const std::vector<std::shared_ptr<Issuer>>& issuers() const { return m_issuers; }
    /// Nothing until one was asked; false while one of them does not answer.
    [[nodiscard]] std::optional<bool> areIssuersFine() const;

private:
    [[nodiscard]] Issuer* issuerOf(const UnverifiedToken& token) const;
    [[nodiscard]] Issuer* opaqueIssuer() const;

    const core::Secret m_embedded;
    const ServiceAccounts m_services;
    const std::vector<std::shared_ptr<Issuer>> m_issuers;
};

} // namespace vivavoce::broker::auth
