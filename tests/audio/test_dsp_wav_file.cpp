#include "audio/dsp/wav_file.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstring>

using namespace vivavoce;
using core::ErrorCode;
using core::SampleRate;

namespace {

QByteArray number(quint32 value, int bytes)
{
    QByteArray result;
    for (int i = 0; i < bytes; ++i) {
        result.append(static_cast<char>(value >> (8 * i)));
    }
    return result;
}

/// A WAV file by hand (RIFF, format 1 integer or 3 float): a constant level of one half in the first channel, silence in the others.
QByteArray wav(int format, quint32 rate, int channels, int bits, int frames)
{
    QByteArray data;
    for (int i = 0; i < frames; ++i) {
        for (int c = 0; c < channels; ++c) {
            const double level = c == 0 ? 0.5 : 0.0;
            if (format == 3) {
                const float sample = static_cast<float>(level);
                quint32 word = 0;
                std::memcpy(&word, &sample, sizeof word);
                data += number(word, 4);
            } else if (bits == 8) {
                data += number(static_cast<quint32>(128 + level * 128), 1);
            } else {
                data += number(static_cast<quint32>(level * std::pow(2.0, bits - 1)), bits / 8);
            }
        }
    }
    const int frame = channels * bits / 8;
    return "RIFF" + number(static_cast<quint32>(36 + data.size()), 4) + "WAVEfmt " + number(16, 4)
        + number(static_cast<quint32>(format), 2) + number(static_cast<quint32>(channels), 2) + number(rate, 4)
        + number(rate * static_cast<quint32>(frame), 4) + number(static_cast<quint32>(frame), 2)
        + number(static_cast<quint32>(bits), 2) + "data" + number(static_cast<quint32>(data.size()), 4) + data;
}

} // namespace

class WavFileTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    std::string file(const QByteArray& content) const
    {
        QFile out(m_folder.filePath(QStringLiteral("x.wav")));
        if (!out.open(QIODevice::WriteOnly)) {
            qFatal("no place for test files");
        }
        out.write(content);
        return out.fileName().toStdString();
    }

private Q_SLOTS:
    void everyFormat_BecomesMonoAtTheRate_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<int>("channels");
        QTest::newRow("8 bit stereo at 11025") << wav(1, 11'025, 2, 8, 11'025) << 2;
        QTest::newRow("16 bit mono at 24000") << wav(1, 24'000, 1, 16, 24'000) << 1;
        QTest::newRow("16 bit stereo at 44100") << wav(1, 44'100, 2, 16, 44'100) << 2;
        QTest::newRow("24 bit mono at 48000") << wav(1, 48'000, 1, 24, 48'000) << 1;
        QTest::newRow("32 bit mono at 96000") << wav(1, 96'000, 1, 32, 96'000) << 1;
        QTest::newRow("float mono at 16000") << wav(3, 16'000, 1, 32, 16'000) << 1;
        QTest::newRow("5.1 at 48000") << wav(1, 48'000, 6, 16, 48'000) << 6;
    }
    void everyFormat_BecomesMonoAtTheRate()
    {
        QFETCH(QByteArray, content);
        QFETCH(int, channels);
        const auto samples = dsp::readWav(file(content), core::kRealtimeRate);
        QVERIFY(samples.has_value());
        QVERIFY(std::abs(static_cast<double>(samples->size()) - 24'000) < 300);
        const double level = (*samples)[12'000] / 32767.0;
        QVERIFY2(std::abs(level - 0.5 / channels) < 0.01, qPrintable(QString::number(level)));
    }

    void badFiles_AreToldApart_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<int>("code");
        QTest::newRow("empty") << QByteArray() << int(ErrorCode::InputEmpty);
        QTest::newRow("text") << QByteArray("This is no recording, whatever it is called.")
                              << int(ErrorCode::InputNotAudio);
        QTest::newRow("header cut off") << wav(1, 24'000, 1, 16, 100).left(20) << int(ErrorCode::InputNotAudio);
        QTest::newRow("no samples") << wav(1, 24'000, 1, 16, 0) << int(ErrorCode::InputEmpty);
        QTest::newRow("a rate that nobody has") << wav(1, 100, 1, 16, 100) << int(ErrorCode::InputNotAudio);
        QTest::newRow("a rate of zero") << wav(1, 0, 1, 16, 100) << int(ErrorCode::InputNotAudio);
    }
    void badFiles_AreToldApart()
    {
        QFETCH(QByteArray, content);
        QFETCH(int, code);
        const auto samples = dsp::readWav(file(content), core::kRealtimeRate);
        QVERIFY(!samples.has_value());
        QCOMPARE(int(samples.error().code), code);
    }

    void missingFile_IsUnreadable()
    {
        const auto samples =
            dsp::readWav(m_folder.filePath(QStringLiteral("none.wav")).toStdString(), core::kRealtimeRate);
        QCOMPARE(samples.error().code, ErrorCode::InputUnreadable);
    }

    void dataCutOff_IsReadAsFarAsItGoes()
    {
        const auto samples = dsp::readWav(file(wav(1, 24'000, 1, 16, 24'000).left(24'044)), core::kRealtimeRate);
        QVERIFY(samples.has_value());
        QCOMPARE(samples->size(), std::size_t{12'000});
    }

    void floatsThatAreNoNumbers_AreSilence()
    {
        QByteArray content = wav(3, 24'000, 1, 32, 1000);
        content.replace(44, 4, QByteArray::fromHex("0000c07f"));
        const auto samples = dsp::readWav(file(content), core::kRealtimeRate);
        QVERIFY(samples.has_value());
        QCOMPARE(int((*samples)[0]), 0);
    }

    void written_IsReadBackTheSame()
    {
        const std::string path = m_folder.filePath(QStringLiteral("out.wav")).toStdString();
        auto writer = dsp::WavWriter::create(path, core::kRealtimeRate);
        QVERIFY(writer.has_value());
        QVERIFY(writer->write(std::vector<std::int16_t>{100, -200}).has_value());
        QVERIFY(writer->write(std::vector<std::int16_t>{32'767, -32'768}).has_value());
        // Readable at any moment, not only after the end.
        QCOMPARE(dsp::readWav(path, core::kRealtimeRate)->size(), std::size_t{4});
        QVERIFY(writer->close().has_value());
        const auto samples = dsp::readWav(path, core::kRealtimeRate);
        QVERIFY(samples.has_value());
        QVERIFY(*samples == (std::vector<std::int16_t>{100, -200, 32'767, -32'768}));
        QVERIFY(writer->close().has_value());
        QVERIFY(!writer->write(std::vector<std::int16_t>{1}).has_value());
    }

    void placeThatCannotBeWritten_IsNamed()
    {
        const auto nowhere = dsp::WavWriter::create(
            m_folder.filePath(QStringLiteral("no/where.wav")).toStdString(), core::kRealtimeRate);
        QCOMPARE(nowhere.error().code, ErrorCode::OutputUnwritable);
    }

#ifdef Q_OS_LINUX
    void fullDisk_IsToldNotSwallowed()
    {
        auto writer = dsp::WavWriter::create("/dev/full", core::kRealtimeRate);
        bool isTold = !writer.has_value();
        for (int i = 0; i < 10 && !isTold; ++i) {
            isTold = !writer->write(std::vector<std::int16_t>(24'000, 1)).has_value();
        }
        QVERIFY(isTold || !writer->close().has_value());
    }
#endif
};

QTEST_GUILESS_MAIN(WavFileTest)
#include "test_dsp_wav_file.moc"
