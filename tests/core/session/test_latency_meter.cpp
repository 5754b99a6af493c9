#include "core/session/latency_meter.h"
#include "tests/support/manual_clock.h"

#include <QTest>

using namespace vivavoce::core;
using vivavoce::tests::ManualClock;

class LatencyMeterTest : public QObject {
    Q_OBJECT

    /// Sends audio in real time, 20 ms a piece.
    static void speak(LatencyMeter& meter, ManualClock& clock, Milliseconds duration)
    {
        for (Milliseconds sent{0}; sent < duration; sent += Milliseconds{20}) {
            clock.advance(Milliseconds{20});
            meter.audioSent(FrameCount{480}, clock.now());
        }
    }

private Q_SLOTS:
    void spokenTurn_CountsFromTheLastWordNotFromTheProvidersWord()
    {
        ManualClock clock;
        LatencyMeter meter;
        speak(meter, clock, Milliseconds{2'500});
        // The last word ended at 2,000 ms; the provider heard 500 ms of silence and said so 30 ms later.
        clock.advance(Milliseconds{30});
        meter.speechStopped(Milliseconds{2'500}, Milliseconds{500}, clock.now());
        clock.advance(Milliseconds{90});
        const auto latency = meter.replyStarted("resp_1", clock.now());
        QVERIFY(latency.has_value());
        QCOMPARE(latency->fromTurnEnd, Milliseconds{90});
        QCOMPARE(latency->fromEndOfSpeech.value(), Milliseconds{620});
    }

    void typedTurn_HasNoEndOfSpeech()
    {
        ManualClock clock;
        LatencyMeter meter;
        meter.textSent(clock.now());
        clock.advance(Milliseconds{70});
        const auto latency = meter.replyStarted("resp_1", clock.now());
        QVERIFY(latency.has_value());
        QVERIFY(!latency->fromEndOfSpeech.has_value());
        QCOMPARE(latency->fromTurnEnd, Milliseconds{70});
    }

    void replyOfTheProvidersOwnAccord_IsNotMeasured()
    {
        ManualClock clock;
        LatencyMeter meter;
        QVERIFY(!meter.replyStarted("resp_1", clock.now()).has_value());
        meter.textSent(clock.now());
        QVERIFY(meter.replyStarted("resp_2", clock.now()).has_value());
        QVERIFY(!meter.replyStarted("resp_3", clock.now()).has_value());
    }

    void newSession_CountsFromZeroAgain()
    {
        ManualClock clock;
        LatencyMeter meter;
        speak(meter, clock, Milliseconds{10'000});
        meter.reset();
        speak(meter, clock, Milliseconds{1'000});
        meter.speechStopped(Milliseconds{1'000}, Milliseconds{500}, clock.now());
        const auto latency = meter.replyStarted("resp_1", clock.now());
        QCOMPARE(latency->fromEndOfSpeech.value(), Milliseconds{500});
    }

    void positionBeyondWhatWasSent_IsNotInvented()
    {
        ManualClock clock;
        LatencyMeter meter;
        speak(meter, clock, Milliseconds{1'000});
        meter.speechStopped(Milliseconds{9'000}, Milliseconds{500}, clock.now());
        QVERIFY(!meter.replyStarted("resp_1", clock.now())->fromEndOfSpeech.has_value());
    }
};

QTEST_GUILESS_MAIN(LatencyMeterTest)
#include "test_latency_meter.moc"
