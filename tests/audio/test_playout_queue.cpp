#include "audio/internal/playout_queue.h"

#include <QTest>

#include <vector>

using namespace vivavoce;
using audio::PlayoutQueue;

namespace {

constexpr core::Milliseconds kNoPreBuffer{0};

std::vector<std::int16_t> tone(std::size_t samples, std::int16_t value = 1000)
{
    return std::vector<std::int16_t>(samples, value);
}

std::vector<std::int16_t> take(PlayoutQueue& queue, std::size_t samples)
{
    std::vector<std::int16_t> out(samples, 99);
    queue.take(out);
    return out;
}

} // namespace

class PlayoutQueueTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void take_OfNothing_IsSilence()
    {
        PlayoutQueue queue(kNoPreBuffer);
        QVERIFY(take(queue, 100) == tone(100, 0));
        QCOMPARE(queue.given(), std::uint64_t{100});
        QVERIFY(!queue.isPlaying());
        QVERIFY(!queue.heardUpTo(100));
    }

    void items_AreHeardOneAfterAnotherWithoutAGap()
    {
        PlayoutQueue queue(kNoPreBuffer);
        queue.play("a", 0, tone(30, 1));
        queue.play("b", 0, tone(30, 2));
        queue.finishItem("b");
        const auto out = take(queue, 100);
        QCOMPARE(int{out[29]}, 1);
        QCOMPARE(int{out[30]}, 2);
        QCOMPARE(int{out[59]}, 2);
        QCOMPARE(int{out[60]}, 0);
    }

    void start_WaitsForEnough_OrForTheEnd()
    {
        PlayoutQueue queue(core::Milliseconds{10});
        queue.play("a", 0, tone(239));
        QCOMPARE(int{take(queue, 50)[0]}, 0);
        queue.play("a", 0, tone(1));
        QCOMPARE(int{take(queue, 50)[0]}, 1000);
        // Once it plays it goes on down to the last sample.
        QCOMPARE(int{take(queue, 190)[189]}, 1000);

        PlayoutQueue brief(core::Milliseconds{10});
        brief.play("b", 0, tone(20));
        QCOMPARE(int{take(brief, 50)[0]}, 0);
        brief.finishItem("b");
        QCOMPARE(int{take(brief, 50)[0]}, 1000);
    }

    void gap_InTheMiddleOfAnItem_GathersAgainAndIsCounted()
    {
        PlayoutQueue queue(core::Milliseconds{10});
        queue.play("a", 0, tone(240));
        take(queue, 480);
        QCOMPARE(queue.starved(), core::Milliseconds{10});
        queue.play("a", 0, tone(100));
        QCOMPARE(int{take(queue, 240)[0]}, 0);
        queue.play("a", 0, tone(140));
        QCOMPARE(int{take(queue, 240)[0]}, 1000);
        QCOMPARE(queue.starved(), core::Milliseconds{20});
    }

    void cut_TellsWhatWasHeardToTheSample()
    {
        PlayoutQueue queue(kNoPreBuffer);
        take(queue, 1000);
        queue.play("a", 2, tone(24'000));
        take(queue, 12'000);
        // 1000 samples of silence came first; the rest of what was given out is still on its way to the ear.
        const core::HeardAudio heard = queue.cut(1000 + 4'824);
        QCOMPARE(heard.itemId, std::string("a"));
        QCOMPARE(heard.contentIndex, 2);
        QCOMPARE(heard.heard, core::Milliseconds{201});
        QVERIFY(!heard.wasWhole);
        QVERIFY(!queue.isPlaying());
        QVERIFY(take(queue, 100) == tone(100, 0));
    }

    void cut_AfterAGap_DoesNotCountTheSilence()
    {
        PlayoutQueue queue(kNoPreBuffer);
        queue.play("a", 0, tone(2'400));
        take(queue, 4'800);
        queue.play("a", 0, tone(24'000));
        take(queue, 2'400);
        QCOMPARE(queue.cut(7'200).heard, core::Milliseconds{200});
    }

    void cut_BeforeAnythingWasHeard_TellsNought()
    {
        PlayoutQueue queue(core::Milliseconds{60});
        queue.play("a", 0, tone(24));
        const core::HeardAudio heard = queue.cut(0);
        QCOMPARE(heard.itemId, std::string("a"));
        QCOMPARE(heard.heard, core::Milliseconds{0});
        QVERIFY(!heard.wasWhole);
    }

    void cut_BetweenTwoItems_TellsTheOneThatWasNotHeard()
    {
        PlayoutQueue queue(kNoPreBuffer);
        queue.play("a", 0, tone(240));
        queue.play("b", 0, tone(240));
        take(queue, 300);
        const core::HeardAudio heard = queue.cut(240);
        QCOMPARE(heard.itemId, std::string("b"));
        QCOMPARE(heard.heard, core::Milliseconds{0});
    }

    void cut_WhenAllWasHeard_SaysSo()
    {
        PlayoutQueue queue(kNoPreBuffer);
        queue.play("a", 0, tone(240));
        queue.finishItem("a");
        take(queue, 480);
        const core::HeardAudio heard = queue.cut(480);
        QCOMPARE(heard.itemId, std::string("a"));
        QVERIFY(heard.wasWhole);
        QVERIFY(queue.cut(480).itemId.empty());
    }

    void drained_OnlyWhenTheEarHasHadTheLastSample()
    {
        PlayoutQueue queue(kNoPreBuffer);
        queue.play("a", 0, tone(240));
        take(queue, 240);
        QVERIFY(!queue.heardUpTo(240));
        queue.finishItem("a");
        QVERIFY(!queue.heardUpTo(239));
        QVERIFY(queue.isPlaying());
        QVERIFY(queue.heardUpTo(240));
        QVERIFY(!queue.isPlaying());
        // Once.
        QVERIFY(!queue.heardUpTo(240));
    }

    void itemThatComesBack_AfterItWasFinished_GoesOn()
    {
        PlayoutQueue queue(kNoPreBuffer);
        queue.play("a", 0, tone(10));
        queue.finishItem("a");
        queue.play("a", 0, tone(10));
        take(queue, 20);
        QVERIFY(!queue.heardUpTo(20));
    }
};

QTEST_APPLESS_MAIN(PlayoutQueueTest)
#include "test_playout_queue.moc"
