#pragma once

#include "audio/audio_backend.h"
#include "audio/internal/capture_chain.h"
#include "audio/internal/far_end.h"
#include "audio/internal/playback_chain.h"

#include <memory>
#include <optional>
#include <string>

namespace vivavoce::audio {

/// A microphone that runs, with all that belongs to it. Members are destroyed from the last one on: the device stops first.
struct CaptureLine {
    std::string deviceId;
    std::unique_ptr<rt::SampleRing> ring;
    std::unique_ptr<rt::CaptureCallback> callback;
    std::optional<CaptureChain> chain;
    std::unique_ptr<AudioStream> stream;

    [[nodiscard]] static core::Expected<CaptureLine, core::Error> open(
        AudioBackend& backend, const std::string& deviceId);
    /// Between the air and the ring, and in it.
    [[nodiscard]] core::Milliseconds delay() const;
};

/// A loudspeaker that runs.
struct PlaybackLine {
    std::string deviceId;
    std::unique_ptr<rt::SampleRing> ring;
    /// What the device has taken of it, for the echo canceller.
    std::unique_ptr<rt::SampleRing> played;
    std::unique_ptr<rt::PlaybackCallback> callback;
    std::optional<PlaybackChain> chain;
    std::optional<FarEnd> farEnd;
    std::unique_ptr<AudioStream> stream;

    [[nodiscard]] static core::Expected<PlaybackLine, core::Error> open(
        AudioBackend& backend, const std::string& deviceId);
    /// What is kept in the ring: as little as a busy machine lets us.
    [[nodiscard]] core::FrameCount ahead() const;
    /// Nobody was there to hear the echo of what was played till now.
    void forgetPlayed() { played->skipTo(played->written()); }
    /// From the device's callback to the air.
    [[nodiscard]] core::Milliseconds delay() const;
    /// The queue's position at the ear.
    [[nodiscard]] std::uint64_t heard() const { return chain->heard(ring->taken(), stream->format().latency); }
};

} // namespace vivavoce::audio
