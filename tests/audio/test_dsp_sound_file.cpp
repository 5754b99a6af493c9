#include "audio/dsp/sound_file.h"
#include "tests/audio/tones.h"
#include "tests/support/thread_sanitizer.h"

#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstdio>

#ifdef Q_OS_UNIX
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#endif

using namespace vivavoce;
using namespace vivavoce::tests;
using core::ErrorCode;
using core::FrameCount;
using core::SoundFormat;
using dsp::SoundFileReader;
using dsp::SoundFileWriter;

namespace {

constexpr core::SampleRate kRate{24'000};
constexpr std::size_t kPiece = 240;

/// The user's tone on the left, the agent's on the right.
std::vector<std::int16_t> twoTones(std::size_t frames)
{
    const auto left = sine(440, 0.4, kRate.hz(), frames);
    const auto right = sine(1'000, 0.2, kRate.hz(), frames);
    std::vector<std::int16_t> both;
    for (std::size_t i = 0; i < frames; ++i) {
        both.push_back(left[i]);
        both.push_back(right[i]);
    }
    return both;
}

SoundFormat formatOf(const QString& name)
{
    return name == QStringLiteral("wav") ? SoundFormat::Wav : SoundFormat::OggOpus;
}

/// Ten seconds, as a recording is written; killed behind the last of it where that is wanted.
int writeTenSeconds(const QString& path, SoundFormat format, bool isKilled)
{
    auto writer = SoundFileWriter::create(path.toStdString(), format, kRate);
    if (!writer) {
        return 1;
    }
    const auto all = twoTones(10 * kRate.hz());
    for (std::size_t at = 0; at < all.size(); at += 2 * kPiece) {
        if (!writer->write(std::span(all).subspan(at, 2 * kPiece))) {
            return 1;
        }
        if (at / (2 * kPiece) % 50 == 49) {
            writer->settle();
        }
    }
#ifdef Q_OS_UNIX
    if (isKilled) {
        kill(getpid(), SIGKILL);
    }
#else
    static_cast<void>(isKilled);
#endif
    return writer->close() ? 0 : 1;
}

} // namespace

class SoundFileTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    static void formats()
    {
        QTest::addColumn<QString>("format");
        QTest::newRow("WAV") << QStringLiteral("wav");
        QTest::newRow("Ogg Opus") << QStringLiteral("ogg");
    }
    QString pathOf(const QString& format) { return m_folder.filePath(QStringLiteral("a.") + format); }

private Q_SLOTS:
    void init() { QVERIFY(m_folder.isValid()); }

    void whatWasWritten_IsReadAgain_data() { formats(); }
    void whatWasWritten_IsReadAgain()
    {
        QFETCH(QString, format);
        const QString path = pathOf(format);
        QCOMPARE(writeTenSeconds(path, formatOf(format), false), 0);
        auto reader = SoundFileReader::open(path.toStdString());
        QVERIFY(reader.has_value());
        QCOMPARE(reader->rate().hz(), kRate.hz());
        QCOMPARE(reader->length().value(), std::int64_t{240'000});
        // From the middle on, without the start of a decoder.
        QVERIFY(reader->seek(FrameCount{120'000}).has_value());
        const auto there = reader->read(FrameCount{24'000});
        QVERIFY(there.has_value());
        QCOMPARE(there->size(), std::size_t{24'000});
        const auto all = twoTones(144'000);
        std::vector<std::int16_t> expected(24'000);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            expected[i] = static_cast<std::int16_t>(all[2 * (120'000 + i)] + all[2 * (120'000 + i) + 1]);
        }
        if (format == QStringLiteral("wav")) {
            QCOMPARE(*there, expected);
            return;
        }
        double fault = 0;
        double power = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            fault += std::pow((*there)[i] - expected[i], 2);
            power += std::pow(expected[i], 2);
        }
        // A sample too early or too late would leave 12 dB.
        QVERIFY2(10 * std::log10(power / fault) > 20, qPrintable(QString::number(10 * std::log10(power / fault))));
    }

    void readingPastTheEnd_GivesLessAndThenNothing()
    {
        const QString path = pathOf(QStringLiteral("wav"));
        QCOMPARE(writeTenSeconds(path, SoundFormat::Wav, false), 0);
        auto reader = SoundFileReader::open(path.toStdString());
        QVERIFY(reader->seek(FrameCount{239'990}).has_value());
        QCOMPARE(reader->read(FrameCount{100})->size(), std::size_t{10});
        QCOMPARE(reader->read(FrameCount{100})->size(), std::size_t{0});
        QVERIFY(reader->seek(FrameCount{1'000'000'000}).has_value());
        QCOMPARE(reader->read(FrameCount{100})->size(), std::size_t{0});
    }

    void programThatIsKilled_LeavesAFileThatLacksHalfASecondAtMost_data() { formats(); }
    void programThatIsKilled_LeavesAFileThatLacksHalfASecondAtMost()
    {
#ifdef Q_OS_UNIX
        if (!kCanStartProcesses) {
            QSKIP("ThreadSanitizer does not survive it: no other program is started");
        }
        QFETCH(QString, format);
        const QString path = pathOf(format);
        QProcess child;
        child.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--write"), path, format});
        QVERIFY(child.waitForFinished(20'000));
        QCOMPARE(child.exitStatus(), QProcess::CrashExit);
        auto reader = SoundFileReader::open(path.toStdString());
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().detail.c_str());
        QVERIFY2(reader->length().value() >= 240'000 - 12'000, qPrintable(QString::number(reader->length().value())));
        const auto all = reader->read(FrameCount{240'000});
        QVERIFY(all.has_value());
        QCOMPARE(static_cast<std::int64_t>(all->size()), reader->length().value());
#else
        QSKIP("there is no SIGKILL");
#endif
    }

    void fullDisk_IsAnError_AndWhatWasWrittenCanBePlayed_data()
    {
        formats();
    }
    void fullDisk_IsAnError_AndWhatWasWrittenCanBePlayed()
    {
#ifdef Q_OS_UNIX
        QFETCH(QString, format);
        const QString path = pathOf(format);
        // A limit of the file's size fails a write as a full disk does.
        signal(SIGXFSZ, SIG_IGN);
        rlimit before{};
        QCOMPARE(getrlimit(RLIMIT_FSIZE, &before), 0);
        rlimit small = before;
        small.rlim_cur = format == QStringLiteral("wav") ? 400'000 : 30'000;
        QCOMPARE(setrlimit(RLIMIT_FSIZE, &small), 0);
        std::optional<core::Error> fault;
        {
            auto writer = SoundFileWriter::create(path.toStdString(), formatOf(format), kRate);
            const auto all = twoTones(10 * kRate.hz());
            for (std::size_t at = 0; at < all.size() && !fault; at += 2 * kPiece) {
                if (const auto written = writer->write(std::span(all).subspan(at, 2 * kPiece)); !written) {
                    fault = written.error();
                }
            }
            static_cast<void>(writer->close());
        }
        setrlimit(RLIMIT_FSIZE, &before);
        QVERIFY2(fault.has_value(), "nobody has noticed");
        QCOMPARE(fault->code, ErrorCode::RecordingFailed);
        auto reader = SoundFileReader::open(path.toStdString());
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().detail.c_str());
        QVERIFY2(reader->length().value() > 24'000, qPrintable(QString::number(reader->length().value())));
        QVERIFY(reader->read(FrameCount{24'000})->size() == 24'000);
#else
        QSKIP("there is no limit for files");
#endif
    }

    void diskThatIsFullAtTheBeginning_IsNoMatterOfThePlace()
    {
        if (!QFile::exists(QStringLiteral("/dev/full"))) {
            QSKIP("there is no disk that is always full");
        }
        const auto made = SoundFileWriter::create("/dev/full", SoundFormat::Wav, kRate);
        QVERIFY(!made.has_value());
        QCOMPARE(made.error().code, ErrorCode::RecordingFailed);
        QCOMPARE(made.error().foreignCode, std::string());
    }

    void fileIsKeptAsItWasMade()
    {
        const QString path = m_folder.filePath(QStringLiteral("mine.ogg"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly, QFileDevice::ReadOwner | QFileDevice::WriteOwner));
        file.close();
        QCOMPARE(writeTenSeconds(path, SoundFormat::OggOpus, false), 0);
        QVERIFY(!(QFileInfo(path).permissions() & (QFileDevice::ReadGroup | QFileDevice::ReadOther)));
        // A minute of two voices that never pause: less than a megabyte.
        QVERIFY2(QFileInfo(path).size() < 170'000, qPrintable(QString::number(QFileInfo(path).size())));
    }

    void whatCannotBeRead_SaysWhy()
    {
        const auto codeOf = [](const QString& path) { return SoundFileReader::open(path.toStdString()).error().code; };
        QCOMPARE(codeOf(m_folder.filePath(QStringLiteral("none.wav"))), ErrorCode::InputUnreadable);
        QCOMPARE(codeOf(m_folder.path()), ErrorCode::InputUnreadable);
        const auto put = [this](const char* name, const QByteArray& bytes) {
            QFile file(m_folder.filePath(QString::fromLatin1(name)));
            return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() ? file.fileName() : QString();
        };
        QCOMPARE(codeOf(put("empty.ogg", {})), ErrorCode::InputEmpty);
        QCOMPARE(codeOf(put("words.ogg", QByteArray(1'000, 'x'))), ErrorCode::InputNotAudio);
        QCOMPARE(writeTenSeconds(pathOf(QStringLiteral("ogg")), SoundFormat::OggOpus, false), 0);
        QFile whole(pathOf(QStringLiteral("ogg")));
        QVERIFY(whole.open(QIODevice::ReadOnly));
        QCOMPARE(codeOf(put("cut.ogg", whole.read(40))), ErrorCode::InputNotAudio);
        const auto made = SoundFileWriter::create(
            m_folder.filePath(QStringLiteral("no/such/a.ogg")).toStdString(), SoundFormat::OggOpus, kRate);
        QCOMPARE(made.error().code, ErrorCode::RecordingFailed);
        QCOMPARE(made.error().foreignCode, std::string("recording.place"));
    }

    void formatThatTheLibraryDoesNotWrite_IsNoMatterOfTheDisk()
    {
        // Ogg Opus has no such rate.
        const auto made = SoundFileWriter::create(
            pathOf(QStringLiteral("ogg")).toStdString(), SoundFormat::OggOpus, core::SampleRate{44'100});
        QVERIFY(!made.has_value());
        QCOMPARE(made.error().code, ErrorCode::RecordingFailed);
        QCOMPARE(made.error().foreignCode, std::string("recording.format"));
    }
};

int main(int argc, char** argv)
{
    if (argc == 4 && QByteArray(argv[1]) == "--write") {
        return writeTenSeconds(QString::fromLocal8Bit(argv[2]), formatOf(QString::fromLocal8Bit(argv[3])), true);
    }
    QCoreApplication app(argc, argv);
    SoundFileTest test;
    return QTest::qExec(&test, argc, argv);
}

#include "test_dsp_sound_file.moc"
