#include "broker/http/metrics_api.h"

#include "broker/http/problem_response.h"
#include "broker/http/security_headers.h"
#include "broker/metrics.h"

#include <utility>

namespace vivavoce::broker::http {
namespace {

net::HttpResponse answerOf(std::string text)
{
    net::HttpResponse response;
    response.headers.set("Content-Type", std::string(Metrics::contentType()));
    response.body = std::move(text);
    return response;
}

} // namespace

net::Awaitable<net::HttpResponse> MetricsApi::scrape(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    co_return answerOf(m_deps.scrape());
}

net::Router openMetricsRoutes(Scrape scrape)
{
    net::Router router;
    router.add("GET", kMetricsPath,
        [scrape = std::move(scrape)](
            const net::HttpRequest&) -> net::Awaitable<net::HttpResponse> { co_return answerOf(scrape()); });
    router.onUnrouted([](const net::HttpRequest&, unsigned status) {
        return problemResponse({faultOfStatus(status), {}, std::nullopt});
    });
    router.onResponse([](const net::HttpRequest& request, net::HttpResponse& response) {
        addSecurityHeaders(request, response, {});
    });
    return router;
}

} // namespace vivavoce::broker::http
