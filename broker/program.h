#pragma once

#include "broker/config.h"

namespace vivavoce::broker {

/// Serves until SIGTERM, SIGINT or the end of the parent's pipe; then drains for at most five seconds. Prints the ready line.
/// Answers the exit code. Blocks its caller.
[[nodiscard]] core::Expected<int, core::Error> runBroker(Config config);

} // namespace vivavoce::broker
