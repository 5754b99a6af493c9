#pragma once

#include "core/base/executor.h"
#include "core/ports/recording_player.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vivavoce::audio {

class VoiceWorker;

/// Plays a recording with the chosen loudspeaker: a thread of its own reads the file, some seconds ahead of what is heard.
/// Threads: the executor's own thread. Lifetime: worker and executor outlive it; at its end it waits for the disk.
class RecordingPlayback final : public core::RecordingPlayer {
public:
    RecordingPlayback(VoiceWorker& worker, core::Executor& executor);
    ~RecordingPlayback() override;
    RecordingPlayback(const RecordingPlayback&) = delete;
    RecordingPlayback& operator=(const RecordingPlayback&) = delete;

    /// While a conversation runs nothing is played.
    void setAllowed(bool isAllowed);

    void follow(std::function<void()> changed) override;
    void play(const std::string& path, core::Milliseconds from) override;
    void stop() override;
    [[nodiscard]] Status status() const override { return m_status; }

private:
    struct Run;

    static void read(const std::stop_token& stop, Run& run);
    void become(int number, Status status);
    void tell();

    VoiceWorker& m_worker;
    core::Executor& m_executor;
    bool m_isAllowed = true;
    Status m_status;
    std::vector<std::function<void()>> m_followers;
    /// The last is the one that plays; those before it are ending.
    std::vector<std::unique_ptr<Run>> m_runs;
    /// Of the last one: what the others still tell is about what is over.
    int m_number = 0;
    /// What is posted finds nothing here once we are gone.
    std::shared_ptr<RecordingPlayback*> m_self;
};

} // namespace vivavoce::audio
