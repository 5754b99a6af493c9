#pragma once

#include "broker/projects/policy.h"
#include "core/base/expected.h"
#include "core/base/json.h"

#include <cstddef>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// {"models": ["…"], "voices": ["…"], "providers": ["…"], "instructions": "…", "longestSession": seconds, "sessionsOfProject": n,
/// "sessionsPerUser": n, "transcripts": true, "transcriptDays": n}, each of them optional. The error names the member at fault; members of other names are at fault. Pure.
[[nodiscard]] core::Expected<Policy, std::string> readPolicy(const core::Json& json);
[[nodiscard]] core::Json writePolicy(const Policy& policy);

/// Of all the members that there are.
[[nodiscard]] std::vector<std::string> policyNames();
/// That there is no such member, and which there are.
[[nodiscard]] std::string unknownInPolicy(const std::string& name);
/// What readPolicy does not take, for people: the member, and what it may be. Empty: it takes it. Pure.
[[nodiscard]] std::string policyFault(const core::Json& json);
/// "relay unset -> true, userDollarsPerDay 0.05 -> 1"; empty: nothing has changed. Long values are cut, and beyond `most` bytes or so members are
/// only named. Pure.
[[nodiscard]] std::string policyChanges(const Policy& before, const Policy& after, std::size_t most);

} // namespace vivavoce::broker
