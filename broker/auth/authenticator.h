#pragma once

#include "broker/auth/issuer.h"
#include "broker/auth/service_accounts.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::auth {

/// Says who bears a token: the app that started us, a service account, or somebody whom one of the issuers vouches for.
/// Threads: [any thread].
class Authenticator {
public:
    /// Whether a token is a session's of ours; nothing: that cannot be told now.
    using IsOurs = std::function<net::Awaitable<std::optional<bool>>(std::string token)>;

    /// `embedded` may be empty: then nobody is the app that started us. An issuer keeps its keys from one authenticator to the next.
    /// `isOurs` may be empty: then no token is.
    Authenticator(core::Secret embedded, ServiceAccounts services, std::vector<std::shared_ptr<Issuer>> issuers,
        IsOurs isOurs = {});

    /// Refused with InvalidToken, TokenExpired, or Unavailable where the issuer cannot be asked. The token is at most 8 KiB.
    [[nodiscard]] net::Awaitable<core::Expected<Caller, Refusal>> authenticate(
        std::string_view token, Reach reach = Reach::Issuer);
    [[nodiscard]] const std::vector<std::shared_ptr<Issuer>>& issuers() const { return m_issuers; }
    /// Nothing until one was asked; false while one of them does not answer.
    [[nodiscard]] std::optional<bool> areIssuersFine() const;
    /// Keeps the keys of all issuers at hand; called often.
    [[nodiscard]] net::Awaitable<> tend();

private:
    [[nodiscard]] Issuer* issuerOf(const UnverifiedToken& token) const;
    [[nodiscard]] Issuer* opaqueIssuer() const;

    const core::Secret m_embedded;
    const ServiceAccounts m_services;
    const std::vector<std::shared_ptr<Issuer>> m_issuers;
    const IsOurs m_isOurs;
};

/// Begins as the keys and tokens of providers do, whichever provider we have: nobody else is to see it.
[[nodiscard]] bool isOfProvider(std::string_view token);

} // namespace vivavoce::broker::auth
