#pragma once

#include "audio/internal/recording_backlog.h"
#include "core/base/error.h"
#include "core/settings/settings.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace vivavoce::audio {

/// One file with the sound of a conversation, written by a thread of its own. With more than a RecordingBacklog lets wait for the disk the
/// recording is over, as it is when the disk is almost full, for what room is left is the words': what was written can be played.
/// Threads: [any thread]; the callbacks are called on its own ([disk]), `failed` once at most, `done` at the end in any case.
class RecordingWriter {
public:
    struct Callbacks {
        std::function<void(core::Error)> failed;
        std::function<void()> done;
    };

    /// In bytes, on the disk that has this file.
    using Room = std::function<std::uintmax_t(const std::string& path)>;
    /// So much stays free.
    static constexpr std::uintmax_t kRoomLeft = 16 * 1024 * 1024;

    /// `path` is there, and empty. `room` is asked on our own thread.
    RecordingWriter(std::string path, core::SoundFormat format, Callbacks callbacks, Room room = &roomOf);
    /// Waits for the disk.
    ~RecordingWriter();
    RecordingWriter(const RecordingWriter&) = delete;
    RecordingWriter& operator=(const RecordingWriter&) = delete;

    /// Waits for nothing.
    void put(TwoSides::Piece piece);
    /// What came till now is all.
    void finish();

private:
    /// Where nobody can say, there is enough.
    [[nodiscard]] static std::uintmax_t roomOf(const std::string& path);
    [[nodiscard]] core::Expected<void, core::Error> checkRoom() const;
    void run();
    [[nodiscard]] core::Expected<void, core::Error> write();
    [[nodiscard]] bool next(TwoSides::Piece& piece);

    const std::string m_path;
    const core::SoundFormat m_format;
    const Callbacks m_callbacks;
    const Room m_room;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    RecordingBacklog m_backlog;
    bool m_isFinished = false;
    bool m_isTooSlow = false;
    std::thread m_thread;
};

} // namespace vivavoce::audio
