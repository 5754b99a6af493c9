#pragma once

#include "broker/projects/policy.h"
#include "core/base/expected.h"
#include "core/base/json.h"

#include <string>

namespace vivavoce::broker {

/// {"models": ["…"], "voices": ["…"], "providers": ["…"], "instructions": "…", "longestSession": seconds, "sessionsOfProject": n,
/// "sessionsPerUser": n, "transcripts": true, "transcriptDays": n}, each of them optional. The error names the member at fault; members of other names are at fault. Pure.
[[nodiscard]] core::Expected<Policy, std::string> readPolicy(const core::Json& json);
[[nodiscard]] core::Json writePolicy(const Policy& policy);

} // namespace vivavoce::broker
