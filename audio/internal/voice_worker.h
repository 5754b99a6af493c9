#pragma once

#include "audio/audio_backend.h"
#include "audio/dsp/echo_canceller.h"
#include "audio/internal/device_streams.h"
#include "audio/internal/playout_queue.h"
#include "audio/internal/recording_writer.h"
#include "audio/internal/two_sides.h"
#include "audio/rt/level_meter.h"
#include "core/ports/voice_controls.h"
#include "core/ports/voice_io.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace vivavoce::audio {

/// What the worker is to do; it compares this with what is, and does the rest by itself, also when a device goes away.
struct VoiceWishes {
    bool wantsCapture = false;
    bool wantsPlayback = false;
    bool isMuted = false;
    core::DeviceChoice devices;
    dsp::EchoCanceller::Settings processing;
};

/// The thread between the devices and the rest: opens and closes them, and every few milliseconds moves what is in the rings.
/// Threads: public functions are [any thread] but `interrupt` and the destructor, which one thread calls; the callbacks are called
/// on the worker.
class VoiceWorker {
public:
    using BackendFactory = std::function<core::Expected<std::unique_ptr<AudioBackend>, core::Error>()>;
    struct Callbacks {
        std::function<void(std::vector<std::int16_t>, core::SampleRate)> captured;
        /// So much could not be captured before what comes next, while somebody may have spoken.
        std::function<void(core::Milliseconds)> lost;
        std::function<void()> drained;
        /// One direction cannot be had; told once until it was there again.
        std::function<void(core::Error)> missing;
        /// And is there again.
        std::function<void(core::ErrorCode)> found;
        std::function<void()> devicesChanged;
    };

    VoiceWorker(BackendFactory makeBackend, Callbacks callbacks);
    /// Closes everything and waits for it.
    ~VoiceWorker();
    VoiceWorker(const VoiceWorker&) = delete;
    VoiceWorker& operator=(const VoiceWorker&) = delete;

    void wish(const VoiceWishes& wishes);
    /// Devices came or went: look again, and let go of those that are no more. `hasMicrophone`: the system knows of one; a sound
    /// server has something to capture also without.
    void rescan(bool hasMicrophone);

    void useRates(const core::VoiceRates& rates);
    void play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples);
    void finishItem(std::string_view itemId);
    [[nodiscard]] core::HeardAudio interrupt();
    [[nodiscard]] bool isPlaying() const;
    void playTone();

    /// The next part of a recording, while there is no conversation; parts are counted from 0.
    void playRecording(int part, std::span<const std::int16_t> samples);
    /// That was its last part.
    void finishRecording();
    /// How much of which part was heard. Without an id: none is playing, it was stopped or there is no loudspeaker.
    [[nodiscard]] core::HeardAudio heardOfRecording() const;

    /// From now on both sides go to that writer; one before it gets what is still on its way and is finished. Null: to nobody.
    void record(std::shared_ptr<RecordingWriter> writer);
    void pauseRecording(bool isPaused);

    /// Since the last call.
    [[nodiscard]] SoundFaults takeFaults();
    /// Peaks since the last call, 0 to 32768.
    [[nodiscard]] int takeCapturePeak() { return m_captureMeter.take(); }
    [[nodiscard]] int takePlaybackPeak() { return m_playbackMeter.take(); }
    /// As of the last look; the first call makes the worker look.
    [[nodiscard]] std::vector<core::SoundDevice> devices(core::SoundDirection direction);

