#include "audio/internal/qt_multimedia_backend.h"

#include <QAudioDevice>
#include <QAudioSink>
#include <QAudioSource>
#include <QIODevice>
#include <QMediaDevices>
#include <QMetaObject>
#include <QThread>

#include <algorithm>
#include <optional>

namespace vivavoce::audio {
namespace {

using core::SoundDirection;

constexpr int kPreferredRate = 48'000;
/// What Qt keeps between us and the device.
constexpr int kBufferMilliseconds = 40;
constexpr qint64 kSampleBytes = 2;

auto failed(const std::string& what)
{
    return core::fail(core::ErrorCode::SoundFailed, what);
}

QList<QAudioDevice> devicesOf(SoundDirection direction)
{
    return direction == SoundDirection::Capture ? QMediaDevices::audioInputs() : QMediaDevices::audioOutputs();
}

QAudioDevice findDevice(const std::string& id, SoundDirection direction)
{
    if (id.empty()) {
        return direction == SoundDirection::Capture ? QMediaDevices::defaultAudioInput()
                                                    : QMediaDevices::defaultAudioOutput();
    }
    const QList<QAudioDevice> all = devicesOf(direction);
    const auto found = std::find_if(all.begin(), all.end(),
        [&](const QAudioDevice& device) { return device.id() == QByteArray::fromStdString(id); });
    return found == all.end() ? QAudioDevice() : *found;
}

/// PCM16 at our rate where the device has it, else at its own.
std::optional<QAudioFormat> formatFor(const QAudioDevice& device)
{
    QAudioFormat format;
    format.setSampleFormat(QAudioFormat::Int16);
    for (const int rate : {kPreferredRate, device.preferredFormat().sampleRate()}) {
        for (const int channels : {1, 2, device.preferredFormat().channelCount()}) {
            format.setSampleRate(rate);
            format.setChannelCount(channels);
            if (device.isFormatSupported(format)) {
                return format;
            }
        }
    }
    return std::nullopt;
}

/// Where Qt reads what is to be played and writes what was captured.
class CallbackDevice final : public QIODevice {
public:
    CallbackDevice(rt::CaptureCallback* capture, rt::PlaybackCallback* playback, std::size_t channels)
        : m_capture(capture), m_playback(playback), m_channels(channels)
    {
        open(capture != nullptr ? QIODevice::WriteOnly : QIODevice::ReadOnly);
    }

    [[nodiscard]] bool isSequential() const override { return true; }
    /// There is always more: silence.
    [[nodiscard]] qint64 bytesAvailable() const override { return frameBytes() * kPreferredRate; }

protected:
    qint64 readData(char* data, qint64 size) override
    {
        const qint64 frames = size / frameBytes();
        void* const bytes = data;
        (*m_playback)(static_cast<std::int16_t*>(bytes), static_cast<std::size_t>(frames), m_channels);
        return frames * frameBytes();
    }

    qint64 writeData(const char* data, qint64 size) override
    {
        const qint64 frames = size / frameBytes();
        const void* const bytes = data;
        (*m_capture)(static_cast<const std::int16_t*>(bytes), static_cast<std::size_t>(frames), m_channels);
        return size;
    }

private:
    [[nodiscard]] qint64 frameBytes() const { return kSampleBytes * static_cast<qint64>(m_channels); }

    rt::CaptureCallback* m_capture;
    rt::PlaybackCallback* m_playback;
    const std::size_t m_channels;
};

/// A thread whose event loop Qt's streams live in. What is run there is waited for: opening a device is quick or fails.
class StreamThread {
public:
    StreamThread()
    {
        m_thread.setObjectName(QStringLiteral("sound"));
        m_context.moveToThread(&m_thread);
        m_thread.start(QThread::TimeCriticalPriority);
    }
    ~StreamThread()
    {
        m_thread.quit();
        m_thread.wait();
    }
    StreamThread(const StreamThread&) = delete;
    StreamThread& operator=(const StreamThread&) = delete;

    template <typename Work>
    void run(Work work)
    {
        QMetaObject::invokeMethod(&m_context, std::move(work), Qt::BlockingQueuedConnection);
    }

private:
    QThread m_thread;
    QObject m_context;
};

/// One QAudioSource or QAudioSink; made, asked and destroyed in the stream thread.
template <typename Device>
class QtStream final : public AudioStream {
public:
    QtStream(StreamThread& thread, rt::CaptureCallback* capture, rt::PlaybackCallback* playback)
        : m_thread(thread), m_capture(capture), m_playback(playback)
    {
    }
    ~QtStream() override
    {
        m_thread.run([this] {
            if (m_device) {
                m_device->stop();
            }
            m_device.reset();
            m_io.reset();
        });
    }
    QtStream(const QtStream&) = delete;
    QtStream& operator=(const QtStream&) = delete;

