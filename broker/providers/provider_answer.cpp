#include "broker/providers/provider_answer.h"

#include "broker/providers/credential_mask.h"
#include "core/base/refused_handshake.h"
#include "core/base/visible_ascii.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::ErrorCode;

constexpr std::size_t kMaxTokenBytes = 8 * 1024;
constexpr std::chrono::hours kLongestWait{1};

/// Delay-seconds (RFC 9110 §10.2.3), an hour at most; the date form is not used by realtime providers.
std::optional<core::Milliseconds> retryAfter(const core::HttpHeaders& headers)
{
    const auto text = headers.find("Retry-After");
    std::uint32_t seconds = 0;
    if (!text) {
        return std::nullopt;
    }
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), seconds);
    if (fault != std::errc() || end != text->data() + text->size()) {
        return std::nullopt;
    }
    return std::min<core::Milliseconds>(std::chrono::seconds(seconds), kLongestWait);
}

} // namespace

core::Error errorOfAnswer(const net::ClientResponse& response)
{
    core::Error error;
    error.detail = "the provider answered HTTP " + std::to_string(response.status);
    error.retryAfter = retryAfter(response.headers);
    const unsigned status = response.status;
    // The same as at a door: a key, an account or an address is no other one where a token is asked for.
    error.code =
        status == 400 || status == 422 ? ErrorCode::BadUsage : core::codeOfRefusedHandshake(static_cast<int>(status));
    return error;
}

core::Expected<void, core::Error> checkMinted(const core::Secret& token, std::string_view key)
{
    if (token.empty() || token.size() > kMaxTokenBytes) {
        return core::fail(ErrorCode::ProviderMalformed, "the provider's token is empty or too long");
    }
    if (!core::isVisibleAscii(token.reveal())) {
        return core::fail(ErrorCode::ProviderMalformed, "the provider's token has characters that no token has");
    }
    const bool isLong = key.size() >= CredentialMask::kShortest;
    if (!key.empty() && (token.equals(key) || (isLong && token.reveal().find(key) != std::string_view::npos))) {
        return core::fail(ErrorCode::ProviderMalformed, "the provider's token holds the broker's key");
    }
    return {};
}

core::Expected<void, core::Error> answerOfProbe(unsigned status, core::Error error)
{
    // 426: of a server that is nothing but WebSockets.
    const bool isThere = (status >= 200 && status < 300) || status == 404 || status == 405 || status == 426;
    if (isThere || error.code == ErrorCode::RateLimited) {
        return {};
    }
    return core::Unexpected<core::Error>(std::move(error));
}

} // namespace vivavoce::broker
