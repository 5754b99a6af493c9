#pragma once

#include "core/base/units.h"

#include <cstdint>

namespace vivavoce::audio {

/// What went wrong with the sound of a conversation and was too short to be told while it went on.
struct SoundFaults {
    /// So often the microphone's device lost something, and the loudspeaker's had nothing to play: as they tell.
    std::uint64_t overruns = 0;
    std::uint64_t underruns = 0;
    /// So long the loudspeaker was silent because this computer was late,
    core::Milliseconds starved{0};
    /// and in the middle of a reply because more of it was late.
    core::Milliseconds replyLate{0};
};

} // namespace vivavoce::audio