    core::Expected<void, core::Error> open(const QAudioDevice& device)
    {
        const auto format = formatFor(device);
        if (!format) {
            return failed(device.description().toStdString() + ": no format that we speak");
        }
        QAudio::Error error = QAudio::NoError;
        qsizetype buffer = 0;
        m_thread.run([&] {
            m_io = std::make_unique<CallbackDevice>(
                m_capture, m_playback, static_cast<std::size_t>(format->channelCount()));
            m_device = std::make_unique<Device>(device, *format);
            m_device->setBufferSize(format->bytesForDuration(kBufferMilliseconds * 1000));
            m_device->start(m_io.get());
            error = m_device->error();
            buffer = m_device->bufferSize();
        });
        if (error != QAudio::NoError) {
            return failed(device.description().toStdString() + ": the device could not be opened");
        }
        m_format.rate = core::SampleRate{static_cast<std::uint32_t>(format->sampleRate())};
        m_format.channels = core::ChannelCount{static_cast<std::uint16_t>(format->channelCount())};
        m_format.latency = core::FrameCount{format->framesForBytes(static_cast<qint32>(buffer))};
        return {};
    }

    [[nodiscard]] StreamFormat format() const override { return m_format; }

    [[nodiscard]] bool isAlive() override
    {
        bool isFine = false;
        m_thread.run(
            [&] { isFine = m_device->state() != QAudio::StoppedState && m_device->error() != QAudio::FatalError; });
        return isFine;
    }

private:
    StreamThread& m_thread;
    rt::CaptureCallback* m_capture;
    rt::PlaybackCallback* m_playback;
    std::unique_ptr<CallbackDevice> m_io;
    std::unique_ptr<Device> m_device;
    StreamFormat m_format;
};

class QtMultimediaBackend final : public AudioBackend {
public:
    core::Expected<std::unique_ptr<AudioStream>, core::Error> openCapture(
        const std::string& id, rt::CaptureCallback& callback) override
    {
        return open(
            id, SoundDirection::Capture, std::make_unique<QtStream<QAudioSource>>(m_thread, &callback, nullptr));
    }

    core::Expected<std::unique_ptr<AudioStream>, core::Error> openPlayback(
        const std::string& id, rt::PlaybackCallback& callback) override
    {
        return open(id, SoundDirection::Playback, std::make_unique<QtStream<QAudioSink>>(m_thread, nullptr, &callback));
    }

    [[nodiscard]] std::vector<core::SoundDevice> devices(SoundDirection direction) const override
    {
        std::vector<core::SoundDevice> found;
        for (const QAudioDevice& device : devicesOf(direction)) {
            found.push_back(
                {device.id().toStdString(), device.description().toStdString(), direction, device.isDefault()});
        }
        std::stable_partition(
            found.begin(), found.end(), [](const core::SoundDevice& device) { return device.isDefault; });
        return found;
    }

    // Qt keeps its list up to date by itself.
    void rescan() override {}

private:
    template <typename Stream>
    core::Expected<std::unique_ptr<AudioStream>, core::Error> open(
        const std::string& id, SoundDirection direction, std::unique_ptr<Stream> stream)
    {
        const QAudioDevice device = findDevice(id, direction);
        if (device.isNull()) {
            return failed(direction == SoundDirection::Capture ? "there is no microphone" : "there is no loudspeaker");
        }
        if (auto opened = stream->open(device); !opened) {
            return core::Unexpected<core::Error>(opened.error());
        }
        return std::unique_ptr<AudioStream>(std::move(stream));
    }

    StreamThread m_thread;
};

class QtDeviceWatch final : public DeviceWatch {
public:
    explicit QtDeviceWatch(const std::function<void()>& changed)
    {
        QObject::connect(&m_devices, &QMediaDevices::audioInputsChanged, &m_devices, changed);
        QObject::connect(&m_devices, &QMediaDevices::audioOutputsChanged, &m_devices, changed);
    }

private:
    QMediaDevices m_devices;
};

} // namespace

std::unique_ptr<AudioBackend> makeQtMultimediaBackend()
{
    return std::make_unique<QtMultimediaBackend>();
}

std::unique_ptr<DeviceWatch> watchDevices(std::function<void()> changed)
{
    return std::make_unique<QtDeviceWatch>(changed);
}

} // namespace vivavoce::audio
