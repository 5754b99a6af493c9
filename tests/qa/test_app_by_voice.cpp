#include "app/platform/qt_settings_store.h"
#include "tests/audio/sound_server.h"
#include "tests/qa/app_driver.h"

#include <QDir>
#include <QFileInfo>
#include <QGuiApplication>
#include <QProcess>
#include <QTemporaryDir>

#include <array>
#include <cmath>
#include <cstring>
#include <utility>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

const QString kYou = QStringLiteral("You");
const QString kAgent = QStringLiteral("Agent");
const QString kListening = QStringLiteral("Listening");

QString recording()
{
    return qEnvironmentVariable("VV_SOURCE_DIR") + QStringLiteral("/resources/recordings/question.wav");
}

/// Somebody in front of the microphone.
class Speaker {
public:
    void say(const QString& file)
    {
        m_player.start(QStringLiteral("paplay"), {QStringLiteral("-d"), QStringLiteral("into-mic"), file});
        m_player.waitForStarted();
    }
    ~Speaker() { m_player.waitForFinished(20'000); }

private:
    QProcess m_player;
};

/// Somebody in front of the loudspeaker.
class Listener {
public:
    Listener()
    {
        m_recorder.start(QStringLiteral("parec"),
            {QStringLiteral("-d"), QStringLiteral("speaker.monitor"), QStringLiteral("--rate=24000"),
                QStringLiteral("--channels=1"), QStringLiteral("--format=s16le"), QStringLiteral("--latency-msec=20")});
        m_recorder.waitForStarted();
    }
    ~Listener()
    {
        m_recorder.kill();
        m_recorder.waitForFinished();
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Milliseconds in which something was heard since the last call.
    int heardMilliseconds()
    {
        m_rest += m_recorder.readAllStandardOutput();
        constexpr qsizetype kPiece = 480;
        int pieces = 0;
        while (m_rest.size() >= kPiece) {
            std::array<std::int16_t, kPiece / 2> samples{};
            std::memcpy(samples.data(), m_rest.constData(), kPiece);
            m_rest.remove(0, kPiece);
            pieces += std::any_of(samples.begin(), samples.end(),
                          [](std::int16_t sample) { return std::abs(int{sample}) > 300; })
                ? 1
                : 0;
        }
        return pieces * 10;
    }

private:
    QProcess m_recorder;
    QByteArray m_rest;
};

using Span = std::pair<qsizetype, qsizetype>;

/// From the first loud frame to the last, of the user and of the agent in a recording.
std::pair<Span, Span> loudSpans(const QString& path)
{
    QFile file(path);
    std::array<Span, 2> spans{Span{-1, -1}, Span{-1, -1}};
    const QByteArray bytes = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    const qsizetype data = bytes.indexOf("data") + 8;
    for (qsizetype at = data; at + 4 <= bytes.size(); at += 4) {
        std::array<std::int16_t, 2> frame{};
        std::memcpy(frame.data(), bytes.constData() + at, 4);
        for (std::size_t side = 0; side < 2; ++side) {
            if (std::abs(int{frame[side]}) > 1'000) {
                const qsizetype now = (at - data) / 4;
                spans[side] = {spans[side].first < 0 ? now : spans[side].first, now};
            }
        }
    }
    return {spans[0], spans[1]};
}

} // namespace

/// The whole product by its window: one click, a spoken question, a spoken answer, an interruption. tests/qa/README.md tells how to add to it.
class AppByVoiceTest : public QObject {
    Q_OBJECT

    SoundServer m_server;
    QTemporaryDir m_home;

private Q_SLOTS:
    void initTestCase()
    {
        if (const QString missing = SoundServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        QVERIFY(m_server.start(SoundServer::Microphone::Apart));
    }

    void init()
    {
        // Each starts as a first run.
        qputenv("XDG_CONFIG_HOME", m_home.filePath(QString::fromLatin1(QTest::currentTestFunction())).toLocal8Bit());
    }

    void tryIt_TalksAndIsAnswered()
    {
        AppDriver app;
        QVERIFY(app.isOpen());
        QVERIFY(app.click(QStringLiteral("tryHere")));
        QVERIFY2(app.waitForState(kListening), qPrintable(app.state()));
        Listener listener;
        Speaker person;
        person.say(recording());
        QVERIFY2(app.waitForLine(kYou, QStringLiteral("twelve times seven")), qPrintable(app.state()));
        QVERIFY2(app.waitForLine(kAgent, QStringLiteral("eighty four")), qPrintable(app.state()));
        QVERIFY(app.waitForState(kListening));
        int heard = 0;
        QVERIFY(QTest::qWaitFor([&] { return (heard += listener.heardMilliseconds()) > 500; }, 5'000));
        QVERIFY(!app.lastLine(kAgent)->wasInterrupted);
        QVERIFY(app.click(QStringLiteral("talk")));
        QVERIFY(QTest::qWaitFor([&] { return app.text(QStringLiteral("talk")) == QStringLiteral("Talk"); }, 5'000));
        // Nothing of ours holds a device any more.
        QTRY_VERIFY_WITH_TIMEOUT(!m_server.control({QStringLiteral("list"), QStringLiteral("source-outputs")})
                                      .contains(QByteArray::number(QCoreApplication::applicationPid())),
            5'000);
    }

    void speech_OverTheReply_StopsIt()
    {
        AppDriver app;
        QVERIFY(app.click(QStringLiteral("tryHere")));
        QVERIFY(app.waitForState(kListening));
        Listener listener;
        QVERIFY(app.type(QStringLiteral("text"), QStringLiteral("what can you do")));
        app.press(Qt::Key_Return);
        QVERIFY2(app.waitForState(QStringLiteral("Speaking: talk to interrupt")), qPrintable(app.state()));
        int heard = 0;
        QVERIFY(QTest::qWaitFor([&] { return (heard += listener.heardMilliseconds()) > 0; }, 5'000));
        Speaker person;
        person.say(recording());
        QVERIFY(QTest::qWaitFor(
            [&] {
                const auto line = app.lastLine(kAgent);
                return line && line->wasInterrupted;
            },
            10'000));
        QVERIFY2(app.waitForLine(kAgent, QStringLiteral("eighty four")), qPrintable(app.state()));
    }

    void muted_NothingIsHeard()
    {
        AppDriver app;
        QVERIFY(app.click(QStringLiteral("tryHere")));
        QVERIFY(app.waitForState(kListening));
        QVERIFY(app.click(QStringLiteral("mute")));
        QVERIFY(app.waitForState(QStringLiteral("Muted"), 5'000));
        {
            Speaker person;
            person.say(recording());
        }
        QVERIFY(app.click(QStringLiteral("mute")));
        QVERIFY(app.waitForState(kListening, 5'000));
        Speaker person;
        person.say(recording());
        QVERIFY(app.waitForLine(kAgent, QStringLiteral("eighty four")));
        int questions = 0;
        for (const AppDriver::Line& line : app.transcript()) {
            questions += line.speaker == kYou ? 1 : 0;
        }
        QCOMPARE(questions, 1);
    }

    void pushToTalk_EndsTheTurnWithTheKey_AndNotWithAPause()
    {
        platform::QtSettingsStore store(platform::QtSettingsStore::defaultFile());
        core::Settings settings = store.load();
        settings.talkMode = core::TalkMode::PushToTalk;
        QVERIFY(store.save(settings));
        AppDriver app;
        QVERIFY(app.click(QStringLiteral("tryHere")));
        QVERIFY2(app.waitForState(QStringLiteral("Muted")), qPrintable(app.state()));
        app.hold(Qt::Key_Space);
        QVERIFY2(app.waitForState(QStringLiteral("Hearing you")), qPrintable(app.state()));
        {
            Speaker person;
            person.say(recording());
        }
        // A detector of turns would take that for the end of one.
        QVERIFY(!app.waitForLine(kAgent, QStringLiteral("eighty four"), 2'500));
        QCOMPARE(app.state(), QStringLiteral("Hearing you"));
        app.letGo(Qt::Key_Space);
        QVERIFY2(app.waitForLine(kYou, QStringLiteral("twelve times seven")), qPrintable(app.state()));
        QVERIFY2(app.waitForLine(kAgent, QStringLiteral("eighty four")), qPrintable(app.state()));
    }

    void typedWords_AreAnsweredAloud()
    {
        AppDriver app;
        QVERIFY(app.click(QStringLiteral("tryHere")));
        QVERIFY(app.waitForState(kListening));
        Listener listener;
        QVERIFY(app.type(QStringLiteral("text"), QStringLiteral("what is two plus two")));
        app.press(Qt::Key_Return);
        QVERIFY(app.waitForLine(kYou, QStringLiteral("what is two plus two")));
        QVERIFY(app.waitForLine(kAgent, QStringLiteral("four")));
        int heard = 0;
        QVERIFY(QTest::qWaitFor([&] { return (heard += listener.heardMilliseconds()) > 300; }, 5'000));
    }

    void recording_HasBothSidesBesideEachOther_AndIsHeardAgainFromALine()
    {
        qputenv("XDG_DATA_HOME", m_home.filePath(QStringLiteral("data")).toLocal8Bit());
        platform::QtSettingsStore store(platform::QtSettingsStore::defaultFile());
        core::Settings settings = store.load();
        settings.keepsConversations = settings.recordsSound = true;
        settings.soundFormat = core::SoundFormat::Wav;
        QVERIFY(store.save(settings));
        AppDriver app;
        QVERIFY(!app.isShown(QStringLiteral("recordingSign")));
        QVERIFY(app.click(QStringLiteral("tryHere")));
        QVERIFY2(app.waitForState(kListening), qPrintable(app.state()));
        QVERIFY(app.isShown(QStringLiteral("recordingSign")));
        {
            Speaker person;
            person.say(recording());
        }
        // Its words are there before its sound.
        QVERIFY2(app.waitForState(QStringLiteral("Speaking: talk to interrupt")), qPrintable(app.state()));
        QVERIFY2(app.waitForLine(kAgent, QStringLiteral("eighty four")), qPrintable(app.state()));
        QVERIFY(app.waitForState(kListening));
        QVERIFY(app.click(QStringLiteral("talk")));
        QVERIFY(QTest::qWaitFor([&] { return app.text(QStringLiteral("talk")) == QStringLiteral("Talk"); }, 5'000));
        QVERIFY(!app.isShown(QStringLiteral("recordingSign")));
        const QDir folder(m_home.filePath(QStringLiteral("data/vivavoce/conversations/sound")));
        QTRY_COMPARE(folder.entryList(QDir::Files).size(), qsizetype{1});
        const QFileInfo file = folder.entryInfoList(QDir::Files).first();
        QVERIFY(!(file.permissions() & (QFile::ReadGroup | QFile::ReadOther)));
        // The window does not wait for the disk.
        const auto isAnswerThere = [&] {
            const Span answer = loudSpans(file.filePath()).second;
            return answer.second - answer.first > 12'000;
        };
        QVERIFY2(QTest::qWaitFor(isAnswerThere, 10'000), "the answer is there, on the right");
        const auto [user, agent] = loudSpans(file.filePath());
        QVERIFY2(user.second - user.first > 24'000, "the question is there, on the left");
        QVERIFY2(user.second < agent.first, "first one, then the other");
        // The agent answers soon after the last word, also on a busy machine.
        QVERIFY2(agent.first - user.second < 5 * 24'000, qPrintable(QString::number(agent.first - user.second)));

        Listener listener;
        static_cast<void>(listener.heardMilliseconds());
        QVERIFY(app.click(QStringLiteral("history")));
        QVERIFY(app.click(QStringLiteral("savedRow")));
        QVERIFY(app.click(QStringLiteral("playLine")));
        QTRY_VERIFY(app.isShown(QStringLiteral("playBar")));
        int heard = 0;
        QVERIFY(QTest::qWaitFor([&] { return (heard += listener.heardMilliseconds()) > 800; }, 10'000));
        QVERIFY(app.click(QStringLiteral("stopPlaying")));
        QTRY_VERIFY(!app.isShown(QStringLiteral("playBar")));
    }

    void agentThatDies_IsToldAndCanBeTriedAgain()
    {
        AppDriver app;
        QVERIFY(app.click(QStringLiteral("tryHere")));
        QVERIFY(app.waitForState(kListening));
        QProcess::execute(QStringLiteral("pkill"),
            {QStringLiteral("-P"), QString::number(QCoreApplication::applicationPid()), QStringLiteral("-f"),
                QStringLiteral("vivavoce-agent")});
        QTRY_COMPARE_WITH_TIMEOUT(app.text(QStringLiteral("copyError")), QStringLiteral("child.died"), 10'000);
        QVERIFY(app.click(QStringLiteral("errorAction")));
        QVERIFY2(app.waitForState(kListening), qPrintable(app.state()));
    }

    void brokerThatIsNotThere_IsToldInWords()
    {
        AppDriver app;
        QVERIFY(app.type(QStringLiteral("brokerAddress"), QStringLiteral("http://127.0.0.1:1")));
        QVERIFY(app.click(QStringLiteral("useBroker")));
        QTRY_VERIFY_WITH_TIMEOUT(
            app.text(QStringLiteral("addressFault")).contains(QStringLiteral("does not answer")), 30'000);
        // And people are still where they can give another one.
        QVERIFY(app.isShown(QStringLiteral("useBroker")));
    }
};

QTEST_MAIN(AppByVoiceTest)
#include "test_app_by_voice.moc"
