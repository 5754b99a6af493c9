#pragma once

#include "broker/http/entrance.h"
#include "broker/projects/table_projects.h"
#include "broker/tokens/session_ender.h"
#include "net/router.h"

#include <memory>
#include <vector>

namespace vivavoce::broker::http {

/// What admins do with projects where they are kept here: list, make, change and remove them, and say who is a member.
/// Invariant: a change is in the audit before it is made.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class ProjectApi : public std::enable_shared_from_this<ProjectApi> {
public:
    struct Dependencies {
        Entrance& entrance;
        TableProjects& projects;
        SessionEnder& ender;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };
    using Handler = net::Awaitable<net::HttpResponse> (ProjectApi::*)(const net::HttpRequest&);
    struct Route {
        const char* method;
        const char* path;
        Handler handler;
    };

    explicit ProjectApi(Dependencies dependencies) : m_deps(std::move(dependencies)) {}
    [[nodiscard]] static std::vector<Route> routes();

    [[nodiscard]] net::Awaitable<net::HttpResponse> list(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> put(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> remove(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> members(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> addMember(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> removeMember(const net::HttpRequest& request);

private:
    /// That project, or none of them.
    [[nodiscard]] TableProjects::Result<std::vector<TableProjects::Project>> only(std::string id);
    /// What a project is to be; without a basis whatever there is by then is overwritten.
    struct Wish {
        std::string id;
        Policy policy;
        std::optional<std::string> basis;
    };
    using Made = core::Expected<TableProjects::Put, Fault>;
    [[nodiscard]] net::Awaitable<Made> make(const Client& client, const Wish& wish);
    /// ProjectChanged also where it is another one than it was when the audit was told; not where that is the last attempt.
    [[nodiscard]] net::Awaitable<Made> makeOnce(const Client& client, const Wish& wish, bool isLast);
    enum class Change { Add, Remove };
    [[nodiscard]] net::Awaitable<net::HttpResponse> changeMember(const net::HttpRequest& request, Change change);
    /// Nothing: it is in the audit.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> tell(
        const Client& client, AuditOutcome outcome, const std::string& what);

    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
