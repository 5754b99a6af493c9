#pragma once

#include "core/protocol/openai/session_config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The session as a whole, its limits and its errors. See server_events.h.
namespace vivavoce::core::openai {

struct ErrorDetail {
    std::string type;
    std::optional<std::string> code;
    std::string message;
    std::optional<std::string> param;
    /// Of the client's event that it answers.
    std::optional<std::string> eventId;
};

struct RateLimit {
    /// "requests" or "tokens".
    std::string name;
    std::int64_t limit = 0;
    std::int64_t remaining = 0;
    double resetSeconds = 0;
};

struct ErrorEvent {
    static constexpr std::string_view kType = "error";
    std::string eventId;
    ErrorDetail error;
};

struct SessionCreated {
    static constexpr std::string_view kType = "session.created";
    std::string eventId;
    Session session;
    /// Of what came; nothing: it cannot be told. Never written.
    std::optional<Dialect> dialect{};
};

struct SessionUpdated {
    static constexpr std::string_view kType = "session.updated";
    std::string eventId;
    Session session;
};

struct ConversationCreated {
    static constexpr std::string_view kType = "conversation.created";
    std::string eventId;
    std::string conversationId;
};

struct RateLimitsUpdated {
    static constexpr std::string_view kType = "rate_limits.updated";
    std::string eventId;
    std::vector<RateLimit> rateLimits;
};

} // namespace vivavoce::core::openai
