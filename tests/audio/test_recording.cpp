#include "audio/dsp/sound_file.h"
#include "audio/internal/recording_backlog.h"
#include "audio/internal/recording_writer.h"
#include "core/ports/recording_player.h"
#include "core/ports/sound_recorder.h"
#include "tests/audio/scripted_sound.h"
#include "tests/audio/tones.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <numbers>

#ifdef Q_OS_UNIX
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

using namespace vivavoce;
using namespace vivavoce::tests;
using core::ErrorCode;
using core::Milliseconds;
using core::SoundFormat;

namespace {

struct BothSides {
    std::vector<std::int16_t> user;
    std::vector<std::int16_t> agent;
};

/// Of a WAV file, without the library that wrote it.
BothSides readBoth(const QString& path)
{
    QFile file(path);
    BothSides sides;
    if (!file.open(QIODevice::ReadOnly)) {
        return sides;
    }
    const QByteArray bytes = file.readAll();
    const qsizetype data = bytes.indexOf("data");
    for (qsizetype at = data + 8; data > 0 && at + 4 <= bytes.size(); at += 4) {
        std::int16_t pair[2];
        std::memcpy(pair, bytes.constData() + at, 4);
        sides.user.push_back(pair[0]);
        sides.agent.push_back(pair[1]);
    }
    return sides;
}

std::ptrdiff_t loudest(const std::vector<std::int16_t>& samples)
{
    return std::max_element(samples.begin(), samples.end(), [](int a, int b) { return std::abs(a) < std::abs(b); })
        - samples.begin();
}

/// A pulse of half a millisecond, which comes through filters as itself.
std::vector<std::int16_t> pulse(std::size_t samples, std::size_t at, double rate)
{
    constexpr double kWidth = 0.000'25;
    constexpr double kFrequency = 764;
    std::vector<std::int16_t> out(samples);
    for (std::size_t i = 0; i < samples; ++i) {
        const double off = (static_cast<double>(i) - static_cast<double>(at)) / rate;
        out[i] = static_cast<std::int16_t>(
            20'000 * std::exp(-off * off / (2 * kWidth * kWidth)) * std::cos(2 * std::numbers::pi * kFrequency * off));
    }
    return out;
}

} // namespace

/// The engine over devices of the test's own, into files and out of them.
class RecordingTest : public QObject {
    Q_OBJECT

    Inbox m_inbox;
    Ear m_ear;
    QTemporaryDir m_folder;
    std::vector<core::Error> m_faults;

