#pragma once

#include "core/base/units.h"

namespace vivavoce::core {

/// At what rates the two voices of a conversation are exchanged as PCM16 mono.
struct VoiceRates {
    /// What the user says.
    SampleRate input = kRealtimeRate;
    /// What the agent says.
    SampleRate output = kRealtimeRate;
    bool operator==(const VoiceRates&) const = default;
};

} // namespace vivavoce::core
