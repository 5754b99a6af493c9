#pragma once

#include "agent/ports.h"

#include <string>
#include <utility>
#include <vector>

namespace vivavoce::tests {

/// Keeps what a brain said and called.
class RecordingSink final : public agent::BrainSink {
public:
    bool onText(std::string_view piece) override
    {
        text += piece;
        return goesOn;
    }
    bool onFunctionCall(std::string_view name, std::string_view argumentsJson) override
    {
        calls.emplace_back(name, argumentsJson);
        return goesOn;
    }
    bool onStyle(const agent::SpeakingStyle& given) override
    {
        style = given;
        return goesOn;
    }

    std::string text;
    std::vector<std::pair<std::string, std::string>> calls;
    agent::SpeakingStyle style;
    bool goesOn = true;
};

} // namespace vivavoce::tests
