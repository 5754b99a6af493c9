#include "broker/http/stream_api.h"

#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker::http {
namespace {

constexpr const char* kRoute = "/api/voice/stream";

/// How many models are named, written as it may be.
std::size_t namesModels(std::string_view query)
{
    std::size_t count = 0;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view part = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const bool isNamed =
            part == "model" || !net::queryParameter(part, "model").empty() || part.starts_with("model=");
        count += isNamed ? 1 : 0;
    }
    return count;
}

} // namespace

net::Awaitable<StreamApi::Upgrade> StreamApi::upgrade(const net::HttpRequest& request)
{
    const core::MonotonicTime since = m_deps.clock.now();
    auto outcome = co_await admitted(request);
    constexpr unsigned kSwitchingProtocols = 101;
    const unsigned status = outcome ? kSwitchingProtocols : outcome.error().status;
    const auto took = m_deps.clock.now() - since;
    m_deps.metrics.answered("GET", kRoute, status, took);
    m_deps.log.write(LogLevel::Info, "http.answered",
        {{"method", "GET"}, {"path", kRoute}, {"status", status}, {"request", request.id},
            {"peer", clientAddress(request, m_trustedProxies)},
            {"ms", std::chrono::duration_cast<core::Milliseconds>(took).count()}});
    co_return outcome;
}

net::Awaitable<StreamApi::Upgrade> StreamApi::admitted(const net::HttpRequest& request)
{
    using Refused = core::Unexpected<net::HttpResponse>;
    if (auto refusal = refuseInsecure(request, m_trustedProxies, m_publicUrl)) {
        co_return Refused(std::move(*refusal));
    }
    auto stranger = m_deps.entrance.meet(request);
    if (!m_deps.cors.isWelcome(request)) {
        const Fault fault{FaultCode::OriginNotAllowed, "the operator has not listed this page's origin", std::nullopt};
        co_return Refused(m_deps.entrance.refuse(stranger, fault, faultRow(fault.code).text));
    }
    const auto bearer = streamBearerOf(request);
    auto token = bearer.map([](const StreamBearer& borne) { return core::Secret(borne.token); });
    auto visitor = co_await m_deps.opener->identify(std::move(stranger), std::move(token));
    if (!visitor) {
        co_return Refused(std::move(visitor.error()));
    }
    if (namesModels(request.query) > 1) {
        co_return Refused(problemResponse({FaultCode::BadRequest, "model is there twice", std::nullopt}));
    }
    const std::string model = net::queryParameter(request.query, "model");
    if (!model.empty() && model != visitor->permit.session.record.model) {
        const Fault fault{FaultCode::NotAllowed, "model is not the one of this token's session", std::nullopt};
        co_return Refused(m_deps.opener->turnAway(visitor->client, fault));
    }
    auto opening = co_await m_deps.opener->open(std::move(*visitor), request.id);
    if (!opening) {
        co_return Refused(std::move(opening.error()));
    }
    net::WebSocketAccept accept;
    accept.subprotocol = bearer->subprotocol;
    accept.maxMessageBytes = kLongestStreamMessage;
    accept.queueBytes = kStreamQueueBytes;
    accept.silence = kStreamSilence;
    accept.run = [opener = m_deps.opener, opening = std::move(*opening)](
                     net::WebSocketSession& session) { return opener->run(opening, session); };
    co_return std::move(accept);
}

} // namespace vivavoce::broker::http
