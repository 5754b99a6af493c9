#pragma once

#include "broker/fault.h"
#include "broker/projects/policy.h"
#include "core/base/expected.h"
#include "net/awaitable.h"

#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// Who wants to use a project.
struct Applicant {
    /// auth::Caller::key.
    std::string caller;
    std::string issuer;
    std::string subject;
    /// The projects that their credential names. Nothing where a session is renewed: a token of ours is all there is then.
    std::optional<std::vector<std::string>> claimed;
};

/// Port: who may use which project.
/// Threads: [any thread]; coroutines on the caller's executor.
class ProjectDirectory {
public:
    using Answer = core::Expected<Policy, Fault>;

    virtual ~ProjectDirectory() = default;

    /// What the project itself says of its sessions. ProjectNotAllowed, or Unavailable where it cannot be found out now.
    [[nodiscard]] virtual net::Awaitable<Answer> admit(Applicant applicant, std::string project) = 0;
    /// For the health page; nothing where there is nothing that could fail.
    [[nodiscard]] virtual std::optional<bool> isWorking() const { return std::nullopt; }
};

/// 1 to 128 visible ASCII characters.
[[nodiscard]] bool isProjectName(const std::string& name);

[[nodiscard]] core::Unexpected<Fault> projectNotAllowed();

/// A project is a label that anybody may use: nobody checks.
class OpenProjects final : public ProjectDirectory {
public:
    [[nodiscard]] net::Awaitable<Answer> admit(Applicant applicant, std::string project) override;
};

/// Credentials name the projects of their bearers: a claim of the issuer's, or the list of a service account. A session goes on to its end,
/// since what was claimed at its beginning cannot be asked again.
class ClaimedProjects final : public ProjectDirectory {
public:
    [[nodiscard]] net::Awaitable<Answer> admit(Applicant applicant, std::string project) override;
};

} // namespace vivavoce::broker
