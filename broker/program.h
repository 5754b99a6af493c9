#pragma once

#include "broker/config.h"

namespace vivavoce::broker {

/// Reads the configuration again.
using ConfigLoader = std::function<core::Expected<Config, core::Error>()>;

/// Serves until SIGTERM, SIGINT or the end of the parent's pipe; then drains for at most five seconds. Prints the ready line.
/// SIGHUP has it take what `load` answers, which is called on a thread of its own; the embedded broker ends by it, as it ends with its
/// parent. Answers the exit code. Blocks its caller.
[[nodiscard]] core::Expected<int, core::Error> runBroker(Config config, ConfigLoader load);

/// Makes a service account's key and prints it once, as one JSON line. BadUsage for a name that cannot be.
[[nodiscard]] core::Expected<void, core::Error> printServiceKey(const std::string& name);

} // namespace vivavoce::broker
