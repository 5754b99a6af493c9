#pragma once

#include "core/protocol/gemini/setup.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a client may say: an object with exactly one key.
namespace vivavoce::core::gemini {

/// History before the first turn, where the setup has announced it; refused later by the 3.x models.
struct ClientContent {
    static constexpr std::string_view kKey = "clientContent";
    std::vector<Content> turns;
    std::optional<bool> turnComplete;
    bool operator==(const ClientContent&) const = default;
};

/// One of them.
struct RealtimeInput {
    static constexpr std::string_view kKey = "realtimeInput";
    std::optional<Blob> audio;
    std::optional<Blob> video;
    /// The microphone is off; what has come is to be answered.
    std::optional<bool> audioStreamEnd;
    // Only where the detection is disabled.
    std::optional<Mark> activityStart;
    std::optional<Mark> activityEnd;
    std::optional<std::string> text;
    bool operator==(const RealtimeInput&) const = default;
};

struct ToolResponse {
    static constexpr std::string_view kKey = "toolResponse";
    std::vector<FunctionResponse> functionResponses;
    bool operator==(const ToolResponse&) const = default;
};

using ClientMessage = std::variant<Setup, ClientContent, RealtimeInput, ToolResponse>;

} // namespace vivavoce::core::gemini
