#include "core/sign_in/sign_in_place.h"

#include "core/base/json.h"
#include "core/sign_in/secure_url.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace vivavoce::core {
namespace {

constexpr std::size_t kLongestText = 2048;

/// Empty where it is absent, nothing where it is no such text.
std::optional<std::string> textOf(const Json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end()) {
        return std::string();
    }
    if (!found->is_string() || found->get_ref<const std::string&>().size() > kLongestText) {
        return std::nullopt;
    }
    return found->get<std::string>();
}

bool names(const Json& object, const char* list, const std::string& text)
{
    const auto found = object.find(list);
    return found != object.end() && found->is_array()
        && std::any_of(found->begin(), found->end(), [&](const Json& one) { return one == text; });
}

} // namespace

std::string signInPlaceUrl(std::string_view brokerUrl)
{
    return std::string(brokerUrl) + "/.well-known/oauth-protected-resource";
}

Expected<SignInPlace, Error> readSignInPlace(std::string_view brokerUrl, std::string_view document)
{
    const auto malformed = [](const char* what) {
        return fail(ErrorCode::BrokerMalformed, std::string("where to sign in: ") + what);
    };
    const auto parsed = parseJson(document);
    if (!parsed || !parsed->is_object()) {
        return malformed("not a JSON object");
    }
    if (textOf(*parsed, "resource") != std::string(brokerUrl)) {
        return malformed("that is told of another broker");
    }
    const auto places = parsed->find("vivavoce_sign_in");
    if (places == parsed->end() || !places->is_array() || places->empty()) {
        return fail(ErrorCode::BadConfiguration, "nobody can sign in to this broker with this program");
    }
    const Json& first = places->front();
    if (!first.is_object()) {
        return malformed("a place is no JSON object");
    }
    const auto issuer = textOf(first, "issuer");
    const auto clientId = textOf(first, "client_id");
    const auto scope = textOf(first, "scope");
    const auto resource = textOf(first, "resource");
    if (!issuer || !clientId || clientId->empty() || !scope || !resource) {
        return malformed("a place is incomplete");
    }
    if (!isSecureUrl(*issuer) || !names(*parsed, "authorization_servers", *issuer)) {
        return malformed("the issuer is not one that can be trusted with it");
    }
    return SignInPlace{*issuer, *clientId, *scope, *resource};
}

} // namespace vivavoce::core
