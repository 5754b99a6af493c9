#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace vivavoce::dsp {

/// Takes the agent's own voice out of what the microphone hears, then the noise, then levels the speaker's voice (WebRTC's audio
/// processing: AEC with extended filter and without trust in the delay, NS, AGC).
/// Frames of 10 ms, PCM16 mono at kRate. `rendered` and `process` in the order in which things happen; delay 14 ms.
/// Threads: one at a time.
class EchoCanceller {
public:
    static constexpr core::SampleRate kRate{48'000};
    static constexpr std::size_t kFrameSamples = 480;

    struct Settings {
        bool isEchoCancelled = true;
        bool isNoiseSuppressed = true;
        bool isGainAutomatic = true;
    };

    /// SoundFailed.
    static core::Expected<EchoCanceller, core::Error> create(Settings settings);

    EchoCanceller(EchoCanceller&&) noexcept;
    EchoCanceller& operator=(EchoCanceller&&) noexcept;
    ~EchoCanceller();

    /// Changes at once, and without forgetting the room.
    void set(Settings settings);

    /// What goes to the loudspeaker: the far end.
    void rendered(std::span<const std::int16_t, kFrameSamples> frame);
    /// Cleans what came from the microphone, in place. `delay`: from handing a frame to `rendered` until its sound comes back here, as
    /// far as the devices tell; serves until the true one is found in the sound itself.
    void process(std::span<std::int16_t, kFrameSamples> frame, core::Milliseconds delay);

private:
    struct State;
    explicit EchoCanceller(std::unique_ptr<State> state);

    std::unique_ptr<State> m_state;
};

} // namespace vivavoce::dsp
