#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Calls of functions and of MCP tools. See server_events.h.
namespace vivavoce::core::openai {

struct ResponseFunctionCallArgumentsDelta {
    static constexpr std::string_view kType = "response.function_call_arguments.delta";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::string callId;
    std::string delta;
};

struct ResponseFunctionCallArgumentsDone {
    static constexpr std::string_view kType = "response.function_call_arguments.done";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::string callId;
    std::string name;
    /// JSON text.
    std::string arguments;
};

struct ResponseMcpCallArgumentsDelta {
    static constexpr std::string_view kType = "response.mcp_call_arguments.delta";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    std::string delta;
};

struct ResponseMcpCallArgumentsDone {
    static constexpr std::string_view kType = "response.mcp_call_arguments.done";
    std::string eventId;
    std::string responseId;
    std::string itemId;
    std::int64_t outputIndex = 0;
    /// JSON text.
    std::string arguments;
};

struct ResponseMcpCallInProgress {
    static constexpr std::string_view kType = "response.mcp_call.in_progress";
    std::string eventId;
    std::int64_t outputIndex = 0;
    std::string itemId;
};

struct ResponseMcpCallCompleted {
    static constexpr std::string_view kType = "response.mcp_call.completed";
    std::string eventId;
    std::int64_t outputIndex = 0;
    std::string itemId;
};

struct ResponseMcpCallFailed {
    static constexpr std::string_view kType = "response.mcp_call.failed";
    std::string eventId;
    std::int64_t outputIndex = 0;
    std::string itemId;
};

struct McpListToolsInProgress {
    static constexpr std::string_view kType = "mcp_list_tools.in_progress";
    std::string eventId;
    std::string itemId;
};

struct McpListToolsCompleted {
    static constexpr std::string_view kType = "mcp_list_tools.completed";
    std::string eventId;
    std::string itemId;
};

struct McpListToolsFailed {
    static constexpr std::string_view kType = "mcp_list_tools.failed";
    std::string eventId;
    std::string itemId;
};

} // namespace vivavoce::core::openai
