#pragma once

#include "core/protocol/openai/client_events.h"
#include "core/session/session_options.h"
#include "core/session/session_state.h"

#include <set>

namespace vivavoce::core::internal {

/// What we want the provider's session to be like. Every setting that we rely on is sent, since defaults differ, but for those that it does
/// not take.
[[nodiscard]] openai::SessionUpdate sessionUpdate(
    const SessionOptions& options, const VoiceRates& rates, bool turnsByHand, const std::set<Setting>& leftOut);

/// Only who ends a turn.
[[nodiscard]] openai::SessionUpdate turnsUpdate(
    const SessionOptions& options, bool turnsByHand, const std::set<Setting>& leftOut);

/// Whether that is among what we want.
[[nodiscard]] bool isWanted(Setting setting, const SessionOptions& options, bool turnsByHand);

} // namespace vivavoce::core::internal