private:
    using Time = std::chrono::steady_clock::time_point;

    void run();
    void look(std::unique_lock<std::mutex>& lock);
    template <typename Line>
    void close(std::unique_lock<std::mutex>& lock, std::optional<Line>& line);
    void closeCapture(std::unique_lock<std::mutex>& lock);
    void closePlayback(std::unique_lock<std::mutex>& lock);
    void closeThoseThatServeNot(std::unique_lock<std::mutex>& lock);
    [[nodiscard]] core::Expected<void, core::Error> enterRoom(
        std::optional<std::string>& known, const std::string& device);
    [[nodiscard]] core::Milliseconds takeLost(Time now);
    [[nodiscard]] bool hasLostADevice(std::unique_lock<std::mutex>& lock, Time now);
    void reconcile(std::unique_lock<std::mutex>& lock);
    void reconcileCapture(std::unique_lock<std::mutex>& lock, Time now);
    void reconcilePlayback(std::unique_lock<std::mutex>& lock, Time now);
    void reportFound(std::unique_lock<std::mutex>& lock, core::SoundDirection direction);
    void report(std::unique_lock<std::mutex>& lock, core::SoundDirection direction, core::Error error);
    [[nodiscard]] bool mayHaveComeBack(bool isReported);
    void pump(std::unique_lock<std::mutex>& lock);
    void pumpPlayback(std::unique_lock<std::mutex>& lock);
    [[nodiscard]] std::uint64_t playUnheard(Time now);
    void useOutputRate(core::SampleRate rate);
    void record(std::span<const std::int16_t> voice, std::span<const std::int16_t> wide, core::FrameCount dropped);
    void hand(std::span<const std::int16_t> voice, bool isMuted);
    void hearPlayed(dsp::EchoCanceller* processing);
    void reconcileRecording();
    [[nodiscard]] TwoSides::Devices recorded() const;
    [[nodiscard]] bool wantsPlayback() const { return m_wishes.wantsPlayback || m_isToneOn; }
    [[nodiscard]] bool isBusy() const
    {
        return m_capture || m_playback || m_wishes.wantsCapture || wantsPlayback() || m_writer || m_wantedWriter;
    }

    const BackendFactory m_makeBackend;
    const Callbacks m_callbacks;
    rt::LevelMeter m_captureMeter;
    rt::LevelMeter m_playbackMeter;

    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    VoiceWishes m_wishes;
    bool m_hasMicrophone = true;
    bool m_isEnding = false;
    bool m_wantsLook = false;
    /// Sound of our own plays: the tone, or a recording.
    bool m_isToneOn = false;
    std::shared_ptr<RecordingWriter> m_wantedWriter;
    bool m_isPauseWanted = false;
    /// What played was cut off, and the echo canceller does not know it yet.
    bool m_wasCut = false;
    core::SampleRate m_inputRate = core::kRealtimeRate;
    PlayoutQueue m_queue;
    /// The queue's position at the ear when the loudspeaker went in the middle of a reply that nobody has cut yet.
    std::optional<std::uint64_t> m_heardAtLoss;
    std::vector<core::SoundDevice> m_devices;
    bool m_hasLooked = false;
    /// Since it last changed what is wanted.
    bool m_isLookFresh = false;

    // [worker]; the lines' lifetime is guarded by the mutex, because `interrupt` looks into one.
    std::unique_ptr<AudioBackend> m_backend;
    std::optional<dsp::EchoCanceller> m_processing;
    std::optional<CaptureLine> m_capture;
    std::optional<PlaybackLine> m_playback;
    /// What m_processing has learnt on, as long as they are wanted.
    std::optional<std::string> m_knownMicrophone;
    std::optional<std::string> m_knownLoudspeaker;
    SoundFaults m_faults;
    core::Milliseconds m_lateTold{0};
    /// When something was captured last, and since when nothing can be.
    Time m_heardAt;
    std::optional<Time> m_deafSince;
    Time m_captureRetry;
    Time m_playbackRetry;
    bool m_isCaptureReported = false;
    bool m_isPlaybackReported = false;
    Time m_lastCheck;
    Time m_lastLook;
    /// Until when replies were let pass without a loudspeaker.
    Time m_unheardUntil;
    /// Of one rate.
    std::vector<std::int16_t> m_piece;
    core::SampleRate m_pieceRate = core::kRealtimeRate;
    std::size_t m_silence = 0;
    std::shared_ptr<RecordingWriter> m_writer;
    std::optional<TwoSides> m_sides;
    /// Lines that were opened or closed, and as the sides know of it.
    unsigned m_lineChanges = 0;
    unsigned m_knownChanges = 0;
    bool m_isTalkKnown = false;

    std::thread m_thread;
};

} // namespace vivavoce::audio
