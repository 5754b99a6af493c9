#pragma once

#include "broker/admin/overview.h"
#include "broker/admin/pages.h"
#include "broker/http/entrance.h"
#include "broker/projects/policy_book.h"
#include "broker/projects/table_projects.h"
#include "broker/usage/live_usage.h"
#include "net/router.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker::admin {

/// What the dashboard asks for beside what admins can ask anyway: everybody's live sessions, budgets, and how it all does, once or
/// as it changes.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class Dashboard : public std::enable_shared_from_this<Dashboard> {
public:
    struct Dependencies {
        http::Entrance& entrance;
        auth::Authenticator& authenticator;
        Database& database;
        const core::Clock& clock;
        /// Nothing: admins keep no projects here.
        TableProjects* table = nullptr;
        PolicyBook policies;
        /// False once the broker drains.
        std::function<bool()> isReady;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };
    using Handler = net::Awaitable<net::HttpResponse> (Dashboard::*)(const net::HttpRequest&);
    struct Route {
        const char* method;
        const char* path;
        Handler handler;
    };

    Dashboard(Dependencies dependencies, Overview::Dependencies overview);
    [[nodiscard]] static std::vector<Route> routes();
    [[nodiscard]] const Pages& pages() const { return m_pages; }

    [[nodiscard]] net::Awaitable<net::HttpResponse> index(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> withSlash(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> file(const net::HttpRequest& request);
    /// Where admins sign in; anybody may ask.
    [[nodiscard]] net::Awaitable<net::HttpResponse> signIn(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> overview(const net::HttpRequest& request);
    /// The same as it changes, as server-sent events.
    [[nodiscard]] net::Awaitable<net::HttpResponse> events(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> sessions(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> budgets(const net::HttpRequest& request);

private:
    /// One who listens to the events; few may, and fewer with the credentials of one.
    using Seat = std::shared_ptr<void>;
    [[nodiscard]] core::Expected<Seat, Fault> takeSeat(const std::string& caller);
    [[nodiscard]] net::Awaitable<> tell(net::BodyWriter& body, std::optional<core::WallTime> until);
    using BudgetPage = core::Expected<core::Json, Fault>;
    [[nodiscard]] net::Awaitable<BudgetPage> projectBudgets(std::string after, std::size_t most);
    [[nodiscard]] net::Awaitable<BudgetPage> userBudgets(std::string after, std::size_t most);
    /// By user the projects that they may use, where those are kept here, and else those that they have used this month, with what each says
    /// itself as far as that is known.
    using Places = TableProjects::Memberships;
    [[nodiscard]] net::Awaitable<core::Expected<Places, Fault>> placesOf(std::vector<std::string> users);

    const Dependencies m_deps;
    Pages m_pages;
    Overview m_overview;
    const usage::LiveUsageBook m_book;
    struct Listeners;
    const std::shared_ptr<Listeners> m_listeners;
};

} // namespace vivavoce::broker::admin
