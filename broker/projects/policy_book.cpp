#include "broker/projects/policy_book.h"

#include <algorithm>

namespace vivavoce::broker {

Policy PolicyBook::of(
    std::string_view issuer, std::string_view subject, std::string_view project, const Policy& ofProject) const
{
    const auto standsFor = [](const std::string& row, std::string_view value) { return row.empty() || row == value; };
    Policy policy = m_all;
    for (const PolicyRow& row : m_rows) {
        if (standsFor(row.project, project) && standsFor(row.issuer, issuer) && standsFor(row.subject, subject)) {
            policy = narrowed(std::move(policy), row.policy);
        }
    }
    policy = narrowed(std::move(policy), ofProject);
    // Not where nobody has named the project whose words they would be.
    const auto wants = [&](const PolicyRow& row) {
        return !row.project.empty() && row.project == project && row.issuer.empty() && row.subject.empty()
            && row.policy.areTranscriptsKept();
    };
    const bool isWanted = ofProject.areTranscriptsKept() || std::any_of(m_rows.begin(), m_rows.end(), wants);
    if (policy.areTranscriptsKept() && (project.empty() || !isWanted)) {
        policy.transcripts = false;
    }
    return policy;
}

} // namespace vivavoce::broker
