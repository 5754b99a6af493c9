#pragma once

#include "broker/projects/project_directory.h"
#include "broker/store/database.h"
#include "core/base/clock.h"
#include "core/base/json.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// Projects and their members in the broker's database, for admins to keep. Members are named by auth::Caller::key.
/// Lifetime: database and clock outlive it.
class TableProjects final : public ProjectDirectory {
public:
    template <typename T>
    using Result = net::Awaitable<core::Expected<T, Fault>>;

    /// An admin of a project reads and deletes its transcripts, and is no admin of anything else.
    enum class Role { Member, Admin };
    struct Member {
        std::string name;
        Role role = Role::Member;
    };
    struct Project {
        std::string id;
        Policy policy;
        core::WallTime createdAt;
        /// Of the policy and of when it was created: another one where either is, and the first one again where a change was taken back. Says
        /// nothing else.
        std::string revision;
        std::size_t members = 0;
    };
    /// What a list answers at most.
    static constexpr std::size_t kMostListed = 1'000;
    static constexpr const char* kNoRevision = "";
    static constexpr std::size_t kMostProjects = 100'000;
    static constexpr std::size_t kMostMembers = 100'000;

    TableProjects(Database& database, const core::Clock& clock) : m_database(database), m_clock(clock) {}

    [[nodiscard]] net::Awaitable<Answer> admit(Applicant applicant, std::string project) override;

    // All of them: Unavailable; NotFound where there is no such project; InvalidBody beyond what fits.
    /// In the order of their names, those after `after`.
    [[nodiscard]] Result<std::vector<Project>> list(std::string after);
    [[nodiscard]] Result<Project> find(std::string project);
    [[nodiscard]] Result<std::vector<Member>> members(std::string project, std::string after);
    /// Nothing: is no member.
    [[nodiscard]] Result<std::optional<Role>> roleOf(std::string project, std::string member);
    /// By member and project, what the project itself says: of each of these members at most 100 projects.
    using Memberships = std::map<std::string, std::map<std::string, Policy>>;
    [[nodiscard]] Result<Memberships> ofMembers(std::vector<std::string> members);
    struct Put {
        bool isNew = false;
        std::string revision;
    };
    /// Makes a project, or gives one another policy. `basis`: the revision that the policy was made from, kNoRevision where there was no such
    /// project; ProjectChanged where it is another one by now, and nothing has changed. Without it whatever is there is overwritten.
    [[nodiscard]] Result<Put> put(std::string project, Policy policy, std::optional<std::string> basis = std::nullopt);
    /// With what was said in it, which goes first and piece by piece: of a removal that fails a part of that may be done.
    [[nodiscard]] Result<bool> remove(std::string project);
    /// Whoever is one already gets that role. Without one they keep theirs, and others become members. False: nothing has changed.
    [[nodiscard]] Result<bool> addMember(
        std::string project, std::string member, std::optional<Role> role = std::nullopt);
    [[nodiscard]] Result<bool> removeMember(std::string project, std::string member);

    /// What the audit says of a change of a project's policy, and of a member's role: what it was, and what it is to be. `before` is nothing where
    /// there was no such project. Pure.
    [[nodiscard]] static std::string told(
        const std::string& project, const std::optional<Policy>& before, const Policy& after);
    /// `before` is nothing where that was no member, or nobody knows; `isAdded` without a role leaves the one that there is.
    [[nodiscard]] static std::string told(const std::string& project, const std::string& member,
        std::optional<Role> before, bool isAdded, std::optional<Role> after);
    /// {"id", "policy", "revision", "createdAt", "members"}: as the API and the command line tell it. Pure.
    [[nodiscard]] static core::Json json(const Project& project);

private:
    template <typename T>
    [[nodiscard]] Result<T> ask(std::function<core::Expected<T, Fault>(Connection&)> work);
    /// Nothing of it is undone: who is told that it failed may rely on that.
    template <typename T>
    [[nodiscard]] Result<T> change(std::function<core::Expected<T, Fault>(Connection&)> work);

    Database& m_database;
    const core::Clock& m_clock;
};

} // namespace vivavoce::broker
