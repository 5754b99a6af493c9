#pragma once

#include "audio/audio_engine.h"
#include "core/base/executor.h"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace vivavoce::tests {

using core::SoundDirection;

/// What the worker posts waits here until the test runs it.
class Inbox final : public core::Executor {
public:
    void post(std::function<void()> work) override
    {
        const std::lock_guard lock(m_mutex);
        m_work.push_back(std::move(work));
    }
    [[nodiscard]] std::unique_ptr<core::Timer> after(core::Milliseconds, std::function<void()>) override
    {
        return nullptr;
    }

    void run()
    {
        std::deque<std::function<void()>> work;
        {
            const std::lock_guard lock(m_mutex);
            work.swap(m_work);
        }
        for (const auto& item : work) {
            item();
        }
    }
    [[nodiscard]] std::size_t waiting()
    {
        const std::lock_guard lock(m_mutex);
        return m_work.size();
    }

private:
    std::mutex m_mutex;
    std::deque<std::function<void()>> m_work;
};

/// Devices that sound when the test says so, on the test's thread.
struct Devices {
    std::mutex mutex;
    std::set<std::string> microphones{"mic"};
    std::set<std::string> speakers{"speaker"};
    core::SampleRate rate{48'000};
    std::string openMicrophone;
    std::string openSpeaker;
    audio::rt::CaptureCallback* capture = nullptr;
    audio::rt::PlaybackCallback* playback = nullptr;
    int opened = 0;
    bool looksWhileOpen = false;
    /// Until the next look.
    bool isBlind = false;

    /// 10 ms at both ends: a square wave into the microphone, and what was played.
    std::vector<std::int16_t> pump(std::int16_t microphone = 0)
    {
        std::vector<std::int16_t> in(rate.hz() / 100);
        for (std::size_t i = 0; i < in.size(); ++i) {
            in[i] = i / 24 % 2 == 0 ? microphone : static_cast<std::int16_t>(-microphone);
        }
        return pump(in);
    }
    std::vector<std::int16_t> pump(const std::vector<std::int16_t>& in)
    {
        const std::lock_guard lock(mutex);
        const std::size_t frames = in.size();
        if (capture != nullptr) {
            (*capture)(in.data(), frames, 1);
        }
        std::vector<std::int16_t> out;
        if (playback != nullptr) {
            out.resize(frames);
            (*playback)(out.data(), frames, 1);
        }
        return out;
    }
};

class FakeStream final : public audio::AudioStream {
public:
    FakeStream(Devices& devices, SoundDirection direction, std::string id)
        : m_devices(devices), m_direction(direction), m_id(std::move(id))
    {
    }
    ~FakeStream() override
    {
        const std::lock_guard lock(m_devices.mutex);
        if (m_direction == SoundDirection::Capture) {
            m_devices.capture = nullptr;
            m_devices.openMicrophone.clear();
        } else {
            m_devices.playback = nullptr;
            m_devices.openSpeaker.clear();
        }
    }
    FakeStream(const FakeStream&) = delete;
    FakeStream& operator=(const FakeStream&) = delete;

    [[nodiscard]] audio::StreamFormat format() const override
    {
        return {m_devices.rate, core::ChannelCount{1}, core::FrameCount{0}};
    }
    [[nodiscard]] bool isAlive() override
    {
        const std::lock_guard lock(m_devices.mutex);
        return (m_direction == SoundDirection::Capture ? m_devices.microphones : m_devices.speakers).count(m_id) == 1;
    }

private:
    Devices& m_devices;
    SoundDirection m_direction;
    std::string m_id;
};

class FakeBackend final : public audio::AudioBackend {
public:
    explicit FakeBackend(Devices& devices) : m_devices(devices) {}

    core::Expected<std::unique_ptr<audio::AudioStream>, core::Error> openCapture(
        const std::string& id, audio::rt::CaptureCallback& callback) override
    {
        const std::lock_guard lock(m_devices.mutex);
        const auto chosen = choose(m_devices.microphones, id);
        if (chosen.empty() || m_devices.isBlind) {
            return core::fail(core::ErrorCode::SoundFailed, "there is no microphone");
        }
        m_devices.capture = &callback;
        m_devices.openMicrophone = chosen;
        ++m_devices.opened;
        return std::unique_ptr<audio::AudioStream>(
            std::make_unique<FakeStream>(m_devices, SoundDirection::Capture, chosen));
    }
    core::Expected<std::unique_ptr<audio::AudioStream>, core::Error> openPlayback(
        const std::string& id, audio::rt::PlaybackCallback& callback) override
    {
        const std::lock_guard lock(m_devices.mutex);
        const auto chosen = choose(m_devices.speakers, id);
        if (chosen.empty() || m_devices.isBlind) {
            return core::fail(core::ErrorCode::SoundFailed, "there is no loudspeaker");
        }
        m_devices.playback = &callback;
        m_devices.openSpeaker = chosen;
        return std::unique_ptr<audio::AudioStream>(
            std::make_unique<FakeStream>(m_devices, SoundDirection::Playback, chosen));
    }
    [[nodiscard]] std::vector<core::SoundDevice> devices(SoundDirection direction) const override
    {
        const std::lock_guard lock(m_devices.mutex);
        std::vector<core::SoundDevice> found;
        for (const std::string& id :
            direction == SoundDirection::Capture ? m_devices.microphones : m_devices.speakers) {
            found.push_back({id, id, direction, found.empty()});
        }
        return found;
    }
    void rescan() override
    {
        const std::lock_guard lock(m_devices.mutex);
        m_devices.isBlind = false;
    }
    [[nodiscard]] bool looksWhileOpen() const override { return m_devices.looksWhileOpen; }

private:
    static std::string choose(const std::set<std::string>& there, const std::string& id)
    {
        if (id.empty()) {
            return there.empty() ? std::string() : *there.begin();
        }
        return there.count(id) == 1 ? id : std::string();
    }

    Devices& m_devices;
};

class Ear final : public core::VoiceListener {
public:
    std::vector<std::int16_t> voice;
    int drained = 0;
    core::Milliseconds lost{0};
    std::vector<std::string> failed;
    std::vector<std::string> impaired;
    std::vector<std::string> why;
    std::vector<core::ErrorCode> restored;

    void voiceCaptured(std::span<const std::int16_t> samples) override
    {
        voice.insert(voice.end(), samples.begin(), samples.end());
    }
    void voiceLost(core::Milliseconds amount) override { lost += amount; }
    void captureEnded() override {}
    void playbackDrained() override { ++drained; }
    void voiceFailed(const core::Error& error) override { failed.push_back(error.detail); }
    void voiceImpaired(const core::Error& error) override
    {
        impaired.push_back(error.detail);
        why.push_back(error.foreignCode);
    }
    void voiceRestored(core::ErrorCode code) override { restored.push_back(code); }
};

} // namespace vivavoce::tests
