#include "audio/audio_engine.h"

#include "audio/dsp/resampler.h"
#include "audio/internal/captured_voice.h"
#include "audio/internal/portaudio_backend.h"
#include "audio/internal/qt_multimedia_backend.h"
#include "audio/internal/recording_playback.h"
#include "audio/internal/sound_log.h"
#include "audio/internal/voice_worker.h"
#include "audio/internal/worker_recorder.h"
#include "core/base/thread_role.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vivavoce::audio {
namespace {

constexpr double kSilenceDbfs = -100;
/// A little more than one frame of a meter.
constexpr std::chrono::milliseconds kLevelHold{40};

double dbfs(int peak)
{
    return peak <= 0 ? kSilenceDbfs : std::max(kSilenceDbfs, 20 * std::log10(peak / 32768.0));
}

} // namespace

void prepareProcess()
{
    preparePortAudio();
}

BackendFactory backendOf(core::SoundBackend which)
{
    if (which == core::SoundBackend::QtMultimedia) {
        prepareQtMultimedia();
        return [] { return core::Expected<std::unique_ptr<AudioBackend>, core::Error>(makeQtMultimediaBackend()); };
    }
    preparePortAudio();
    return [] { return makePortAudioBackend(); };
}

/// From the worker to the executor.
template <typename Work>
std::function<void()> AudioEngine::ifAlive(Work work)
{
    return [weak = std::weak_ptr(m_self), work = std::move(work)] {
        if (const auto self = weak.lock()) {
            work(**self);
        }
    };
}

AudioEngine::AudioEngine(core::Executor& executor, BackendFactory makeBackend)
    : m_executor(executor), m_captured(std::make_unique<CapturedVoice>()), m_self(std::make_shared<AudioEngine*>(this))
{
    VoiceWorker::Callbacks callbacks;
    callbacks.captured = [this](std::vector<std::int16_t> voice, core::SampleRate rate) {
        if (m_captured->put({std::move(voice), rate})) {
            m_executor.post(ifAlive([](AudioEngine& engine) { engine.handOver(); }));
        }
    };
    callbacks.lost = [this](core::Milliseconds amount) {
        if (m_captured->lose(amount)) {
            m_executor.post(ifAlive([](AudioEngine& engine) { engine.handOver(); }));
        }
    };
    callbacks.drained = [this] {
        m_executor.post(ifAlive([](AudioEngine& engine) {
            if (engine.m_listener != nullptr && !engine.isPlaying()) {
                engine.m_listener->playbackDrained();
            }
        }));
    };
    callbacks.missing = [this](core::Error error) {
        m_executor.post(ifAlive([error = std::move(error)](AudioEngine& engine) {
            if (engine.m_listener != nullptr) {
                engine.m_listener->voiceImpaired(error);
            }
        }));
    };
    callbacks.found = [this](core::ErrorCode code) {
        m_executor.post(ifAlive([code](AudioEngine& engine) {
            if (engine.m_listener != nullptr) {
                engine.m_listener->voiceRestored(code);
            }
        }));
    };
    callbacks.devicesChanged = [this] {
        m_executor.post(ifAlive([](AudioEngine& engine) {
            if (engine.m_changed) {
                engine.m_changed();
            }
        }));
    };
    m_worker = std::make_unique<VoiceWorker>(std::move(makeBackend), std::move(callbacks));
    m_recorder = std::make_unique<WorkerRecorder>(*m_worker, m_executor);
    m_player = std::make_unique<RecordingPlayback>(*m_worker, m_executor);
}

AudioEngine::~AudioEngine()
{
    // The worker still posts until it has ended; nothing of that is to arrive. It has something for what is being recorded till then.
    m_player.reset();
    m_worker.reset();
    m_recorder.reset();
    m_self.reset();
}

void AudioEngine::handOver()
{
    const CapturedVoice::Taken taken = m_captured->take();
    if (taken.lost > core::Milliseconds{0} && m_listener != nullptr) {
        m_listener->voiceLost(taken.lost);
    }
    for (const CapturedVoice::Piece& piece : taken.pieces) {
        // Whoever hears of one may end it, or want the rest at another rate than it was captured at.
        if (m_listener != nullptr && piece.rate == m_inputRate) {
            m_listener->voiceCaptured(piece.samples);
        } else if (m_listener != nullptr) {
            m_listener->voiceCaptured(dsp::resampled(piece.samples, piece.rate, m_inputRate));
        }
    }
}

