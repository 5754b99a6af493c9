#include "agent/realtime/access.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

namespace vivavoce::agent::realtime {

namespace {

constexpr std::string_view kKeyProtocol = "openai-insecure-api-key.";
constexpr std::size_t kMaxBearerBytes = 512;

std::vector<std::string_view> subprotocols(const net::HttpRequest& request)
{
    std::vector<std::string_view> list;
    for (const auto& field : request.headers.fields()) {
        if (!core::equalsIgnoreCase(field.name, "Sec-WebSocket-Protocol")) {
            continue;
        }
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            std::string_view one = rest.substr(0, comma);
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            while (!one.empty() && one.front() == ' ') {
                one.remove_prefix(1);
            }
            while (!one.empty() && one.back() == ' ') {
                one.remove_suffix(1);
            }
            list.push_back(one);
        }
    }
    return list;
}

/// From the header, or from a browser's subprotocols. Empty: none, or more than one header.
std::string_view bearerOf(const net::HttpRequest& request)
{
    if (const auto header = request.headers.find("Authorization")) {
        constexpr std::string_view kScheme = "Bearer ";
        const bool isBearer =
            header->size() > kScheme.size() && core::equalsIgnoreCase(header->substr(0, kScheme.size()), kScheme);
        return isBearer && request.headers.count("Authorization") == 1 ? header->substr(kScheme.size())
                                                                       : std::string_view();
    }
    for (const std::string_view protocol : subprotocols(request)) {
        if (protocol.substr(0, kKeyProtocol.size()) == kKeyProtocol) {
            return protocol.substr(kKeyProtocol.size());
        }
    }
    return {};
}

/// No Origin (a native client), or a page of this machine.
bool isLocalOrigin(const net::HttpRequest& request)
{
    const auto origin = request.headers.find("Origin");
    if (!origin) {
        return true;
    }
    for (const std::string_view host : {"http://127.0.0.1", "http://localhost", "http://[::1]", "https://127.0.0.1",
             "https://localhost", "https://[::1]"}) {
        const bool isHost = origin->substr(0, host.size()) == host;
        if (isHost && (origin->size() == host.size() || (*origin)[host.size()] == ':')) {
            return true;
        }
    }
    return false;
}

bool isModelName(std::string_view model)
{
    const auto isAllowed = [](char letter) {
        return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '.' || letter == '_'
            || letter == ':';
    };
    return model.size() <= 64 && std::all_of(model.begin(), model.end(), isAllowed);
}

/// Names of OpenAI's realtime models are taken, so that clients need not be changed; all mean the one agent here.
bool isKnownModel(std::string_view model)
{
    for (const std::string_view family : {"gpt-realtime", "gpt-4o-realtime", "gpt-4o-mini-realtime", "vivavoce"}) {
        if (model.substr(0, family.size()) == family) {
            return true;
        }
    }
    return false;
}

core::Unexpected<Access::Refusal> refused(std::string code, std::string message, std::uint16_t closeCode)
{
    return core::Unexpected<Access::Refusal>(Access::Refusal{{std::move(code), std::move(message), {}}, closeCode});
}

} // namespace

bool offersRealtime(const net::HttpRequest& request)
{
    const auto list = subprotocols(request);
    return std::find(list.begin(), list.end(), "realtime") != list.end();
}

bool Access::isCredential(std::string_view bearer, const net::HttpRequest& request) const
{
    if (bearer.empty() || bearer.size() > kMaxBearerBytes || bearer.substr(0, 3) == "ek_") {
        return false;
    }
    if (!m_credential.empty()) {
        return m_credential.equals(bearer);
    }
    return request.peer.isLoopback && isLocalOrigin(request);
}

bool Access::mayMint(const net::HttpRequest& request) const
{
    return isCredential(bearerOf(request), request);
}

core::Expected<SessionSettings, Access::Refusal> Access::admit(
    const net::HttpRequest& request, const std::string& sessionId, std::int64_t expiresAt) const
{
    const std::string_view bearer = bearerOf(request);
    std::optional<core::openai::Session> minted;
    if (!isCredential(bearer, request)) {
        minted = bearer.size() <= kMaxBearerBytes ? m_secrets.sessionOf(bearer) : std::nullopt;
        if (!minted) {
            return refused("invalid_api_key", "Incorrect API key provided, or it has expired.", 3000);
        }
    }
    if (request.headers.find("OpenAI-Beta")) {
        return refused("beta_api_shape_disabled",
            "The beta shape of this API is not served; leave out the OpenAI-Beta header.", 4000);
    }
    core::openai::Session seed = minted.value_or(core::openai::Session{});
    std::string model = net::queryParameter(request.query, "model");
    if (model.empty()) {
        model = seed.model.value_or(std::string());
    }
    if (model.empty()) {
        return refused("missing_model", "You must provide a model parameter.", 4000);
    }
    if (!isModelName(model)) {
        return refused("invalid_model", "The model parameter is not the name of a model.", 4000);
    }
    if (!isKnownModel(model)) {
        return refused("model_not_found", "The model '" + model + "' does not exist here.", 4004);
    }
    auto settings = SessionSettings::defaults(model, sessionId, expiresAt);
    // The address outweighs the secret.
    seed.model.reset();
    auto seeded = settings.merged(seed, false);
    return seeded ? std::move(*seeded) : std::move(settings);
}

} // namespace vivavoce::agent::realtime
