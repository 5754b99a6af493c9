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
/// processing: AEC with extended filter and without trust in the delay, NS, AGC). Holds back what is heard while the loudspeaker plays until it
/// has learnt the room (EchoGuard).
/// Frames of 10 ms, PCM16 mono at kRate. `rendered` and `process` in the order in which things happen; delay at most 14 ms.
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

    /// From a sample that goes in to the same one that comes out, at kRate.
    [[nodiscard]] core::FrameCount delay() const;
    /// Changes at once, and without forgetting the room.
    void set(Settings settings);

    /// What is being played is cut off, by somebody who wants to be heard: what comes once its echo is over is not held back any more.
    void cut();
    /// The same devices as before run again after they stood still: the room is the same, and what was learnt of it is to be shown again.
    void resumed();
    /// What goes to the loudspeaker: the far end.
    void rendered(std::span<const std::int16_t, kFrameSamples> frame);
    /// What is left of what came from the microphone: a frame, or none while it is held back, or that and all that was. Valid until the
    /// next call. `delay`: from handing a frame to `rendered` until its sound comes back here, as far as the devices tell; serves until
    /// the true one is found in the sound itself. `isMuted`: of this frame there is silence, whenever it is handed on.
    [[nodiscard]] std::span<const std::int16_t> process(
        std::span<const std::int16_t, kFrameSamples> frame, core::Milliseconds delay, bool isMuted = false);
    /// What became of the last frame, also while it is muted or held back: for a meter.
    [[nodiscard]] std::span<const std::int16_t> cleaned() const;

private:
    struct State;
    explicit EchoCanceller(std::unique_ptr<State> state);

    std::unique_ptr<State> m_state;
};

} // namespace vivavoce::dsp
