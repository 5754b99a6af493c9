#include "app/cli/recorded_voice_io.h"
#include "app/cli/reply_recording.h"
#include "audio/dsp/wav_file.h"
#include "tests/support/manual_executor.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <QtEndian>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;
using cli::Pace;
using cli::RecordedVoiceIo;

class ListeningUser final : public VoiceListener {
public:
    void voiceCaptured(std::span<const std::int16_t> samples) override
    {
        captured.insert(captured.end(), samples.begin(), samples.end());
        longest = std::max(longest, samples.size());
    }
    void voiceLost(Milliseconds) override {}
    void captureEnded() override { ++ends; }
    void playbackDrained() override { ++drains; }
    void voiceFailed(const Error& error) override { failure = error.code; }
    void voiceImpaired(const Error& error) override { failure = error.code; }
    void voiceRestored(ErrorCode) override {}

    std::vector<std::int16_t> captured;
    std::size_t longest = 0;
    int ends = 0;
    int drains = 0;
    std::optional<ErrorCode> failure;
};

class RecordedVoiceIoTest : public QObject {
    Q_OBJECT

    struct World {
        explicit World(std::size_t recorded, Pace pace = Pace::RealTime) : recording(recorded)
        {
            std::iota(recording.begin(), recording.end(), std::int16_t{1});
            voice = std::make_unique<RecordedVoiceIo>(
                executor, clock, recording, pace, [this](auto samples, core::SampleRate rate) {
                    heardAt = rate;
                    heard.insert(heard.end(), samples.begin(), samples.end());
                    return !isDiskFull;
                });
            voice->start(user);
        }

