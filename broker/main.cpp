#include "broker/audit/verify_program.h"
#include "broker/options.h"
#include "broker/process_hardening.h"
#include "broker/program.h"

#include <iostream>

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
    const auto& overrides = std::get<broker::Overrides>(*parsed);
    auto config = broker::loadConfig(overrides, &broker::takeFromEnvironment);
    if (!config) {
        return leave(config.error());
    }
    if (overrides.printsConfig) {
        std::cout << broker::printConfig(*config);
        return 0;
    }
    const auto code = broker::runBroker(std::move(*config));
    return code.has_value() ? *code : leave(code.error());
}
