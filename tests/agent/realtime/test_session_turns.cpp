#include "tests/agent/realtime/session_harness.h"

#include <QtTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

Json turnDetection(const Json& value)
{
    return {{"type", "session.update"},
        {"session",
            {{"type", "realtime"},
                {"audio", {{"input", {{"turn_detection", value}, {"transcription", {{"model", "local"}}}}}}}}}};
}

} // namespace

class TestSessionTurns : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void spokenTurn_IsHeardTranscribedAndAnswered()
    {
        SessionHarness h;
        h.start();
        h.send(turnDetection({{"type", "server_vad"}}));
        h.waitFor("session.updated");
        h.append(1'000, false);
        h.append(800, true);
        h.append(1'000, false);
        const Json started = h.waitFor("input_audio_buffer.speech_started");
        const Json stopped = h.waitFor("input_audio_buffer.speech_stopped");
        const Json committed = h.waitFor("input_audio_buffer.committed");
        const Json id = started.at("item_id");
        QCOMPARE(stopped.at("item_id"), id);
        QCOMPARE(committed.at("item_id"), id);
        const int start = started.at("audio_start_ms").get<int>();
        const int stop = stopped.at("audio_end_ms").get<int>();
        QVERIFY2(start >= 600 && start <= 720, qPrintable(QString::number(start)));
        QVERIFY2(stop >= 2'280 && stop <= 2'340, qPrintable(QString::number(stop)));
        QCOMPARE(h.waitFor("conversation.item.added").at("item").at("content").at(0).at("transcript"), Json(nullptr));
        h.waitFor("response.created");
        const Json completed = h.all("conversation.item.input_audio_transcription.completed").empty()
            ? h.waitFor("conversation.item.input_audio_transcription.completed")
            : h.all("conversation.item.input_audio_transcription.completed").front();
        QCOMPARE(completed.at("item_id"), id);
        QCOMPARE(completed.at("transcript"), Json("what time is it"));
        const int tokens = completed.at("usage").at("input_tokens").get<int>();
        QVERIFY2(tokens >= 16 && tokens <= 18, qPrintable(QString::number(tokens)));
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("completed"));
        QVERIFY(h.runUntil([&] { return h.recognisers.lent == 0; }));
        // All of the turn was listened to: prefix, speech and closing silence.
        QVERIFY2(h.recognisers.samples > 15'900 * 16 / 10 && h.recognisers.samples < 18'000 * 16 / 10,
            qPrintable(QString::number(h.recognisers.samples)));
    }

    void transcript_WhenNotAskedFor_IsNotTold()
    {
        SessionHarness h;
        std::string heard;
        h.brains.reply = [&heard](const agent::BrainRequest& request, agent::BrainSink& sink, std::stop_token) {
            heard = request.items.back().text;
            sink.onText("Yes.");
        };
        h.recognisers.partials = {"what", "what time"};
        h.start();
        h.append(500, true);
        h.append(700, false);
        h.waitFor("response.done");
        QCOMPARE(heard, std::string("what time is it"));
        for (const std::string& type : h.types()) {
            QVERIFY2(type.find("transcription") == std::string::npos, type.c_str());
        }
    }

    void partials_WhileTheUserSpeaks_OnlyGrow()
    {
        SessionHarness h;
        h.recognisers.partials = {"what", "what time", "what time is", "what time is it"};
        h.start();
        h.send(turnDetection({{"type", "server_vad"}}));
        h.append(500, true);
        h.append(500, true);
        h.append(700, false);
        const Json completed = h.waitFor("conversation.item.input_audio_transcription.completed");
        std::string told;
        for (const Json& delta : h.all("conversation.item.input_audio_transcription.delta")) {
            told += delta.at("delta").get<std::string>();
        }
        QCOMPARE(Json(told), completed.at("transcript"));
    }

    void speechOverAReply_CancelsItAtOnce()
    {
        SessionHarness h;
        h.voice.isHeld = true;
        h.start();
        h.send({{"type", "response.create"}});
        h.waitFor("response.output_audio.delta");
        h.append(300, true);
        h.waitFor("input_audio_buffer.speech_started");
        const Json done = h.waitFor("response.done").at("response");
        QCOMPARE(done.at("status"), Json("cancelled"));
        QCOMPARE(done.at("status_details").at("reason"), Json("turn_detected"));
        h.voice.isHeld = false;
        h.append(600, false);
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("completed"));
    }

    void speechOverAReply_WithoutInterrupting_IsAnsweredAfterwards()
    {
        SessionHarness h;
        h.voice.isHeld = true;
        h.start();
        h.send(turnDetection({{"type", "server_vad"}, {"interrupt_response", false}}));
        h.send({{"type", "response.create"}});
        h.waitFor("response.output_audio.delta");
        h.append(300, true);
        h.append(600, false);
        h.waitFor("input_audio_buffer.committed");
        h.settle();
        QCOMPARE(h.all("response.created").size(), std::size_t{1});
        h.voice.isHeld = false;
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("completed"));
        h.waitFor("response.created");
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("completed"));
    }

    void turn_WithoutCreateResponse_IsOnlyWrittenDown()
    {
        SessionHarness h;
        h.start();
        h.send(turnDetection({{"type", "server_vad"}, {"create_response", false}}));
        h.append(300, true);
        h.append(600, false);
        h.waitFor("conversation.item.input_audio_transcription.completed");
        h.settle();
        QVERIFY(h.all("response.created").empty());
    }

    void manualTurn_IsCommittedByTheClient()
    {
        SessionHarness h;
        h.start();
        h.send(turnDetection(nullptr));
        h.append(90, true);
        h.send({{"type", "input_audio_buffer.commit"}, {"event_id", "early"}});
        const Json error = h.waitFor("error").at("error");
        QCOMPARE(error.at("code"), Json("input_audio_buffer_commit_empty"));
        QCOMPARE(error.at("event_id"), Json("early"));
        h.append(900, false);
        h.send({{"type", "input_audio_buffer.commit"}});
        // The answer to a commit comes before that to what follows it.
        h.send({{"type", "response.create"}});
        const Json committed = h.waitFor("input_audio_buffer.committed");
        h.waitFor("response.created");
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("completed"));
        QCOMPARE(h.all("response.created").size(), std::size_t{1});
        QVERIFY(h.all("input_audio_buffer.speech_started").empty());
        h.send({{"type", "conversation.item.retrieve"}, {"item_id", committed.at("item_id")}});
        const Json part = h.waitFor("conversation.item.retrieved").at("item").at("content").at(0);
        QCOMPARE(core::decodeBase64(part.at("audio").get<std::string>())->size(), std::size_t{990 * 48});
        QCOMPARE(part.at("transcript"), Json("what time is it"));
    }

    void clear_ForgetsWhatWasAppended()
    {
        SessionHarness h;
        h.start();
        h.send(turnDetection(nullptr));
        h.append(500, true);
        h.send({{"type", "input_audio_buffer.clear"}});
        h.waitFor("input_audio_buffer.cleared");
        h.send({{"type", "input_audio_buffer.commit"}});
        QCOMPARE(h.waitFor("error").at("error").at("code"), Json("input_audio_buffer_commit_empty"));
        QVERIFY(h.runUntil([&] { return h.recognisers.lent == 0; }));
    }

    void recogniserThatFails_FailsTranscriptAndReply()
    {
        SessionHarness h;
        h.recognisers.isFailing = true;
        h.start();
        h.send(turnDetection({{"type", "server_vad"}}));
        h.append(300, true);
        h.append(600, false);
        h.waitFor("input_audio_buffer.committed");
        QVERIFY(!h.waitFor("conversation.item.input_audio_transcription.failed").is_null());
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("failed"));
    }

    void audioItem_IsRecognisedLikeATurn()
    {
        SessionHarness h;
        std::string heard;
        h.brains.reply = [&heard](const agent::BrainRequest& request, agent::BrainSink& sink, std::stop_token) {
            heard = request.items.back().text;
            sink.onText("Yes.");
        };
        h.start();
        h.send({{"type", "conversation.item.create"},
            {"item",
                {{"type", "message"}, {"role", "user"},
                    {"content", Json::array({{{"type", "input_audio"}, {"audio", base64Audio(400, true)}}})}}}});
        h.send({{"type", "response.create"}});
        h.waitFor("response.done");
        QCOMPARE(heard, std::string("what time is it"));
    }

    void idleTimeout_AfterAReply_AsksForTheUser()
    {
        SessionHarness h;
        h.start();
        h.send(turnDetection({{"type", "server_vad"}, {"idle_timeout_ms", 5'000}}));
        h.append(500, false);
        h.send({{"type", "response.create"}});
        h.waitFor("rate_limits.updated");
        h.executor->advance(core::Milliseconds{5'000});
        h.settle();
        QVERIFY(h.all("input_audio_buffer.timeout_triggered").empty());
        // The reply itself plays for 600 ms.
        h.executor->advance(core::Milliseconds{700});
        const Json timeout = h.waitFor("input_audio_buffer.timeout_triggered");
        QCOMPARE(timeout.at("audio_end_ms"), Json(500));
        QCOMPARE(h.waitFor("input_audio_buffer.committed").at("item_id"), timeout.at("item_id"));
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("completed"));
    }
};

QTEST_GUILESS_MAIN(TestSessionTurns)
#include "test_session_turns.moc"
