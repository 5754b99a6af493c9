#pragma once

#include "core/base/error.h"
#include "core/ports/transport.h"
#include "core/protocol/openai/server_session_events.h"
#include "core/session/session_state.h"

#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::core::internal {

/// What an `error` event of a provider means for the session.
enum class ErrorWeight {
    /// Our own race, expected in normal use: nobody is told.
    Harmless,
    /// Told; the conversation goes on.
    Notable,
    /// The connection is about to end because of it.
    Fatal,
};

struct ProviderFault {
    Error error;
    ErrorWeight weight = ErrorWeight::Notable;
};

/// From the event's `error.type`, `error.code` and `error.message` (no official list exists; the known ones are in docs/protocol.md).
[[nodiscard]] ProviderFault classify(std::string_view type, std::string_view code, std::string_view message);

/// What of our settings an error speaks of.
[[nodiscard]] std::optional<Setting> settingBlamed(const openai::ErrorDetail& error);

/// Whether an error answers an event of ours, by an id that begins so or by naming its type.
[[nodiscard]] bool answers(const openai::ErrorDetail& error, std::string_view idPrefix, std::string_view type);

/// Foreign text on one line and of a readable length.
[[nodiscard]] std::string tame(std::string_view text);

/// One of the codes that only our broker uses (docs/protocol.md, "The relay").
[[nodiscard]] inline bool isBrokersClose(const TransportClose& close)
{
    return close.code >= 4401 && close.code <= 4409;
}

/// From a close code and reason, where no `error` event came before.
[[nodiscard]] Error errorOfClose(const TransportClose& close, bool isGemini);

[[nodiscard]] inline bool isRefusedCredential(const Error& error)
{
    return error.code == ErrorCode::ProviderRefused;
}

} // namespace vivavoce::core::internal
