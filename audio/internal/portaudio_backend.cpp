#include "audio/internal/portaudio_backend.h"

#include "audio/internal/quiet_probing.h"
#include "core/base/thread_role.h"

#include <portaudio.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <optional>

namespace vivavoce::audio {
namespace {

using core::SoundDirection;

constexpr double kPreferredRate = 48'000;
/// Below this, sound servers on a busy machine stutter.
constexpr double kLeastLatency = 0.020;
constexpr int kMostChannels = 2;
/// A device that has not called for so long is gone, whatever it says.
constexpr std::chrono::seconds kSilence{2};

auto failed(const std::string& what)
{
    return core::fail(core::ErrorCode::SoundFailed, what);
}

std::string deviceId(const PaDeviceInfo& info)
{
    return std::string(Pa_GetHostApiInfo(info.hostApi)->name) + "/" + info.name;
}

int channelsOf(const PaDeviceInfo& info, SoundDirection direction)
{
    return direction == SoundDirection::Capture ? info.maxInputChannels : info.maxOutputChannels;
}

int capture(const void* in, void* /*out*/, unsigned long frames, const PaStreamCallbackTimeInfo* /*time*/,
    PaStreamCallbackFlags flags, void* user);
int playback(const void* in, void* out, unsigned long frames, const PaStreamCallbackTimeInfo* time,
    PaStreamCallbackFlags flags, void* user);

/// One direction. The callback object is reached through here because PortAudio does not say how many channels it calls with.
class PortAudioStream final : public AudioStream {
public:
    rt::CaptureCallback* capture = nullptr;
    rt::PlaybackCallback* playback = nullptr;
    std::size_t channels = 1;

    PortAudioStream() = default;
    ~PortAudioStream() override
    {
        if (m_stream != nullptr) {
            // Abort does not wait until everything queued was played.
            Pa_AbortStream(m_stream);
            Pa_CloseStream(m_stream);
        }
    }
    PortAudioStream(const PortAudioStream&) = delete;
    PortAudioStream& operator=(const PortAudioStream&) = delete;

    core::Expected<void, core::Error> open(PaDeviceIndex device, SoundDirection direction)
    {
        const PaDeviceInfo& info = *Pa_GetDeviceInfo(device);
        const bool isCapture = direction == SoundDirection::Capture;
        PaStreamParameters parameters{};
        parameters.device = device;
        parameters.channelCount = std::min(channelsOf(info, direction), kMostChannels);
        parameters.sampleFormat = paInt16;
        parameters.suggestedLatency =
            std::max(isCapture ? info.defaultLowInputLatency : info.defaultLowOutputLatency, kLeastLatency);
        channels = static_cast<std::size_t>(parameters.channelCount);
        const PaStreamParameters* const in = isCapture ? &parameters : nullptr;
        const PaStreamParameters* const out = isCapture ? nullptr : &parameters;
        const double rate = Pa_IsFormatSupported(in, out, kPreferredRate) == paFormatIsSupported
            ? kPreferredRate
            : info.defaultSampleRate;
        PaError error = Pa_OpenStream(&m_stream, in, out, rate, paFramesPerBufferUnspecified, paClipOff | paDitherOff,
            isCapture ? &audio::capture : &audio::playback, this);
        if (error == paNoError) {
            error = Pa_StartStream(m_stream);
        }
        if (error != paNoError) {
            return failed(std::string(info.name) + ": " + Pa_GetErrorText(error));
        }
        const PaStreamInfo& running = *Pa_GetStreamInfo(m_stream);
        m_format.rate = core::SampleRate{static_cast<std::uint32_t>(std::lround(running.sampleRate))};
        m_format.channels = core::ChannelCount{static_cast<std::uint16_t>(channels)};
        const double latency = isCapture ? running.inputLatency : running.outputLatency;
        m_format.latency = core::FrameCount{std::llround(latency * running.sampleRate)};
        m_lastLook = std::chrono::steady_clock::now();
        return {};
    }

    [[nodiscard]] StreamFormat format() const override { return m_format; }

    [[nodiscard]] bool isAlive() override
    {
        const auto now = std::chrono::steady_clock::now();
        const std::uint64_t frames = capture != nullptr ? capture->frames() : playback->frames();
        if (frames != m_lastFrames) {
            m_lastFrames = frames;
            m_lastLook = now;
        }
        return Pa_IsStreamActive(m_stream) == 1 && now - m_lastLook < kSilence;
    }

private:
    PaStream* m_stream = nullptr;
    StreamFormat m_format;
    std::uint64_t m_lastFrames = 0;
    std::chrono::steady_clock::time_point m_lastLook;
};

int capture(const void* in, void* /*out*/, unsigned long frames, const PaStreamCallbackTimeInfo* /*time*/,
    PaStreamCallbackFlags flags, void* user)
{
    core::threadRole() = core::ThreadRole::Device;
    const rt::RealtimeScope scope;
    auto& stream = *static_cast<PortAudioStream*>(user);
    if ((flags & paInputOverflow) != 0) {
        stream.capture->missed();
    }
    if (in != nullptr) {
        (*stream.capture)(static_cast<const std::int16_t*>(in), frames, stream.channels);
    }
    return paContinue;
}

int playback(const void* /*in*/, void* out, unsigned long frames, const PaStreamCallbackTimeInfo* /*time*/,
    PaStreamCallbackFlags flags, void* user)
{
    core::threadRole() = core::ThreadRole::Device;
    const rt::RealtimeScope scope;
    auto& stream = *static_cast<PortAudioStream*>(user);
    if ((flags & paOutputUnderflow) != 0) {
        stream.playback->missed();
    }
    (*stream.playback)(static_cast<std::int16_t*>(out), frames, stream.channels);
    return paContinue;
}

class PortAudioBackend final : public AudioBackend {
public:
    ~PortAudioBackend() override
    {
        if (m_isUp) {
            Pa_Terminate();
        }
    }

