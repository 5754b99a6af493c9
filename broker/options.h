#pragma once

#include "broker/config.h"
#include "broker/projects/project_program.h"
#include "broker/reports/report_program.h"
#include "broker/setup/check_config.h"
#include "broker/setup/init_config.h"

#include <string>
#include <variant>

namespace vivavoce::broker {

/// Something to print instead of running (--help, --version).
struct PrintAndLeave {
    std::string text;
};

/// `audit verify PATH`: to verify instead of to serve.
struct VerifyAudit {
    std::string path;
};

/// `service-key NAME`: to make a service account's key instead of to serve.
struct MakeServiceKey {
    std::string name;
};

/// `init [PATH]`: to write a new configuration.
struct InitConfig {
    std::string path = "broker.toml";
    Profile profile = Profile::Local;
};

using Command = std::variant<Overrides, PrintAndLeave, VerifyAudit, MakeServiceKey, InitConfig, CheckConfig, AskReports,
    ProjectCommand>;

/// Reads the command line of vivavoce-broker. BadUsage with one line for whoever typed it.
[[nodiscard]] core::Expected<Command, core::Error> parseOptions(int argc, const char* const* argv);

} // namespace vivavoce::broker
