#pragma once

#include "broker/alerts/alert_book.h"
#include "broker/http/entrance.h"

#include <memory>

namespace vivavoce::broker::http {

/// GET /api/admin/alerts: what operators were told of, and how far that came with each channel.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class AlertApi {
public:
    struct Dependencies {
        Entrance& entrance;
        alerts::AlertBook& book;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };

    explicit AlertApi(Dependencies dependencies) : m_deps(std::move(dependencies)) {}
    [[nodiscard]] net::Awaitable<net::HttpResponse> list(const net::HttpRequest& request);

private:
    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
