#include "broker/http/resource_metadata_api.h"

#include "broker/http/problem_response.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace vivavoce::broker::http {
namespace {

/// What an app needs to start a session.
constexpr std::array kAppScopes{auth::scope::kMint, auth::scope::kSession};

/// What a token has to bring along because this broker does not grant it to everybody of the issuer.
std::string neededScope(const auth::IssuerSettings& issuer)
{
    std::string needed;
    for (const std::string_view scope : kAppScopes) {
        if (std::find(issuer.grants.begin(), issuer.grants.end(), scope) == issuer.grants.end()) {
            needed += needed.empty() ? "" : " ";
            needed += scope;
        }
    }
    return needed;
}

core::Json placeOf(const auth::IssuerSettings& issuer)
{
    core::Json place{{"issuer", issuer.url}, {"client_id", issuer.appClientId}};
    if (auto scope = neededScope(issuer); !scope.empty()) {
        place["scope"] = std::move(scope);
    }
    // RFC 8707 wants an absolute URI; an audience that is a mere name the issuer has to know by itself.
    const auto audience = std::find_if(issuer.audiences.begin(), issuer.audiences.end(),
        [](const std::string& text) { return text.find("://") != std::string::npos; });
    if (audience != issuer.audiences.end()) {
        place["resource"] = *audience;
    }
    return place;
}

} // namespace

bool ResourceMetadataApi::canSignIn() const
{
    const auto& issuers = m_deps.authenticator.issuers();
    return std::any_of(issuers.begin(), issuers.end(),
        [](const std::shared_ptr<auth::Issuer>& issuer) { return !issuer->settings().appClientId.empty(); });
}

net::Awaitable<net::HttpResponse> ResourceMetadataApi::describe(const net::HttpRequest&)
{
    if (!canSignIn()) {
        co_return problemResponse(
            {FaultCode::NotFound, "no issuer of this broker has a client for apps", std::nullopt});
    }
    core::Json servers = core::Json::array();
    core::Json places = core::Json::array();
    for (const auto& issuer : m_deps.authenticator.issuers()) {
        if (!issuer->settings().appClientId.empty()) {
            servers.push_back(issuer->settings().url);
            places.push_back(placeOf(issuer->settings()));
        }
    }
    const core::Json body{{"resource", m_deps.baseUrl()}, {"authorization_servers", std::move(servers)},
        {"scopes_supported", kAppScopes}, {"bearer_methods_supported", core::Json::array({"header"})},
        {"vivavoce_sign_in", std::move(places)}};
    co_return net::HttpResponse::json(200, core::writeJson(body));
}

void ResourceMetadataApi::addTo(net::HttpResponse& response) const
{
    const auto challenge = response.headers.find("WWW-Authenticate");
    if (response.status != 401 || !challenge || !canSignIn()) {
        return;
    }
    response.headers.set("WWW-Authenticate",
        std::string(*challenge) + ", resource_metadata=\"" + m_deps.baseUrl() + kResourceMetadataPath + "\"");
}

} // namespace vivavoce::broker::http
