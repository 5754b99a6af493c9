#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace vivavoce::dsp {

/// What was heard in one frame, after the noise was taken out.
struct VoiceFrame {
    bool hasVoice = false;
    /// Root mean square below full scale; -100 for silence.
    double levelDbfs = -100;
};

/// Suppresses noise and tells voice from the rest, by WebRTC's audio processing. Frames of 10 ms, PCM16 mono at core::kSpeechRate.
/// Threads: one at a time.
class VoiceProcessor {
public:
    static constexpr std::size_t kFrameSamples = 160;

    /// SoundFailed.
    static core::Expected<VoiceProcessor, core::Error> create();

    VoiceProcessor(VoiceProcessor&&) noexcept;
    VoiceProcessor& operator=(VoiceProcessor&&) noexcept;
    ~VoiceProcessor();

    /// Cleans the frame in place.
    [[nodiscard]] VoiceFrame process(std::span<std::int16_t, kFrameSamples> frame);

private:
    struct State;
    explicit VoiceProcessor(std::unique_ptr<State> state);

    std::unique_ptr<State> m_state;
};

} // namespace vivavoce::dsp