    core::Expected<void, core::Error> start()
    {
        quietProbing();
        const PaError error = Pa_Initialize();
        m_isUp = error == paNoError;
        if (!m_isUp) {
            return failed(std::string("PortAudio does not start: ") + Pa_GetErrorText(error));
        }
        look();
        return {};
    }

    core::Expected<std::unique_ptr<AudioStream>, core::Error> openCapture(
        const std::string& id, rt::CaptureCallback& callback) override
    {
        auto stream = std::make_unique<PortAudioStream>();
        stream->capture = &callback;
        return open(id, SoundDirection::Capture, std::move(stream));
    }

    core::Expected<std::unique_ptr<AudioStream>, core::Error> openPlayback(
        const std::string& id, rt::PlaybackCallback& callback) override
    {
        auto stream = std::make_unique<PortAudioStream>();
        stream->playback = &callback;
        return open(id, SoundDirection::Playback, std::move(stream));
    }

    [[nodiscard]] std::vector<core::SoundDevice> devices(SoundDirection direction) const override
    {
        const std::lock_guard lock(m_mutex);
        std::vector<core::SoundDevice> found;
        std::copy_if(m_devices.begin(), m_devices.end(), std::back_inserter(found),
            [&](const core::SoundDevice& device) { return device.direction == direction; });
        std::stable_partition(
            found.begin(), found.end(), [](const core::SoundDevice& device) { return device.isDefault; });
        return found;
    }

    void rescan() override
    {
        if (m_isUp) {
            Pa_Terminate();
        }
        m_isUp = Pa_Initialize() == paNoError;
        look();
    }

    // PortAudio makes its list when it starts, and ends with all of its streams.
    [[nodiscard]] bool looksWhileOpen() const override { return false; }

private:
    static PaDeviceIndex defaultOf(SoundDirection direction)
    {
        return direction == SoundDirection::Capture ? Pa_GetDefaultInputDevice() : Pa_GetDefaultOutputDevice();
    }

    void look()
    {
        std::vector<core::SoundDevice> found;
        const PaDeviceIndex count = m_isUp ? std::max(Pa_GetDeviceCount(), 0) : 0;
        for (PaDeviceIndex i = 0; i < count; ++i) {
            const PaDeviceInfo& info = *Pa_GetDeviceInfo(i);
            for (const SoundDirection direction : {SoundDirection::Capture, SoundDirection::Playback}) {
                if (channelsOf(info, direction) > 0) {
                    found.push_back({deviceId(info), info.name, direction, defaultOf(direction) == i});
                }
            }
        }
        const std::lock_guard lock(m_mutex);
        m_devices = std::move(found);
    }

    [[nodiscard]] static PaDeviceIndex find(const std::string& id, SoundDirection direction)
    {
        if (id.empty()) {
            return defaultOf(direction);
        }
        for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); ++i) {
            const PaDeviceInfo& info = *Pa_GetDeviceInfo(i);
            if (channelsOf(info, direction) > 0 && deviceId(info) == id) {
                return i;
            }
        }
        return paNoDevice;
    }

    core::Expected<std::unique_ptr<AudioStream>, core::Error> open(
        const std::string& id, SoundDirection direction, std::unique_ptr<PortAudioStream> stream)
    {
        const PaDeviceIndex device = m_isUp ? find(id, direction) : paNoDevice;
        if (device == paNoDevice) {
            return failed(direction == SoundDirection::Capture ? "there is no microphone" : "there is no loudspeaker");
        }
        if (auto opened = stream->open(device, direction); !opened) {
            return core::Unexpected<core::Error>(opened.error());
        }
        return std::unique_ptr<AudioStream>(std::move(stream));
    }

    bool m_isUp = false;
    mutable std::mutex m_mutex;
    std::vector<core::SoundDevice> m_devices;
};

} // namespace

core::Expected<std::unique_ptr<AudioBackend>, core::Error> makePortAudioBackend()
{
    auto backend = std::make_unique<PortAudioBackend>();
    if (auto started = backend->start(); !started) {
        return core::Unexpected<core::Error>(started.error());
    }
    return std::unique_ptr<AudioBackend>(std::move(backend));
}

void preparePortAudio()
{
    startNoSoundServer();
}

} // namespace vivavoce::audio
