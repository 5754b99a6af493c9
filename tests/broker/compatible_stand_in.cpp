#include "tests/broker/compatible_stand_in.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace vivavoce::tests {
namespace {

using core::Json;
using net::test::kTestPatience;

constexpr const char* kMinted = "ek_marker_compatible_";

bool isMinting(const std::string& profile)
{
    return profile == "azure" || profile == "xai" || profile == "openai";
}

} // namespace

CompatibleStandIn::CompatibleStandIn(std::string profile) : m_profile(std::move(profile))
{
    const std::string root = m_profile == "azure" ? "/openai/v1" : "/v1";
    net::Router router;
    if (isMinting(m_profile)) {
        net::test::addPlain(router, "POST", root + "/realtime/client_secrets",
            [this](const net::HttpRequest& request) { return mint(request); });
    }
    router.addWebSocket(root + "/realtime", [this](const net::HttpRequest& request) { return admit(request); });
    m_server = std::make_unique<net::test::TestServer>(std::move(router));
}

bool CompatibleStandIn::hasKey(const net::HttpRequest& request) const
{
    if (m_profile == "azure") {
        return request.headers.find("api-key") == kKey && !request.headers.find("Authorization");
    }
    return request.headers.find("Authorization") == "Bearer " + std::string(kKey) && !request.headers.find("api-key");
}

net::HttpResponse CompatibleStandIn::refuse(unsigned status, const std::string& why, const std::string& code)
{
    m_refused.push_back(status);
    const std::string told = code.empty() ? std::to_string(status) : code;
    return net::HttpResponse::json(status, core::writeJson({{"error", {{"code", told}, {"message", why}}}}));
}

void CompatibleStandIn::refuseHandshakes(unsigned status)
{
    const std::lock_guard lock(m_mutex);
    m_handshakes = status;
}

void CompatibleStandIn::forget(const std::string& model)
{
    const std::lock_guard lock(m_mutex);
    m_forgotten = model;
}

net::HttpResponse CompatibleStandIn::mint(const net::HttpRequest& request)
{
    const std::lock_guard lock(m_mutex);
    if (!hasKey(request)) {
        return refuse(401, "Access denied due to invalid subscription key");
    }
    const auto body = core::parseJson(request.body);
    const Json life = body && body->is_object() ? body->value("expires_after", Json()) : Json();
    const std::int64_t seconds = life.is_object() ? life.value("seconds", std::int64_t{0}) : 0;
    if (m_profile == "xai") {
        // No session in it, and an hour at most.
        if (!body || body->size() != 1 || seconds < 1 || seconds > 3600) {
            return refuse(400, "unknown field");
        }
    } else if (!body || !body->contains("session") || !request.query.empty()) {
        return refuse(400, "session");
    }
    if (!m_forgotten.empty() && body->at("session").value("model", std::string()) == m_forgotten) {
        return refuse(404, "The API deployment for this resource does not exist", "DeploymentNotFound");
    }
    m_mints.push_back(request.body);
    // xAI tells nothing of a session.
    const std::string token = kMinted + std::to_string(m_mints.size());
    return net::HttpResponse::json(200, core::writeJson({{"value", token}, {"expires_at", 1'800'000'060}}));
}

net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> CompatibleStandIn::admit(
    const net::HttpRequest& request)
{
    const std::lock_guard lock(m_mutex);
    if (m_handshakes != 101) {
        co_return core::Unexpected<net::HttpResponse>(refuse(m_handshakes, std::string("your key is ") + kKey));
    }
    const std::string bearer(request.headers.find("Authorization").value_or(""));
    const bool hasToken = isMinting(m_profile) && bearer.starts_with("Bearer " + std::string(kMinted));
    const bool isLetIn = m_profile == "speech-to-speech" || hasToken || hasKey(request);
    if (!isLetIn && m_profile != "speaches") {
        co_return core::Unexpected<net::HttpResponse>(refuse(401, "Access denied"));
    }
    // Of Azure's preview interface, which is gone.
    if (request.query.find("model=") == std::string::npos || request.query.find("api-version") != std::string::npos) {
        co_return core::Unexpected<net::HttpResponse>(refuse(400, "model"));
    }
    m_request = request;
    net::WebSocketAccept accept;
    accept.run = [this, isLetIn](net::WebSocketSession& session) -> net::Awaitable<> {
        if (!isLetIn) {
            {
                const std::lock_guard refusing(m_mutex);
                m_refused.push_back(1008);
            }
            co_await session.close(1008, "Invalid API key");
            co_return;
        }
        const auto line = std::make_shared<Line>();
        {
            const std::lock_guard waiting(m_mutex);
            m_waiting.push_back(line);
            m_changed.notify_all();
        }
        co_await line->serve(session);
    };
    co_return std::move(accept);
}

std::shared_ptr<Line> CompatibleStandIn::next()
{
    std::unique_lock lock(m_mutex);
    if (!m_changed.wait_for(lock, kTestPatience, [this] { return !m_waiting.empty(); })) {
        throw std::runtime_error("nobody opened a session");
    }
    auto line = std::move(m_waiting.front());
    m_waiting.pop_front();
    return line;
}

net::HttpRequest CompatibleStandIn::request()
{
    const std::lock_guard lock(m_mutex);
    return m_request;
}

std::vector<std::string> CompatibleStandIn::mints()
{
    const std::lock_guard lock(m_mutex);
    return m_mints;
}

std::vector<unsigned> CompatibleStandIn::refused()
{
    const std::lock_guard lock(m_mutex);
    return m_refused;
}

} // namespace vivavoce::tests
