#include "broker/audit/verify_program.h"
#include "broker/options.h"
#include "broker/process_hardening.h"
#include "broker/program.h"
#include "broker/setup/check_config.h"
#include "broker/setup/check_files.h"

#include <atomic>
#include <iostream>
#include <utility>

using namespace vivavoce;

namespace {
int leave(const core::Error& error)
{
    std::cerr << "vivavoce-broker: " << error.detail << " (" << core::codeText(error.code) << ")\n";
    return core::exitCode(error.code);
}
} // namespace

int main(int argc, char** argv)
{
    broker::hardenProcess();
    const auto parsed = broker::parseOptions(argc, argv);
    if (!parsed) {
        return leave(parsed.error());
    }
    if (const auto* text = std::get_if<broker::PrintAndLeave>(&*parsed)) {
        std::cout << text->text;
        return 0;
    }
    if (const auto* verify = std::get_if<broker::VerifyAudit>(&*parsed)) {
        return broker::runAuditVerify(verify->path);
    }
    if (const auto* service = std::get_if<broker::MakeServiceKey>(&*parsed)) {
        const auto made = broker::printServiceKey(service->name);
        return made ? 0 : leave(made.error());
    }
    if (const auto* init = std::get_if<broker::InitConfig>(&*parsed)) {
        const auto made = broker::runInit(init->path, init->profile, std::cout);
        return made ? 0 : leave(made.error());
    }
    if (const auto* check = std::get_if<broker::CheckConfig>(&*parsed)) {
        return broker::runCheckConfig(*check, &broker::takeFromEnvironment, std::cout, std::cerr);
    }
    if (const auto* asked = std::get_if<broker::AskReports>(&*parsed)) {
        return broker::runReports(*asked, &broker::takeFromEnvironment, std::cout, std::cerr);
    }
    if (const auto* project = std::get_if<broker::ProjectCommand>(&*parsed)) {
        return broker::runProjectCommand(*project, &broker::takeFromEnvironment, std::cout, std::cerr);
    }
    const auto& overrides = std::get<broker::Overrides>(*parsed);
    broker::KeptEnvironment environment(&broker::takeFromEnvironment);
    const broker::Environment kept = [&](const char* name) { return environment.take(name); };
    broker::Problems problems;
    broker::Config config = broker::loadConfig(overrides, kept, problems);
    environment.close();
    if (!overrides.printsConfig) {
        broker::checkNeeds(config, problems);
    }
    if (problems.hasFault()) {
        broker::tellFaults(problems, std::cerr);
        return core::exitCode(problems.firstFault().code);
    }
    if (overrides.printsConfig) {
        std::cout << broker::printConfig(config);
        return 0;
    }
    const std::atomic<broker::LogLevel> level = config.logLevel;
    broker::logWarnings(problems, *broker::makeStderrLog(level));
    const auto loadAgain = [&] {
        broker::Problems found;
        broker::Config changed = broker::loadConfig(overrides, kept, found);
        broker::checkNeeds(changed, found);
        return broker::usable(std::move(changed), found);
    };
    const auto code = broker::runBroker(std::move(config), loadAgain);
    return code.has_value() ? *code : leave(code.error());
}
