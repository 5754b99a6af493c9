#pragma once

#include "broker/admin/audit_desk.h"
#include "broker/http/entrance.h"
#include "core/base/clock.h"
#include "net/router.h"

#include <memory>
#include <vector>

namespace vivavoce::broker::admin {

/// The audit for admins: its lines, page by page from the end, and whether each chain of it is as it was written.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class AuditApi {
public:
    struct Dependencies {
        http::Entrance& entrance;
        const core::Clock& clock;
        /// Nothing: no audit is kept.
        std::shared_ptr<AuditDesk> desk;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };
    using Handler = net::Awaitable<net::HttpResponse> (AuditApi::*)(const net::HttpRequest&);
    struct Route {
        const char* method;
        const char* path;
        Handler handler;
    };

    explicit AuditApi(Dependencies dependencies) : m_deps(std::move(dependencies)) {}
    [[nodiscard]] static std::vector<Route> routes();

    [[nodiscard]] net::Awaitable<net::HttpResponse> tail(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> verify(const net::HttpRequest& request);

private:
    const Dependencies m_deps;
};

} // namespace vivavoce::broker::admin
