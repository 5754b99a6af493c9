#include "broker/projects/policy_book.h"

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
    return narrowed(std::move(policy), ofProject);
}

} // namespace vivavoce::broker
