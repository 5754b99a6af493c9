#include "agent/agent.h"
#include "agent/brain/chat_brain.h"
#include "core/base/environment_secret.h"
#include "core/base/json.h"
#include "core/base/process_memory.h"
#include "core/base/standard_streams.h"

#include <nlohmann/json.hpp>

#include <iostream>
#include <optional>
#include <utility>

using namespace vivavoce;

namespace {

int leave(const core::Error& error)
{
    std::cerr << "vivavoce-agent: " << error.detail << " (" << core::codeText(error.code) << ")\n";
    return core::exitCode(error.code);
}

} // namespace

int main(int argc, char** argv)
{
    core::occupyStandardStreams();
    core::hideProcessMemory();
    auto chatKey = core::takeFromEnvironment(agent::brain::kChatKeyVariable);
    const auto parsed = agent::parseOptions(argc, argv);
    if (!parsed) {
        return leave(parsed.error());
    }
    if (const auto* text = std::get_if<agent::PrintAndLeave>(&*parsed)) {
        std::cout << text->text;
        return 0;
    }
    const auto& options = std::get<agent::Options>(*parsed);
    auto credential = options.credentialFd ? agent::readCredential(*options.credentialFd)
                                           : core::Expected<core::Secret, core::Error>(core::Secret());
    if (!credential) {
        return leave(credential.error());
    }
    auto speech = agent::makeOfflineSpeech(options, std::move(chatKey));
    if (!speech) {
        return leave(speech.error());
    }
    const auto running = agent::Agent::create(options, std::move(*credential), std::move(*speech));
    if (!running) {
        return leave(running.error());
    }
    std::cout << core::writeJson({{"event", "listening"}, {"url", (*running)->url()}}) << std::endl;
    if (!std::cout) {
        // Whoever waits for that line would wait for ever.
        return leave({core::ErrorCode::OutputUnwritable, "standard output cannot be written", std::nullopt, {}});
    }
    (*running)->run();
    return 0;
}
