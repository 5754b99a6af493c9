#include "core/sign_in/token_answer.h"

#include "core/base/json.h"
#include "core/base/visible_ascii.h"
#include "core/sign_in/authorization.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace vivavoce::core {
namespace {

/// What a broker takes as a bearer token.
constexpr std::size_t kLongestToken = 8 * 1024;
/// Where the issuer does not say (RFC 6749 §5.1 only recommends it).
constexpr std::chrono::seconds kUsualLife{300};
constexpr std::chrono::seconds kLongestLife{24 * 3600};

constexpr int kTooSlow = 408;
constexpr int kTooMany = 429;
constexpr int kServerError = 500;

/// Empty where it is absent or no token; what the document held of it is wiped.
Secret takeToken(Json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) {
        return {};
    }
    auto& text = found->get_ref<std::string&>();
    Secret token = text.size() <= kLongestToken && isVisibleAscii(text) ? Secret(text) : Secret();
    wipeString(text);
    return token;
}

std::optional<std::chrono::seconds> lifeOf(const Json& object)
{
    const auto found = object.find("expires_in");
    if (found == object.end()) {
        return kUsualLife;
    }
    if (!found->is_number_integer() || found->get<std::int64_t>() <= 0) {
        return std::nullopt;
    }
    return std::min(std::chrono::seconds(found->get<std::int64_t>()), kLongestLife);
}

std::string oauthCodeOf(const HttpClient::Response& response)
{
    const auto parsed = parseJson(response.body);
    if (!parsed || !parsed->is_object()) {
        return {};
    }
    const auto found = parsed->find("error");
    return found != parsed->end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Milliseconds> waitOf(const HttpHeaders& headers)
{
    const auto text = headers.find("Retry-After");
    std::uint32_t seconds = 0;
    const bool isThere = text && std::from_chars(text->data(), text->data() + text->size(), seconds).ec == std::errc();
    return isThere ? std::optional<Milliseconds>(std::chrono::seconds(seconds)) : std::nullopt;
}

} // namespace

Expected<TokenAnswer, Error> readTokenAnswer(HttpClient::Response& response)
{
    if (response.status != 200) {
        Error error = errorOfIssuer(response);
        wipeString(response.body);
        return Unexpected<Error>(std::move(error));
    }
    auto parsed = parseJson(response.body);
    wipeString(response.body);
    const auto malformed = [](const char* what) {
        return fail(ErrorCode::ProviderMalformed, std::string("the issuer's token: ") + what);
    };
    if (!parsed || !parsed->is_object()) {
        return malformed("not a JSON object");
    }
    TokenAnswer answer;
    answer.access = std::make_shared<const Secret>(takeToken(*parsed, "access_token"));
    answer.refresh = takeToken(*parsed, "refresh_token");
    answer.idToken = takeToken(*parsed, "id_token");
    const auto type = parsed->find("token_type");
    if (type == parsed->end() || !type->is_string()
        || !equalsIgnoreCase(type->get_ref<const std::string&>(), "Bearer")) {
        return malformed("not a bearer token");
    }
    const auto life = lifeOf(*parsed);
    if (answer.access->empty() || !life) {
        return malformed("incomplete, or longer than a token may be");
    }
    answer.life = *life;
    return answer;
}

Error errorOfIssuer(Error error)
{
    error.code = error.code == ErrorCode::BrokerUnreachable ? ErrorCode::ProviderUnreachable
        : error.code == ErrorCode::BrokerMalformed          ? ErrorCode::ProviderMalformed
                                                            : error.code;
    return error;
}

Error errorOfIssuer(const HttpClient::Response& response)
{
    const std::string code = oauthCodeOf(response);
    Error error = code.empty() ? Error{ErrorCode::ProviderMalformed, {}, std::nullopt, {}} : errorOfOAuth(code);
    // The status goes before the code: whoever is asked too much refuses the request, not the person.
    if (response.status >= kServerError || response.status == kTooSlow) {
        error.code = ErrorCode::ProviderFailed;
    } else if (response.status == kTooMany) {
        error.code = ErrorCode::RateLimited;
    }
    if (code.empty() || isRetryable(error.code)) {
        error.detail = "the issuer answered HTTP " + std::to_string(response.status);
    }
    error.retryAfter = waitOf(response.headers);
    return error;
}

} // namespace vivavoce::core
