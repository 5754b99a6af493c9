#include "broker/projects/table_projects.h"

#include "broker/projects/policy_json.h"
#include "broker/store/connection.h"
#include "broker/transcripts/transcript_book.h"

#include <nlohmann/json.hpp>

#include <map>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::Unexpected;
using soci::into;
using soci::use;

Fault storeIsAway()
{
    return {FaultCode::Unavailable, "the projects' store cannot be asked now", std::chrono::seconds(5)};
}

Unexpected<Fault> noSuchProject()
{
    return Unexpected<Fault>(Fault{FaultCode::NotFound, "there is no such project", std::nullopt});
}

Unexpected<Fault> tooMany(const char* what)
{
    return Unexpected<Fault>(Fault{FaultCode::InvalidBody, std::string("there are as many ") + what + " as fit", {}});
}

Policy readStored(const std::string& text)
{
    const auto json = core::parseJson(text);
    auto policy = json ? readPolicy(*json) : core::Expected<Policy, std::string>(Unexpected<std::string>(""));
    // What this version does not understand allows nothing.
    Policy nothing;
    nothing.providers.emplace();
    return policy ? std::move(*policy) : nothing;
}

std::optional<Policy> policyOf(Connection& sql, const std::string& project)
{
    std::string text;
    return sql.ask("SELECT policy FROM projects WHERE id = :id", into(text), use(project))
        ? std::optional(readStored(text))
        : std::nullopt;
}

bool isMember(Connection& sql, const std::string& project, const std::string& member)
{
    int found = 0;
    sql.ask("SELECT count(*) FROM project_members WHERE project = :project AND member = :member", into(found),
        use(project), use(member));
    return found > 0;
}

const char* textOf(TableProjects::Role role)
{
    return role == TableProjects::Role::Admin ? "admin" : "member";
}

long long count(Connection& sql, const std::string& query)
{
    long long found = 0;
    sql << query, into(found);
    return found;
}

} // namespace

