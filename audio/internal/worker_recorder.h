#pragma once

#include "audio/internal/recording_writer.h"
#include "core/base/executor.h"
#include "core/ports/sound_recorder.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::audio {

class VoiceWorker;

/// Records what goes through the sound worker, each recording with a writer of its own.
/// Threads: the executor's own thread. Lifetime: the executor outlives it; the worker ends before it, and has finished the last one then.
/// At its end it waits for the disk.
class WorkerRecorder final : public core::SoundRecorder {
public:
    WorkerRecorder(VoiceWorker& worker, core::Executor& executor);
    ~WorkerRecorder() override;
    WorkerRecorder(const WorkerRecorder&) = delete;
    WorkerRecorder& operator=(const WorkerRecorder&) = delete;

    void record(const std::string& path, core::SoundFormat format, Failed failed) override;
    void pause(bool isPaused) override;
    void finish(std::function<void()> done) override;

private:
    struct Recording {
        int number = 0;
        std::shared_ptr<RecordingWriter> writer;
        std::function<void()> done;
    };
    void ended(int number);

    VoiceWorker& m_worker;
    core::Executor& m_executor;
    int m_number = 0;
    bool m_isRecording = false;
    /// The last is the one that runs, or ran; those before it wait for the disk.
    std::vector<Recording> m_recordings;
    /// What is posted finds nothing here once we are gone.
    std::shared_ptr<WorkerRecorder*> m_self;
};

} // namespace vivavoce::audio
