#include "broker/auth/authenticator.h"

#include <algorithm>
#include <utility>

namespace vivavoce::broker::auth {
namespace {

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
    core::Secret embedded, ServiceAccounts services, std::vector<std::shared_ptr<Issuer>> issuers)
    : m_embedded(std::move(embedded)), m_services(std::move(services)), m_issuers(std::move(issuers))
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
    if (reach == Reach::Memory) {
        co_return issuerIsAway();
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

} // namespace vivavoce::broker::auth
