#include "core/sign_in/id_token.h"

#include "core/base/base64.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace vivavoce::core {
namespace {

constexpr std::chrono::minutes kLeeway{5};
constexpr std::size_t kLongestName = 200;

std::string textOf(const Json& claims, const char* name)
{
    const auto found = claims.find(name);
    return found != claims.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Rules 3 to 5: it is for us, and where it is for others as well it was given to us.
bool isForClient(const Json& claims, std::string_view clientId)
{
    const auto party = claims.find("azp");
    if (party != claims.end() && textOf(claims, "azp") != clientId) {
        return false;
    }
    const auto audience = claims.find("aud");
    if (audience == claims.end()) {
        return false;
    }
    if (audience->is_string()) {
        return audience->get_ref<const std::string&>() == clientId;
    }
    const bool isNamed = audience->is_array() && std::any_of(audience->begin(), audience->end(), [&](const Json& one) {
        return one.is_string() && one.get_ref<const std::string&>() == clientId;
    });
    return isNamed && (audience->size() == 1 || party != claims.end());
}

/// In seconds since 1970, compared as they are: a date beyond the clock's range is only far away.
bool hasExpired(const Json& claims, WallTime now)
{
    const auto found = claims.find("exp");
    const auto latest = std::chrono::duration_cast<std::chrono::seconds>((now - kLeeway).time_since_epoch()).count();
    return found == claims.end() || !found->is_number() || found->get<double>() <= static_cast<double>(latest);
}

/// Only what can be shown in a line.
bool isShowable(const std::string& text)
{
    return !text.empty() && text.size() <= kLongestName
        && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

} // namespace

Expected<Person, Error> readIdToken(const Secret& token, const IdTokenRules& rules)
{
    const auto malformed = [] { return fail(ErrorCode::ProviderMalformed, "the issuer's ID token is none"); };
    const auto foreign = [](const char* what) {
        return fail(ErrorCode::NotAuthorised, std::string("the issuer's ID token: ") + what);
    };
    const std::string_view text = token.reveal();
    const std::size_t first = std::min(text.find('.'), text.size());
    const std::size_t second = std::min(text.find('.', std::min(first + 1, text.size())), text.size());
    const auto payload =
        second < text.size() ? decodeBase64Url(text.substr(first + 1, second - first - 1)) : std::nullopt;
    if (!payload) {
        return malformed();
    }
    const auto claims = parseJson(std::string_view(reinterpret_cast<const char*>(payload->data()), payload->size()));
    if (!claims || !claims->is_object()) {
        return malformed();
    }
    if (textOf(*claims, "iss") != rules.issuer) {
        return foreign("another issuer's");
    }
    if (!isForClient(*claims, rules.clientId)) {
        return foreign("for somebody else");
    }
    if (!rules.nonce.empty() && textOf(*claims, "nonce") != rules.nonce) {
        return foreign("the answer to another question");
    }
    if (hasExpired(*claims, rules.now)) {
        return foreign("it has expired");
    }
    Person person;
    person.subject = textOf(*claims, "sub");
    if (!isShowable(person.subject)) {
        return malformed();
    }
    for (const char* const claim : {"preferred_username", "email", "sub"}) {
        person.name = textOf(*claims, claim);
        if (isShowable(person.name)) {
            break;
        }
    }
    return person;
}

} // namespace vivavoce::core
