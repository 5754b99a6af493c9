#pragma once

#include "broker/projects/policy.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vivavoce::broker {

/// A policy for some: empty members stand for everybody.
struct PolicyRow {
    std::string project;
    std::string issuer;
    std::string subject;
    Policy policy;

    bool operator==(const PolicyRow&) const = default;
};

/// All that the operator's file says of what sessions may be. Immutable. [any thread]
class PolicyBook {
public:
    PolicyBook() = default;
    PolicyBook(Policy all, std::vector<PolicyRow> rows) : m_all(std::move(all)), m_rows(std::move(rows)) {}

    /// Everybody's policy, narrowed by each row that stands for this session, in their order, and at last by the project's own. Transcripts are
    /// kept only of sessions with a project, and where the project's own policy or a row for all of that project wants it.
    [[nodiscard]] Policy of(std::string_view issuer, std::string_view subject, std::string_view project,
        const Policy& ofProject = {}) const;

private:
    Policy m_all;
    std::vector<PolicyRow> m_rows;
};

} // namespace vivavoce::broker
