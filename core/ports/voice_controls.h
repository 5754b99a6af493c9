#pragma once

#include <string>

namespace vivavoce::core {

/// How loud it was since the last look: peaks below full scale, -100 for silence.
struct VoiceLevels {
    double captureDbfs = -100;
    double playbackDbfs = -100;
};

/// Empty ids: follow the system's default, also when it moves.
struct DeviceChoice {
    std::string captureId;
    std::string playbackId;

    bool operator==(const DeviceChoice&) const = default;
};

/// Port: what a person does to the sound while it runs, or before it does. The rest of it is VoiceIo.
/// Threads: the executor's own thread.
class VoiceControls {
public:
    virtual ~VoiceControls() = default;
    /// Muted: no sample of the microphone leaves; the other side hears silence for a moment (so that a turn can end), then nothing.
    /// Push to talk is this too: muted until the key is down.
    virtual void setMuted(bool isMuted) = 0;
    /// Changes at once, also in the middle of a reply: what is queued goes on in the new device.
    virtual void choose(const DeviceChoice& choice) = 0;
    /// Peaks since the last call. Silent when nothing runs.
    [[nodiscard]] virtual VoiceLevels takeLevels() = 0;
    /// Opens the microphone for its level alone, where no conversation has it open: a page that shows meters.
    virtual void setPreview(bool isOn) = 0;
    /// A second of a soft tone, so that people find their loudspeaker.
    virtual void playTestTone() = 0;
};

} // namespace vivavoce::core
