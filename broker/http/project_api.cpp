#include "broker/http/project_api.h"

#include "broker/admin/page_query.h"
#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "broker/projects/policy_json.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include <utility>

namespace vivavoce::broker::http {
namespace {

using core::Json;

constexpr std::size_t kLongestMember = 2'048;
constexpr std::size_t kLongestRevision = 64;
/// Of others who change the same project at the same time, as many.
constexpr int kMostAttempts = 5;

Fault invalid(const std::string& detail)
{
    return {FaultCode::InvalidBody, detail, std::nullopt};
}

core::Expected<Json, Fault> readBody(const net::HttpRequest& request)
{
    if (auto fault = checkContentType(request)) {
        return core::Unexpected<Fault>(std::move(*fault));
    }
    auto body = core::parseJson(request.body);
    if (!body || !body->is_object()) {
        return core::Unexpected<Fault>(invalid("it has to be a JSON object"));
    }
    return std::move(*body);
}

/// A text of 1 to so many bytes; nothing for anything else.
std::optional<std::string> textOf(const Json& body, const char* name, std::size_t longest)
{
    const auto found = body.find(name);
    if (found == body.end() || !found->is_string() || found->get_ref<const std::string&>().empty()
        || found->get_ref<const std::string&>().size() > longest) {
        return std::nullopt;
    }
    const auto& text = found->get_ref<const std::string&>();
    const bool isPlain = std::none_of(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    return isPlain ? std::optional(text) : std::nullopt;
}

std::optional<std::string> projectOf(const Json& body, const char* name)
{
    auto project = textOf(body, name, kLongestMember);
    return project && isProjectName(*project) ? project : std::nullopt;
}

std::optional<TableProjects::Role> roleOf(const Json& body)
{
    if (body.at("role") == "admin") {
        return TableProjects::Role::Admin;
    }
    return body.at("role") == "member" ? std::optional(TableProjects::Role::Member) : std::nullopt;
}

/// What a policy was made from.
struct Basis {
    /// kNoRevision (null) where there was no such project; nothing where that is not said.
    std::optional<std::string> revision;
};

/// Nothing: it is neither.
std::optional<Basis> basisOf(const Json& body)
{
    Basis basis;
    if (!body.contains("revision")) {
        return basis;
    }
    if (body.at("revision").is_null()) {
        basis.revision = TableProjects::kNoRevision;
        return basis;
    }
    basis.revision = textOf(body, "revision", kLongestRevision);
    return basis.revision ? std::optional(std::move(basis)) : std::nullopt;
}

net::HttpResponse done(const Json& body)
{
    return net::HttpResponse::json(200, core::writeJson(body));
}

} // namespace

std::vector<ProjectApi::Route> ProjectApi::routes()
{
    return {
        {"GET", "/api/admin/projects", &ProjectApi::list},
        {"POST", "/api/admin/projects", &ProjectApi::put},
        {"POST", "/api/admin/projects/remove", &ProjectApi::remove},
        {"GET", "/api/admin/projects/members", &ProjectApi::members},
        {"POST", "/api/admin/projects/members/add", &ProjectApi::addMember},
        {"POST", "/api/admin/projects/members/remove", &ProjectApi::removeMember},
    };
}

net::Awaitable<std::optional<Fault>> ProjectApi::tell(
    const Client& client, AuditOutcome outcome, const std::string& what)
{
    auto fault = co_await m_deps.entrance.witness(client, AuditEvent::ConfigurationChange, outcome, what);
    co_return fault;
}

net::Awaitable<net::HttpResponse> ProjectApi::list(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (const auto fault = admin::encodingFault(request.query)) {
        co_return problemResponse(*fault);
    }
    const std::string id = net::queryParameter(request.query, "id");
    auto asked = id.empty() ? m_deps.projects.list(net::queryParameter(request.query, "after")) : only(id);
    const auto projects = co_await std::move(asked);
    if (!projects) {
        co_return problemResponse(projects.error());
    }
    Json all = Json::array();
    for (const TableProjects::Project& project : *projects) {
        all.push_back(TableProjects::json(project));
    }
    co_return done({{"projects", std::move(all)}});
}

TableProjects::Result<std::vector<TableProjects::Project>> ProjectApi::only(std::string id)
{
    std::vector<TableProjects::Project> projects;
    auto found = co_await m_deps.projects.find(std::move(id));
    if (!found && found.error().code != FaultCode::NotFound) {
        co_return core::Unexpected<Fault>(found.error());
    }
    if (found) {
        projects.push_back(std::move(*found));
    }
    co_return projects;
}

net::Awaitable<net::HttpResponse> ProjectApi::put(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto body = readBody(request);
    if (!body) {
        co_return problemResponse(body.error());
    }
    const auto id = projectOf(*body, "id");
    const bool hasPolicy = body->contains("policy");
    auto basis = basisOf(*body);
    if (!id || !basis || body->size() != 1U + (hasPolicy ? 1U : 0U) + (basis->revision ? 1U : 0U)) {
        co_return problemResponse(
            invalid("it has to be {\"id\": \"...\", \"policy\": {...}, \"revision\": \"...\" or null}"));
    }
    auto policy = hasPolicy ? readPolicy(body->at("policy")) : core::Expected<Policy, std::string>(Policy());
    if (!policy) {
        co_return problemResponse(invalid(policyFault(body->at("policy"))));
    }
    const Wish wish{*id, std::move(*policy), std::move(basis->revision)};
    const auto made = co_await make(guest->client, wish);
    if (!made) {
        co_return problemResponse(made.error());
    }
    co_return done({{"id", wish.id}, {"created", made->isNew}, {"policy", writePolicy(wish.policy)},
        {"revision", made->revision}});
}

net::Awaitable<ProjectApi::Made> ProjectApi::make(const Client& client, const Wish& wish)
{
    for (int attempt = 1;; ++attempt) {
        const bool isLast = wish.basis || attempt == kMostAttempts;
        auto made = co_await makeOnce(client, wish, isLast);
        if (made || isLast || made.error().code != FaultCode::ProjectChanged) {
            co_return made;
        }
    }
}

net::Awaitable<ProjectApi::Made> ProjectApi::makeOnce(const Client& client, const Wish& wish, bool isLast)
{
    auto known = co_await m_deps.projects.find(wish.id);
    if (!known && known.error().code != FaultCode::NotFound) {
        co_return core::Unexpected<Fault>(known.error());
    }
    const auto before = known ? std::optional(known->policy) : std::nullopt;
    const std::string told = TableProjects::told(wish.id, before, wish.policy);
    if (const auto unseen = co_await tell(client, AuditOutcome::Done, told)) {
        co_return core::Unexpected<Fault>(*unseen);
    }
    std::optional<std::string> basis = wish.basis;
    if (!basis && !isLast) {
        basis = known ? known->revision : std::string(TableProjects::kNoRevision);
    }
    auto put = co_await m_deps.projects.put(wish.id, wish.policy, std::move(basis));
    if (!put) {
        const auto unseen = co_await tell(client, AuditOutcome::Failed, told);
        co_return core::Unexpected<Fault>(unseen ? *unseen : put.error());
    }
    co_return put;
}

net::Awaitable<net::HttpResponse> ProjectApi::remove(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto body = readBody(request);
    if (!body) {
        co_return problemResponse(body.error());
    }
    const auto id = projectOf(*body, "id");
    if (!id || body->size() != 1) {
        co_return problemResponse(invalid("it has to be {\"id\": \"...\"}"));
    }
    if (const auto unseen = co_await tell(guest->client, AuditOutcome::Done, "project removed: " + *id)) {
        co_return problemResponse(*unseen);
    }
    const auto removed = co_await m_deps.projects.remove(*id);
    // Where it has gone already, its sessions may not have: that is finished here, too.
    const bool wasGone = !removed && removed.error().code == FaultCode::NotFound;
    if (!removed && !wasGone) {
        const auto unseen = co_await tell(guest->client, AuditOutcome::Failed, "project removed: " + *id);
        co_return problemResponse(unseen ? *unseen : removed.error());
    }
    const auto ended = co_await m_deps.ender.endProject(guest->client, *id);
    if (!ended) {
        co_return problemResponse(ended.error());
    }
    if (wasGone && *ended == 0) {
        const auto unseen = co_await tell(guest->client, AuditOutcome::Failed, "project removed: " + *id);
        co_return problemResponse(unseen ? *unseen : removed.error());
    }
    co_return done({{"id", *id}, {"removed", !wasGone}, {"ended", *ended}});
}

net::Awaitable<net::HttpResponse> ProjectApi::members(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (const auto fault = admin::encodingFault(request.query)) {
        co_return problemResponse(*fault);
    }
    const auto members = co_await m_deps.projects.members(
        net::queryParameter(request.query, "project"), net::queryParameter(request.query, "after"));
    if (!members) {
        co_return problemResponse(members.error());
    }
    Json names = Json::array();
    Json admins = Json::array();
    for (const TableProjects::Member& member : *members) {
        names.push_back(member.name);
        if (member.role == TableProjects::Role::Admin) {
            admins.push_back(member.name);
        }
    }
    co_return done({{"members", std::move(names)}, {"admins", std::move(admins)}});
}

net::Awaitable<net::HttpResponse> ProjectApi::addMember(const net::HttpRequest& request)
{
    auto response = co_await changeMember(request, Change::Add);
    co_return response;
}

net::Awaitable<net::HttpResponse> ProjectApi::removeMember(const net::HttpRequest& request)
{
    auto response = co_await changeMember(request, Change::Remove);
    co_return response;
}

net::Awaitable<net::HttpResponse> ProjectApi::changeMember(const net::HttpRequest& request, Change change)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto body = readBody(request);
    if (!body) {
        co_return problemResponse(body.error());
    }
    const bool isAdded = change == Change::Add;
    const auto project = projectOf(*body, "project");
    const auto user = textOf(*body, "user", kLongestMember);
    const bool hasRole = isAdded && body->contains("role");
    const auto role = hasRole ? roleOf(*body) : std::nullopt;
    if (!project || !user || (hasRole && !role) || body->size() != (hasRole ? 3U : 2U)) {
        co_return problemResponse(invalid(isAdded
                ? "it has to be {\"project\": \"...\", \"user\": \"...\", \"role\": \"member\" or \"admin\"}, the role only where it is to change"
                : "it has to be {\"project\": \"...\", \"user\": \"...\"}"));
    }
    // One that is none could be added by mistake, and opens nothing; it can be taken away all the same.
    if (isAdded && !auth::isCallerKey(*user)) {
        co_return problemResponse(
            invalid("user has to be kind, length of the issuer, issuer and subject, as in the list of blocks"));
    }
    const auto before = co_await m_deps.projects.roleOf(*project, *user);
    const std::string told = TableProjects::told(*project, *user, before ? *before : std::nullopt, isAdded, role);
    if (const auto unseen = co_await tell(guest->client, AuditOutcome::Done, told)) {
        co_return problemResponse(*unseen);
    }
    auto asked =
        isAdded ? m_deps.projects.addMember(*project, *user, role) : m_deps.projects.removeMember(*project, *user);
    const auto changed = co_await std::move(asked);
    if (!changed) {
        const auto unseen = co_await tell(guest->client, AuditOutcome::Failed, told);
        co_return problemResponse(unseen ? *unseen : changed.error());
    }
    co_return done({{"project", *project}, {"user", *user}, {"changed", *changed}});
}

} // namespace vivavoce::broker::http
