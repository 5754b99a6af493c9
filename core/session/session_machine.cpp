#include "core/session/session_machine.h"

#include "core/session/internal/stepper.h"

namespace vivavoce::core {

SessionStep next(SessionState state, SessionEvent event, MonotonicTime now)
{
    internal::Stepper stepper(std::move(state), now);
    std::visit([&](auto& what) { stepper.on(what); }, event);
    return std::move(stepper).finish();
}

std::string_view phaseText(Phase phase)
{
    switch (phase) {
    case Phase::Idle:
        return "idle";
    case Phase::FetchingToken:
        return "fetching_token";
    case Phase::Connecting:
        return "connecting";
    case Phase::Starting:
        return "starting";
    case Phase::Configuring:
        return "configuring";
    case Phase::Live:
        return "live";
    case Phase::Waiting:
        return "reconnecting";
    case Phase::Closing:
        return "closing";
    case Phase::Ended:
        return "ended";
    }
    return "ended";
}

std::string_view activityText(Activity activity)
{
    switch (activity) {
    case Activity::Listening:
        return "listening";
    case Activity::HearingUser:
        return "hearing_you";
    case Activity::Thinking:
        return "thinking";
    case Activity::RunningTool:
        return "running_tool";
    case Activity::Speaking:
        return "speaking";
    case Activity::Stalled:
        return "waiting";
    }
    return "listening";
}

} // namespace vivavoce::core
