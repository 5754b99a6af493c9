#include "broker/projects/project_directory.h"

#include "core/base/visible_ascii.h"

#include <algorithm>

namespace vivavoce::broker {
namespace {

constexpr std::size_t kLongestName = 128;

} // namespace

bool isProjectName(const std::string& name)
{
    return !name.empty() && name.size() <= kLongestName && core::isVisibleAscii(name);
}

core::Unexpected<Fault> projectNotAllowed()
{
    return core::Unexpected<Fault>(
        Fault{FaultCode::ProjectNotAllowed, "projectId is not one of the caller's projects", std::nullopt});
}

net::Awaitable<ProjectDirectory::Answer> OpenProjects::admit(Applicant, std::string)
{
    co_return Policy{};
}

net::Awaitable<ProjectDirectory::Answer> ClaimedProjects::admit(Applicant applicant, std::string project)
{
    const auto& claimed = applicant.claimed;
    if (claimed && std::find(claimed->begin(), claimed->end(), project) == claimed->end()) {
        co_return projectNotAllowed();
    }
    co_return Policy{};
}

} // namespace vivavoce::broker
