#include "broker/projects/table_projects.h"

#include "broker/projects/policy_json.h"
#include "broker/store/connection.h"
#include "broker/transcripts/transcript_book.h"
#include "core/base/base64.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <map>
#include <span>
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

/// A project's row, as it is.
struct Stored {
    std::string policy;
    long long createdAt = 0;

    /// Of what is there, not a number that is counted up: a broker of an older version changes the row, too.
    [[nodiscard]] std::string revision() const
    {
        constexpr std::size_t kBytes = 16;
        const std::string text = std::to_string(createdAt) + '\n' + policy;
        const void* const bytes = text.data();
        std::array<std::uint8_t, SHA256_DIGEST_LENGTH> hash{};
        SHA256(static_cast<const unsigned char*>(bytes), text.size(), hash.data());
        return core::encodeBase64Url(std::span(hash).first<kBytes>());
    }
};

std::optional<Stored> storedOf(Connection& sql, const std::string& project)
{
    Stored stored;
    return sql.ask("SELECT policy, created_at FROM projects WHERE id = :id", into(stored.policy),
               into(stored.createdAt), use(project))
        ? std::optional(std::move(stored))
        : std::nullopt;
}

bool isThere(Connection& sql, const std::string& project)
{
    return storedOf(sql, project).has_value();
}

/// False: somebody else was faster.
bool insert(Connection& sql, const std::string& project, const Stored& made)
{
    soci::statement statement = (sql.prepare << "INSERT INTO projects (id, policy, created_at) "
                                                "VALUES (:id, :policy, :at) ON CONFLICT (id) DO NOTHING",
        use(project), use(made.policy), use(made.createdAt));
    statement.execute(true);
    return statement.get_affected_rows() == 1;
}

/// The same where it is no more what it was.
bool update(Connection& sql, const std::string& project, const Stored& before, const std::string& policy)
{
    soci::statement statement = (sql.prepare << "UPDATE projects SET policy = :policy WHERE id = :id AND "
                                                "policy = :before AND created_at = :at",
        use(policy), use(project), use(before.policy), use(before.createdAt));
    statement.execute(true);
    return statement.get_affected_rows() == 1;
}

Unexpected<Fault> changedMeanwhile()
{
    return Unexpected<Fault>(
        Fault{FaultCode::ProjectChanged, "the project is not what it was: read it again", std::nullopt});
}

