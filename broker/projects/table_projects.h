#pragma once

#include "broker/projects/project_directory.h"
#include "broker/store/database.h"
#include "core/base/clock.h"

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
        std::size_t members = 0;
    };
    /// What a list answers at most.
    static constexpr std::size_t kMostListed = 1'000;
    static constexpr std::size_t kMostProjects = 100'000;
    static constexpr std::size_t kMostMembers = 100'000;

    TableProjects(Database& database, const core::Clock& clock) : m_database(database), m_clock(clock) {}

    [[nodiscard]] net::Awaitable<Answer> admit(Applicant applicant, std::string project) override;

    // All of them: Unavailable; NotFound where there is no such project; InvalidBody beyond what fits.
    /// In the order of their names, those after `after`.
    [[nodiscard]] Result<std::vector<Project>> list(std::string after);
    [[nodiscard]] Result<Policy> find(std::string project);
    [[nodiscard]] Result<std::vector<Member>> members(std::string project, std::string after);
    /// Makes a project, or gives one another policy.
    [[nodiscard]] Result<bool> put(std::string project, Policy policy);
    /// With what was said in it.
    [[nodiscard]] Result<bool> remove(std::string project);
    /// Whoever is one already gets that role. Without one they keep theirs, and others become members. False: nothing has changed.
    [[nodiscard]] Result<bool> addMember(
        std::string project, std::string member, std::optional<Role> role = std::nullopt);
    [[nodiscard]] Result<bool> removeMember(std::string project, std::string member);

private:
    template <typename T>
    [[nodiscard]] Result<T> ask(std::function<core::Expected<T, Fault>(Connection&)> work);
    /// Nothing of it is undone: who is told that it failed may rely on that.
    [[nodiscard]] Result<bool> change(std::function<core::Expected<bool, Fault>(Connection&)> work);

    Database& m_database;
    const core::Clock& m_clock;
};

} // namespace vivavoce::broker
