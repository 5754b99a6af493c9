#pragma once

#include "broker/config.h"

namespace vivavoce::broker {

/// Serves until SIGTERM, SIGINT or the end of the parent's pipe; then drains for at most five seconds. Prints the ready line.
/// Answers the exit code. Blocks its caller.
[[nodiscard]] core::Expected<int, core::Error> runBroker(Config config);

/// Makes a service account's key and prints it once, as one JSON line. BadUsage for a name that cannot be.
[[nodiscard]] core::Expected<void, core::Error> printServiceKey(const std::string& name);

} // namespace vivavoce::broker
