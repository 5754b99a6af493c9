#include "broker/providers/openai_provider.h"

#include "broker/providers/provider_answer.h"
#include "core/base/json.h"
#include "core/base/percent.h"
#include "core/protocol/openai/client_secret.h"
#include "net/http_client.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::ErrorCode;

/// A probe is no mint: nobody waits for it.
constexpr core::Milliseconds kProbePatience{5'000};
constexpr std::size_t kMaxModelsBytes = 1 << 20;
constexpr std::size_t kMaxAnswerBytes = 256 * 1024;
/// Near the year 2255: what system_clock can count in nanoseconds.
constexpr std::int64_t kLatestUnixSeconds = 9'000'000'000;

std::string baseOf(std::string url, const std::string& root)
{
    const auto dropSlashes = [&url] {
        while (!url.empty() && url.back() == '/') {
            url.pop_back();
        }
    };
    dropSlashes();
    if (url.ends_with(root)) {
        url.resize(url.size() - root.size());
        dropSlashes();
    }
    return url + root;
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
    core::Error error = errorOfAnswer(response);
    const std::string theirs = errorCodeOf(response.body);
    const bool isSpent = theirs == "insufficient_quota" || theirs == "credit_balance_exhausted";
    if (error.code == ErrorCode::RateLimited && isSpent) {
        error.code = ErrorCode::ProviderQuota;
    } else if (response.status == 404 && (theirs == "DeploymentNotFound" || theirs == "model_not_found")) {
        // The endpoint is there: it is the model that is not.
        error.code = ErrorCode::BadUsage;
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

bool hasSettings(const MintOrder& order)
{
    return order.voice || order.instructions;
}

/// "{model}" of a template, percent-encoded.
std::string filledIn(std::string text, const std::string& model)
{
    constexpr std::string_view kMark = "{model}";
    if (const auto at = text.find(kMark); at != std::string::npos) {
        text.replace(at, kMark.size(), core::percentEncoded(model));
    }
    return text;
}

} // namespace

OpenAiProvider::OpenAiProvider(Settings settings)
    : m_settings(std::move(settings)), m_base(baseOf(m_settings.baseUrl, m_settings.profile.root))
{
}

bool OpenAiProvider::serves(const std::string& model) const
{
    const auto& models = m_settings.models;
    return models.empty() || std::find(models.begin(), models.end(), model) != models.end();
}

core::broker::ConnectInfo OpenAiProvider::connect(const std::string& model) const
{
    core::broker::ConnectInfo info;
    // http becomes ws, https becomes wss.
    info.url = "ws" + m_base.substr(4) + "/realtime?" + filledIn(m_settings.profile.query, model);
    info.dialect = m_settings.profile.dialect;
    info.audio.rates = m_settings.profile.rates;
    info.profile = m_settings.profile.name;
    return info;
}

void OpenAiProvider::addKey(core::HttpHeaders& headers) const
{
    const std::string key(m_settings.apiKey.reveal());
    if (key.empty()) {
        return;
    }
    if (m_settings.profile.keyHeader == Profile::KeyHeader::ApiKey) {
        headers.add("api-key", key);
    } else {
        headers.add("Authorization", "Bearer " + key);
    }
}

net::ClientRequest OpenAiProvider::request(const char* method, const char* path) const
{
    net::ClientRequest request;
    request.method = method;
    request.url = m_base + path;
    request.headers.add("Accept", "application/json");
    addKey(request.headers);
    request.trust.extraCaFile = m_settings.caFile;
    return request;
}

net::Awaitable<core::Expected<MintedToken, core::Error>> OpenAiProvider::mint(const MintOrder& order)
{
    net::ClientRequest question = request("POST", "/realtime/client_secrets");
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
    if (auto checked = checkMinted(secret->value, m_settings.apiKey.reveal()); !checked) {
        co_return core::Unexpected<core::Error>(std::move(checked.error()));
    }
    const auto expiresAt = std::clamp<std::int64_t>(secret->expiresAt, 0, kLatestUnixSeconds);
    co_return MintedToken{std::move(secret->value), core::WallTime(std::chrono::seconds(expiresAt))};
}

net::Awaitable<core::Expected<net::WebSocketRequest, core::Error>> OpenAiProvider::opening(const MintOrder& order)
{
    net::WebSocketRequest question;
    question.url = connect(order.model).url;
    // Whoever dials bounds it.
    question.timeout = std::max(m_settings.timeout, m_settings.handshake.value_or(m_settings.timeout));
    question.trust.extraCaFile = m_settings.caFile;
    question.memory = m_dials;
    // A server that wants no key of ours may want one of its own tokens all the same.
    if (!pins() || (!hasSettings(order) && !m_settings.apiKey.empty())) {
        addKey(question.headers);
        co_return question;
    }
    auto minted = co_await mint(order);
    if (!minted) {
        co_return core::Unexpected<core::Error>(minted.error());
    }
    question.headers.add("Authorization", "Bearer " + std::string(minted->value.reveal()));
    co_return question;
}

net::Awaitable<core::Expected<void, core::Error>> OpenAiProvider::probe()
{
    net::ClientRequest question = request("GET", "/models");
    question.timeout = std::min(m_settings.timeout, kProbePatience);
    question.maxBodyBytes = kMaxModelsBytes;
    const auto response = co_await net::sendRequest(std::move(question));
    if (!response) {
        co_return core::Unexpected<core::Error>(response.error());
    }
    co_return answerOfProbe(response->status, errorOf(*response));
}

} // namespace vivavoce::broker
