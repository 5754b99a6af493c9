#include "broker/http/admin_api.h"

#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <chrono>

namespace vivavoce::broker::http {
namespace {

using core::Json;

constexpr std::size_t kMostBlocks = 1'000;
constexpr std::size_t kLongestName = 2'048;

Fault storeIsAway()
{
    return {FaultCode::Unavailable, "the limits' store cannot be asked now", std::chrono::seconds(5)};
}

/// {"user": "…"}: the key that a block is listed with. Nothing else may be there.
core::Expected<std::string, Fault> readUser(const net::HttpRequest& request)
{
    if (auto fault = checkContentType(request)) {
        return core::Unexpected<Fault>(std::move(*fault));
    }
    const auto body = core::parseJson(request.body);
    const auto user = body && body->is_object() && body->size() == 1 ? body->find("user") : Json::const_iterator();
    const bool isThere = body && body->is_object() && body->size() == 1 && user != body->end() && user->is_string();
    if (!isThere || user->get_ref<const std::string&>().empty()
        || user->get_ref<const std::string&>().size() > kLongestName) {
        return core::Unexpected<Fault>(Fault{FaultCode::InvalidBody, "it has to be {\"user\": \"...\"}", std::nullopt});
    }
    return user->get<std::string>();
}

std::string lastSegment(const std::string& path)
{
    return path.substr(path.rfind('/') + 1);
}

net::HttpResponse done(const Json& body)
{
    return net::HttpResponse::json(200, core::writeJson(body));
}

} // namespace

std::vector<AdminApi::Route> AdminApi::routes()
{
    return {
        {"DELETE", "/api/voice/session/{id}", &AdminApi::endSession},
        {"GET", "/api/admin/blocks", &AdminApi::listBlocks},
        {"POST", "/api/admin/blocks/lift", &AdminApi::liftBlock},
        {"POST", "/api/admin/sessions/revoke", &AdminApi::revokeUser},
    };
}

net::Awaitable<net::HttpResponse> AdminApi::endSession(const net::HttpRequest& request)
{
    const std::string id = lastSegment(request.path);
    auto client = co_await m_deps.entrance.enter(request, auth::scope::kSession);
    if (!client) {
        co_return std::move(client.error());
    }
    const auto fault = co_await m_deps.tokens.end(std::move(*client), id);
    if (fault) {
        co_return problemResponse(*fault);
    }
    co_return done({{"sessionId", id}, {"ended", true}});
}

net::Awaitable<net::HttpResponse> AdminApi::listBlocks(const net::HttpRequest& request)
{
    auto client = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!client) {
        co_return std::move(client.error());
    }
    const auto blocks = co_await m_deps.gatekeeper.blocks(kMostBlocks);
    if (!blocks) {
        co_return problemResponse(storeIsAway());
    }
    Json list = Json::array();
    for (const Block& block : *blocks) {
        list.push_back({{"user", block.offender}, {"bucket", block.bucket}, {"level", block.level},
            {"secondsLeft", std::chrono::ceil<std::chrono::seconds>(block.left).count()}});
    }
    co_return done({{"blocks", std::move(list)}});
}

net::Awaitable<net::HttpResponse> AdminApi::liftBlock(const net::HttpRequest& request)
{
    auto client = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!client) {
        co_return std::move(client.error());
    }
    auto user = readUser(request);
    if (!user) {
        co_return problemResponse(user.error());
    }
    const auto lifted = co_await m_deps.gatekeeper.lift(std::move(*user));
    if (!lifted) {
        co_return problemResponse(storeIsAway());
    }
    co_return done({{"lifted", *lifted}});
}

net::Awaitable<net::HttpResponse> AdminApi::revokeUser(const net::HttpRequest& request)
{
    auto client = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!client) {
        co_return std::move(client.error());
    }
    auto user = readUser(request);
    if (!user) {
        co_return problemResponse(user.error());
    }
    const auto ended = co_await m_deps.tokens.endAllOf(std::move(*client), std::move(*user));
    if (!ended) {
        co_return problemResponse(ended.error());
    }
    co_return done({{"ended", *ended}});
}

} // namespace vivavoce::broker::http
