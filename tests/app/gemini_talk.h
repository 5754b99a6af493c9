#pragma once

#include "core/session/session_runner.h"
#include "tests/support/fake_ports.h"

#include <cstdint>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// Keeps what a session tells as problems.
class ProblemListener final : public core::SessionObserver {
public:
    void sessionTold(const core::SessionNotice& notice) override
    {
        if (const auto* problem = std::get_if<core::session_notice::Problem>(&notice)) {
            problems.push_back(problem->error);
        }
    }
    void replyTook(const core::ReplyLatency&) override {}

    std::vector<core::Error> problems;
};

/// What a conversation with Gemini is to be like: written down, and with one function, "get_weather".
inline core::SessionOptions geminiOptions()
{
    core::SessionOptions wanted;
    wanted.transcriptionModel = "any";
    core::openai::FunctionTool tool;
    tool.name = "get_weather";
    tool.parameters = core::openai::RawJson{R"({"type":"object"})"};
    wanted.tools = {tool};
    return wanted;
}

/// What both sides have said, in order.
inline std::vector<std::string> linesOf(const core::SessionRunner& runner)
{
    std::vector<std::string> lines;
    for (const core::ConversationEntry& entry : runner.state().log.entries()) {
        lines.push_back(entry.text);
    }
    return lines;
}

/// The microphone picks up somebody's voice, in pieces of 20 ms.
inline void capture(FakeVoiceIo& voice, int milliseconds)
{
    for (int done = 0; done < milliseconds; done += 20) {
        voice.listener->voiceCaptured(std::vector<std::int16_t>(480, 5'000));
    }
}

} // namespace vivavoce::tests
