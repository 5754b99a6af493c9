#pragma once

#include "broker/http/entrance.h"
#include "net/router.h"

#include <functional>
#include <memory>
#include <string>

namespace vivavoce::broker::http {

inline constexpr const char* kMetricsPath = "/metrics";
/// Gives all metrics as text (Metrics::scrape). [any thread]
using Scrape = std::function<std::string()>;

/// GET /metrics for admins.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class MetricsApi {
public:
    struct Dependencies {
        Entrance& entrance;
        Scrape scrape;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };

    explicit MetricsApi(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

    [[nodiscard]] net::Awaitable<net::HttpResponse> scrape(const net::HttpRequest& request);

private:
    const Dependencies m_deps;
};

/// The routes of a listener that serves nothing but metrics, and asks for no credential.
[[nodiscard]] net::Router openMetricsRoutes(Scrape scrape);

} // namespace vivavoce::broker::http
