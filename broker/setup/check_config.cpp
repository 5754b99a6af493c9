#include "broker/setup/check_config.h"

#include "broker/setup/check_connections.h"
#include "broker/setup/check_files.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace vivavoce::broker {

int runCheckConfig(const CheckConfig& check, const Environment& environment, std::ostream& out, std::ostream& err)
{
    using Severity = Problems::Severity;
    Problems problems;
    const Config config = loadConfig(check.overrides, environment, problems);
    checkNeeds(config, problems);
    checkFiles(config, core::SystemClock(), problems);
    if (check.connects) {
        checkConnections(config, problems);
    }
    for (const Problems::Problem& one : problems.all()) {
        err << (one.severity == Severity::Warning ? "warning: " : "problem: ") << one.text << '\n';
    }
    const std::size_t faults = problems.count(Severity::Fault) + problems.count(Severity::Exposure);
    if (faults > 0) {
        return core::exitCode(core::ErrorCode::BadConfiguration);
    }
    const std::size_t warnings = problems.count(Severity::Warning);
    out << "ok";
    if (warnings > 0) {
        out << ", with " << warnings << (warnings == 1 ? " warning" : " warnings");
    }
    out << '\n';
    return 0;
}

void tellFaults(const Problems& problems, std::ostream& err)
{
    for (const Problems::Problem& one : problems.all()) {
        if (one.severity == Problems::Severity::Fault) {
            err << "vivavoce-broker: " << one.text << " (" << core::codeText(core::ErrorCode::BadConfiguration)
                << ")\n";
        }
    }
}

void logWarnings(const Problems& problems, Log& log)
{
    for (const Problems::Problem& one : problems.all()) {
        if (one.severity != Problems::Severity::Fault) {
            log.write(LogLevel::Warning, "configuration.warning", {{"key", one.key}, {"what", one.text}});
        }
    }
}

} // namespace vivavoce::broker
