#include "broker/http/admin_api.h"

#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace vivavoce::broker::http {
namespace {

using core::Json;

constexpr std::size_t kMostBlocks = 1'000;
constexpr std::size_t kLongestName = 2'048;

Fault storeIsAway()
{
    return {FaultCode::Unavailable, "the limits' store cannot be asked now", std::chrono::seconds(5)};
}

/// {"user": "…"}, the key that a block is listed with, or another one of `names`; nothing else may be there.
core::Expected<std::pair<std::string, std::string>, Fault> readName(
    const net::HttpRequest& request, const std::vector<std::string>& names)
{
    if (auto fault = checkContentType(request)) {
        return core::Unexpected<Fault>(std::move(*fault));
    }
    const auto body = core::parseJson(request.body);
    if (body && body->is_object() && body->size() == 1 && body->begin()->is_string()) {
        const std::string& name = body->begin().key();
        const auto& value = body->begin()->get_ref<const std::string&>();
        if (std::find(names.begin(), names.end(), name) != names.end() && !value.empty()
            && value.size() <= kLongestName) {
            return std::pair(name, value);
        }
    }
    return core::Unexpected<Fault>(
        Fault{FaultCode::InvalidBody, "it has to be {\"" + names.front() + "\": \"...\"}", std::nullopt});
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
        {"POST", "/api/admin/sessions/revoke", &AdminApi::revokeSessions},
    };
}

net::Awaitable<net::HttpResponse> AdminApi::endSession(const net::HttpRequest& request)
{
    const std::string id = lastSegment(request.path);
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kSession, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto fault = co_await m_deps.ender.end(guest->client, id);
    if (fault) {
        if (fault->code == FaultCode::SessionNotFound) {
            m_deps.entrance.turnedAway(guest->client, faultRow(fault->code).text, sessionNamed(id));
        }
        co_return problemResponse(*fault);
    }
    co_return done({{"sessionId", id}, {"ended", true}});
}

net::Awaitable<net::HttpResponse> AdminApi::listBlocks(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
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
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto named = readName(request, {"user"});
    if (!named) {
        co_return problemResponse(named.error());
    }
    const std::string& user = named->second;
    // Before the effect, and also where no block runs: violations and escalation are forgiven as well.
    auto unseen = co_await m_deps.entrance.witness(guest->client, AuditEvent::Unblock, AuditOutcome::Done, user);
    if (unseen) {
        co_return problemResponse(*unseen);
    }
    const auto lifted = co_await m_deps.gatekeeper.lift(user);
    if (!lifted) {
        // A part of it may be done, so the line before stays; this one says that the block may go on.
        unseen = co_await m_deps.entrance.witness(guest->client, AuditEvent::Unblock, AuditOutcome::Failed, user);
        co_return problemResponse(unseen ? *unseen : storeIsAway());
    }
    co_return done({{"lifted", *lifted}});
}

net::Awaitable<net::HttpResponse> AdminApi::revokeSessions(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto named = readName(request, {"user", "project"});
    if (!named) {
        co_return problemResponse(named.error());
    }
    const bool isProject = named->first == "project";
    auto ending = isProject ? m_deps.ender.endProject(guest->client, named->second)
                            : m_deps.ender.endAllOf(guest->client, named->second);
    const auto ended = co_await std::move(ending);
    if (!ended) {
        co_return problemResponse(ended.error());
    }
    co_return done({{"ended", *ended}});
}

} // namespace vivavoce::broker::http
