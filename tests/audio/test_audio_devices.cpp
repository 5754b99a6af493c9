#include "app/platform/qt_executor.h"
#include "audio/audio_engine.h"
#include "tests/audio/realtime_guard.h"
#include "tests/audio/sound_server.h"
#include "tests/audio/tones.h"

#include <QElapsedTimer>
#include <QTest>

#include <algorithm>
#include <cstdlib>
#include <functional>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr double kRate = 24'000;
constexpr double kFrequency = 997;

class Ear final : public core::VoiceListener {
public:
    std::vector<std::int16_t> heard;
    int drained = 0;
    std::vector<std::string> troubles;
    std::vector<core::ErrorCode> restored;

    void voiceCaptured(std::span<const std::int16_t> samples) override
    {
        heard.insert(heard.end(), samples.begin(), samples.end());
    }
    void voiceLost(core::Milliseconds) override {}
    void captureEnded() override {}
    void playbackDrained() override { ++drained; }
    void voiceFailed(const core::Error& error) override { troubles.push_back("failed: " + error.detail); }
    void voiceImpaired(const core::Error& error) override { troubles.push_back("impaired: " + error.detail); }
    void voiceRestored(core::ErrorCode code) override { restored.push_back(code); }

    /// The first sample that is more than noise.
    [[nodiscard]] std::size_t onset() const
    {
        const auto found =
            std::find_if(heard.begin(), heard.end(), [](std::int16_t sample) { return std::abs(sample) > 500; });
        return static_cast<std::size_t>(found - heard.begin());
    }
};

} // namespace

/// Both backends against a real sound server. Linked with the guard: a device thread that allocates, locks or logs where it may not ends
/// the program, in whichever test.
class AudioDevicesTest : public QObject {
    Q_OBJECT

    SoundServer m_server;
    platform::QtExecutor m_executor;

    std::unique_ptr<audio::AudioEngine> engine(int backend)
    {
        auto made = std::make_unique<audio::AudioEngine>(
            m_executor, audio::backendOf(static_cast<core::SoundBackend>(backend)));
        // What comes back is our own sound: it is to be measured, not cancelled.
        made->setProcessing({false, false, false});
        return made;
    }

    static void bothBackends()
    {
        QTest::addColumn<int>("backend");
        QTest::newRow("PortAudio") << static_cast<int>(core::SoundBackend::PortAudio);
        QTest::newRow("Qt Multimedia") << static_cast<int>(core::SoundBackend::QtMultimedia);
    }

    /// What `trial` finds wrong each time it is made. A machine that stood still for a while makes any sound late, or leaves a hole in it;
    /// a fault of ours is there every time.
    static QString inOneOfThree(const std::function<QString()>& trial)
    {
        QString wrong;
        for (int i = 0; i < 3; ++i) {
            wrong = trial();
            if (wrong.isEmpty()) {
                break;
            }
            qInfo("%s", qPrintable(wrong));
        }
        return wrong;
    }

