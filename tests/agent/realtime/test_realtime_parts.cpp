#include "agent/realtime/client_secrets.h"
#include "agent/realtime/event_writer.h"
#include "agent/realtime/speech_workers.h"
#include "agent/realtime/transcript_growth.h"
#include "agent/realtime/turn_detector.h"

#include <QtTest>

#include <future>

using namespace vivavoce::agent::realtime;
using vivavoce::core::Milliseconds;
using Change = TurnDetector::Change;

class TestRealtimeParts : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void turnDetector_AfterSpeechAndSilence_StartsAndStopsOnce()
    {
        TurnDetector detector;
        detector.configure({});
        int started = 0;
        int stopped = 0;
        int stopFrame = 0;
        for (int frame = 0; frame < 200; ++frame) {
            const Change change = detector.accept(frame >= 20 && frame < 80);
            started += change == Change::Started ? 1 : 0;
            stopped += change == Change::Stopped ? 1 : 0;
            stopFrame = change == Change::Stopped ? frame : stopFrame;
        }
        QCOMPARE(started, 1);
        QCOMPARE(stopped, 1);
        QCOMPARE(stopFrame, 129);
    }

    void turnDetector_OnClicks_StaysQuiet()
    {
        TurnDetector detector;
        detector.configure({});
        for (int frame = 0; frame < 300; ++frame) {
            QCOMPARE(detector.accept(frame % 5 == 0), Change::None);
        }
    }

    void turnDetector_WithHigherThreshold_WantsMoreSpeech()
    {
        TurnDetection strict;
        strict.threshold = 1.0;
        TurnDetection lax;
        lax.threshold = 0.0;
        const auto framesToStart = [](const TurnDetection& settings) {
            TurnDetector detector;
            detector.configure(settings);
            int frames = 1;
            while (detector.accept(true) != Change::Started) {
                ++frames;
            }
            return frames;
        };
        QCOMPARE(framesToStart(lax), 2);
        QCOMPARE(framesToStart(strict), 10);
    }

    void growth_OfPartials_TellsOnlyWhatStays()
    {
        TranscriptGrowth growth;
        QCOMPARE(growth.partial("what"), std::string());
        QCOMPARE(growth.partial("what time"), std::string());
        QCOMPARE(growth.partial("what time is"), std::string("what"));
        QCOMPARE(growth.partial("what lime is it"), std::string());
        QCOMPARE(growth.partial("what lime is it now"), std::string(" lime is"));
        QCOMPARE(growth.finish("what lime is it now"), std::string(" it now"));
    }

    void growth_WhenTheEndDiffers_AddsNothing()
    {
        TranscriptGrowth growth;
        (void)growth.partial("set a timer for");
        QCOMPARE(growth.partial("set a timer for"), std::string("set a timer"));
        QCOMPARE(growth.finish("get a timer"), std::string());
        QCOMPARE(TranscriptGrowth().finish("stop"), std::string("stop"));
    }

    void pool_WhenFull_RefusesAndRunsTheRest()
    {
        WorkerPool pool(1, 2);
        std::promise<void> release;
        std::promise<void> running;
        std::promise<void> last;
        auto released = release.get_future().share();
        QVERIFY(pool.submit([&] {
            running.set_value();
            released.wait();
        }));
        running.get_future().wait();
        QVERIFY(pool.submit([] {}));
        QVERIFY(pool.submit([&] { last.set_value(); }));
        QVERIFY(!pool.submit([] {}));
        release.set_value();
        last.get_future().wait();
        pool.stop();
        QVERIFY(!pool.submit([] {}));
    }

    void lane_OnManyThreads_KeepsTheOrder()
    {
        WorkerPool pool(4, 100);
        const auto lane = std::make_shared<SerialLane>(pool);
        std::vector<int> order;
        std::promise<void> done;
        for (int i = 0; i < 200; ++i) {
            QVERIFY(lane->post(1, [&order, i] { order.push_back(i); }));
        }
        QVERIFY(lane->post(0, [&done] { done.set_value(); }));
        done.get_future().wait();
        QCOMPARE(order.size(), std::size_t{200});
        QVERIFY(std::is_sorted(order.begin(), order.end()));
        lane->close();
        QVERIFY(!lane->post(0, [] {}));
        pool.stop();
        QCOMPARE(lane->cost(), std::size_t{0});
    }

    void secrets_UntilTheyExpire_OpenWithTheirSettings()
    {
        std::int64_t now = 1'000;
        ClientSecrets secrets([&now] { return now; });
        vivavoce::core::openai::Session settings;
        settings.instructions = "be kind";
        const auto minted = secrets.mint(60, settings);
        QVERIFY(minted.has_value());
        QVERIFY(minted->value.starts_with("ek_") && minted->value.size() > 40);
        QCOMPARE(minted->expiresAt, std::int64_t{1'060});
        QVERIFY(secrets.sessionOf(minted->value) == settings);
        QVERIFY(secrets.sessionOf(minted->value) == settings);
        QVERIFY(!secrets.sessionOf(minted->value + "x").has_value());
        QVERIFY(!secrets.sessionOf("").has_value());
        now = 1'060;
        QVERIFY(!secrets.sessionOf(minted->value).has_value());
        (void)secrets.mint(60, {});
        QCOMPARE(secrets.live(), std::size_t{1});
    }

    void secrets_WhenTooManyLive_AreRefused()
    {
        ClientSecrets secrets([] { return std::int64_t{0}; });
        for (std::size_t i = 0; i < ClientSecrets::kMaxLive; ++i) {
            QVERIFY(secrets.mint(60, {}).has_value());
        }
        QVERIFY(!secrets.mint(60, {}).has_value());
    }

    void writer_AfterClosing_TakesNothingMore()
    {
        EventWriter writer;
        writer.send(vivavoce::core::openai::InputAudioBufferCleared{});
        writer.close(1001, "bye");
        writer.send(vivavoce::core::openai::InputAudioBufferCleared{});
        QVERIFY(writer.take().has_value());
        QVERIFY(!writer.take().has_value());
        QCOMPARE(writer.backlog(), std::size_t{0});
        QCOMPARE(writer.closing()->code, std::uint16_t{1001});
    }
};

QTEST_GUILESS_MAIN(TestRealtimeParts)
#include "test_realtime_parts.moc"
