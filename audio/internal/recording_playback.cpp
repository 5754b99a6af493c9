#include "audio/internal/recording_playback.h"

#include "audio/dsp/resampler.h"
#include "audio/dsp/sound_file.h"
#include "audio/internal/voice_worker.h"
#include "core/base/thread_role.h"

#include <chrono>
#include <condition_variable>
#include <optional>
#include <utility>

namespace vivavoce::audio {
namespace {

constexpr core::Milliseconds kPart{500};
/// Parts that are read ahead: a disk may stumble.
constexpr int kAhead = 4;
constexpr std::chrono::milliseconds kLook{50};

} // namespace

/// One playing, on its thread ([disk]).
struct RecordingPlayback::Run {
    std::string path;
    core::Milliseconds from;
    VoiceWorker& worker;
    /// To the executor.
    std::function<void(Status)> tell;
    std::mutex mutex;
    std::condition_variable_any changed;
    /// Nothing more goes to the worker.
    bool isStopped = false;
    std::atomic<bool> isOver = false;
    std::jthread thread;
};

RecordingPlayback::RecordingPlayback(VoiceWorker& worker, core::Executor& executor)
    : m_worker(worker), m_executor(executor), m_self(std::make_shared<RecordingPlayback*>(this))
{
}

RecordingPlayback::~RecordingPlayback()
{
    *m_self = nullptr;
    stop();
}

void RecordingPlayback::setAllowed(bool isAllowed)
{
    m_isAllowed = isAllowed;
    if (!isAllowed) {
        stop();
    }
}

void RecordingPlayback::follow(std::function<void()> changed)
{
    m_followers.push_back(std::move(changed));
}

void RecordingPlayback::tell()
{
    m_executor.post([self = m_self] {
        if (*self != nullptr) {
            for (const auto& follower : (*self)->m_followers) {
                follower();
            }
        }
    });
}

void RecordingPlayback::play(const std::string& path, core::Milliseconds from)
{
    core::assertRole(core::ThreadRole::Main);
    stop();
    std::erase_if(m_runs, [](const auto& run) { return run->isOver.load(); });
    if (!m_isAllowed) {
        return;
    }
    // A tone may sound: nothing else is to be at the ear.
    static_cast<void>(m_worker.interrupt());
    m_status = {true, from, core::Milliseconds{0}, std::nullopt};
    auto& run = m_runs.emplace_back(new Run{path, from, m_worker, {}, {}, {}, false, false, {}});
    run->tell = [self = m_self, number = ++m_number, &executor = m_executor](Status status) {
        executor.post([self, number, status = std::move(status)] {
            if (*self != nullptr) {
                (*self)->become(number, status);
            }
        });
    };
    run->thread = std::jthread([which = run.get()](const std::stop_token& stop) { read(stop, *which); });
    tell();
}

void RecordingPlayback::become(int number, Status status)
{
    if (!m_status.isPlaying || number != m_number) {
        return;
    }
    m_status = std::move(status);
    if (m_status.fault) {
        // What was read before it would wait for more for ever.
        static_cast<void>(m_worker.interrupt());
    }
    for (const auto& follower : std::vector(m_followers)) {
        follower();
    }
}

void RecordingPlayback::stop()
{
    core::assertRole(core::ThreadRole::Main);
    if (!m_runs.empty() && !m_runs.back()->isOver) {
        Run& run = *m_runs.back();
        {
            const std::lock_guard lock(run.mutex);
            run.isStopped = true;
        }
        run.thread.request_stop();
    }
    if (m_status.isPlaying) {
        static_cast<void>(m_worker.interrupt());
        m_status.isPlaying = false;
        tell();
    }
}

void RecordingPlayback::read(const std::stop_token& stop, Run& run)
{
    core::threadRole() = core::ThreadRole::Disk;
    const auto end = [&](std::optional<core::Error> fault, core::Milliseconds length) {
        run.tell({false, fault ? core::Milliseconds{0} : length, length, std::move(fault)});
        run.isOver = true;
    };
    auto file = dsp::SoundFileReader::open(run.path);
    if (!file) {
        return end(file.error(), core::Milliseconds{0});
    }
    const core::SampleRate rate = file->rate();
    const core::Milliseconds length = file->length().duration(rate);
    // Somebody may have put another file in its place.
    auto toRealtime = dsp::Resampler::create(rate, core::kRealtimeRate);
    const auto sought = file->seek(core::FrameCount::of(run.from, rate));
    if (!toRealtime || !sought) {
        return end(toRealtime ? sought.error() : toRealtime.error(), length);
    }
    bool isRead = false;
    core::Milliseconds told{-1};
    for (int part = 0;;) {
        std::unique_lock lock(run.mutex);
        const core::HeardAudio heard = run.worker.heardOfRecording();
        if (run.isStopped) {
            break;
        }
        if (part > 0 && heard.itemId.empty()) {
            lock.unlock();
            // It is over, unless nobody has heard any of it.
            return end(isRead && told > run.from ? std::nullopt
                                                 : std::optional(core::Error{core::ErrorCode::SoundNoLoudspeaker,
                                                     "the recording cannot be played", std::nullopt, {}}),
                length);
        }
        const core::Milliseconds at = run.from + heard.contentIndex * kPart + heard.heard;
        if (at != std::exchange(told, at)) {
            run.tell({true, std::min(at, length), length, std::nullopt});
        }
        if (isRead || part >= heard.contentIndex + kAhead) {
            run.changed.wait_for(lock, stop, kLook, [&] { return run.isStopped; });
            continue;
        }
        lock.unlock();
        auto samples = file->read(core::FrameCount::of(kPart, rate));
        if (!samples) {
            return end(samples.error(), length);
        }
        lock.lock();
        if (run.isStopped) {
            break;
        }
        isRead = samples->size() < static_cast<std::size_t>(core::FrameCount::of(kPart, rate).value());
        if (!samples->empty()) {
            run.worker.playRecording(part, toRealtime->process(*samples));
            ++part;
        }
        if (isRead) {
            if (part == 0) {
                lock.unlock();
                return end(std::nullopt, length);
            }
            run.worker.finishRecording();
        }
    }
    run.isOver = true;
}

} // namespace vivavoce::audio
