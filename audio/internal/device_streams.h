#pragma once

#include "audio/audio_backend.h"
#include "audio/internal/capture_chain.h"
#include "audio/internal/far_end.h"
#include "audio/internal/playback_chain.h"
#include "audio/sound_faults.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::audio {

/// Which of the devices serves whoever wants that one: it, or the default where it is not there. Empty: there is none.
[[nodiscard]] std::string servingDevice(
    const std::vector<core::SoundDevice>& devices, core::SoundDirection direction, const std::string& wanted);

/// A microphone that runs, with all that belongs to it. Members are destroyed from the last one on: the device stops first.
struct CaptureLine {
    /// What was asked for, and the device that serves.
    std::string deviceId;
    std::string runsOn;
    std::unique_ptr<rt::SampleRing> ring;
    std::unique_ptr<rt::CaptureCallback> callback;
    std::optional<CaptureChain> chain;
    std::unique_ptr<AudioStream> stream;
    /// As far as they were looked at.
    std::uint64_t dropped = 0;
    std::uint64_t overruns = 0;

    [[nodiscard]] static core::Expected<CaptureLine, core::Error> open(
        AudioBackend& backend, const std::string& deviceId);
    /// Between the air and the ring, and in it.
    [[nodiscard]] core::Milliseconds delay() const;
    /// What waits in the ring.
    [[nodiscard]] core::Milliseconds waiting() const;
    /// What there was no room for since the last call.
    [[nodiscard]] core::Milliseconds takeDropped();
    /// Counts what went wrong since the last call.
    void count(SoundFaults& faults);
};

/// A loudspeaker that runs.
struct PlaybackLine {
    std::string deviceId;
    std::string runsOn;
    std::unique_ptr<rt::SampleRing> ring;
    /// What the device has taken of it, for the echo canceller.
    std::unique_ptr<rt::SampleRing> played;
    std::unique_ptr<rt::PlaybackCallback> callback;
    std::optional<PlaybackChain> chain;
    std::optional<FarEnd> farEnd;
    std::unique_ptr<AudioStream> stream;
    /// As far as they were looked at.
    std::uint64_t underruns = 0;
    std::uint64_t starved = 0;
    bool isFilled = false;

    [[nodiscard]] static core::Expected<PlaybackLine, core::Error> open(
        AudioBackend& backend, const std::string& deviceId);
    /// What is kept in the ring: as little as a busy machine lets us.
    [[nodiscard]] core::FrameCount ahead() const;
    void fill(PlayoutQueue& queue, rt::LevelMeter& meter);
    /// From the device's callback to the air.
    [[nodiscard]] core::Milliseconds delay() const;
    /// Counts what went wrong since the last call.
    void count(SoundFaults& faults);
    /// The queue's position at the ear.
    [[nodiscard]] std::uint64_t heard() const { return chain->heard(ring->taken(), stream->format().latency); }
};

} // namespace vivavoce::audio
