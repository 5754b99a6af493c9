#include "audio/internal/qt_multimedia_backend.h"

#include "core/base/thread_role.h"

#include <QAudioDevice>
#include <QAudioSink>
#include <QAudioSource>
#include <QCoreApplication>
#include <QIODevice>
#include <QMediaDevices>
#include <QMetaObject>
#include <QThread>
#include <QTimer>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

namespace vivavoce::audio {
namespace {

using core::SoundDirection;

constexpr int kPreferredRate = 48'000;
/// What Qt keeps between us and the device.
constexpr qint64 kBufferMicroseconds = 40'000;
constexpr std::chrono::milliseconds kFillEvery{5};
constexpr std::chrono::seconds kWatchEvery{1};
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

/// Where Qt writes what was captured.
class CaptureDevice final : public QIODevice {
public:
    CaptureDevice(rt::CaptureCallback& callback, std::size_t channels) : m_callback(callback), m_channels(channels)
    {
        // What a buffer of Qt's held would come late.
        open(QIODevice::WriteOnly | QIODevice::Unbuffered);
    }

    [[nodiscard]] bool isSequential() const override { return true; }

protected:
    qint64 readData(char* /*data*/, qint64 /*size*/) override { return -1; }
    qint64 writeData(const char* data, qint64 size) override
    {
        const void* const bytes = data;
        m_callback(static_cast<const std::int16_t*>(bytes), static_cast<std::size_t>(size / kSampleBytes) / m_channels,
            m_channels);
        return size;
    }

private:
    rt::CaptureCallback& m_callback;
    const std::size_t m_channels;
};

/// A microphone; made, asked and destroyed in the stream thread.
class CaptureRun {
public:
    CaptureRun(const QAudioDevice& device, const QAudioFormat& format, rt::CaptureCallback& callback)
        : m_io(callback, static_cast<std::size_t>(format.channelCount())), m_source(device, format)
    {
        m_source.setBufferSize(format.bytesForDuration(kBufferMicroseconds));
        m_source.start(&m_io);
    }
    ~CaptureRun() { m_source.stop(); }
    CaptureRun(const CaptureRun&) = delete;
    CaptureRun& operator=(const CaptureRun&) = delete;

    [[nodiscard]] bool isFine() const
    {
        return m_source.state() != QAudio::StoppedState && m_source.error() != QAudio::FatalError;
    }
    [[nodiscard]] qsizetype bufferSize() const { return m_source.bufferSize(); }

private:
    CaptureDevice m_io;
    QAudioSource m_source;
};

/// A loudspeaker; made, asked and destroyed in the stream thread. It is filled by a timer of ours: Qt 6.4 reads from a device of
/// the application's in large and rare pieces with PulseAudio, and stutters.
class PlaybackRun {
public:
    PlaybackRun(const QAudioDevice& device, const QAudioFormat& format, rt::PlaybackCallback& callback)
        : m_callback(callback), m_channels(static_cast<std::size_t>(format.channelCount())), m_sink(device, format)
    {
        m_sink.setBufferSize(format.bytesForDuration(kBufferMicroseconds));
        m_io = m_sink.start();
        m_buffer.resize(static_cast<std::size_t>(m_sink.bufferSize() / kSampleBytes) + m_channels);
        m_timer.setTimerType(Qt::PreciseTimer);
        m_timer.setInterval(kFillEvery);
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { fill(); });
        m_timer.start();
    }
    ~PlaybackRun()
    {
        m_timer.stop();
        // Not stop(): it waits until everything queued was heard.
        m_sink.reset();
    }
    PlaybackRun(const PlaybackRun&) = delete;
    PlaybackRun& operator=(const PlaybackRun&) = delete;

    [[nodiscard]] bool isFine() const
    {
        return m_sink.state() != QAudio::StoppedState && m_sink.error() != QAudio::FatalError;
    }
    [[nodiscard]] qsizetype bufferSize() const { return m_sink.bufferSize(); }

private:
    void fill()
    {
        const auto room = static_cast<std::size_t>(std::max<qsizetype>(m_sink.bytesFree(), 0) / kSampleBytes);
        const std::size_t frames = std::min(room, m_buffer.size()) / m_channels;
        if (m_io == nullptr || frames == 0) {
            return;
        }
        m_callback(m_buffer.data(), frames, m_channels);
        const void* const bytes = m_buffer.data();
        m_io->write(static_cast<const char*>(bytes), static_cast<qint64>(frames * m_channels) * kSampleBytes);
    }

    rt::PlaybackCallback& m_callback;
    const std::size_t m_channels;
    std::vector<std::int16_t> m_buffer;
    QAudioSink m_sink;
    QIODevice* m_io = nullptr;
    QTimer m_timer;
};

/// A thread whose event loop Qt's streams live in. What is run there is waited for: opening a device is quick or fails.
class StreamThread {
public:
    StreamThread()
    {
        m_thread.setObjectName(QStringLiteral("sound"));
        m_context.moveToThread(&m_thread);
        m_thread.start(QThread::TimeCriticalPriority);
        run([] { core::threadRole() = core::ThreadRole::Device; });
    }
    ~StreamThread() { end(); }
    StreamThread(const StreamThread&) = delete;
    StreamThread& operator=(const StreamThread&) = delete;

