#pragma once

#include "core/base/error.h"
#include "core/base/units.h"

#include <functional>
#include <optional>
#include <string>

namespace vivavoce::core {

/// Port: lets a recording be heard, both sides together. Never beside a conversation, which stops it, nor beside a
/// tone (VoiceControls): the later of the two stops the other.
/// Threads: the executor's own thread.
class RecordingPlayer {
public:
    struct Status {
        bool isPlaying = false;
        /// At the ear, and of the whole; 0 until the file is open.
        Milliseconds position{0};
        Milliseconds length{0};
        /// Why the last one could not be played (further). InputUnreadable, InputNotAudio, InputEmpty, SoundFailed,
        /// SoundNoLoudspeaker.
        std::optional<Error> fault;
    };

    virtual ~RecordingPlayer() = default;
    /// It has begun, gone on, stopped or failed. Never called from within a call.
    virtual void follow(std::function<void()> changed) = 0;
    /// In place of what is playing.
    virtual void play(const std::string& path, Milliseconds from) = 0;
    virtual void stop() = 0;
    [[nodiscard]] virtual Status status() const = 0;
};

} // namespace vivavoce::core
