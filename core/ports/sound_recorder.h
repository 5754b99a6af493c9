#pragma once

#include "core/base/error.h"
#include "core/settings/settings.h"

#include <functional>
#include <string>

namespace vivavoce::core {

/// Port: writes both sides of a conversation into a file while they are said: on the left the user as sent, on the right the agent as really
/// played. One at a time. Time passes in it as it does for the devices: where none runs, there is silence.
/// Nobody waits for the disk; what cannot be written in time ends the recording.
/// Threads: the executor's own thread. A callback is never called from within a call.
class SoundRecorder {
public:
    using Failed = std::function<void(const Error&)>;

    virtual ~SoundRecorder() = default;
    /// From now on, and nothing of before, into that file, which is there and empty. RecordingFailed: no more comes; what was written stays.
    virtual void record(const std::string& path, SoundFormat format, Failed failed) = 0;
    /// Nothing of what is said meanwhile is written; should it go on, it is silence.
    virtual void pause(bool isPaused) = 0;
    /// `done`: the file is whole and closed. At once where nothing was recorded.
    virtual void finish(std::function<void()> done) = 0;
};

} // namespace vivavoce::core
