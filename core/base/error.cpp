#include "core/base/error.h"

#include <array>

namespace vivavoce::core {
namespace {

struct Row {
    ErrorCode code;
    std::string_view text;
    int exit;
    bool retryable;
};

constexpr std::array kRows{
    Row{ErrorCode::BadUsage, "usage.bad", 2, false},
    Row{ErrorCode::BadConfiguration, "configuration.bad", 2, false},
    Row{ErrorCode::InputUnreadable, "input.unreadable", 2, false},
    Row{ErrorCode::InputNotAudio, "input.not_audio", 2, false},
    Row{ErrorCode::InputEmpty, "input.empty", 2, false},
    Row{ErrorCode::InputNoSpeech, "input.no_speech", 2, false},
    Row{ErrorCode::OutputUnwritable, "output.unwritable", 2, false},
    Row{ErrorCode::BrokerUnreachable, "broker.unreachable", 4, true},
    Row{ErrorCode::BrokerMalformed, "broker.malformed", 4, false},
    Row{ErrorCode::BrokerFailed, "broker.failed", 4, true},
    Row{ErrorCode::NotAuthorised, "auth.refused", 3, false},
    Row{ErrorCode::ProviderUnknown, "provider.unknown", 2, false},
    Row{ErrorCode::ChoiceRefused, "choice.refused", 2, false},
    Row{ErrorCode::ChoiceNotAllowed, "choice.not_allowed", 3, false},
    Row{ErrorCode::RateLimited, "rate.limited", 7, true},
    Row{ErrorCode::TokenExpired, "token.expired", 3, true},
    Row{ErrorCode::InsecureUrl, "url.insecure", 2, false},
    Row{ErrorCode::ProviderUnreachable, "provider.unreachable", 4, true},
    Row{ErrorCode::ProviderRefused, "provider.refused", 3, false},
    Row{ErrorCode::ProviderSilent, "provider.silent", 6, true},
    Row{ErrorCode::ProviderMalformed, "provider.malformed", 4, false},
    Row{ErrorCode::ProviderMessageTooBig, "provider.message_too_big", 4, false},
    Row{ErrorCode::ProviderClosed, "provider.closed", 4, true},
    Row{ErrorCode::ProviderFailed, "provider.failed", 4, true},
    Row{ErrorCode::ProviderQuota, "provider.quota", 7, false},
    Row{ErrorCode::SessionExpired, "session.expired", 4, true},
    Row{ErrorCode::SessionEnded, "session.ended", 3, false},
    Row{ErrorCode::BudgetExhausted, "budget.exhausted", 7, false},
    Row{ErrorCode::ToolFailed, "tool.failed", 4, false},
    Row{ErrorCode::ToolArguments, "tool.arguments", 4, false},
    Row{ErrorCode::ToolDenied, "tool.denied", 3, false},
    Row{ErrorCode::ChildNotStarted, "child.not_started", 4, false},
    Row{ErrorCode::ChildDied, "child.died", 4, true},
    Row{ErrorCode::SoundFailed, "sound.failed", 5, false},
    Row{ErrorCode::SoundNoMicrophone, "sound.no_microphone", 5, false},
    Row{ErrorCode::SoundNoLoudspeaker, "sound.no_loudspeaker", 5, false},
    Row{ErrorCode::Timeout, "timeout", 6, true},
    Row{ErrorCode::Cancelled, "cancelled", 0, false},
    Row{ErrorCode::AlreadyRunning, "already_running", 8, false},
    Row{ErrorCode::NoDisplay, "no_display", 9, false},
    Row{ErrorCode::HistoryFailed, "history.failed", 2, false},
    Row{ErrorCode::RecordingFailed, "recording.failed", 2, false},
    Row{ErrorCode::Internal, "internal", 4, false},
};

constexpr bool rowsInOrder()
{
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (static_cast<std::size_t>(kRows[i].code) != i) {
            return false;
        }
    }
    return kRows.size() == static_cast<std::size_t>(ErrorCode::Internal) + 1;
}
static_assert(rowsInOrder(), "one row per code, in the order of the enum");

const Row& row(ErrorCode code)
{
    return kRows[static_cast<std::size_t>(code)];
}

} // namespace

std::string_view codeText(ErrorCode code)
{
    return row(code).text;
}

int exitCode(ErrorCode code)
{
    return row(code).exit;
}

bool isRetryable(ErrorCode code)
{
    return row(code).retryable;
}

} // namespace vivavoce::core