long long countMembers(Connection& sql, const std::string& project)
{
    long long members = 0;
    sql << "SELECT count(*) FROM project_members WHERE project = :project", into(members), use(project);
    return members;
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

core::Json TableProjects::json(const Project& project)
{
    return {{"id", project.id}, {"policy", writePolicy(project.policy)}, {"revision", project.revision},
        {"createdAt", core::formatRfc3339(project.createdAt)}, {"members", project.members}};
}

std::string TableProjects::told(const std::string& project, const std::optional<Policy>& before, const Policy& after)
{
    // The audit keeps 4 KiB of it, with the project's name.
    constexpr std::size_t kMostTold = 2'048;
    const std::string changes = policyChanges(before.value_or(Policy()), after, kMostTold);
    const std::string made = before ? "" : changes.empty() ? "new" : "new, ";
    const std::string what = made + changes;
    return "project " + project + ": " + (what.empty() ? "no change" : what);
}

std::string TableProjects::told(const std::string& project, const std::string& member, std::optional<Role> before,
    bool isAdded, std::optional<Role> after)
{
    const char* const what = !isAdded ? "member removed"
        : after == Role::Admin        ? "admin added"
        : after == Role::Member       ? "member without admin's rights"
                                      : "member added";
    std::string was;
    if (before) {
        was = std::string(" (was ") + textOf(*before) + ")";
    }
    return what + was + ": " + project + " " + member;
}

template <typename T>
TableProjects::Result<T> TableProjects::ask(std::function<core::Expected<T, Fault>(Connection&)> work)
{
    auto answer = co_await m_database.run<core::Expected<T, Fault>>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

template <typename T>
TableProjects::Result<T> TableProjects::change(std::function<core::Expected<T, Fault>(Connection&)> work)
{
    auto answer = co_await m_database.runToTheEnd<core::Expected<T, Fault>>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

net::Awaitable<ProjectDirectory::Answer> TableProjects::admit(Applicant applicant, std::string project)
{
    std::function<Answer(Connection&)> work = [member = std::move(applicant.caller), project = std::move(project)](
                                                  Connection& sql) -> Answer {
        const auto stored = storedOf(sql, project);
        if (!stored || !isMember(sql, project, member)) {
            return projectNotAllowed();
        }
        return readStored(stored->policy);
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
            project.revision = Stored{policies[i], times[i]}.revision();
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

TableProjects::Result<TableProjects::Project> TableProjects::find(std::string project)
{
    using Found = core::Expected<Project, Fault>;
    std::function<Found(Connection&)> work = [project = std::move(project)](Connection& sql) -> Found {
        const auto stored = storedOf(sql, project);
        if (!stored) {
            return noSuchProject();
        }
        Project found;
        found.id = project;
        found.policy = readStored(stored->policy);
        found.createdAt = core::WallTime(core::Milliseconds(stored->createdAt));
        found.revision = stored->revision();
        found.members = static_cast<std::size_t>(countMembers(sql, project));
        return found;
    };
    auto answer = co_await ask<Project>(std::move(work));
    co_return answer;
}

TableProjects::Result<std::vector<TableProjects::Member>> TableProjects::members(std::string project, std::string after)
{
    using Members = core::Expected<std::vector<Member>, Fault>;
    std::function<Members(Connection&)> work = [project = std::move(project), after = std::move(after)](
                                                   Connection& sql) -> Members {
        if (!isThere(sql, project)) {
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

TableProjects::Result<std::optional<TableProjects::Role>> TableProjects::roleOf(std::string project, std::string member)
{
    using Found = core::Expected<std::optional<Role>, Fault>;
    std::function<Found(Connection&)> work = [project = std::move(project), member = std::move(member)](
                                                 Connection& sql) -> Found {
        if (!isThere(sql, project)) {
            return noSuchProject();
        }
        std::string role;
        if (!sql.ask("SELECT role FROM project_members WHERE project = :project AND member = :member", into(role),
                use(project), use(member))) {
            return std::optional<Role>();
        }
        return std::optional(role == textOf(Role::Admin) ? Role::Admin : Role::Member);
    };
    auto answer = co_await ask<std::optional<Role>>(std::move(work));
    co_return answer;
}

TableProjects::Result<TableProjects::Memberships> TableProjects::ofMembers(std::vector<std::string> members)
{
    using Found = core::Expected<Memberships, Fault>;
    std::function<Found(Connection&)> work = [members = std::move(members)](Connection& sql) -> Found {
        constexpr std::size_t kMostOfOne = 100;
        const auto most = static_cast<int>(kMostOfOne);
        Memberships found;
        for (const std::string& member : members) {
            std::vector<std::string> ids(kMostOfOne), policies(kMostOfOne);
            sql << "SELECT p.id, p.policy FROM project_members m JOIN projects p ON p.id = m.project "
                   "WHERE m.member = :member ORDER BY p.id LIMIT :most",
                into(ids), into(policies), use(member), use(most);
            for (std::size_t i = 0; i < ids.size(); ++i) {
                found[member].emplace(ids[i], readStored(policies[i]));
            }
        }
        return found;
    };
    auto answer = co_await ask<Memberships>(std::move(work));
    co_return answer;
}

TableProjects::Result<TableProjects::Put> TableProjects::put(
    std::string project, Policy policy, std::optional<std::string> basis)
{
    using Outcome = core::Expected<Put, Fault>;
    std::function<Outcome(Connection&)> work =
        [project = std::move(project), basis = std::move(basis), text = core::writeJson(writePolicy(policy)),
            now = std::chrono::floor<core::Milliseconds>(m_clock.wallNow()).time_since_epoch().count()](
            Connection& sql) -> Outcome {
        const Stored made{text, now};
        auto before = storedOf(sql, project);
        if (!before) {
            if (basis && *basis != kNoRevision) {
                return changedMeanwhile();
            }
            if (count(sql, "SELECT count(*) FROM projects") >= static_cast<long long>(kMostProjects)) {
                return tooMany("projects");
            }
            if (insert(sql, project, made)) {
                return Put{true, made.revision()};
            }
            // Another broker has made it since it was looked for.
            if (basis) {
                return changedMeanwhile();
            }
        }
        before = before ? before : storedOf(sql, project);
        if (!before) {
            return changedMeanwhile();
        }
        if (basis && *basis != before->revision()) {
            // Its own, where the connection was lost while that was committed.
            const bool isOwn = before->policy == text && (*basis != kNoRevision || before->createdAt == now);
            return isOwn ? Outcome(Put{*basis == kNoRevision, before->revision()}) : Outcome(changedMeanwhile());
        }
        if (!basis) {
            sql << "UPDATE projects SET policy = :policy WHERE id = :id", use(text), use(project);
        } else if (!update(sql, project, *before, text)) {
            return changedMeanwhile();
        }
        return Put{false, Stored{text, before->createdAt}.revision()};
    };
    auto answer = co_await change<Put>(std::move(work));
    co_return answer;
}

TableProjects::Result<bool> TableProjects::remove(std::string project)
{
    std::function<core::Expected<bool, Fault>(Connection&)> some = [project, now = m_clock.wallNow()](
                                                                       Connection& sql) -> core::Expected<bool, Fault> {
        if (!isThere(sql, project)) {
            return noSuchProject();
        }
        return transcripts::removeTranscriptsOf(sql, project, now);
    };
    bool isAll = false;
    while (!isAll) {
        auto removed = co_await change<bool>(some);
        if (!removed) {
            co_return Unexpected<Fault>(std::move(removed.error()));
        }
        isAll = *removed;
    }
    std::function<core::Expected<bool, Fault>(Connection&)> work =
        [project = std::move(project), now = m_clock.wallNow()](Connection& sql) -> core::Expected<bool, Fault> {
        if (!isThere(sql, project)) {
            return noSuchProject();
        }
        sql << "DELETE FROM project_members WHERE project = :project", use(project);
        sql << "DELETE FROM projects WHERE id = :project", use(project);
        // Whoever found the project has written by now, and nobody finds it any more.
        bool isOver = false;
        while (!isOver) {
            isOver = transcripts::removeTranscriptsOf(sql, project, now);
        }
        return true;
    };
    auto answer = co_await change<bool>(std::move(work));
    co_return answer;
}

TableProjects::Result<bool> TableProjects::addMember(std::string project, std::string member, std::optional<Role> role)
{
    std::function<core::Expected<bool, Fault>(Connection&)> work = [project = std::move(project),
                                                                       member = std::move(member), role](
                                                                       Connection& sql) -> core::Expected<bool, Fault> {
        if (!isThere(sql, project)) {
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
        if (countMembers(sql, project) >= static_cast<long long>(kMostMembers)) {
            return tooMany("members");
        }
        sql << "INSERT INTO project_members (project, member, role) VALUES (:project, :member, :role)", use(project),
            use(member), use(wanted);
        return true;
    };
    auto answer = co_await change<bool>(std::move(work));
    co_return answer;
}

TableProjects::Result<bool> TableProjects::removeMember(std::string project, std::string member)
{
    std::function<core::Expected<bool, Fault>(Connection&)> work =
        [project = std::move(project), member = std::move(member)](Connection& sql) -> core::Expected<bool, Fault> {
        if (!isThere(sql, project)) {
            return noSuchProject();
        }
        const bool wasThere = isMember(sql, project, member);
        sql << "DELETE FROM project_members WHERE project = :project AND member = :member", use(project), use(member);
        return wasThere;
    };
    auto answer = co_await change<bool>(std::move(work));
    co_return answer;
}

} // namespace vivavoce::broker