    template <typename Work>
    void run(Work work)
    {
        QMetaObject::invokeMethod(&m_context, std::move(work), Qt::BlockingQueuedConnection);
    }
    /// Nothing runs there any more.
    void end()
    {
        m_thread.quit();
        m_thread.wait();
    }

private:
    QThread m_thread;
    QObject m_context;
};

/// One for the process, for good: Qt ties its connection to the sound server to the thread that opened the first stream, and could
/// not make it anew in a thread that has ended.
StreamThread& streamThread()
{
    static StreamThread thread;
    // Qt's connection is a static of Qt's own, younger than this one: were it destroyed while the thread hears that the sound server has
    // gone, as at a log-out, both would free it.
    static const bool isEndedWithTheApplication = (qAddPostRoutine([] { streamThread().end(); }), true);
    static_cast<void>(isEndedWithTheApplication);
    return thread;
}

template <typename Run, typename Callback>
class QtStream final : public AudioStream {
public:
    QtStream(StreamThread& thread, Callback& callback) : m_thread(thread), m_callback(callback) {}
    ~QtStream() override
    {
        m_thread.run([this] { m_run.reset(); });
    }
    QtStream(const QtStream&) = delete;
    QtStream& operator=(const QtStream&) = delete;

    core::Expected<void, core::Error> open(const QAudioDevice& device)
    {
        const auto format = formatFor(device);
        if (!format) {
            return failed(device.description().toStdString() + ": no format that we speak");
        }
        bool isFine = false;
        qsizetype buffer = 0;
        m_thread.run([&] {
            m_run = std::make_unique<Run>(device, *format, m_callback);
            isFine = m_run->isFine();
            buffer = m_run->bufferSize();
        });
        if (!isFine) {
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
        m_thread.run([&] { isFine = m_run->isFine(); });
        return isFine;
    }

private:
    StreamThread& m_thread;
    Callback& m_callback;
    std::unique_ptr<Run> m_run;
    StreamFormat m_format;
};

class QtMultimediaBackend final : public AudioBackend {
public:
    core::Expected<std::unique_ptr<AudioStream>, core::Error> openCapture(
        const std::string& id, rt::CaptureCallback& callback) override
    {
        return open(id, SoundDirection::Capture,
            std::make_unique<QtStream<CaptureRun, rt::CaptureCallback>>(streamThread(), callback));
    }

    core::Expected<std::unique_ptr<AudioStream>, core::Error> openPlayback(
        const std::string& id, rt::PlaybackCallback& callback) override
    {
        return open(id, SoundDirection::Playback,
            std::make_unique<QtStream<PlaybackRun, rt::PlaybackCallback>>(streamThread(), callback));
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
        if (!found.empty()) {
            // The system's default can be one that is not listed (a monitor): then the first serves.
            found.front().isDefault = true;
        }
        return found;
    }

    // Qt keeps its list up to date by itself.
    void rescan() override {}
    [[nodiscard]] bool looksWhileOpen() const override { return true; }

private:
    template <typename Stream>
    core::Expected<std::unique_ptr<AudioStream>, core::Error> open(
        const std::string& id, SoundDirection direction, std::unique_ptr<Stream> stream)
    {
        QAudioDevice device = findDevice(id, direction);
        if (id.empty() && device.isNull() && !devicesOf(direction).isEmpty()) {
            device = devicesOf(direction).front();
        }
        if (device.isNull()) {
            return failed(direction == SoundDirection::Capture ? "there is no microphone" : "there is no loudspeaker");
        }
        if (auto opened = stream->open(device); !opened) {
            return core::Unexpected<core::Error>(opened.error());
        }
        return std::unique_ptr<AudioStream>(std::move(stream));
    }
};

/// What there is, and which of it is the default: that may change alone.
struct Seen {
    QList<QAudioDevice> inputs;
    QList<QAudioDevice> outputs;
    QByteArray input;
    QByteArray output;

    [[nodiscard]] static Seen look()
    {
        return {QMediaDevices::audioInputs(), QMediaDevices::audioOutputs(), QMediaDevices::defaultAudioInput().id(),
            QMediaDevices::defaultAudioOutput().id()};
    }
    bool operator==(const Seen&) const = default;
};

class QtDeviceWatch final : public DeviceWatch {
public:
    explicit QtDeviceWatch(std::function<void(bool)> changed) : m_changed(std::move(changed))
    {
        QObject::connect(&m_devices, &QMediaDevices::audioInputsChanged, &m_timer, [this] { look(); });
        QObject::connect(&m_devices, &QMediaDevices::audioOutputsChanged, &m_timer, [this] { look(); });
        // Qt 6.4 keeps its lists up to date with PulseAudio, but gives no signal.
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { look(); });
        m_timer.start(kWatchEvery);
        if (!hasMicrophone()) {
            m_changed(false);
        }
    }

private:
    /// Where Qt sees no device at all it may be Qt that is blind.
    [[nodiscard]] static bool hasMicrophone()
    {
        return !QMediaDevices::audioInputs().isEmpty() || QMediaDevices::audioOutputs().isEmpty();
    }
    void look()
    {
        if (Seen now = Seen::look(); now != m_seen) {
            m_seen = std::move(now);
            m_changed(hasMicrophone());
        }
    }

    std::function<void(bool)> m_changed;
    QMediaDevices m_devices;
    QTimer m_timer;
    Seen m_seen = Seen::look();
};

} // namespace

std::unique_ptr<AudioBackend> makeQtMultimediaBackend()
{
    return std::make_unique<QtMultimediaBackend>();
}

void prepareQtMultimedia()
{
    static_cast<void>(QMediaDevices::defaultAudioOutput());
}

std::unique_ptr<DeviceWatch> watchDevices(std::function<void(bool hasMicrophone)> changed)
{
    return std::make_unique<QtDeviceWatch>(std::move(changed));
}

} // namespace vivavoce::audio