    static bool hears(const Ear& ear, std::size_t samples)
    {
        return QTest::qWaitFor([&] { return ear.heard.size() > samples; }, 10'000);
    }

    QString roundTrip(int backend)
    {
        Ear ear;
        const auto sound = engine(backend);
        sound->start(ear);
        if (!hears(ear, 12'000)) {
            return QStringLiteral("nothing is captured");
        }
        if (!ear.troubles.empty()) {
            return QString::fromStdString(ear.troubles.front());
        }
        sound->play("item", 0, sine(kFrequency, 0.5, kRate, 72'000));
        sound->finishItem("item");
        if (!sound->isPlaying()) {
            return QStringLiteral("it does not play");
        }
        if (!QTest::qWaitFor([&] { return ear.drained == 1; }, 10'000) || sound->isPlaying()) {
            return QStringLiteral("it does not end");
        }
        const std::size_t begin = ear.onset() + 12'000;
        if (ear.heard.size() <= begin + 48'000) {
            return QStringLiteral("too little comes back");
        }
        const double quality = signalToNoise(std::span(ear.heard).subspan(begin, 48'000), kFrequency, kRate);
        if (quality < 60) {
            return QStringLiteral("%1 dB of signal to noise").arg(quality);
        }
        const core::VoiceLevels levels = sound->takeLevels();
        for (const double level : {levels.captureDbfs, levels.playbackDbfs}) {
            if (level <= -8 || level >= -5) {
                return QStringLiteral("a level of %1 dBFS").arg(level);
            }
        }
        return {};
    }

    QString interruption(int backend)
    {
        Ear ear;
        const auto sound = engine(backend);
        sound->start(ear);
        if (!hears(ear, 12'000)) {
            return QStringLiteral("nothing is captured");
        }
        sound->play("item", 3, sine(kFrequency, 0.5, kRate, 240'000));
        if (!QTest::qWaitFor([&] { return ear.heard.size() > ear.onset() + 24'000; }, 10'000)) {
            return QStringLiteral("it does not play");
        }
        const core::HeardAudio heard = sound->interrupt();
        if (sound->isPlaying() || heard.itemId != "item" || heard.contentIndex != 3 || heard.wasWhole) {
            return QStringLiteral("it tells of something else");
        }
        // What comes back afterwards: the rest of the way through the devices, and no more.
        const std::size_t onset = ear.onset();
        if (!hears(ear, ear.heard.size() + 24'000)) {
            return QStringLiteral("the microphone has ended");
        }
        const auto last = std::find_if(
            ear.heard.rbegin(), ear.heard.rend(), [](std::int16_t sample) { return std::abs(sample) > 500; });
        const auto sounded = static_cast<std::int64_t>(ear.heard.size() - onset) - (last - ear.heard.rbegin());
        const std::int64_t soundedMs = sounded * 1000 / 24'000;
        if (std::abs(soundedMs - heard.heard.count()) > 60) {
            return QStringLiteral("told %1 ms, sounded %2 ms").arg(heard.heard.count()).arg(soundedMs);
        }
        return {};
    }

    QString closing(int backend)
    {
        Ear ear;
        const auto sound = engine(backend);
        sound->start(ear);
        if (!hears(ear, 4'800)) {
            return QStringLiteral("nothing is captured");
        }
        if (m_server.control({QStringLiteral("list"), QStringLiteral("short"), QStringLiteral("source-outputs")})
                .isEmpty()) {
            return QStringLiteral("the server knows nothing of us");
        }
        sound->stop();
        const auto isClosed = [&] {
            return !m_server.control({QStringLiteral("list"), QStringLiteral("source-outputs")})
                        .contains("application.process.id")
                && !m_server.control({QStringLiteral("list"), QStringLiteral("sink-inputs")})
                        .contains("application.process.id");
        };
        if (!QTest::qWaitFor(isClosed, 1'000)) {
            return QStringLiteral("still open after a second");
        }
        sound->start(ear);
        return hears(ear, ear.heard.size() + 4'800) ? QString() : QStringLiteral("it does not open again");
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (const QString missing = SoundServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        QVERIFY(m_server.start(SoundServer::Microphone::Loop));
    }

    void cleanup()
    {
        m_server.makeDefault("speaker", "mic");
        m_server.unplugSecond();
    }

    void guard_IsOn()
    {
        if (!isRealtimeGuarded()) {
            QSKIP("the guard cannot be linked under a sanitizer, or on this platform");
        }
    }

    void tone_GoesRoundThroughTheDevices_data() { bothBackends(); }
    void tone_GoesRoundThroughTheDevices()
    {
        QFETCH(int, backend);
        const QString wrong = inOneOfThree([&] { return roundTrip(backend); });
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void interrupt_TellsWhatWasHeard_data() { bothBackends(); }
    void interrupt_TellsWhatWasHeard()
    {
        QFETCH(int, backend);
        const QString wrong = inOneOfThree([&] { return interruption(backend); });
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void stop_ClosesTheDevicesWithinASecond_data() { bothBackends(); }
    void stop_ClosesTheDevicesWithinASecond()
    {
        QFETCH(int, backend);
        const QString wrong = inOneOfThree([&] { return closing(backend); });
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void devices_AreListedWithTheDefaultFirst_data() { bothBackends(); }
    void devices_AreListedWithTheDefaultFirst()
    {
        QFETCH(int, backend);
        const auto sound = engine(backend);
        int told = 0;
        sound->watch([&told] { ++told; });
        (void)sound->devices(core::SoundDirection::Capture);
        QTRY_VERIFY_WITH_TIMEOUT(told > 0, 10'000);
        for (const auto direction : {core::SoundDirection::Capture, core::SoundDirection::Playback}) {
            const auto found = sound->devices(direction);
            QVERIFY(!found.empty());
            QVERIFY(found.front().isDefault);
            QVERIFY(!found.front().id.empty() && !found.front().name.empty());
        }
    }

    void soundServer_ThatIsStartedAgain_IsFoundAgain_data() { bothBackends(); }
    void soundServer_ThatIsStartedAgain_IsFoundAgain()
    {
        QFETCH(int, backend);
        Ear ear;
        const auto sound = engine(backend);
        sound->start(ear);
        QTRY_VERIFY_WITH_TIMEOUT(ear.heard.size() > 4'800, 10'000);
        QVERIFY(m_server.restart());
        const std::size_t before = ear.heard.size();
        QTRY_VERIFY_WITH_TIMEOUT(ear.heard.size() > before + 24'000, 20'000);
        sound->stop();
    }

    void microphone_ThatIsUnplugged_IsToldAndFoundAgain_data() { bothBackends(); }
    void microphone_ThatIsUnplugged_IsToldAndFoundAgain()
    {
        QFETCH(int, backend);
        Ear ear;
        const auto sound = engine(backend);
        const auto watch = audio::watchSystem(*sound);
        sound->start(ear);
        QTRY_VERIFY_WITH_TIMEOUT(ear.heard.size() > 4'800, 10'000);
        m_server.unplugMicrophone();
        QTRY_COMPARE_WITH_TIMEOUT(ear.troubles.size(), std::size_t{1}, 10'000);
        QCOMPARE(ear.troubles.front(), std::string("impaired: there is no microphone"));
        // The server would hand out the loudspeaker's own sound in its place.
        QTRY_VERIFY(!m_server.control({QStringLiteral("list"), QStringLiteral("source-outputs")})
                         .contains("application.process.id"));
        m_server.plugMicrophone();
        const std::size_t before = ear.heard.size();
        QTRY_VERIFY_WITH_TIMEOUT(ear.heard.size() > before + 24'000, 10'000);
        QCOMPARE(ear.troubles.size(), std::size_t{1});
        QCOMPARE(ear.restored, std::vector{core::ErrorCode::SoundNoMicrophone});
        sound->stop();
    }

    void default_ThatIsChanged_IsFollowed_data() { bothBackends(); }
    void default_ThatIsChanged_IsFollowed()
    {
        QFETCH(int, backend);
        m_server.plugSecond();
        Ear ear;
        const auto sound = engine(backend);
        const auto watch = audio::watchSystem(*sound);
        sound->start(ear);
        sound->play("item", 0, sine(kFrequency, 0.5, kRate, 30 * 24'000));
        QTRY_COMPARE_WITH_TIMEOUT(m_server.playsOn(), QByteArray("speaker"), 10'000);
        QTRY_COMPARE_WITH_TIMEOUT(m_server.capturesFrom(), QByteArray("mic"), 10'000);
        QTRY_VERIFY_WITH_TIMEOUT(ear.onset() < ear.heard.size(), 10'000);
        m_server.makeDefault("second", "second-mic");
        QTRY_COMPARE_WITH_TIMEOUT(m_server.playsOn(), QByteArray("second"), 10'000);
        QTRY_COMPARE_WITH_TIMEOUT(m_server.capturesFrom(), QByteArray("second-mic"), 10'000);
        // The reply goes on there, and is heard there.
        ear.heard.clear();
        QTRY_VERIFY_WITH_TIMEOUT(ear.heard.size() > ear.onset() + 12'000, 10'000);
        QVERIFY(sound->isPlaying());
        m_server.makeDefault("speaker", "mic");
        QTRY_COMPARE_WITH_TIMEOUT(m_server.playsOn(), QByteArray("speaker"), 10'000);
        QTRY_COMPARE_WITH_TIMEOUT(m_server.capturesFrom(), QByteArray("mic"), 10'000);
        QVERIFY2(ear.troubles.empty(), ear.troubles.empty() ? "" : ear.troubles.front().c_str());
        sound->stop();
    }

    void default_ThatIsChangedBetweenConversations_IsUsed()
    {
        // Of PortAudio alone: Qt 6.4 learns PulseAudio's default once (ADR 0008).
        m_server.plugSecond();
        Ear ear;
        const auto sound = engine(static_cast<int>(core::SoundBackend::PortAudio));
        sound->start(ear);
        QTRY_COMPARE_WITH_TIMEOUT(m_server.playsOn(), QByteArray("speaker"), 10'000);
        sound->stop();
        QTRY_VERIFY_WITH_TIMEOUT(m_server.playsOn().isEmpty(), 10'000);
        m_server.makeDefault("second", "second-mic");
        sound->start(ear);
        QTRY_COMPARE_WITH_TIMEOUT(m_server.playsOn(), QByteArray("second"), 10'000);
        QTRY_COMPARE_WITH_TIMEOUT(m_server.capturesFrom(), QByteArray("second-mic"), 10'000);
        sound->stop();
    }

    void loudspeaker_ThatIsUnplugged_IsToldAndFoundAgain_data() { bothBackends(); }
    void loudspeaker_ThatIsUnplugged_IsToldAndFoundAgain()
    {
        QFETCH(int, backend);
        Ear ear;
        const auto sound = engine(backend);
        const auto watch = audio::watchSystem(*sound);
        sound->start(ear);
        sound->play("item", 0, sine(kFrequency, 0.5, kRate, 60 * 24'000));
        QTRY_COMPARE_WITH_TIMEOUT(m_server.playsOn(), QByteArray("speaker"), 10'000);
        QTRY_VERIFY_WITH_TIMEOUT(ear.onset() < ear.heard.size(), 10'000);
        m_server.unplugLoudspeaker();
        QTRY_COMPARE_WITH_TIMEOUT(ear.troubles.size(), std::size_t{1}, 10'000);
        m_server.plugLoudspeaker();
        QTRY_VERIFY_WITH_TIMEOUT(!ear.restored.empty(), 10'000);
        QCOMPARE(ear.restored, std::vector{core::ErrorCode::SoundNoLoudspeaker});
        QTRY_COMPARE_WITH_TIMEOUT(m_server.playsOn(), QByteArray("speaker"), 10'000);
        // What is left of the reply is heard.
        ear.heard.clear();
        QTRY_VERIFY_WITH_TIMEOUT(ear.heard.size() > ear.onset() + 12'000, 10'000);
        QCOMPARE(ear.troubles.size(), std::size_t{1});
        sound->stop();
    }

    void choice_OfADeviceThatIsNotThere_FallsBackToTheDefault_data() { bothBackends(); }
    void choice_OfADeviceThatIsNotThere_FallsBackToTheDefault()
    {
        QFETCH(int, backend);
        Ear ear;
        const auto sound = engine(backend);
        sound->choose({"unplugged", "unplugged"});
        sound->start(ear);
        QTRY_VERIFY_WITH_TIMEOUT(ear.heard.size() > 4'800, 10'000);
        QVERIFY(ear.troubles.empty());
        sound->stop();
    }
};

QTEST_GUILESS_MAIN(AudioDevicesTest)
#include "test_audio_devices.moc"