template <typename T>
TableProjects::Result<T> TableProjects::ask(std::function<core::Expected<T, Fault>(Connection&)> work)
{
    auto answer = co_await m_database.run<core::Expected<T, Fault>>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

TableProjects::Result<bool> TableProjects::change(std::function<core::Expected<bool, Fault>(Connection&)> work)
{
    auto answer = co_await m_database.runToTheEnd<core::Expected<bool, Fault>>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

net::Awaitable<ProjectDirectory::Answer> TableProjects::admit(Applicant applicant, std::string project)
{
    std::function<Answer(Connection&)> work = [member = std::move(applicant.caller), project = std::move(project)](
                                                  Connection& sql) -> Answer {
        auto policy = policyOf(sql, project);
        if (!policy || !isMember(sql, project, member)) {
            return projectNotAllowed();
        }
        return std::move(*policy);
    };
    auto answer = co_await ask<Policy>(std::move(work));
    co_return answer;
}

TableProjects::Result<std::vector<TableProjects::Project>> TableProjects::list(std::string after)
{
    using Projects = core::Expected<std::vector<Project>, Fault>;
    std::function<Projects(Connection&)> work = [after = std::move(after)](Connection& sql) -> Projects {
        const auto most = static_cast<int>(kMostListed);
        std::vector<std::string> ids(kMostListed), policies(kMostListed), counted(kMostListed);
        std::vector<long long> times(kMostListed), members(kMostListed);
        sql << "SELECT id, policy, created_at FROM projects WHERE id > :after ORDER BY id LIMIT :most", into(ids),
            into(policies), into(times), use(after), use(most);
        // Of the same names, or of more: projects without members are not among these.
        sql << "SELECT project, count(*) FROM project_members WHERE project > :after GROUP BY project ORDER BY project "
               "LIMIT :most",
            into(counted), into(members), use(after), use(most);
        std::map<std::string, long long> counts;
        for (std::size_t i = 0; i < counted.size(); ++i) {
            counts.emplace(counted[i], members[i]);
        }
        std::vector<Project> projects;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            Project project;
            project.id = ids[i];
            project.policy = readStored(policies[i]);
            project.createdAt = core::WallTime(core::Milliseconds(times[i]));
            // Their order is the database's, which may not be ours.
            if (const auto found = counts.find(ids[i]); found != counts.end()) {
                project.members = static_cast<std::size_t>(found->second);
            }
            projects.push_back(std::move(project));
        }
        return projects;
    };
    auto answer = co_await ask<std::vector<Project>>(std::move(work));
    co_return answer;
}

TableProjects::Result<Policy> TableProjects::find(std::string project)
{
    std::function<Answer(Connection&)> work = [project = std::move(project)](Connection& sql) -> Answer {
        auto policy = policyOf(sql, project);
        if (!policy) {
            return noSuchProject();
        }
        return std::move(*policy);
    };
    auto answer = co_await ask<Policy>(std::move(work));
    co_return answer;
}

TableProjects::Result<std::vector<TableProjects::Member>> TableProjects::members(std::string project, std::string after)
{
    using Members = core::Expected<std::vector<Member>, Fault>;
    std::function<Members(Connection&)> work = [project = std::move(project), after = std::move(after)](
                                                   Connection& sql) -> Members {
        if (!policyOf(sql, project)) {
            return noSuchProject();
        }
        std::vector<std::string> names(kMostListed), roles(kMostListed);
        const auto most = static_cast<int>(kMostListed);
        sql << "SELECT member, role FROM project_members WHERE project = :project AND member > :after ORDER BY member "
               "LIMIT :most",
            into(names), into(roles), use(project), use(after), use(most);
        std::vector<Member> found;
        for (std::size_t i = 0; i < names.size(); ++i) {
            found.push_back({names[i], roles[i] == textOf(Role::Admin) ? Role::Admin : Role::Member});
        }
        return found;
    };
    auto answer = co_await ask<std::vector<Member>>(std::move(work));
    co_return answer;
}

TableProjects::Result<bool> TableProjects::put(std::string project, Policy policy)
{
    std::function<core::Expected<bool, Fault>(Connection&)> work =
        [project = std::move(project), text = core::writeJson(writePolicy(policy)),
            now = std::chrono::floor<core::Milliseconds>(m_clock.wallNow()).time_since_epoch().count()](
            Connection& sql) -> core::Expected<bool, Fault> {
        const bool isNew = !policyOf(sql, project);
        if (isNew && count(sql, "SELECT count(*) FROM projects") >= static_cast<long long>(kMostProjects)) {
            return tooMany("projects");
        }
        const long long at = now;
        if (isNew) {
            sql << "INSERT INTO projects (id, policy, created_at) VALUES (:id, :policy, :at)", use(project), use(text),
                use(at);
        } else {
            sql << "UPDATE projects SET policy = :policy WHERE id = :id", use(text), use(project);
        }
        return isNew;
    };
    auto answer = co_await change(std::move(work));
    co_return answer;
}

TableProjects::Result<bool> TableProjects::remove(std::string project)
{
    std::function<core::Expected<bool, Fault>(Connection&)> work =
        [project = std::move(project), now = m_clock.wallNow()](Connection& sql) -> core::Expected<bool, Fault> {
        if (!policyOf(sql, project)) {
            return noSuchProject();
        }
        transcripts::removeTranscriptsOf(sql, project, now);
        sql << "DELETE FROM project_members WHERE project = :project", use(project);
        sql << "DELETE FROM projects WHERE id = :project", use(project);
        return true;
    };
    auto answer = co_await change(std::move(work));
    co_return answer;
}

TableProjects::Result<bool> TableProjects::addMember(std::string project, std::string member, std::optional<Role> role)
{
    std::function<core::Expected<bool, Fault>(Connection&)> work = [project = std::move(project),
                                                                       member = std::move(member), role](
                                                                       Connection& sql) -> core::Expected<bool, Fault> {
        if (!policyOf(sql, project)) {
            return noSuchProject();
        }
        const std::string wanted = textOf(role.value_or(Role::Member));
        std::string before;
        if (sql.ask("SELECT role FROM project_members WHERE project = :project AND member = :member", into(before),
                use(project), use(member))) {
            if (!role || before == wanted) {
                return false;
            }
            sql << "UPDATE project_members SET role = :role WHERE project = :project AND member = :member", use(wanted),
                use(project), use(member);
            return true;
        }
        long long members = 0;
        sql << "SELECT count(*) FROM project_members WHERE project = :project", into(members), use(project);
        if (members >= static_cast<long long>(kMostMembers)) {
            return tooMany("members");
        }
        sql << "INSERT INTO project_members (project, member, role) VALUES (:project, :member, :role)", use(project),
            use(member), use(wanted);
        return true;
    };
    auto answer = co_await change(std::move(work));
    co_return answer;
}

TableProjects::Result<bool> TableProjects::removeMember(std::string project, std::string member)
{
    std::function<core::Expected<bool, Fault>(Connection&)> work =
        [project = std::move(project), member = std::move(member)](Connection& sql) -> core::Expected<bool, Fault> {
        if (!policyOf(sql, project)) {
            return noSuchProject();
        }
        const bool wasThere = isMember(sql, project, member);
        sql << "DELETE FROM project_members WHERE project = :project AND member = :member", use(project), use(member);
        return wasThere;
    };
    auto answer = co_await change(std::move(work));
    co_return answer;
}

} // namespace vivavoce::broker
