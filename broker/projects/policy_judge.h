#pragma once

#include "broker/projects/policy_book.h"
#include "broker/projects/project_directory.h"

#include <string>

namespace vivavoce::broker {

/// What a session may be: by the operator, and by its project, which is asked. Immutable. [any thread]
class PolicyJudge {
public:
    /// `needsProject`: whether a session has to name one.
    PolicyJudge(PolicyBook book, bool needsProject, ProjectDirectory& projects)
        : m_book(std::move(book)), m_needsProject(needsProject), m_projects(projects)
    {
    }

    /// InvalidBody, ProjectNotAllowed, or Unavailable where the project cannot be asked now.
    [[nodiscard]] net::Awaitable<ProjectDirectory::Answer> policyFor(Applicant applicant, std::string project);

private:
    const PolicyBook m_book;
    const bool m_needsProject;
    ProjectDirectory& m_projects;
};

} // namespace vivavoce::broker