    std::unique_ptr<audio::AudioEngine> engineOn(Devices& devices)
    {
        auto engine = std::make_unique<audio::AudioEngine>(m_inbox, [&devices] {
            return core::Expected<std::unique_ptr<audio::AudioBackend>, core::Error>(
                std::make_unique<FakeBackend>(devices));
        });
        engine->setProcessing({false, false, false});
        return engine;
    }
    template <typename Condition>
    bool comesTrue(Condition condition)
    {
        return QTest::qWaitFor(
            [&] {
                m_inbox.run();
                return condition();
            },
            10'000);
    }
    bool areOpen(Devices& devices)
    {
        return comesTrue([&] {
            const std::lock_guard lock(devices.mutex);
            return devices.capture != nullptr && devices.playback != nullptr;
        });
    }
    QString path(const char* name = "a.wav") { return m_folder.filePath(QString::fromLatin1(name)); }
    void record(audio::AudioEngine& engine, const QString& path, SoundFormat format = SoundFormat::Wav)
    {
        engine.recorder().record(
            path.toStdString(), format, [this](const core::Error& error) { m_faults.push_back(error); });
    }
    /// A recording of so many frames.
    std::string makeLoud(std::size_t frames)
    {
        const std::string made = path("loud.wav").toStdString();
        auto file = dsp::SoundFileWriter::create(made, SoundFormat::Wav, core::kRealtimeRate);
        return file && file->write(sine(440, 0.3, 48'000, 2 * frames)) && file->close() ? made : std::string();
    }
    bool isFinished(audio::AudioEngine& engine)
    {
        bool isDone = false;
        engine.recorder().finish([&isDone] { isDone = true; });
        return comesTrue([&] { return isDone; });
    }

private Q_SLOTS:
    void init()
    {
        m_faults.clear();
        m_ear = {};
    }

    void pulsesAtBothEnds_LieAsFarApartAsTheyWere_data()
    {
        QTest::addColumn<unsigned>("rate");
        for (const unsigned rate : {48'000U, 44'100U, 16'000U}) {
            QTest::newRow(std::to_string(rate).c_str()) << rate;
        }
    }
    void pulsesAtBothEnds_LieAsFarApartAsTheyWere()
    {
        QFETCH(unsigned, rate);
        Devices devices;
        devices.rate = core::SampleRate{rate};
        const auto engine = engineOn(devices);
        engine->start(m_ear);
        QVERIFY(areOpen(devices));
        record(*engine, path());
        engine->play("item", 0, pulse(24'000, 12'000, 24'000));
        engine->finishItem("item");
        const std::size_t frames = rate / 100;
        std::vector<std::int16_t> in;
        std::vector<std::int16_t> out;
        const auto spoken = pulse(frames, frames / 2, rate);
        QVERIFY(comesTrue([&] {
            // The user says it 600 ms after the reply has begun.
            const auto piece = in.size() == 60 * frames ? spoken : std::vector<std::int16_t>(frames);
            const auto played = devices.pump(piece);
            in.insert(in.end(), piece.begin(), piece.end());
            out.insert(out.end(), played.begin(), played.end());
            return in.size() >= 150 * frames;
        }));
        QVERIFY(isFinished(*engine));
        const BothSides sides = readBoth(path());
        const double apart = static_cast<double>(loudest(in) - loudest(out)) * 24'000 / rate;
        const double inFile = static_cast<double>(loudest(sides.user) - loudest(sides.agent));
        QVERIFY2(std::abs(sides.user[static_cast<std::size_t>(loudest(sides.user))]) > 8'000, "the user is not there");
        QVERIFY2(
            std::abs(sides.agent[static_cast<std::size_t>(loudest(sides.agent))]) > 8'000, "the agent is not there");
        QVERIFY2(std::abs(inFile - apart) <= 1.5,
            qPrintable(QStringLiteral("%1 in the file, %2 in the room").arg(inFile).arg(apart)));
        QVERIFY(m_faults.empty());
    }

    void replyThatIsCut_IsThereAsFarAsItWasPlayed()
    {
        Devices devices;
        const auto engine = engineOn(devices);
        engine->start(m_ear);
        QVERIFY(areOpen(devices));
        record(*engine, path());
        int before = 0;
        QVERIFY(comesTrue([&] {
            devices.pump();
            return ++before == 10;
        }));
        engine->play("item", 0, std::vector<std::int16_t>(72'000, 8'000));
        std::vector<std::int16_t> out;
        const auto loudIn = [](const std::vector<std::int16_t>& samples) {
            return std::count_if(samples.begin(), samples.end(), [](int sample) { return sample > 4'000; });
        };
        const auto pump = [&] {
            const auto piece = devices.pump();
            out.insert(out.end(), piece.begin(), piece.end());
        };
        QVERIFY(comesTrue([&] {
            pump();
            return loudIn(out) > 24'000;
        }));
        static_cast<void>(engine->interrupt());
        int after = 0;
        QVERIFY(comesTrue([&] {
            pump();
            return ++after == 30;
        }));
        QVERIFY(isFinished(*engine));
        const BothSides sides = readBoth(path());
        QVERIFY2(std::abs(loudIn(sides.agent) - loudIn(out) / 2) < 30,
            qPrintable(QStringLiteral("%1 of %2").arg(loudIn(sides.agent)).arg(loudIn(out) / 2)));
        QVERIFY(std::all_of(sides.agent.end() - 4'000, sides.agent.end(), [](int sample) { return sample == 0; }));
    }

    void mutedMicrophone_IsSilence()
    {
        Devices devices;
        const auto engine = engineOn(devices);
        engine->start(m_ear);
        QVERIFY(areOpen(devices));
        engine->setMuted(true);
        record(*engine, path());
        int frames = 0;
        QVERIFY(comesTrue([&] {
            devices.pump(8'000);
            return ++frames == 200;
        }));
        QVERIFY(isFinished(*engine));
        const BothSides sides = readBoth(path());
        QVERIFY2(sides.user.size() > 40'000, qPrintable(QString::number(sides.user.size())));
        QVERIFY(std::all_of(sides.user.begin(), sides.user.end(), [](int sample) { return sample == 0; }));
    }

    void whatIsSaidBeforeAndMeanwhile_IsNotThere()
    {
        Devices devices;
        const auto engine = engineOn(devices);
        engine->start(m_ear);
        QVERIFY(areOpen(devices));
        int frames = 0;
        const auto talk = [&](int times, int loudness) {
            frames = 0;
            return comesTrue([&] {
                devices.pump(static_cast<std::int16_t>(loudness));
                return ++frames == times;
            });
        };
        QVERIFY(talk(30, 12'000));
        record(*engine, path());
        QVERIFY(talk(1, 0));
        QVERIFY(talk(100, 2'000));
        engine->recorder().pause(true);
        QVERIFY(talk(5, 0));
        QVERIFY(talk(100, 12'000));
        engine->recorder().pause(false);
        QVERIFY(talk(5, 0));
        QVERIFY(talk(50, 2'000));
        QVERIFY(isFinished(*engine));
        const BothSides sides = readBoth(path());
        QVERIFY2(sides.user.size() > 55'000, qPrintable(QString::number(sides.user.size())));
        const int most = std::abs(sides.user[static_cast<std::size_t>(loudest(sides.user))]);
        QVERIFY2(most > 1'000 && most < 6'000, qPrintable(QString::number(most)));
    }

    void recordingWithoutAnyDevice_PassesAsTheClockDoes()
    {
        Devices devices;
        const auto engine = engineOn(devices);
        record(*engine, path());
        QVERIFY(isFinished(*engine));
        QVERIFY(QFile::exists(path()));
        QVERIFY(m_faults.empty());
    }

    void secondRecording_BeginsWhileTheFirstIsWritten()
    {
        Devices devices;
        const auto engine = engineOn(devices);
        engine->start(m_ear);
        QVERIFY(areOpen(devices));
        for (const char* name : {"one.wav", "two.wav", "three.wav"}) {
            record(*engine, path(name));
            int frames = 0;
            QVERIFY(comesTrue([&] {
                devices.pump(2'000);
                return ++frames == 30;
            }));
            engine->recorder().finish({});
        }
        record(*engine, path("four.wav"));
        QVERIFY(isFinished(*engine));
        for (const char* name : {"one.wav", "two.wav", "three.wav"}) {
            QVERIFY2(readBoth(path(name)).user.size() > 5'000, name);
        }
    }

    void diskThatHangs_EndsTheRecording_AndHoldsNobodyUp()
    {
#ifdef Q_OS_UNIX
        // Who opens a pipe to write waits for a reader.
        const QByteArray pipe = path("pipe.wav").toLocal8Bit();
        QCOMPARE(mkfifo(pipe.constData(), 0600), 0);
        std::atomic<int> failed = 0;
        std::atomic<bool> isDone = false;
        {
            audio::RecordingWriter writer(pipe.toStdString(), SoundFormat::Wav,
                {[&](const core::Error& error) { failed += error.code == ErrorCode::RecordingFailed ? 1 : 100; },
                    [&] { isDone = true; }});
            for (int i = 0; i < 12; ++i) {
                writer.put({0, std::vector<std::int16_t>(48'000, 1)});
            }
            QVERIFY(!isDone);
            const int reader = open(pipe.constData(), O_RDONLY);
            QVERIFY(reader >= 0);
            QVERIFY(QTest::qWaitFor([&] { return isDone.load(); }));
            close(reader);
        }
        QCOMPARE(failed.load(), 1);
#else
        QSKIP("there are no pipes in folders");
#endif
    }

    void diskThatIsAlmostFull_IsLeftToTheWords_data()
    {
        QTest::addColumn<int>("seconds");
        QTest::newRow("from the start on") << 0;
        QTest::newRow("after a while") << 3;
    }

    void diskThatIsAlmostFull_IsLeftToTheWords()
    {
        QFETCH(int, seconds);
        QFile file(path("full.wav"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.close();
        std::atomic<int> failed = 0;
        std::atomic<bool> isDone = false;
        std::atomic<int> asked = 0;
        {
            audio::RecordingWriter writer(path("full.wav").toStdString(), SoundFormat::Wav,
                {[&](const core::Error& error) { failed += error.code == ErrorCode::RecordingFailed ? 1 : 100; },
                    [&] { isDone = true; }},
                [&](const std::string&) { return audio::RecordingWriter::kRoomLeft - (++asked > seconds ? 1U : 0U); });
            for (int i = 0; i < 5; ++i) {
                writer.put({0, std::vector<std::int16_t>(48'000, 1)});
            }
            QVERIFY(QTest::qWaitFor([&] { return isDone.load(); }));
        }
        QCOMPARE(failed.load(), 1);
        // What was written can be played.
        QCOMPARE(readBoth(path("full.wav")).user.size(), std::size_t(seconds > 0 ? (seconds - 1) * 24'000 : 0));
    }

    void silenceThatTakesItsTime_IsNotTheDisksFault()
    {
        using audio::RecordingBacklog;
        const std::vector<std::int16_t> second(RecordingBacklog::kSecond, 1);
        RecordingBacklog backlog;
        backlog.put({std::int64_t{1'800} * 24'000, second});
        QCOMPARE(backlog.take().silence, std::int64_t{1'800} * 24'000);
        for (int i = 0; i < 30; ++i) {
            backlog.put({0, second});
            backlog.silenceGotOn();
            QVERIFY(!backlog.isTooMuch());
        }
        // It gets on no more.
        for (int i = 0; i < 10; ++i) {
            backlog.put({0, second});
            QVERIFY(!backlog.isTooMuch());
        }
        backlog.put({0, second});
        QVERIFY(backlog.isTooMuch());
        // What was made up for once is no excuse for ever.
        while (!backlog.isEmpty()) {
            static_cast<void>(backlog.take());
        }
        for (int i = 0; i < 10; ++i) {
            backlog.put({0, second});
        }
        QVERIFY(!backlog.isTooMuch());
        backlog.put({0, second});
        QVERIFY(backlog.isTooMuch());
    }

    void pauseThatWasLong_IsWritten_AndTheRecordingGoesOn()
    {
#ifdef Q_OS_UNIX
        // A disk as slow as the test reads.
        const QByteArray pipe = path("slow.ogg").toLocal8Bit();
        QCOMPARE(mkfifo(pipe.constData(), 0600), 0);
        const int reader = open(pipe.constData(), O_RDONLY | O_NONBLOCK);
        QVERIFY(reader >= 0);
#ifdef F_SETPIPE_SZ
        QVERIFY(fcntl(reader, F_SETPIPE_SZ, 4'096) >= 0);
#endif
        QByteArray written;
        const auto readSome = [&](qsizetype most) {
            QByteArray some(most, '\0');
            const auto count = read(reader, some.data(), static_cast<std::size_t>(most));
            written += some.left(std::max<qsizetype>(count, 0));
        };
        std::atomic<int> failed = 0;
        std::atomic<bool> isDone = false;
        {
            audio::RecordingWriter writer(pipe.toStdString(), SoundFormat::OggOpus,
                {[&](const core::Error&) { ++failed; }, [&] { isDone = true; }});
            const std::vector<std::int16_t> second(48'000, 1);
            writer.put({std::int64_t{120} * 24'000, second});
            for (int i = 0; i < 12; ++i) {
                writer.put({0, second});
                const qsizetype wanted = written.size() + 2'000;
                QVERIFY(QTest::qWaitFor(
                    [&] {
                        readSome(wanted - written.size());
                        return written.size() >= wanted;
                    },
                    10'000));
            }
            writer.finish();
            QVERIFY(QTest::qWaitFor(
                [&] {
                    readSome(65'536);
                    return isDone.load();
                },
                20'000));
            readSome(65'536);
        }
        close(reader);
        QCOMPARE(failed.load(), 0);
        QFile file(path("slow-whole.ogg"));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(written) == written.size());
        file.close();
        const auto whole = dsp::SoundFileReader::open(file.fileName().toStdString());
        QVERIFY(whole.has_value());
        QCOMPARE(whole->length().value(), std::int64_t{133} * 24'000);
#else
        QSKIP("there are no pipes in folders");
#endif
    }

    void fileThatCannotBeMade_IsToldOnce_AndTheConversationGoesOn()
    {
        Devices devices;
        const auto engine = engineOn(devices);
        engine->start(m_ear);
        QVERIFY(areOpen(devices));
        record(*engine, path("no/such/folder.wav"));
        QVERIFY(comesTrue([&] {
            devices.pump(5'000);
            return !m_faults.empty();
        }));
        QCOMPARE(m_faults.size(), std::size_t{1});
        QCOMPARE(m_faults.front().code, ErrorCode::RecordingFailed);
        const std::size_t before = m_ear.voice.size();
        QVERIFY(comesTrue([&] {
            devices.pump(5'000);
            return m_ear.voice.size() > before;
        }));
        QVERIFY(isFinished(*engine));
        QCOMPARE(m_faults.size(), std::size_t{1});
    }

    void recording_IsPlayedFromAPlaceOn()
    {
        // A second of silence, two of a tone on the user's side, one on both.
        auto file = dsp::SoundFileWriter::create(path().toStdString(), SoundFormat::Wav, core::kRealtimeRate);
        const auto tone = sine(440, 0.3, 24'000, 72'000);
        std::vector<std::int16_t> both(96'000 * 2);
        for (std::size_t i = 0; i < tone.size(); ++i) {
            both[2 * (24'000 + i)] = tone[i];
            both[2 * (24'000 + i) + 1] = i >= 48'000 ? tone[i] : std::int16_t{0};
        }
        QVERIFY(file->write(both).has_value());
        QVERIFY(file->close().has_value());

        Devices devices;
        const auto engine = engineOn(devices);
        core::RecordingPlayer& player = engine->player();
        int told = 0;
        player.follow([&] { ++told; });
        player.play(path().toStdString(), Milliseconds{2'000});
        QVERIFY(player.status().isPlaying);
        QCOMPARE(told, 0);
        std::vector<std::int16_t> out;
        Milliseconds most{0};
        QVERIFY(comesTrue([&] {
            const auto piece = devices.pump();
            out.insert(out.end(), piece.begin(), piece.end());
            most = std::max(most, player.status().position);
            return !player.status().isPlaying;
        }));
        QVERIFY(told > 2);
        QVERIFY(!player.status().fault);
        QCOMPARE(player.status().length, Milliseconds{4'000});
        QVERIFY2(most >= Milliseconds{3'500}, qPrintable(QString::number(most.count())));
        const auto begin = std::find_if(out.begin(), out.end(), [](int sample) { return std::abs(sample) > 1'000; });
        const auto end =
            std::find_if(out.rbegin(), out.rend(), [](int sample) { return std::abs(sample) > 1'000; }).base();
        QVERIFY2(std::abs((end - begin) - 96'000) < 300, qPrintable(QString::number(end - begin)));
        // Both sides are heard together.
        const int first = *std::max_element(begin + 1'000, begin + 40'000);
        const int second = *std::max_element(end - 40'000, end - 1'000);
        QVERIFY2(
            second > 1.9 * first && second < 2.1 * first, qPrintable(QStringLiteral("%1 %2").arg(first).arg(second)));
        // And the loudspeaker is free again.
        QVERIFY(comesTrue([&] {
            const std::lock_guard lock(devices.mutex);
            return devices.playback == nullptr;
        }));
    }

    void playing_EndsWhenSomebodyStopsItOrTalks()
    {
        auto file =
            dsp::SoundFileWriter::create(path("b.ogg").toStdString(), SoundFormat::OggOpus, core::kRealtimeRate);
        QVERIFY(file->write(sine(440, 0.3, 48'000, 480'000)).has_value());
        QVERIFY(file->close().has_value());
        Devices devices;
        const auto engine = engineOn(devices);
        core::RecordingPlayer& player = engine->player();
        const auto isLoud = [&] {
            const auto piece = devices.pump();
            return std::any_of(piece.begin(), piece.end(), [](int sample) { return std::abs(sample) > 2'000; });
        };
        player.play(path("b.ogg").toStdString(), Milliseconds{0});
        QVERIFY(comesTrue(isLoud));
        player.stop();
        QVERIFY(!player.status().isPlaying);
        QVERIFY(comesTrue([&] { return !isLoud(); }));

        player.play(path("b.ogg").toStdString(), Milliseconds{5'000});
        QVERIFY(comesTrue(isLoud));
        engine->start(m_ear);
        QVERIFY(!player.status().isPlaying);
        QVERIFY(areOpen(devices));
        QVERIFY(comesTrue([&] { return !isLoud(); }));
        // Beside a conversation it does not begin either, and nothing of it counts as a reply.
        player.play(path("b.ogg").toStdString(), Milliseconds{0});
        QVERIFY(!player.status().isPlaying);
        QVERIFY(!engine->isPlaying());
        QVERIFY(engine->interrupt().itemId.empty());
        QCOMPARE(m_ear.drained, 0);
    }

    void recordingThatIsDamagedInItsMiddle_LetsTheLoudspeakerGo()
    {
        const QString ogg = path("damaged.ogg");
        auto made = dsp::SoundFileWriter::create(ogg.toStdString(), SoundFormat::OggOpus, core::kRealtimeRate);
        QVERIFY(made->write(sine(440, 0.3, 48'000, 144'000)).has_value());
        QVERIFY(made->close().has_value());
        QFile file(ogg);
        QVERIFY(file.open(QIODevice::ReadWrite));
        QByteArray bytes = file.readAll();
        // The beginning of another one.
        bytes.insert(bytes.indexOf("OggS", bytes.size() / 2), bytes.left(300));
        QVERIFY(file.seek(0) && file.write(bytes) == bytes.size());
        file.close();

        Devices devices;
        const auto engine = engineOn(devices);
        core::RecordingPlayer& player = engine->player();
        player.play(ogg.toStdString(), Milliseconds{0});
        QVERIFY(comesTrue([&] {
            devices.pump();
            return !player.status().isPlaying;
        }));
        QVERIFY(player.status().fault);
        QCOMPARE(player.status().fault->code, ErrorCode::InputNotAudio);
        QVERIFY(!engine->isPlaying());
        QVERIFY(comesTrue([&] {
            devices.pump();
            const std::lock_guard lock(devices.mutex);
            return devices.playback == nullptr;
        }));
    }

    void toneAndRecording_StopEachOther()
    {
        const std::string wav = makeLoud(48'000);
        Devices devices;
        const auto engine = engineOn(devices);
        core::RecordingPlayer& player = engine->player();
        const auto peak = [&] {
            int most = 0;
            for (const int sample : devices.pump()) {
                most = std::max(most, std::abs(sample));
            }
            return most;
        };
        constexpr int kTone = 3'300;
        engine->playTestTone();
        QVERIFY(comesTrue([&] { return peak() > 500; }));
        player.play(wav, Milliseconds{0});
        QVERIFY(comesTrue([&] { return peak() > 2 * kTone; }));
        QVERIFY(player.status().isPlaying);
        QVERIFY(comesTrue([&] {
            static_cast<void>(peak());
            return player.status().position > Milliseconds{0};
        }));

        engine->playTestTone();
        QVERIFY(!player.status().isPlaying);
        // What was cut fades first.
        QVERIFY(comesTrue([&] { return peak() < 500; }));
        int heard = 0;
        int most = 0;
        QVERIFY(comesTrue([&] {
            const int now = peak();
            heard += now > 500 ? 1 : 0;
            most = std::max(most, now);
            const std::lock_guard lock(devices.mutex);
            // Between recording and tone the loudspeaker may be let go for a moment.
            return heard > 0 && devices.playback == nullptr;
        }));
        QVERIFY2(
            heard > 50 && most > kTone / 2 && most <= kTone, qPrintable(QStringLiteral("%1 %2").arg(heard).arg(most)));
        QVERIFY(!player.status().isPlaying && !player.status().fault);
        // And it can be played again, to its end.
        player.play(wav, Milliseconds{1'500});
        QVERIFY(comesTrue([&] {
            devices.pump();
            return !player.status().isPlaying;
        }));
        QVERIFY(!player.status().fault);
    }

    void endThatIsToldLate_IsNotTakenForThatOfTheNext()
    {
        const std::string wav = makeLoud(240'000);
        Devices devices;
        const auto engine = engineOn(devices);
        core::RecordingPlayer& player = engine->player();
        // Many: memory is used again, but not always.
        for (std::size_t i = 0; i < 50; ++i) {
            player.play(path("none.wav").toStdString(), Milliseconds{0});
            // That it began, its end, and that it gave way to the next.
            QVERIFY(QTest::qWaitFor([&] { return m_inbox.waiting() == 2 + 3 * i; }));
        }
        player.play(wav, Milliseconds{0});
        m_inbox.run();
        QVERIFY(player.status().isPlaying);
        QVERIFY(!player.status().fault);
    }

    void whatCannotBePlayed_SaysWhy()
    {
        Devices devices;
        const auto engine = engineOn(devices);
        core::RecordingPlayer& player = engine->player();
        const auto faultOf = [&](const QString& path) {
            player.play(path.toStdString(), Milliseconds{0});
            return comesTrue([&] { return !player.status().isPlaying; }) && player.status().fault
                ? player.status().fault->code
                : ErrorCode::Internal;
        };
        QCOMPARE(faultOf(path("none.ogg")), ErrorCode::InputUnreadable);
        QFile broken(path("broken.ogg"));
        QVERIFY(broken.open(QIODevice::WriteOnly) && broken.write("OggS and then nothing") > 0);
        broken.close();
        QCOMPARE(faultOf(path("broken.ogg")), ErrorCode::InputNotAudio);
        auto file = dsp::SoundFileWriter::create(path("c.wav").toStdString(), SoundFormat::Wav, core::kRealtimeRate);
        QVERIFY(file->write(std::vector<std::int16_t>(48'000, 6'000)).has_value());
        QVERIFY(file->close().has_value());
        devices.speakers.clear();
        QCOMPARE(faultOf(path("c.wav")), ErrorCode::SoundNoLoudspeaker);
    }
};

QTEST_GUILESS_MAIN(RecordingTest)
#include "test_recording.moc"
