#pragma once

#include "broker/config.h"

#include <string>
#include <variant>

namespace vivavoce::broker {

/// Something to print instead of running (--help, --version).
struct PrintAndLeave {
    std::string text;
};

/// Reads the command line of vivavoce-broker. BadUsage with one line for whoever typed it.
[[nodiscard]] core::Expected<std::variant<Overrides, PrintAndLeave>, core::Error> parseOptions(
    int argc, const char* const* argv);

} // namespace vivavoce::broker
