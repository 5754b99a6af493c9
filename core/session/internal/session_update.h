#pragma once

#include "core/protocol/openai/client_events.h"
#include "core/session/session_options.h"

namespace vivavoce::core::internal {

/// What we want the provider's session to be like. Every setting that we rely on is sent, since defaults differ.
[[nodiscard]] openai::SessionUpdate sessionUpdate(const SessionOptions& options, bool turnsByHand);

/// Only who ends a turn.
[[nodiscard]] openai::SessionUpdate turnsUpdate(const SessionOptions& options, bool turnsByHand);

} // namespace vivavoce::core::internal
