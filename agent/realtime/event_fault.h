#pragma once

#include "core/protocol/openai/protocol_error.h"

#include <optional>
#include <string>
#include <utility>

namespace vivavoce::agent::realtime {

/// Why a client event was not obeyed, in OpenAI's words: becomes an `error` event or an HTTP error body.
/// The session goes on after one. `message` is for developers and never quotes a credential.
struct EventFault {
    std::string code;
    std::string message;
    /// Dotted path of the offending field ("session.audio.output.voice"), or empty.
    std::string param;
    std::string type = "invalid_request_error";

    bool operator==(const EventFault&) const = default;
};

[[nodiscard]] inline EventFault invalidValue(std::string param, std::string message)
{
    return {"invalid_value", std::move(message), std::move(param)};
}

[[nodiscard]] inline EventFault serverFault(std::string message)
{
    return {"server_error", std::move(message), {}, "server_error"};
}

/// Nothing for an empty text.
[[nodiscard]] inline std::optional<std::string> whereGiven(std::string text)
{
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

[[nodiscard]] inline EventFault unreadable(const core::openai::ProtocolError& error)
{
    return {std::string(core::openai::errorCode(error.fault)), error.message, error.param};
}

} // namespace vivavoce::agent::realtime
