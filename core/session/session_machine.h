#pragma once

#include "core/base/clock.h"
#include "core/session/session_effect.h"
#include "core/session/session_event.h"
#include "core/session/session_state.h"

namespace vivavoce::core {

struct SessionStep {
    SessionState state;
    SessionEffects effects;
};

/// The whole behaviour of a session, without I/O: the state after an event, and what is to be done.
/// Every event is legal in every state; one that means nothing there changes nothing. [any thread]
[[nodiscard]] SessionStep next(SessionState state, SessionEvent event, MonotonicTime now);

} // namespace vivavoce::core
