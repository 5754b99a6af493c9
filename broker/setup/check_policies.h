#pragma once

#include "broker/config.h"
#include "broker/config_problems.h"

namespace vivavoce::broker {

/// Policies that shut out whoever they are for: names that no provider of this broker has, and instructions that one cannot be held to.
/// Warnings: somebody may be about to configure what is missing.
void checkPolicies(const Config& config, Problems& problems);

} // namespace vivavoce::broker
