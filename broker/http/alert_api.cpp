#include "broker/http/alert_api.h"

#include "broker/admin/page_query.h"
#include "broker/alerts/alert_channel.h"
#include "broker/config_values.h"
#include "broker/http/problem_response.h"
#include "core/base/json.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <utility>

namespace vivavoce::broker::http {
namespace {

using core::Json;

constexpr std::int64_t kUnasked = 50;

Json jsonOf(const alerts::ListedAlert& listed)
{
    Json deliveries = Json::array();
    for (const alerts::Delivery& delivery : listed.deliveries) {
        Json one{{"channel", delivery.channel}, {"state", delivery.state}, {"attempts", delivery.attempts}};
        one[delivery.state == "waiting" ? "nextAt" : "at"] = core::formatRfc3339(delivery.at);
        if (!delivery.reason.empty()) {
            const alerts::ChannelFault fault = alerts::readChannelFault(delivery.reason);
            one["reason"] = fault.reason;
            if (fault.status != 0) {
                one["status"] = fault.status;
            }
        }
        deliveries.push_back(std::move(one));
    }
    Json alert = alerts::jsonOf(listed.alert);
    alert["deliveries"] = std::move(deliveries);
    return alert;
}

} // namespace

net::Awaitable<net::HttpResponse> AlertApi::list(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    // What is not understood is not "everything".
    const auto query = admin::PageQuery::read(request.query, {"before"});
    if (!query) {
        co_return problemResponse(query.error());
    }
    const std::string limit = query->text("limit").value_or(std::string());
    constexpr Range range{1, static_cast<std::int64_t>(alerts::AlertBook::kMostListed)};
    const auto most =
        limit.empty() ? core::Expected<std::int64_t, core::Error>(kUnasked) : readNumber("limit", limit, range);
    if (!most) {
        co_return problemResponse(Fault{FaultCode::BadRequest, most.error().detail, std::nullopt});
    }
    const auto listed =
        co_await m_deps.book.list(query->text("before").value_or(std::string()), static_cast<std::size_t>(*most));
    if (!listed) {
        co_return problemResponse(
            Fault{FaultCode::Unavailable, "the alerts cannot be looked up now", std::chrono::seconds(5)});
    }
    Json all = Json::array();
    for (const alerts::ListedAlert& one : *listed) {
        all.push_back(jsonOf(one));
    }
    Json body{{"alerts", std::move(all)}};
    if (listed->size() == static_cast<std::size_t>(*most)) {
        body["before"] = listed->back().alert.id;
    }
    co_return net::HttpResponse::json(200, core::writeJson(body));
}

} // namespace vivavoce::broker::http
