#include "broker/providers/openai_provider.h"

#include "core/base/json.h"
#include "core/base/percent.h"
#include "core/protocol/openai/client_secret.h"
#include "net/http_client.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::ErrorCode;

/// A probe is no mint: nobody waits for it.
constexpr core::Milliseconds kProbePatience{5'000};
constexpr std::size_t kMaxModelsBytes = 1 << 20;
constexpr std::size_t kMaxAnswerBytes = 256 * 1024;
constexpr std::size_t kMaxTokenBytes = 8 * 1024;
constexpr std::chrono::hours kLongestWait{1};
/// Near the year 2255: what system_clock can count in nanoseconds.
constexpr std::int64_t kLatestUnixSeconds = 9'000'000'000;

std::string trimmedBase(std::string url)
{
    const auto dropSlashes = [&url] {
        while (!url.empty() && url.back() == '/') {
            url.pop_back();
        }
    };
    dropSlashes();
    if (url.ends_with("/v1")) {
        url.resize(url.size() - 3);
        dropSlashes();
    }
    return url;
}

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

/// `error.code` of an answer, where it has one.
std::string errorCodeOf(std::string_view body)
{
    const auto parsed = core::parseJson(body);
    const auto error = parsed && parsed->is_object() ? parsed->value("error", core::Json()) : core::Json();
    const auto code = error.is_object() ? error.value("code", core::Json()) : core::Json();
    return code.is_string() ? code.get<std::string>() : std::string();
}

core::Error errorOf(const net::ClientResponse& response)
{
    core::Error error;
    error.detail = "the provider answered HTTP " + std::to_string(response.status);
    error.retryAfter = retryAfter(response.headers);
    const unsigned status = response.status;
    if (status == 401 || status == 403) {
        error.code = ErrorCode::ProviderRefused;
    } else if (status == 429) {
        error.code =
            errorCodeOf(response.body) == "insufficient_quota" ? ErrorCode::ProviderQuota : ErrorCode::RateLimited;
    } else if (status == 400 || status == 422) {
        error.code = ErrorCode::BadUsage;
    } else if (status >= 500) {
        error.code = ErrorCode::ProviderFailed;
    } else {
        // Redirects, 404 and the like: not the endpoint that we took it for.
        error.code = ErrorCode::ProviderMalformed;
    }
    return error;
}

std::string bodyOf(const MintOrder& order)
{
    core::openai::ClientSecretRequest request;
    request.expiresAfterSeconds = order.life.count();
    core::openai::Session session;
    session.model = order.model;
    session.instructions = order.instructions;
    if (order.voice) {
        session.voice = core::openai::Voice{*order.voice, false};
    }
    request.session = std::move(session);
    return core::openai::encode(request);
}

} // namespace

OpenAiProvider::OpenAiProvider(Settings settings)
    : m_settings(std::move(settings)), m_base(trimmedBase(m_settings.baseUrl))
{
}

core::broker::ConnectInfo OpenAiProvider::connect(const std::string& model) const
{
    core::broker::ConnectInfo info;
    // http becomes ws, https becomes wss.
    info.url = "ws" + m_base.substr(4) + "/v1/realtime?model=" + core::percentEncoded(model);
    return info;
}

net::ClientRequest OpenAiProvider::request(const char* method, const char* path) const
{
    net::ClientRequest request;
    request.method = method;
    request.url = m_base + path;
    request.headers.add("Accept", "application/json");
    if (!m_settings.apiKey.empty()) {
        request.headers.add("Authorization", "Bearer " + std::string(m_settings.apiKey.reveal()));
    }
    request.trust.extraCaFile = m_settings.caFile;
    return request;
}

net::Awaitable<core::Expected<MintedToken, core::Error>> OpenAiProvider::mint(const MintOrder& order)
{
    net::ClientRequest question = request("POST", "/v1/realtime/client_secrets");
    question.headers.add("Content-Type", "application/json");
    question.body = bodyOf(order);
    question.timeout = m_settings.timeout;
    question.maxBodyBytes = kMaxAnswerBytes;
    auto response = co_await net::sendRequest(std::move(question));
    if (!response) {
        co_return core::Unexpected<core::Error>(response.error());
    }
    if (response->status != 200 && response->status != 201) {
        co_return core::Unexpected<core::Error>(errorOf(*response));
    }
    auto secret = core::openai::decodeClientSecret(response->body);
    core::wipeString(response->body);
    if (!secret) {
        co_return core::fail(ErrorCode::ProviderMalformed, "the provider's answer: " + secret.error().message);
    }
    if (secret->value.empty() || secret->value.size() > kMaxTokenBytes) {
        co_return core::fail(ErrorCode::ProviderMalformed, "the provider's token is empty or too long");
    }
    // It goes into a header of the client's, whose lines it would end.
    const auto isVisible = [](char c) { return c > 0x20 && c < 0x7F; };
    if (const auto text = secret->value.reveal(); !std::all_of(text.begin(), text.end(), isVisible)) {
        co_return core::fail(ErrorCode::ProviderMalformed, "the provider's token has characters that no token has");
    }
    const auto expiresAt = std::clamp<std::int64_t>(secret->expiresAt, 0, kLatestUnixSeconds);
    co_return MintedToken{std::move(secret->value), core::WallTime(std::chrono::seconds(expiresAt))};
}

net::Awaitable<core::Expected<net::WebSocketRequest, core::Error>> OpenAiProvider::opening(const MintOrder& order)
{
    net::WebSocketRequest question;
    question.url = connect(order.model).url;
    question.timeout = m_settings.timeout;
    question.trust.extraCaFile = m_settings.caFile;
    question.memory = m_dials;
    core::Secret credential = m_settings.apiKey.clone();
    // A server that wants no key of ours may want one of its own tokens all the same.
    if (order.voice || order.instructions || credential.empty()) {
        auto minted = co_await mint(order);
        if (!minted) {
            co_return core::Unexpected<core::Error>(minted.error());
        }
        credential = std::move(minted->value);
    }
    if (!credential.empty()) {
        question.headers.add("Authorization", "Bearer " + std::string(credential.reveal()));
    }
    co_return question;
}

net::Awaitable<core::Expected<void, core::Error>> OpenAiProvider::probe()
{
    net::ClientRequest question = request("GET", "/v1/models");
    question.timeout = std::min(m_settings.timeout, kProbePatience);
    question.maxBodyBytes = kMaxModelsBytes;
    const auto response = co_await net::sendRequest(std::move(question));
    if (!response) {
        co_return core::Unexpected<core::Error>(response.error());
    }
    // Who has no such list, or finds that we ask too often, is there and says nothing of our key.
    const unsigned status = response->status;
    const bool isThere = (status >= 200 && status < 300) || status == 404 || status == 405;
    core::Error error = errorOf(*response);
    if (isThere || error.code == ErrorCode::RateLimited) {
        co_return core::Expected<void, core::Error>();
    }
    co_return core::Unexpected<core::Error>(std::move(error));
}

} // namespace vivavoce::broker
