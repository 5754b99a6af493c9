#include "app/cli/turn_watch.h"
#include "tests/support/manual_clock.h"

#include <QTest>

using namespace vivavoce::core;
using vivavoce::cli::TurnWatch;
using vivavoce::tests::ManualClock;

class TurnWatchTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void answeredRecording_IsOverOnceItIsQuiet()
    {
        ManualClock clock;
        TurnWatch watch(0);
        watch.activityChanged(Activity::HearingUser, clock.now());
        watch.inputEnded(clock.now());
        watch.activityChanged(Activity::Speaking, clock.now());
        watch.replyEnded();
        clock.advance(Milliseconds{5'000});
        QVERIFY2(!watch.isOver(clock.now(), false), "the answer is still being heard");
        watch.activityChanged(Activity::Listening, clock.now());
        QVERIFY2(!watch.isOver(clock.now(), false), "another turn may still be ending");
        clock.advance(Milliseconds{1'500});
        QVERIFY(watch.isOver(clock.now(), false));
        QVERIFY2(!watch.isOver(clock.now(), true), "there is more to say");
    }

    void recordingThatStillRuns_IsNotOver()
    {
        ManualClock clock;
        TurnWatch watch(0);
        watch.replyEnded();
        clock.advance(Milliseconds{60'000});
        QVERIFY(!watch.isOver(clock.now(), false));
    }

    void countedTurns_EndItAtTheLast()
    {
        ManualClock clock;
        TurnWatch watch(2);
        watch.replyEnded();
        QVERIFY(!watch.isOver(clock.now(), true));
        watch.replyEnded();
        QVERIFY(watch.isOver(clock.now(), true));
        watch.activityChanged(Activity::RunningTool, clock.now());
        QVERIFY(!watch.isOver(clock.now(), true));
    }

    void countedTurns_AreNoMatterOfARecordingsAnswer()
    {
        ManualClock clock;
        TurnWatch watch(2);
        watch.inputEnded(clock.now());
        watch.replyEnded();
        watch.activityChanged(Activity::Listening, clock.now());
        clock.advance(Milliseconds{1'500});
        QVERIFY2(watch.isAnswered(clock.now()), "the typed words may follow");
        QVERIFY(!watch.hasEnough());
        QVERIFY(!watch.isOver(clock.now(), true));
        watch.replyEnded();
        QVERIFY(watch.hasEnough());
    }

    void countedTurns_AreNotWaitedForOnceEverythingIsAnswered()
    {
        ManualClock clock;
        TurnWatch watch(5);
        watch.inputEnded(clock.now());
        watch.replyEnded();
        watch.activityChanged(Activity::Listening, clock.now());
        clock.advance(Milliseconds{1'500});
        QVERIFY(!watch.isOver(clock.now(), true));
        QVERIFY(watch.isOver(clock.now(), false));
    }

    void reply_IsOverdueAfterThirtySecondsOfThinking()
    {
        ManualClock clock;
        TurnWatch watch(0);
        clock.advance(Milliseconds{60'000});
        QVERIFY2(!watch.isReplyOverdue(clock.now()), "nobody waits for one");
        watch.activityChanged(Activity::Thinking, clock.now());
        clock.advance(Milliseconds{20'000});
        QVERIFY(!watch.isReplyOverdue(clock.now()));
        clock.advance(Milliseconds{10'000});
        QVERIFY(watch.isReplyOverdue(clock.now()));
        watch.activityChanged(Activity::Speaking, clock.now());
        QVERIFY(!watch.isReplyOverdue(clock.now()));
    }

    void silentRecording_IsToldAfterAWhile()
    {
        ManualClock clock;
        TurnWatch watch(0);
        watch.inputEnded(clock.now());
        QVERIFY(!watch.heardNothing(clock.now()));
        clock.advance(Milliseconds{4'000});
        QVERIFY(watch.heardNothing(clock.now()));
        watch.activityChanged(Activity::HearingUser, clock.now());
        watch.activityChanged(Activity::Listening, clock.now());
        QVERIFY(!watch.heardNothing(clock.now()));
    }
};

QTEST_GUILESS_MAIN(TurnWatchTest)
#include "test_turn_watch.moc"
