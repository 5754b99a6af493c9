#pragma once

#include "broker/config.h"
#include "broker/config_problems.h"

#include <iosfwd>

namespace vivavoce::broker {

/// `check-config`: what the start would take, and whether to ask over the network as well.
struct CheckConfig {
    Overrides overrides;
    bool connects = false;
};

/// All that a start would find wrong and more, without starting: `check-config`. Problems and warnings go to `err`, one line each, and
/// "ok" to `out` where nothing has to be changed. Answers the exit code: 0, or 2.
[[nodiscard]] int runCheckConfig(
    const CheckConfig& check, const Environment& environment, std::ostream& out, std::ostream& err);

/// "vivavoce-broker: <problem> (configuration.bad)" for each Fault.
void tellFaults(const Problems& problems, std::ostream& err);
/// All the others, as `configuration.warning`.
void logWarnings(const Problems& problems, Log& log);

} // namespace vivavoce::broker
