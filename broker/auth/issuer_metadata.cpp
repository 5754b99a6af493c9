#include "broker/auth/issuer_metadata.h"

#include "core/base/json.h"
#include "net/http_client.h"

#include <nlohmann/json.hpp>

#include <optional>

namespace vivavoce::broker::auth {
namespace {

/// Empty where it is absent, nothing where it is no URL that we would call.
std::optional<std::string> urlOf(const core::Json& document, const char* name)
{
    const auto found = document.find(name);
    if (found == document.end()) {
        return std::string();
    }
    if (!found->is_string()) {
        return std::nullopt;
    }
    auto url = found->get<std::string>();
    return net::isFetchable(url) ? std::optional(std::move(url)) : std::nullopt;
}

} // namespace

std::string metadataUrl(std::string_view issuer)
{
    std::string url(issuer);
    if (url.ends_with('/')) {
        url.pop_back();
    }
    return url + "/.well-known/openid-configuration";
}

core::Expected<IssuerMetadata, core::Error> readIssuerMetadata(std::string_view issuer, std::string_view document)
{
    const auto malformed = [](const char* what) {
        return core::fail(core::ErrorCode::ProviderMalformed, std::string("the issuer's metadata: ") + what);
    };
    const auto parsed = core::parseJson(document);
    if (!parsed || !parsed->is_object()) {
        return malformed("not a JSON object");
    }
    const auto itself = parsed->find("issuer");
    if (itself == parsed->end() || !itself->is_string() || itself->get_ref<const std::string&>() != issuer) {
        return malformed("they are another issuer's");
    }
    auto keys = urlOf(*parsed, "jwks_uri");
    auto introspection = urlOf(*parsed, "introspection_endpoint");
    if (!keys || !introspection) {
        return malformed("an address that is not https");
    }
    return IssuerMetadata{std::move(*keys), std::move(*introspection)};
}

} // namespace vivavoce::broker::auth
