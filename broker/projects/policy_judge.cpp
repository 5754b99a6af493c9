#include "broker/projects/policy_judge.h"

#include <utility>

namespace vivavoce::broker {

using core::Unexpected;

net::Awaitable<ProjectDirectory::Answer> PolicyJudge::policyFor(Applicant applicant, std::string project)
{
    Policy ofProject;
    if (!project.empty()) {
        if (!isProjectName(project)) {
            co_return Unexpected<Fault>(Fault{
                FaultCode::InvalidBody, "projectId has to be visible ASCII, at most 128 characters", std::nullopt});
        }
        auto admitted = co_await m_projects.admit(applicant, project);
        if (!admitted) {
            co_return admitted;
        }
        ofProject = std::move(*admitted);
    } else if (m_needsProject) {
        co_return Unexpected<Fault>(
            Fault{FaultCode::ProjectNotAllowed, "projectId has to name one of the caller's projects", std::nullopt});
    }
    co_return m_book.of(applicant.issuer, applicant.subject, project, ofProject);
}

} // namespace vivavoce::broker
