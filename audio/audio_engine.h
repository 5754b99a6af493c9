#pragma once

#include "audio/audio_backend.h"
#include "audio/sound_faults.h"
#include "core/base/executor.h"
#include "core/ports/device_catalog.h"
#include "core/ports/recording_player.h"
#include "core/ports/sound_recorder.h"
#include "core/ports/voice_controls.h"
#include "core/ports/voice_io.h"
#include "core/settings/settings.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::audio {

class CapturedVoice;
class DeviceWatch;
class RecordingPlayback;
class VoiceWorker;
class WorkerRecorder;

/// First thing in `main`, where a window system brings threads: what the sound libraries want in the environment, which nobody may change
/// once others read it.
void prepareProcess();

/// Makes a sound library's adapter; called once, on the worker, when sound is first needed.
using BackendFactory = std::function<core::Expected<std::unique_ptr<AudioBackend>, core::Error>()>;
/// Call this on the main thread.
[[nodiscard]] BackendFactory backendOf(core::SoundBackend which);

/// The sound of a conversation: microphone and loudspeaker, echo cancelled, with what a person wants of them.
/// Without a microphone or without a loudspeaker a conversation goes on impaired: one can type and read. What comes back is used.
/// Threads: the executor's own thread. Lifetime: the executor outlives it; destroying it closes the devices.
class AudioEngine final : public core::VoiceIo, public core::VoiceControls, public core::DeviceCatalog {
public:
    /// What is done to the microphone's sound.
    struct Processing {
        bool isEchoCancelled = true;
        bool isNoiseSuppressed = true;
        bool isGainAutomatic = true;
    };

    AudioEngine(core::Executor& executor, BackendFactory makeBackend);
    ~AudioEngine() override;

    void setProcessing(const Processing& processing);
    /// Of the last conversation, once it was stopped.
    [[nodiscard]] const SoundFaults& faults() const { return m_faults; }

    // core::VoiceIo
    void useRates(const core::VoiceRates& rates) override;
    void start(core::VoiceListener& listener) override;
    void stop() override;
    void play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples) override;
    void finishItem(std::string_view itemId) override;
    core::HeardAudio interrupt() override;
    [[nodiscard]] bool isPlaying() const override;

    // core::VoiceControls
    void setMuted(bool isMuted) override;
    void choose(const core::DeviceChoice& choice) override;
    [[nodiscard]] core::VoiceLevels takeLevels() override;
    void setPreview(bool isOn) override;
    void playTestTone() override;

    // core::DeviceCatalog
    [[nodiscard]] std::vector<core::SoundDevice> devices(core::SoundDirection direction) const override;
    void watch(std::function<void()> changed) override;
    /// Devices came or went; whoever hears of that from the system says so here.
    void rescan(bool hasMicrophone);

    /// Of what goes through this engine, and by its loudspeaker.
    [[nodiscard]] core::SoundRecorder& recorder();
    [[nodiscard]] core::RecordingPlayer& player();

private:
    void wish();
    void handOver();
    template <typename Work>
    [[nodiscard]] std::function<void()> ifAlive(Work work);

    core::Executor& m_executor;
    core::VoiceListener* m_listener = nullptr;
    std::function<void()> m_changed;
    bool m_isMuted = false;
    bool m_isPreviewOn = false;
    core::DeviceChoice m_choice;
    Processing m_processing;
    core::SampleRate m_inputRate = core::kRealtimeRate;
    SoundFaults m_faults;
    /// What the last reader saw, and when: two pages that look in turn are to see the same.
    core::VoiceLevels m_levels;
    std::chrono::steady_clock::time_point m_levelsAt;
    std::unique_ptr<CapturedVoice> m_captured;
    /// What is posted for this engine finds nothing here once it is gone.
    std::shared_ptr<AudioEngine*> m_self;
    std::unique_ptr<VoiceWorker> m_worker;
    std::unique_ptr<WorkerRecorder> m_recorder;
    std::unique_ptr<RecordingPlayback> m_player;
};

/// Tells an engine of devices that come and go, by Qt's signals. Needs Qt's event loop on the calling thread.
[[nodiscard]] std::shared_ptr<DeviceWatch> watchSystem(AudioEngine& engine);

} // namespace vivavoce::audio
