#include "core/sign_in/authorization_server.h"

#include "core/base/json.h"
#include "core/sign_in/secure_url.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace vivavoce::core {
namespace {

/// Nothing where it is absent or no list.
const Json* listOf(const Json& document, const char* name)
{
    const auto found = document.find(name);
    return found != document.end() && found->is_array() ? &*found : nullptr;
}

bool holds(const Json& list, const char* text)
{
    return std::any_of(list.begin(), list.end(), [&](const Json& one) { return one == text; });
}

/// Whether it is an address to be trusted, or absent.
bool readUrl(const Json& document, const char* name, std::string& into)
{
    const auto found = document.find(name);
    if (found == document.end()) {
        return true;
    }
    if (!found->is_string() || !isSecureUrl(found->get_ref<const std::string&>())) {
        return false;
    }
    into = found->get<std::string>();
    return true;
}

} // namespace

std::string discoveryUrl(std::string_view issuer)
{
    std::string url(issuer);
    if (url.ends_with('/')) {
        url.pop_back();
    }
    return url + "/.well-known/openid-configuration";
}

Expected<AuthorizationServer, Error> readAuthorizationServer(std::string_view issuer, std::string_view document)
{
    const auto malformed = [](const char* what) {
        return fail(ErrorCode::ProviderMalformed, std::string("the issuer's metadata: ") + what);
    };
    const auto parsed = parseJson(document);
    if (!parsed || !parsed->is_object()) {
        return malformed("not a JSON object");
    }
    AuthorizationServer server;
    server.issuer = issuer;
    const auto itself = parsed->find("issuer");
    if (itself == parsed->end() || !itself->is_string() || itself->get_ref<const std::string&>() != issuer) {
        return malformed("they are another issuer's");
    }
    if (!readUrl(*parsed, "authorization_endpoint", server.authorizationUrl)
        || !readUrl(*parsed, "token_endpoint", server.tokenUrl)
        || !readUrl(*parsed, "device_authorization_endpoint", server.deviceUrl)
        || !readUrl(*parsed, "revocation_endpoint", server.revocationUrl)) {
        return malformed("an address that is not https");
    }
    if (server.authorizationUrl.empty() || server.tokenUrl.empty()) {
        return malformed("an endpoint is missing");
    }
    // Where they say nothing of it, S256 is sent all the same: whoever does not know it ignores it (RFC 7636 §5).
    const Json* const methods = listOf(*parsed, "code_challenge_methods_supported");
    if (methods != nullptr && !holds(*methods, "S256")) {
        return malformed("PKCE without S256");
    }
    const auto told = parsed->find("authorization_response_iss_parameter_supported");
    server.tellsIssuer = told != parsed->end() && *told == true;
    const Json* const scopes = listOf(*parsed, "scopes_supported");
    server.offersOffline = scopes != nullptr && holds(*scopes, "offline_access");
    return server;
}

} // namespace vivavoce::core
