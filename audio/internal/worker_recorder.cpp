#include "audio/internal/worker_recorder.h"

#include "audio/internal/voice_worker.h"
#include "core/base/thread_role.h"

#include <algorithm>
#include <utility>

namespace vivavoce::audio {

WorkerRecorder::WorkerRecorder(VoiceWorker& worker, core::Executor& executor)
    : m_worker(worker), m_executor(executor), m_self(std::make_shared<WorkerRecorder*>(this))
{
}

WorkerRecorder::~WorkerRecorder()
{
    *m_self = nullptr;
}

void WorkerRecorder::record(const std::string& path, core::SoundFormat format, Failed failed)
{
    core::assertRole(core::ThreadRole::Main);
    const int number = ++m_number;
    const auto toUs = [self = m_self, &executor = m_executor](auto work) {
        executor.post([self, work = std::move(work)] {
            if (*self != nullptr) {
                work(**self);
            }
        });
    };
    RecordingWriter::Callbacks callbacks;
    callbacks.failed = [toUs, failed = std::move(failed)](core::Error error) {
        toUs([failed, error = std::move(error)](WorkerRecorder&) { failed(error); });
    };
    callbacks.done = [toUs, number] { toUs([number](WorkerRecorder& self) { self.ended(number); }); };
    m_recordings.push_back({number, std::make_shared<RecordingWriter>(path, format, std::move(callbacks)), {}});
    m_worker.record(m_recordings.back().writer);
    m_isRecording = true;
}

void WorkerRecorder::pause(bool isPaused)
{
    m_worker.pauseRecording(isPaused);
}

void WorkerRecorder::finish(std::function<void()> done)
{
    core::assertRole(core::ThreadRole::Main);
    if (!std::exchange(m_isRecording, false) || m_recordings.empty()) {
        if (done) {
            m_executor.post(std::move(done));
        }
        return;
    }
    m_recordings.back().done = std::move(done);
    m_worker.record(nullptr);
}

/// The disk has all of it, or will not have more.
void WorkerRecorder::ended(int number)
{
    const auto it = std::find_if(m_recordings.begin(), m_recordings.end(),
        [number](const Recording& recording) { return recording.number == number; });
    if (it == m_recordings.end()) {
        return;
    }
    if (number == m_number && m_isRecording) {
        // It has failed; whoever asked for it has not let go of it yet.
        m_isRecording = false;
        m_worker.record(nullptr);
    }
    const auto done = std::move(it->done);
    m_recordings.erase(it);
    if (done) {
        done();
    }
}

} // namespace vivavoce::audio
