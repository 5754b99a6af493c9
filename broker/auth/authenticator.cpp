#include "broker/auth/authenticator.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::broker::auth {
namespace {

constexpr std::chrono::seconds kTryAgain{5};

core::Unexpected<Refusal> refuse(JwtFault fault)
{
    return core::Unexpected<Refusal>(refusalOf(fault));
}

Caller embeddedCaller()
{
    Caller caller;
    caller.kind = Caller::Kind::Embedded;
    caller.subject = "embedded";
    caller.scopes = {std::string(scope::kMint), std::string(scope::kSession), std::string(scope::kAdmin)};
    return caller;
}

} // namespace

Authenticator::Authenticator(
    core::Secret embedded, ServiceAccounts services, std::vector<std::shared_ptr<Issuer>> issuers, IsOurs isOurs)
    : m_embedded(std::move(embedded)),
      m_services(std::move(services)),
      m_issuers(std::move(issuers)),
      m_isOurs(std::move(isOurs))
{
}

net::Awaitable<core::Expected<Caller, Refusal>> Authenticator::authenticate(std::string_view token, Reach reach)
{
    if (!m_embedded.empty() && m_embedded.equals(token)) {
        co_return embeddedCaller();
    }
    if (ServiceAccounts::isKey(token)) {
        co_return m_services.authenticate(token);
    }
    auto read = readToken(token);
    if (read) {
        Issuer* const issuer = issuerOf(*read);
        if (issuer == nullptr) {
            co_return refuse(JwtFault::WrongIssuer);
        }
        if (issuer->settings().tokens != IssuerSettings::Tokens::Opaque) {
            auto caller = co_await issuer->verifyJwt(std::move(*read), reach);
            co_return caller;
        }
    }
    Issuer* const issuer = opaqueIssuer();
    if (issuer == nullptr) {
        co_return refuse(read ? JwtFault::WrongIssuer : read.error());
    }
    if (isOfProvider(token)) {
        co_return refuse(JwtFault::Malformed);
    }
    if (reach == Reach::Memory) {
        co_return issuerIsAway();
    }
    if (m_isOurs) {
        // By mistake, perhaps: no reason to show it to somebody else.
        const auto isOurs = co_await m_isOurs(std::string(token));
        if (!isOurs) {
            co_return core::Unexpected<Refusal>(
                Refusal{{FaultCode::Unavailable, "the sessions' store cannot be asked now", kTryAgain}, "store_away"});
        }
        if (*isOurs) {
            co_return refuse(JwtFault::WrongType);
        }
    }
    auto caller = co_await issuer->introspect(token);
    co_return caller;
}

Issuer* Authenticator::issuerOf(const UnverifiedToken& token) const
{
    const auto found = std::find_if(m_issuers.begin(), m_issuers.end(),
        [&](const std::shared_ptr<Issuer>& issuer) { return issuer->settings().url == token.claimedIssuer; });
    return found == m_issuers.end() ? nullptr : found->get();
}

/// There is at most one: nothing in an opaque token says whose it is.
Issuer* Authenticator::opaqueIssuer() const
{
    const auto found = std::find_if(m_issuers.begin(), m_issuers.end(), [](const std::shared_ptr<Issuer>& issuer) {
        return issuer->settings().tokens == IssuerSettings::Tokens::Opaque;
    });
    return found == m_issuers.end() ? nullptr : found->get();
}

std::optional<bool> Authenticator::areIssuersFine() const
{
    std::optional<bool> all;
    for (const auto& issuer : m_issuers) {
        if (const auto one = issuer->isFine()) {
            all = all.value_or(true) && *one;
        }
    }
    return all;
}

net::Awaitable<> Authenticator::tend()
{
    for (const auto& issuer : m_issuers) {
        co_await issuer->tend();
    }
}

bool isOfProvider(std::string_view token)
{
    constexpr std::array<std::string_view, 3> kBeginnings{"ek_", "sk-", "auth_tokens/"};
    return std::any_of(
        kBeginnings.begin(), kBeginnings.end(), [&](std::string_view one) { return token.starts_with(one); });
}

} // namespace vivavoce::broker::auth
