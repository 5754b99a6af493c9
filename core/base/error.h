#pragma once

#include "core/base/expected.h"
#include "core/base/units.h"

#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::core {

/// What can go wrong, as the product tells it. The text of a code (`codeText`) is stable: scripts and translations hang on it.
enum class ErrorCode {
    // Usage, configuration, input
    BadUsage,
    BadConfiguration,
    InputUnreadable,
    InputNotAudio,
    InputEmpty,
    InputNoSpeech,
    OutputUnwritable,
    // Tokens and the broker
    BrokerUnreachable,
    BrokerMalformed,
    BrokerFailed,
    NotAuthorised,
    /// The broker has no provider of that name.
    ProviderUnknown,
    /// The provider does not take the model, or what else was asked for.
    ChoiceRefused,
    /// The broker's policy does not allow it.
    ChoiceNotAllowed,
    RateLimited,
    TokenExpired,
    InsecureUrl,
    // The provider
    ProviderUnreachable,
    ProviderRefused,
    ProviderSilent,
    ProviderMalformed,
    ProviderMessageTooBig,
    ProviderClosed,
    ProviderFailed,
    ProviderQuota,
    SessionExpired,
    /// By whoever runs the broker.
    SessionEnded,
    /// Of the user or of the project, for the day or the month.
    BudgetExhausted,
    // Ourselves
    ToolFailed,
    /// What the model wrote for a function does not fit what that takes.
    ToolArguments,
    /// A person, or what they have set, did not let it run.
    ToolDenied,
    ChildNotStarted,
    ChildDied,
    SoundFailed,
    SoundNoMicrophone,
    SoundNoLoudspeaker,
    Timeout,
    Cancelled,
    AlreadyRunning,
    NoDisplay,
    /// What is kept on this computer: conversations, figures of usage.
    HistoryFailed,
    /// The sound of a conversation: it cannot be written any further.
    RecordingFailed,
    Internal,
};

/// "broker.unreachable" and the like: lower case, dotted, never changed once shipped.
[[nodiscard]] std::string_view codeText(ErrorCode code);

/// The exit code of our programs for an error (see `exitCode` values in docs/protocol.md).
[[nodiscard]] int exitCode(ErrorCode code);

/// Whether the same action may succeed a little later without anybody changing anything.
[[nodiscard]] bool isRetryable(ErrorCode code);

/// An expected failure. `detail` is for logs and for copying: English, one line, never a secret.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string detail;
    /// How long to wait at least, where the other side said so.
    std::optional<Milliseconds> retryAfter;
    /// The other side's own code, verbatim ("invalid_request_error.invalid_api_key").
    std::string foreignCode;

    bool operator==(const Error&) const = default;
};

[[nodiscard]] inline Unexpected<Error> fail(ErrorCode code, std::string detail)
{
    return Unexpected<Error>(Error{code, std::move(detail), std::nullopt, {}});
}

} // namespace vivavoce::core
