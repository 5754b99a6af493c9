#include "core/sign_in/authorization.h"

#include "core/base/percent.h"
#include "core/base/random_id.h"
#include "core/base/visible_ascii.h"

#include <algorithm>
#include <optional>

namespace vivavoce::core {
namespace {

/// What is longer is no answer.
constexpr std::size_t kLongestQuery = 8 * 1024;

Secret randomSecret()
{
    std::string id = randomId();
    Secret secret(id);
    wipeString(id);
    return secret;
}

int digitOf(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Nothing where a per cent sign leads nowhere.
std::optional<Secret> decoded(std::string_view text)
{
    std::string plain;
    plain.reserve(text.size());
    bool isGood = true;
    for (std::size_t i = 0; i < text.size() && isGood; ++i) {
        if (text[i] == '%') {
            const int high = i + 2 < text.size() ? digitOf(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? digitOf(text[i + 2]) : -1;
            isGood = high >= 0 && low >= 0;
            plain += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            plain += text[i] == '+' ? ' ' : text[i];
        }
    }
    Secret secret(plain);
    wipeString(plain);
    return isGood ? std::optional(std::move(secret)) : std::nullopt;
}

struct Answer {
    std::optional<Secret> state;
    std::optional<Secret> code;
    std::optional<Secret> issuer;
    std::optional<Secret> error;
};

/// False where it is no form, or has one of ours twice (RFC 6749 §3.1).
bool readQuery(std::string_view query, Answer& answer)
{
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const std::size_t mark = pair.find('=');
        const std::string_view name = pair.substr(0, mark);
        std::optional<Secret>* const place = name == "state" ? &answer.state
            : name == "code"                                 ? &answer.code
            : name == "iss"                                  ? &answer.issuer
            : name == "error"                                ? &answer.error
                                                             : nullptr;
        if (place == nullptr) {
            continue;
        }
        if (place->has_value() || mark == std::string_view::npos) {
            return false;
        }
        *place = decoded(pair.substr(mark + 1));
        if (!*place) {
            return false;
        }
    }
    return true;
}

} // namespace

Transaction beginTransaction(std::string redirectUri, const Sha256& sha256)
{
    return {randomSecret(), randomSecret(), makeProofKey(sha256), std::move(redirectUri)};
}

std::string wantedScope(const AuthorizationServer& server, const SignInPlace& place)
{
    std::string scope = "openid profile email";
    if (server.offersOffline) {
        scope += " offline_access";
    }
    return place.scope.empty() ? scope : scope + " " + place.scope;
}

std::string authorizationUrl(
    const AuthorizationServer& server, const SignInPlace& place, const Transaction& transaction)
{
    std::string url = server.authorizationUrl;
    char mark = url.find('?') == std::string::npos ? '?' : '&';
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) {
            url += mark;
            url += name;
            url += '=';
            url += percentEncoded(value);
            mark = '&';
        }
    };
    add("response_type", "code");
    add("client_id", place.clientId);
    add("redirect_uri", transaction.redirectUri);
    add("scope", wantedScope(server, place));
    add("state", transaction.state.reveal());
    add("nonce", transaction.nonce.reveal());
    add("code_challenge", transaction.proof.challenge);
    add("code_challenge_method", "S256");
    add("resource", place.resource);
    // OpenID Connect Core §11: without it refresh tokens are not given.
    add("prompt", server.offersOffline ? "consent" : "");
    return url;
}

Expected<Secret, Error> readRedirect(
    std::string_view query, const AuthorizationServer& server, const Transaction& transaction)
{
    Answer answer;
    if (query.size() > kLongestQuery || !readQuery(query, answer)) {
        return fail(ErrorCode::ProviderMalformed, "the browser came back with something that is no answer");
    }
    if (!answer.state || !transaction.state.equals(answer.state->reveal())) {
        return fail(ErrorCode::NotAuthorised, "the browser came back with the answer to another question");
    }
    const bool isIssuerWrong = answer.issuer ? answer.issuer->reveal() != server.issuer : server.tellsIssuer;
    if (isIssuerWrong) {
        return fail(ErrorCode::NotAuthorised, "the browser came back from another issuer");
    }
    if (answer.error) {
        return Unexpected<Error>(errorOfOAuth(answer.error->reveal()));
    }
    if (!answer.code || answer.code->empty()) {
        return fail(ErrorCode::ProviderMalformed, "the browser came back without a code");
    }
    return std::move(*answer.code);
}

bool isAnswerTo(std::string_view query, const Transaction& transaction)
{
    Answer answer;
    // What is wrong beside the state is told to whoever waits for the answer.
    static_cast<void>(query.size() <= kLongestQuery && readQuery(query, answer));
    return answer.state && transaction.state.equals(answer.state->reveal());
}

Error errorOfOAuth(std::string_view code)
{
    constexpr std::size_t kLongest = 64;
    Error error;
    const bool isTheirs = code == "server_error";
    const bool isBusy = code == "temporarily_unavailable" || code == "slow_down";
    error.code = isTheirs || isBusy ? ErrorCode::ProviderFailed
        : code == "expired_token"   ? ErrorCode::Timeout
                                    : ErrorCode::NotAuthorised;
    error.detail = "the issuer refused";
    if (isVisibleAscii(code) && code.size() <= kLongest) {
        error.foreignCode = code;
    }
    return error;
}

} // namespace vivavoce::core