void AudioEngine::wish()
{
    VoiceWishes wishes;
    wishes.wantsCapture = m_listener != nullptr || m_isPreviewOn;
    wishes.wantsPlayback = m_listener != nullptr;
    wishes.isMuted = m_isMuted && m_listener != nullptr;
    wishes.devices = m_choice;
    wishes.processing = {m_processing.isEchoCancelled, m_processing.isNoiseSuppressed, m_processing.isGainAutomatic};
    m_worker->wish(wishes);
}

void AudioEngine::setProcessing(const Processing& processing)
{
    core::assertRole(core::ThreadRole::Main);
    m_processing = processing;
    wish();
}

void AudioEngine::useRates(const core::VoiceRates& rates)
{
    core::assertRole(core::ThreadRole::Main);
    m_inputRate = rates.input;
    m_worker->useRates(rates);
}

void AudioEngine::start(core::VoiceListener& listener)
{
    core::assertRole(core::ThreadRole::Main);
    m_listener = &listener;
    m_player->setAllowed(false);
    static_cast<void>(m_worker->takeFaults());
    wish();
}

void AudioEngine::stop()
{
    core::assertRole(core::ThreadRole::Main);
    if (std::exchange(m_listener, nullptr) != nullptr) {
        m_faults = m_worker->takeFaults();
        logFaults(m_faults);
    }
    wish();
    m_player->setAllowed(true);
}

void AudioEngine::play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples)
{
    core::assertRole(core::ThreadRole::Main);
    m_worker->play(itemId, contentIndex, samples);
}

void AudioEngine::finishItem(std::string_view itemId)
{
    core::assertRole(core::ThreadRole::Main);
    m_worker->finishItem(itemId);
}

core::HeardAudio AudioEngine::interrupt()
{
    core::assertRole(core::ThreadRole::Main);
    return m_worker->interrupt();
}

bool AudioEngine::isPlaying() const
{
    core::assertRole(core::ThreadRole::Main);
    return m_worker->isPlaying();
}

void AudioEngine::setMuted(bool isMuted)
{
    core::assertRole(core::ThreadRole::Main);
    m_isMuted = isMuted;
    wish();
}

void AudioEngine::choose(const core::DeviceChoice& choice)
{
    core::assertRole(core::ThreadRole::Main);
    m_choice = choice;
    wish();
}

core::VoiceLevels AudioEngine::takeLevels()
{
    core::assertRole(core::ThreadRole::Main);
    const core::VoiceLevels now{dbfs(m_worker->takeCapturePeak()), dbfs(m_worker->takePlaybackPeak())};
    const auto at = std::chrono::steady_clock::now();
    const bool isFresh = at - std::exchange(m_levelsAt, at) < kLevelHold;
    const core::VoiceLevels before = std::exchange(m_levels, now);
    if (!isFresh) {
        return now;
    }
    return {std::max(now.captureDbfs, before.captureDbfs), std::max(now.playbackDbfs, before.playbackDbfs)};
}

void AudioEngine::setPreview(bool isOn)
{
    core::assertRole(core::ThreadRole::Main);
    m_isPreviewOn = isOn;
    wish();
}

void AudioEngine::playTestTone()
{
    core::assertRole(core::ThreadRole::Main);
    // The tone of a timer is not to pass unheard.
    m_player->stop();
    m_worker->playTone();
}

std::vector<core::SoundDevice> AudioEngine::devices(core::SoundDirection direction) const
{
    core::assertRole(core::ThreadRole::Main);
    return m_worker->devices(direction);
}

void AudioEngine::watch(std::function<void()> changed)
{
    core::assertRole(core::ThreadRole::Main);
    m_changed = std::move(changed);
}

void AudioEngine::rescan(bool hasMicrophone)
{
    core::assertRole(core::ThreadRole::Main);
    m_worker->rescan(hasMicrophone);
}

core::SoundRecorder& AudioEngine::recorder()
{
    return *m_recorder;
}

core::RecordingPlayer& AudioEngine::player()
{
    return *m_player;
}

std::shared_ptr<DeviceWatch> watchSystem(AudioEngine& engine)
{
    return watchDevices([&engine](bool hasMicrophone) { engine.rescan(hasMicrophone); });
}

} // namespace vivavoce::audio
