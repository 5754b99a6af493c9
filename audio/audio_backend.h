#pragma once

#include "audio/rt/capture_callback.h"
#include "audio/rt/playback_callback.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/units.h"
#include "core/ports/device_catalog.h"

#include <memory>
#include <string>
#include <vector>

namespace vivavoce::audio {

/// How a device runs.
struct StreamFormat {
    core::SampleRate rate;
    core::ChannelCount channels;
    /// Between the callback and the air, as the device tells it.
    core::FrameCount latency;
};

/// A device that runs, and calls its callback on a thread of its own [device]. Destroying it closes the device; the callback is not
/// called after that.
class AudioStream {
public:
    virtual ~AudioStream() = default;
    [[nodiscard]] virtual StreamFormat format() const = 0;
    /// False once the device is gone. [worker]
    [[nodiscard]] virtual bool isAlive() = 0;
};

/// Port: a sound library. Devices are opened at a rate of their own choice.
/// Threads: [worker] but for `devices`, which is [any thread]. Lifetime: outlives its streams.
class AudioBackend {
public:
    virtual ~AudioBackend() = default;

    /// What a stream will be like, so that its callback can be made to fit; then the stream itself. `deviceId` empty: the default.
    /// SoundFailed: no such device, in use by others, refused.
    [[nodiscard]] virtual core::Expected<std::unique_ptr<AudioStream>, core::Error> openCapture(
        const std::string& deviceId, rt::CaptureCallback& callback) = 0;
    [[nodiscard]] virtual core::Expected<std::unique_ptr<AudioStream>, core::Error> openPlayback(
        const std::string& deviceId, rt::PlaybackCallback& callback) = 0;

    /// The default first. As of the last look.
    [[nodiscard]] virtual std::vector<core::SoundDevice> devices(core::SoundDirection direction) const = 0;
    /// Looks again. No stream may be open, unless `looksWhileOpen`.
    virtual void rescan() = 0;
    [[nodiscard]] virtual bool looksWhileOpen() const = 0;
};

} // namespace vivavoce::audio
