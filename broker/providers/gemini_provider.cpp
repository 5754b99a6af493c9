#include "broker/providers/gemini_provider.h"

#include "broker/providers/provider_answer.h"
#include "core/base/json.h"
#include "core/base/rfc3339.h"
#include "core/protocol/gemini/auth_token.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::ErrorCode;

/// A probe is no mint: nobody waits for it.
constexpr core::Milliseconds kProbePatience{5'000};
constexpr std::size_t kMaxModelsBytes = 1 << 20;
constexpr std::size_t kMaxAnswerBytes = 64 * 1024;
/// Google takes less than 20 hours; clocks differ.
constexpr std::chrono::seconds kLongestSession{19 * 3'600};
constexpr std::string_view kTokenFolder = "auth_tokens/";

std::string trimmedBase(std::string url)
{
    while (!url.empty() && url.back() == '/') {
        url.pop_back();
    }
    return url;
}

/// `error.message` and what stands beside it, where an answer has one.
core::Json errorIn(std::string_view body)
{
    auto parsed = core::parseJson(body);
    auto error = parsed && parsed->is_object() ? parsed->value("error", core::Json()) : core::Json();
    return error.is_object() ? error : core::Json::object();
}

bool hasReason(const core::Json& error, std::string_view reason)
{
    const auto details = error.value("details", core::Json());
    return details.is_array() && std::any_of(details.begin(), details.end(), [&](const core::Json& one) {
        const auto told = one.is_object() ? one.find("reason") : one.end();
        return told != one.end() && *told == reason;
    });
}

core::Error errorOf(const net::ClientResponse& response)
{
    core::Error error = errorOfAnswer(response);
    const core::Json told = errorIn(response.body);
    const auto message = told.find("message");
    const bool isQuota = message != told.end() && message->is_string()
        && message->get_ref<const std::string&>().find("exceeded your current quota") != std::string::npos;
    if (error.code == ErrorCode::BadUsage && hasReason(told, "API_KEY_INVALID")) {
        // A bad key is a bad request to Google.
        error.code = ErrorCode::ProviderRefused;
    } else if (error.code == ErrorCode::RateLimited && isQuota) {
        error.code = ErrorCode::ProviderQuota;
    }
    return error;
}

std::string bodyOf(const MintOrder& order, core::WallTime now)
{
    namespace gemini = core::gemini;
    gemini::AuthTokenRequest request;
    request.uses = 1;
    // It bounds the session, and not only its beginning.
    const auto session = std::clamp(order.sessionLife, std::min(order.life, kLongestSession), kLongestSession);
    request.expireTime = core::formatRfc3339(now + session);
    request.newSessionExpireTime = core::formatRfc3339(now + order.life);
    gemini::Setup setup;
    setup.model = gemini::modelPath(order.model);
    // Without a mask all of a setup is pinned, also what it does not say: no client could ask for transcripts or resume a session.
    std::string mask = "model";
    if (order.instructions) {
        gemini::Part part;
        part.text = order.instructions;
        setup.systemInstruction = gemini::Content{{}, {std::move(part)}};
        mask += ",systemInstruction";
    }
    if (order.voice) {
        gemini::GenerationConfig generation;
        generation.voiceName = order.voice;
        setup.generationConfig = std::move(generation);
        mask += ",generationConfig.speechConfig";
    }
    request.setup = std::move(setup);
    request.fieldMask = std::move(mask);
    return core::gemini::encode(request);
}

} // namespace

GeminiProvider::GeminiProvider(Settings settings, const core::Clock& clock)
    : m_settings(std::move(settings)), m_base(trimmedBase(m_settings.baseUrl)), m_clock(clock)
{
}

bool GeminiProvider::serves(const std::string& model) const
{
    return model.starts_with("gemini-") || model.starts_with("models/gemini-") || model == m_settings.defaultModel;
}

core::broker::ConnectInfo GeminiProvider::connect(const std::string& /*model*/) const
{
    core::broker::ConnectInfo info;
    info.url = socketUrl("BidiGenerateContentConstrained");
    info.auth = "token";
    info.dialect = "gemini";
    return info;
}

std::string GeminiProvider::socketUrl(const char* method) const
{
    // http becomes ws, https becomes wss. The model is in the setup.
    return "ws" + m_base.substr(4) + "/ws/google.ai.generativelanguage." + m_settings.version + ".GenerativeService."
        + method;
}

net::ClientRequest GeminiProvider::request(const char* method, const std::string& path) const
{
    net::ClientRequest request;
    request.method = method;
    request.url = m_base + "/" + m_settings.version + path;
    request.headers.add("Accept", "application/json");
    if (!m_settings.apiKey.empty()) {
        request.headers.add("x-goog-api-key", std::string(m_settings.apiKey.reveal()));
    }
    request.trust.extraCaFile = m_settings.caFile;
    return request;
}

net::Awaitable<core::Expected<MintedToken, core::Error>> GeminiProvider::mint(const MintOrder& order)
{
    const core::WallTime now = m_clock.wallNow();
    const core::WallTime expiresAt = now + order.life;
    net::ClientRequest question = request("POST", "/auth_tokens");
    question.headers.add("Content-Type", "application/json");
    question.body = bodyOf(order, now);
    question.timeout = m_settings.timeout;
    question.maxBodyBytes = kMaxAnswerBytes;
    auto response = co_await net::sendRequest(std::move(question));
    if (!response) {
        co_return core::Unexpected<core::Error>(response.error());
    }
    if (response->status != 200 && response->status != 201) {
        co_return core::Unexpected<core::Error>(errorOf(*response));
    }
    auto token = core::gemini::decodeAuthToken(response->body);
    core::wipeString(response->body);
    if (!token) {
        co_return core::fail(ErrorCode::ProviderMalformed, "the provider's answer: " + token.error().message);
    }
    if (auto checked = checkMinted(token->name, m_settings.apiKey.reveal()); !checked) {
        co_return core::Unexpected<core::Error>(std::move(checked.error()));
    }
    if (!token->name.reveal().starts_with(kTokenFolder)) {
        co_return core::fail(ErrorCode::ProviderMalformed, "the provider's token is none of Gemini's");
    }
    co_return MintedToken{std::move(token->name), expiresAt};
}

net::Awaitable<core::Expected<net::WebSocketRequest, core::Error>> GeminiProvider::opening(const MintOrder& order)
{
    net::WebSocketRequest question;
    question.timeout = m_settings.timeout;
    question.trust.extraCaFile = m_settings.caFile;
    question.memory = m_dials;
    if (!order.voice && !order.instructions) {
        question.url = socketUrl("BidiGenerateContent");
        question.headers.add("x-goog-api-key", std::string(m_settings.apiKey.reveal()));
        co_return question;
    }
    auto minted = co_await mint(order);
    if (!minted) {
        co_return core::Unexpected<core::Error>(std::move(minted.error()));
    }
    question.url = connect(order.model).url;
    question.headers.add("Authorization", "Token " + std::string(minted->value.reveal()));
    co_return question;
}

net::Awaitable<core::Expected<void, core::Error>> GeminiProvider::probe()
{
    net::ClientRequest question = request("GET", "/models?pageSize=1");
    question.timeout = std::min(m_settings.timeout, kProbePatience);
    question.maxBodyBytes = kMaxModelsBytes;
    const auto response = co_await net::sendRequest(std::move(question));
    if (!response) {
        co_return core::Unexpected<core::Error>(response.error());
    }
    co_return answerOfProbe(response->status, errorOf(*response));
}

} // namespace vivavoce::broker
