#include "app/platform/qt_executor.h"
#include "audio/audio_engine.h"
#include "tests/audio/sound_server.h"
#include "tests/audio/tones.h"
#include "tests/qa/app_driver.h"

#include <QElapsedTimer>
#include <QGuiApplication>
#include <QTemporaryDir>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr double kRate = 24'000;
constexpr double kFrequency = 997;
constexpr std::size_t kSecond = 24'000;
constexpr int kMinute = 60'000;

class Ear final : public core::VoiceListener {
public:
    std::vector<std::int16_t> heard;
    void voiceCaptured(std::span<const std::int16_t> samples) override
    {
        heard.insert(heard.end(), samples.begin(), samples.end());
    }
    void voiceLost(core::Milliseconds) override {}
    void captureEnded() override {}
    void playbackDrained() override {}
    void voiceFailed(const core::Error&) override {}
    void voiceImpaired(const core::Error&) override {}
    void voiceRestored(core::ErrorCode) override {}
};

} // namespace

/// What takes minutes to go wrong. Run by ./dev soak.
class SoundSoakTest : public QObject {
    Q_OBJECT

    SoundServer m_server;
    QTemporaryDir m_home;

    /// Lets the agent talk beside an open microphone that hears it; how many turns of a user there were that nobody spoke.
    int ghosts(AppDriver& app, int milliseconds)
    {
        QElapsedTimer since;
        since.start();
        int asked = 0;
        bool isStuck = false;
        while (since.elapsed() < milliseconds && !isStuck) {
            const bool isTyped = app.type(QStringLiteral("text"), QStringLiteral("what can you do"));
            app.press(Qt::Key_Return);
            ++asked;
            // Who hears itself goes on talking to itself for ever.
            isStuck = !isTyped || !app.waitForState(QStringLiteral("Speaking: talk to interrupt"), 20'000)
                || !app.waitForState(QStringLiteral("Listening"), kMinute);
        }
        int turns = 0;
        for (const AppDriver::Line& line : app.transcript()) {
            turns += line.speaker == QStringLiteral("You") ? 1 : 0;
        }
        int interrupted = 0;
        for (const AppDriver::Line& line : app.transcript()) {
            interrupted += line.wasInterrupted ? 1 : 0;
        }
        qInfo("%d replies, %d turns that nobody spoke, %d replies interrupted", asked, turns - asked, interrupted);
        const int ghosts = turns - asked + interrupted;
        return isStuck && ghosts == 0 ? -1 : ghosts;
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (const QString missing = SoundServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        QVERIFY(m_server.start(SoundServer::Microphone::Apart));
        // The loudspeaker's sound comes back 120 ms later and 12 dB down.
        m_server.control(
            {QStringLiteral("load-module"), QStringLiteral("module-loopback"), QStringLiteral("source=speaker.monitor"),
                QStringLiteral("sink=into-mic"), QStringLiteral("latency_msec=120"), QStringLiteral("adjust_time=0")});
        const QByteArray inputs =
            m_server.control({QStringLiteral("list"), QStringLiteral("short"), QStringLiteral("sink-inputs")});
        QVERIFY(!inputs.isEmpty());
        m_server.control({QStringLiteral("set-sink-input-volume"), QString::fromLatin1(inputs.split('\t').first()),
            QStringLiteral("-12dB")});
    }

    void init()
    {
        qputenv("XDG_CONFIG_HOME", m_home.filePath(QString::fromLatin1(QTest::currentTestFunction())).toLocal8Bit());
    }

    void aMinuteOfSound_HasNoDropout_data()
    {
        QTest::addColumn<int>("backend");
        QTest::newRow("PortAudio") << static_cast<int>(core::SoundBackend::PortAudio);
        QTest::newRow("Qt Multimedia") << static_cast<int>(core::SoundBackend::QtMultimedia);
    }
    void aMinuteOfSound_HasNoDropout()
    {
        QFETCH(int, backend);
        platform::QtExecutor executor;
        Ear ear;
        audio::AudioEngine engine(executor, audio::backendOf(static_cast<core::SoundBackend>(backend)));
        engine.setProcessing({false, false, false});
        engine.start(ear);
        engine.play("minute", 0, sine(kFrequency, 0.5, kRate, 66 * kSecond));
        engine.finishItem("minute");
        QVERIFY(QTest::qWaitFor([&] { return ear.heard.size() > 68 * kSecond; }, 2 * kMinute));
        const auto onset = std::find_if(
            ear.heard.begin(), ear.heard.end(), [](std::int16_t sample) { return std::abs(sample) > 300; });
        const std::size_t begin = static_cast<std::size_t>(onset - ear.heard.begin()) + 2 * kSecond;
        int broken = 0;
        for (std::size_t second = 0; second < 60; ++second) {
            const auto piece = std::span(ear.heard).subspan(begin + second * kSecond, kSecond);
            broken += signalToNoise(piece, kFrequency, kRate) < 40 ? 1 : 0;
        }
        QCOMPARE(broken, 0);
    }

    void agentBesideAnOpenMicrophone_DoesNotHearItself()
    {
        AppDriver app;
        QVERIFY(app.click(QStringLiteral("tryHere")));
        QVERIFY(app.waitForState(QStringLiteral("Listening")));
        QCOMPARE(ghosts(app, 3 * kMinute), 0);
    }

    void withoutTheCanceller_ItDoes()
    {
        AppDriver app;
        QVERIFY(app.click(QStringLiteral("tryHere")));
        QVERIFY(app.waitForState(QStringLiteral("Listening")));
        QVERIFY(app.click(QStringLiteral("menu")));
        QVERIFY(app.click(QStringLiteral("echo")));
        QVERIFY(app.click(QStringLiteral("back")));
        const int heard = ghosts(app, kMinute);
        QVERIFY2(heard > 0, "the trial is void: there was no echo to cancel");
    }
};

QTEST_MAIN(SoundSoakTest)
#include "test_sound_soak.moc"