        ManualClock clock;
        ManualExecutor executor{clock};
        ListeningUser user;
        std::vector<std::int16_t> recording;
        std::vector<std::int16_t> heard;
        SampleRate heardAt;
        bool isDiskFull = false;
        std::unique_ptr<RecordedVoiceIo> voice;
    };

private Q_SLOTS:
    void recording_IsSpokenInRealTimeThenSilence()
    {
        World world(12'000);
        world.executor.advance(Milliseconds{200});
        QCOMPARE(world.user.captured.size(), std::size_t{4800});
        QCOMPARE(world.user.ends, 0);
        world.executor.advance(Milliseconds{800});
        QCOMPARE(world.user.captured.size(), std::size_t{24'000});
        QVERIFY(std::equal(world.recording.begin(), world.recording.end(), world.user.captured.begin()));
        QVERIFY(std::all_of(
            world.user.captured.begin() + 12'000, world.user.captured.end(), [](auto s) { return s == 0; }));
        QCOMPARE(world.user.ends, 1);
        QVERIFY(world.user.longest <= 2400);
    }

    void fast_SpeaksEightTimesAsFastButWaitsInRealTime()
    {
        World world(24'000, Pace::Fast);
        world.executor.advance(Milliseconds{200});
        QVERIFY(world.user.captured.size() >= 24'000);
        const std::size_t before = world.user.captured.size();
        world.executor.advance(Milliseconds{1000});
        QCOMPARE(world.user.captured.size() - before, std::size_t{24'000});
    }

    void machineThatSlept_DoesNotSpeakFasterForLong()
    {
        World world(48'000);
        world.clock.advance(Milliseconds{60'000});
        world.executor.advance(Milliseconds{20});
        QVERIFY(world.user.captured.size() <= 12'480);
    }

    void playback_IsHeardAtThePaceOfItsSound()
    {
        World world(0);
        world.voice->play("a", 0, std::vector<std::int16_t>(24'000, 5));
        world.voice->finishItem("a");
        world.executor.advance(Milliseconds{400});
        QCOMPARE(world.heard.size(), std::size_t{9600});
        QVERIFY(world.voice->isPlaying());
        world.executor.advance(Milliseconds{600});
        QCOMPARE(world.heard.size(), std::size_t{24'000});
        QCOMPARE(world.user.drains, 1);
        QVERIFY(!world.voice->isPlaying());
    }

    void interrupt_TellsToTheMillisecondWhatWasHeard()
    {
        World world(0);
        world.voice->play("a", 2, std::vector<std::int16_t>(24'000, 5));
        world.executor.advance(Milliseconds{340});
        const HeardAudio heard = world.voice->interrupt();
        QCOMPARE(heard.itemId, std::string("a"));
        QCOMPARE(heard.contentIndex, 2);
        QCOMPARE(heard.heard, Milliseconds{340});
        QVERIFY(!heard.wasWhole);
        world.executor.advance(Milliseconds{500});
        QCOMPARE(world.heard.size(), std::size_t{8160});
        QVERIFY(world.voice->interrupt().itemId.empty());
    }

    void otherRates_AreSpokenAndHeardInTheSameTime()
    {
        World world(24'000);
        world.voice->useRates({SampleRate{16'000}, SampleRate{48'000}});
        world.voice->play("a", 0, std::vector<std::int16_t>(48'000, 5));
        world.executor.advance(Milliseconds{500});
        QCOMPARE(world.user.captured.size(), std::size_t{8'000});
        QVERIFY(world.user.longest <= 1'600);
        QCOMPARE(world.heard.size(), std::size_t{24'000});
        QCOMPARE(world.heardAt, SampleRate{48'000});
        QCOMPARE(world.voice->spoken(), Milliseconds{500});
        // Others in the middle of it: what was said and heard stays so.
        world.voice->useRates({SampleRate{48'000}, SampleRate{16'000}});
        QCOMPARE(world.voice->spoken(), Milliseconds{500});
        QCOMPARE(world.voice->heardInAll(), Milliseconds{500});
        world.executor.advance(Milliseconds{300});
        QCOMPARE(world.user.captured.size(), std::size_t{8'000 + 14'400});
        QCOMPARE(world.heard.size(), std::size_t{24'000 + 4'800});
        QCOMPARE(world.voice->interrupt().heard, Milliseconds{800});
        QCOMPARE(world.voice->heardInAll(), Milliseconds{800});
        world.executor.advance(Milliseconds{200});
        QCOMPARE(world.user.ends, 1);
    }

    void replies_AreWrittenAtTheRateAtWhichTheyCome()
    {
        const QTemporaryDir folder;
        const std::string path = folder.filePath(QStringLiteral("reply.wav")).toStdString();
        auto file = cli::ReplyRecording::create(path);
        QVERIFY(file);
        QVERIFY(file->write(std::vector<std::int16_t>(48'000, 5'000), SampleRate{48'000}));
        // Another server goes on with it: the file has one rate.
        std::vector<std::int16_t> more(16'000, 5'000);
        std::fill(more.end() - 64, more.end(), std::int16_t{-5'000});
        QVERIFY(file->write(more, SampleRate{16'000}));
        QVERIFY(file->write(std::vector<std::int16_t>(4'800, 2'000), SampleRate{48'000}));
        QVERIFY(file->write(more, SampleRate{16'000}));
        QVERIFY(file->finish());
        const auto written = dsp::readWav(path, SampleRate{48'000});
        QVERIFY(written);
        QVERIFY2(std::abs(static_cast<long>(written->size()) - 148'800) < 10, std::to_string(written->size()).c_str());
        // With neither a gap before it nor its end missing.
        const auto isNear = [&](std::size_t at, int value) { return std::abs((*written)[at] - value) < 500; };
        QVERIFY(isNear(48'100, 5'000) && isNear(95'900, -5'000) && isNear(96'100, 2'000) && isNear(148'700, -5'000));
        QFile header(QString::fromStdString(path));
        QVERIFY(header.open(QIODevice::ReadOnly));
        QCOMPARE(qFromLittleEndian<quint32>(header.read(28).constData() + 24), 48'000U);
    }

    void underrun_IsWaitedForAndCountsNothing()
    {
        World world(0);
        world.voice->play("a", 0, std::vector<std::int16_t>(2400, 5));
        world.executor.advance(Milliseconds{500});
        QCOMPARE(world.user.drains, 0);
        QCOMPARE(world.voice->interrupt().heard, Milliseconds{100});
    }

    void nextItem_FollowsThoughTheFirstWasNeverFinished()
    {
        World world(0);
        world.voice->play("a", 0, std::vector<std::int16_t>(2400, 5));
        world.voice->play("b", 0, std::vector<std::int16_t>(2400, 6));
        world.voice->finishItem("b");
        world.executor.advance(Milliseconds{300});
        QCOMPARE(world.heard.size(), std::size_t{4800});
        QCOMPARE(world.user.drains, 1);
    }

    void fullDisk_EndsTheConversationWithItsCode()
    {
        World world(0);
        world.isDiskFull = true;
        world.voice->play("a", 0, std::vector<std::int16_t>(2400, 5));
        world.executor.advance(Milliseconds{40});
        QCOMPARE(world.user.failure.value(), ErrorCode::OutputUnwritable);
    }

    void stop_IsSilentAtOnce()
    {
        World world(24'000);
        world.executor.advance(Milliseconds{100});
        world.voice->stop();
        const std::size_t before = world.user.captured.size();
        world.executor.advance(Milliseconds{500});
        QCOMPARE(world.user.captured.size(), before);
    }
};

QTEST_GUILESS_MAIN(RecordedVoiceIoTest)
#include "test_recorded_voice_io.moc"
