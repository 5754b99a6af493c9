#include "audio/rt/capture_callback.h"
#include "audio/rt/level_meter.h"
#include "audio/rt/playback_callback.h"
#include "audio/rt/sample_ring.h"
#include "tests/audio/realtime_guard.h"

#include <QTest>

#include <array>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#ifdef Q_OS_UNIX
#include "tests/audio/aborts.h"
#endif

using namespace vivavoce::audio::rt;
using vivavoce::tests::isRealtimeGuarded;
#ifdef Q_OS_UNIX
using vivavoce::tests::aborts;
#endif

namespace {

std::vector<std::int16_t> counting(int from, std::size_t count)
{
    std::vector<std::int16_t> samples(count);
    std::iota(samples.begin(), samples.end(), static_cast<std::int16_t>(from));
    return samples;
}

} // namespace

class AudioRtTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void ring_AcrossItsEnd_GivesWhatWasWritten()
    {
        SampleRing ring(7);
        std::vector<std::int16_t> out(5);
        for (int round = 0; round < 20; ++round) {
            const auto in = counting(round * 5, 5);
            QCOMPARE(ring.write(in), std::size_t{5});
            QCOMPARE(ring.fill(), std::size_t{5});
            QCOMPARE(ring.read(out), std::size_t{5});
            QVERIFY(out == in);
        }
        QCOMPARE(ring.written(), std::uint64_t{100});
        QCOMPARE(ring.taken(), std::uint64_t{100});
    }

    void ring_WhenFull_TakesWhatFits()
    {
        SampleRing ring(8);
        QCOMPARE(ring.write(counting(0, 5)), std::size_t{5});
        QCOMPARE(ring.write(counting(5, 5)), std::size_t{3});
        QCOMPARE(ring.write(counting(9, 1)), std::size_t{0});
        std::vector<std::int16_t> out(20);
        QCOMPARE(ring.read(out), std::size_t{8});
        QVERIFY(std::equal(out.begin(), out.begin() + 8, counting(0, 8).begin()));
        QCOMPARE(ring.read(out), std::size_t{0});
    }

    void ring_SkippedTo_StaysBetweenItsEnds()
    {
        SampleRing ring(8);
        ring.write(counting(0, 6));
        ring.skipTo(4);
        QCOMPARE(ring.taken(), std::uint64_t{4});
        ring.skipTo(2);
        QCOMPARE(ring.taken(), std::uint64_t{4});
        ring.skipTo(100);
        QCOMPARE(ring.taken(), std::uint64_t{6});
    }

    void ring_BetweenTwoThreads_LosesAndReordersNothing()
    {
        SampleRing ring(1000);
        constexpr std::size_t kTotal = 3'000'000;
        std::thread writer([&] {
            std::size_t at = 0;
            std::array<std::int16_t, 173> piece{};
            while (at < kTotal) {
                const std::size_t count = std::min(piece.size(), kTotal - at);
                for (std::size_t i = 0; i < count; ++i) {
                    piece[i] = static_cast<std::int16_t>((at + i) % 30011);
                }
                at += ring.write(std::span(piece).first(count));
            }
        });
        std::size_t at = 0;
        std::size_t wrong = 0;
        std::array<std::int16_t, 211> piece{};
        while (at < kTotal) {
            const std::size_t count = ring.read(piece);
            for (std::size_t i = 0; i < count; ++i) {
                wrong += piece[i] == static_cast<std::int16_t>((at + i) % 30011) ? 0 : 1;
            }
            at += count;
        }
        writer.join();
        QCOMPARE(wrong, std::size_t{0});
    }

    void capture_OfSeveralChannels_AveragesThem()
    {
        SampleRing ring(1000);
        CaptureCallback callback(ring);
        std::vector<std::int16_t> stereo;
        for (int i = 0; i < 300; ++i) {
            stereo.push_back(static_cast<std::int16_t>(i * 10));
            stereo.push_back(static_cast<std::int16_t>(i * 10 + 4));
        }
        callback(stereo.data(), 300, 2);
        std::vector<std::int16_t> mono(300);
        QCOMPARE(ring.read(mono), std::size_t{300});
        for (std::size_t i = 0; i < 300; ++i) {
            QCOMPARE(int{mono[i]}, static_cast<int>(i) * 10 + 2);
        }
        const std::array<std::int16_t, 2> loudest{32767, 32767};
        callback(loudest.data(), 1, 2);
        QCOMPARE(ring.read(mono), std::size_t{1});
        QCOMPARE(int{mono[0]}, 32767);
    }

    void capture_IntoAFullRing_CountsWhatIsLost()
    {
        SampleRing ring(100);
        CaptureCallback callback(ring);
        const auto samples = counting(0, 150);
        callback(samples.data(), 150, 1);
        QCOMPARE(callback.dropped(), std::uint64_t{50});
        QCOMPARE(callback.frames(), std::uint64_t{150});
    }

    void playback_OfAnEmptyRing_IsSilenceAndCounted()
    {
        SampleRing ring(1000);
        PlaybackCallback callback(ring, 10);
        ring.write(counting(1, 100));
        std::vector<std::int16_t> out(2 * 400, 99);
        callback(out.data(), 400, 2);
        for (std::size_t i = 0; i < 400; ++i) {
            const int expected = i < 100 ? static_cast<int>(i) + 1 : 0;
            QCOMPARE(int{out[2 * i]}, expected);
            QCOMPARE(int{out[2 * i + 1]}, expected);
        }
        QCOMPARE(callback.starved(), std::uint64_t{300});
        QCOMPARE(callback.longestCall(), std::size_t{400});
    }

    void cut_FadesOutAndDropsTheRest()
    {
        SampleRing ring(1000);
        PlaybackCallback callback(ring, 100);
        ring.write(std::vector<std::int16_t>(800, 10'000));
        std::vector<std::int16_t> out(50);
        callback(out.data(), 50, 1);
        QCOMPARE(int{out[49]}, 10'000);
        callback.cut();
        QVERIFY(!callback.isCut());
        ring.write(std::vector<std::int16_t>(50, 77));
        std::vector<std::int16_t> after(200);
        callback(after.data(), 200, 1);
        QVERIFY(callback.isCut());
        for (std::size_t i = 0; i < 100; ++i) {
            QVERIFY(after[i] <= 10'000 && after[i] >= 0);
            QVERIFY(i == 0 || after[i] < after[i - 1]);
        }
        QCOMPARE(int{after[99]}, 0);
        // What was written after the cut follows at once, and then silence.
        QCOMPARE(int{after[100]}, 77);
        QCOMPARE(int{after[149]}, 77);
        QCOMPARE(int{after[150]}, 0);
    }

    void cut_TwiceWhileFading_DoesNotGetLoudAgain()
    {
        SampleRing ring(1000);
        PlaybackCallback callback(ring, 100);
        ring.write(std::vector<std::int16_t>(500, 10'000));
        callback.cut();
        std::vector<std::int16_t> out(50);
        callback(out.data(), 50, 1);
        ring.write(std::vector<std::int16_t>(100, 10'000));
        callback.cut();
        std::vector<std::int16_t> after(200, 1);
        callback(after.data(), 200, 1);
        QVERIFY(after[0] < out[49]);
        QCOMPARE(int{after[49]}, 0);
        QCOMPARE(int{after[60]}, 0);
        QVERIFY(callback.isCut());
    }

    void played_IsWhatTheDeviceGot_AlsoAcrossCutsAndGaps()
    {
        SampleRing ring(4000);
        SampleRing played(8000);
        PlaybackCallback callback(ring, 100, &played);
        std::vector<std::int16_t> got;
        const auto call = [&](std::size_t frames) {
            std::vector<std::int16_t> out(2 * frames);
            callback(out.data(), frames, 2);
            for (std::size_t i = 0; i < frames; ++i) {
                got.push_back(out[2 * i]);
            }
        };
        ring.write(counting(1, 1000));
        call(300);
        callback.cut();
        ring.write(counting(5000, 200));
        call(700);
        callback.cut();
        call(500);
        std::vector<std::int16_t> told(got.size() + 1);
        QCOMPARE(played.read(told), got.size());
        told.pop_back();
        QVERIFY(told == got);
    }

    void meter_TellsTheLoudestSinceTheLastLook()
    {
        LevelMeter meter;
        meter.feed(std::array<std::int16_t, 3>{100, -2000, 500});
        meter.feed(std::array<std::int16_t, 2>{10, 20});
        QCOMPARE(meter.take(), 2000);
        QCOMPARE(meter.take(), 0);
        meter.feed(std::array<std::int16_t, 1>{-32768});
        QCOMPARE(meter.take(), 32768);
    }

    void deviceThread_AllocatesAndLocksNothing()
    {
        if (!isRealtimeGuarded()) {
            QSKIP("the guard cannot be linked under a sanitizer, or on this platform");
        }
        SampleRing ring(10'000);
        PlaybackCallback playback(ring, 100);
        CaptureCallback capture(ring);
        std::vector<std::int16_t> samples(2 * 2000, 5);
        // Aborts if it does.
        for (int i = 0; i < 20; ++i) {
            capture(samples.data(), 2000, 2);
            playback(samples.data(), 1500, 2);
            if (i % 3 == 0) {
                playback.cut();
            }
        }
    }

    void guard_WhereTheDeviceThreadAllocatesLocksOrLogs_Aborts()
    {
#ifdef Q_OS_UNIX
        if (!isRealtimeGuarded()) {
            QSKIP("the guard cannot be linked under a sanitizer, or on this platform");
        }
        QVERIFY(!aborts([] { const RealtimeScope scope; }));
        QVERIFY(!aborts([] { std::vector<int> outside(100); }));
        QVERIFY(aborts([] {
            const RealtimeScope scope;
            std::vector<int> inside(100);
            inside[3] = 1;
        }));
        std::mutex mutex;
        QVERIFY(aborts([&] {
            const RealtimeScope scope;
            const std::lock_guard lock(mutex);
        }));
        QVERIFY(aborts([] {
            const RealtimeScope scope;
            std::fputs("heard\n", stderr);
        }));
        QVERIFY(aborts([] {
            const RealtimeScope scope;
            std::fprintf(stderr, "heard %d\n", ::getpid());
        }));
        QVERIFY(aborts([] {
            const RealtimeScope scope;
            std::cerr << "heard\n";
        }));
#endif
    }
};

QTEST_APPLESS_MAIN(AudioRtTest)
#include "test_audio_rt.moc"
