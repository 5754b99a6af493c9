#include "tests/agent/realtime/session_harness.h"

#include "core/base/base64.h"

#include <QtTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

Json typed(const std::string& words, const std::string& id = {})
{
    Json item{
        {"type", "message"}, {"role", "user"}, {"content", Json::array({{{"type", "input_text"}, {"text", words}}})}};
    if (!id.empty()) {
        item["id"] = id;
    }
    return {{"type", "conversation.item.create"}, {"item", item}};
}

Json update(Json session)
{
    session["type"] = "realtime";
    return {{"type", "session.update"}, {"session", session}};
}

const Json kCreate{{"type", "response.create"}};

QStringList withoutDeltas(const std::vector<std::string>& types)
{
    QStringList list;
    for (const std::string& type : types) {
        if (!type.ends_with(".delta")) {
            list << QString::fromStdString(type);
        }
    }
    return list;
}

} // namespace

class TestSessionReplies : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void start_TellsTheSessionFirst()
    {
        SessionHarness h;
        h.start();
        QCOMPARE(h.received.size(), std::size_t{1});
        QCOMPARE(h.received.front().at("type"), Json("session.created"));
        QCOMPARE(h.received.front().at("session").at("object"), Json("realtime.session"));
        QVERIFY(h.received.front().at("event_id").get<std::string>().starts_with("event_"));
    }

    void audioReply_ComesInTheOrderOfThePublicApi()
    {
        SessionHarness h;
        h.start();
        h.send(typed("hello", "hello"));
        h.waitFor("conversation.item.done");
        const std::size_t from = h.received.size();
        h.send(kCreate);
        const Json done = h.waitFor("response.done").at("response");
        h.waitFor("rate_limits.updated");

        QCOMPARE(withoutDeltas(h.types(from)),
            (QStringList{"response.created", "response.output_item.added", "conversation.item.added",
                "response.content_part.added", "response.output_audio.done", "response.output_audio_transcript.done",
                "response.content_part.done", "conversation.item.done", "response.output_item.done", "response.done",
                "rate_limits.updated"}));
        const auto types = h.types(from);
        const auto firstText = std::find(types.begin(), types.end(), "response.output_audio_transcript.delta");
        const auto firstAudio = std::find(types.begin(), types.end(), "response.output_audio.delta");
        QVERIFY(firstText < firstAudio && firstAudio != types.end());

        std::string transcript;
        std::size_t bytes = 0;
        for (const Json& delta : h.all("response.output_audio_transcript.delta")) {
            transcript += delta.at("delta").get<std::string>();
        }
        for (const Json& delta : h.all("response.output_audio.delta")) {
            const auto audio = core::decodeBase64(delta.at("delta").get<std::string>());
            QVERIFY(audio && audio->size() % 2 == 0);
            bytes += audio->size();
        }
        QCOMPARE(transcript, std::string("It is noon. All is well."));
        // Two sentences of 300 ms at 24 kHz, give or take what a resampler rounds.
        QVERIFY2(bytes > 28'000 && bytes < 29'600, qPrintable(QString::number(bytes)));

        QCOMPARE(done.at("status"), Json("completed"));
        QCOMPARE(done.at("output").at(0).at("content").at(0).at("transcript"), Json(transcript));
        const Json usage = done.at("usage");
        QCOMPARE(usage.at("output_token_details").at("text_tokens"), Json(6));
        QVERIFY(usage.at("output_token_details").at("audio_tokens") >= 12);
        QCOMPARE(usage.at("total_tokens").get<int>(),
            usage.at("input_tokens").get<int>() + usage.at("output_tokens").get<int>());
        QCOMPARE(h.all("conversation.item.added").back().at("previous_item_id"), Json("hello"));
    }

    void textReply_HasNoAudio()
    {
        SessionHarness h;
        h.start();
        h.send(update({{"output_modalities", {"text"}}}));
        h.waitFor("session.updated");
        h.send(typed("hello"));
        h.waitFor("conversation.item.done");
        const std::size_t from = h.received.size();
        h.send(kCreate);
        h.waitFor("rate_limits.updated");
        QCOMPARE(withoutDeltas(h.types(from)),
            (QStringList{"response.created", "response.output_item.added", "conversation.item.added",
                "response.content_part.added", "response.output_text.done", "response.content_part.done",
                "conversation.item.done", "response.output_item.done", "response.done", "rate_limits.updated"}));
        QCOMPARE(h.voice.sentences.load(), 0);
    }

    void functionCall_ThenItsOutput_LeadsToASpokenReply()
    {
        SessionHarness h;
        std::string seenOutput;
        h.brains.reply = [&](const agent::BrainRequest& request, agent::BrainSink& sink, std::stop_token) {
            if (request.items.back().kind == agent::DialogueItem::Kind::FunctionOutput) {
                seenOutput = request.items.back().text;
                sink.onText("It rains.");
            } else {
                sink.onFunctionCall(request.tools.at(0).name, R"({"city":"Rome"})");
            }
        };
        h.start();
        h.send(update({{"tools",
            Json::array({{{"type", "function"}, {"name", "weather"}, {"parameters", {{"type", "object"}}}}})}}));
        h.send(typed("weather in rome"));
        h.send(kCreate);
        const Json arguments = h.waitFor("response.function_call_arguments.done");
        QCOMPARE(arguments.at("name"), Json("weather"));
        QCOMPARE(arguments.at("arguments"), Json(R"({"city":"Rome"})"));
        const Json done = h.waitFor("response.done").at("response");
        QCOMPARE(done.at("output").at(0).at("type"), Json("function_call"));
        QCOMPARE(done.at("output").at(0).at("call_id"), arguments.at("call_id"));

        h.send({{"type", "conversation.item.create"},
            {"item", {{"type", "function_call_output"}, {"call_id", "call_unknown"}, {"output", "1"}}}});
        QCOMPARE(h.waitFor("error").at("error").at("param"), Json("item.call_id"));
        h.send({{"type", "conversation.item.create"},
            {"item", {{"type", "function_call_output"}, {"call_id", arguments.at("call_id")}, {"output", "rain"}}}});
        h.send(kCreate);
        QCOMPARE(h.waitFor("response.done").at("response").at("output").at(0).at("content").at(0).at("transcript"),
            Json("It rains."));
        QCOMPARE(seenOutput, std::string("rain"));
    }

    void textBeforeACall_IsSpokenInAnItemOfItsOwn()
    {
        SessionHarness h;
        h.brains.reply = [](const agent::BrainRequest&, agent::BrainSink& sink, std::stop_token) {
            sink.onText("Let me look");
            sink.onFunctionCall("f", "{}");
        };
        h.start();
        h.send(kCreate);
        const Json output = h.waitFor("response.done").at("response").at("output");
        QCOMPARE(output.size(), std::size_t{2});
        QCOMPARE(output.at(0).at("type"), Json("message"));
        QCOMPARE(output.at(1).at("type"), Json("function_call"));
        QCOMPARE(h.all("response.output_item.done").at(1).at("output_index"), Json(1));
    }

    void secondResponse_WhileOneIsActive_IsRefused()
    {
        SessionHarness h;
        h.voice.isHeld = true;
        h.start();
        h.send(kCreate);
        h.waitFor("response.output_audio.delta");
        h.send({{"type", "response.create"}, {"event_id", "mine"}});
        const Json error = h.waitFor("error").at("error");
        QCOMPARE(error.at("code"), Json("conversation_already_has_active_response"));
        QCOMPARE(error.at("event_id"), Json("mine"));
        h.voice.isHeld = false;
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("completed"));
    }

    void cancel_WhileSpeaking_EndsTheReplyAtOnce()
    {
        SessionHarness h;
        h.voice.isHeld = true;
        h.start();
        h.send(kCreate);
        h.waitFor("response.output_audio.delta");
        h.send({{"type", "response.cancel"}});
        const Json done = h.waitFor("response.done").at("response");
        QCOMPARE(done.at("status"), Json("cancelled"));
        QCOMPARE(done.at("status_details").at("reason"), Json("client_cancelled"));
        QCOMPARE(done.at("output").at(0).at("status"), Json("incomplete"));
        QVERIFY(done.at("usage").at("output_tokens") > 0);
        const std::size_t after = h.all("response.output_audio.delta").size();
        h.send({{"type", "response.cancel"}});
        QCOMPARE(h.waitFor("error").at("error").at("code"), Json("response_cancel_not_active"));
        h.settle();
        QCOMPARE(h.all("response.output_audio.delta").size(), after);
    }

    void truncate_AfterACancel_ForgetsTheUnheardWords()
    {
        SessionHarness h;
        h.start();
        h.send(kCreate);
        const Json item = h.waitFor("response.done").at("response").at("output").at(0);
        const Json id = item.at("id");
        h.send(
            {{"type", "conversation.item.truncate"}, {"item_id", id}, {"content_index", 0}, {"audio_end_ms", 60'000}});
        QCOMPARE(h.waitFor("error").at("error").at("code"), Json("item_truncate_invalid_audio_end_ms"));
        h.send({{"type", "conversation.item.truncate"}, {"item_id", id}, {"content_index", 0}, {"audio_end_ms", 310}});
        QCOMPARE(h.waitFor("conversation.item.truncated").at("audio_end_ms"), Json(310));
        h.send({{"type", "conversation.item.retrieve"}, {"item_id", id}});
        const Json part = h.waitFor("conversation.item.retrieved").at("item").at("content").at(0);
        QCOMPARE(part.at("transcript"), Json("It is noon."));
        QCOMPARE(core::decodeBase64(part.at("audio").get<std::string>())->size(), std::size_t{310 * 48});
    }

    void outOfBandReply_LeavesTheConversationAlone()
    {
        SessionHarness h;
        h.voice.isHeld = true;
        h.start();
        h.send(kCreate);
        h.waitFor("response.output_audio.delta");
        const std::size_t from = h.received.size();
        h.send({{"type", "response.create"},
            {"response",
                {{"conversation", "none"}, {"output_modalities", {"text"}}, {"metadata", {{"topic", "side"}}},
                    {"input", Json::array({typed("aside").at("item")})}}}});
        const Json done = h.waitFor("response.done").at("response");
        QCOMPARE(done.at("metadata").at("topic"), Json("side"));
        QCOMPARE(done.at("conversation_id"), Json(nullptr));
        const auto types = h.types(from);
        QVERIFY(std::find(types.begin(), types.end(), "conversation.item.added") == types.end());
    }

    void tokenLimit_EndsTheReplyIncomplete()
    {
        SessionHarness h;
        h.start();
        h.send({{"type", "response.create"}, {"response", {{"max_output_tokens", 5}}}});
        const Json done = h.waitFor("response.done").at("response");
        QCOMPARE(done.at("status"), Json("incomplete"));
        QCOMPARE(done.at("status_details").at("reason"), Json("max_output_tokens"));
    }

    void voiceChange_AfterSound_IsRefused()
    {
        SessionHarness h;
        h.start();
        h.send(update({{"audio", {{"output", {{"voice", "marin"}}}}}}));
        QCOMPARE(h.waitFor("session.updated").at("session").at("audio").at("output").at("voice"), Json("marin"));
        h.send(kCreate);
        h.waitFor("response.done");
        h.send(update({{"instructions", "lost"}, {"audio", {{"output", {{"voice", "cedar"}}}}}}));
        QCOMPARE(h.waitFor("error").at("error").at("code"), Json("cannot_update_voice"));
        h.send(update({{"instructions", "kept"}}));
        QCOMPARE(h.waitFor("session.updated").at("session").at("instructions"), Json("kept"));
    }

    void brainThatFails_FailsTheResponse()
    {
        SessionHarness h;
        h.brains.isFailing = true;
        h.start();
        h.send(kCreate);
        const Json done = h.waitFor("response.done").at("response");
        QCOMPARE(done.at("status"), Json("failed"));
        QCOMPARE(done.at("status_details").at("error").at("code"), Json("server_error"));
    }

    void voiceThatFails_FailsTheResponseAndTheNextOneWorks()
    {
        SessionHarness h;
        h.voice.isFailing = true;
        h.start();
        h.send(kCreate);
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("failed"));
        h.voice.isFailing = false;
        h.send(kCreate);
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("completed"));
    }

    void clientThatDoesNotRead_StopsTheVoice()
    {
        SessionHarness h;
        h.voice.maxMs = 3'000;
        std::string text;
        for (int i = 0; i < 100; ++i) {
            text += "This is a sentence of more than thirty letters. ";
        }
        h.brains.reply = [text](const agent::BrainRequest&, agent::BrainSink& sink, std::stop_token) {
            sink.onText(text);
        };
        h.start();
        h.isReading = false;
        h.send(kCreate);
        QVERIFY(h.runUntil([&] { return h.events.backlog() > agent::realtime::EventWriter::kReplyBacklog; }));
        h.executor->advance(core::Milliseconds{500});
        // One sentence over the limit at most: 3 s of audio are 192,000 bytes of base64.
        QVERIFY(h.voice.sentences.load() <= 3);
        h.isReading = true;
        QVERIFY(h.runUntil([&] {
            h.executor->advance(core::Milliseconds{20});
            return !h.all("response.done").empty() || h.voice.sentences.load() > 20;
        }));
    }

    void reminder_WhenItIsDue_IsSpokenInAResponseOfItsOwn()
    {
        SessionHarness h;
        h.brains.reminders.made = {{7, core::Milliseconds{60'000}, "Your timer is done."}};
        h.start();
        h.send(kCreate);
        h.waitFor("response.done");
        h.executor->advance(core::Milliseconds{59'000});
        h.settle();
        QCOMPARE(h.all("response.created").size(), std::size_t{1});
        h.executor->advance(core::Milliseconds{1'000});
        const Json done = h.waitFor("response.done").at("response");
        QCOMPARE(done.at("output").at(0).at("content").at(0).at("transcript"), Json("Your timer is done."));
        QCOMPARE(h.brains.replies.load(), 1);
    }

    void reminder_ThatWasSpoken_TakesNoPlaceOfAnother()
    {
        constexpr std::uint64_t kMost = 64;
        SessionHarness h;
        h.brains.reminders.made = {{1'000, core::Milliseconds{1'000}, "The early one."}};
        h.start();
        h.send(kCreate);
        h.waitFor("response.done");
        h.executor->advance(core::Milliseconds{1'000});
        h.waitFor("response.done");
        // The first of them is the one that a full table would let go of.
        for (std::uint64_t id = 1; id <= kMost; ++id) {
            h.brains.reminders.made.push_back(
                {id, core::Milliseconds{id == 1 ? 60'000 : 3'600'000}, "The first of many."});
        }
        h.send(kCreate);
        h.waitFor("response.done");
        h.executor->advance(core::Milliseconds{60'000});
        const Json done = h.waitFor("response.done");
        QVERIFY(!done.is_null());
        QCOMPARE(
            done.at("response").at("output").at(0).at("content").at(0).at("transcript"), Json("The first of many."));
    }

    void reminder_WithdrawnBeforeOrAfterItIsDue_IsNotSpoken_data()
    {
        QTest::addColumn<bool>("isDue");
        QTest::newRow("before") << false;
        QTest::newRow("while the reply that cancels it is made") << true;
    }

    void reminder_WithdrawnBeforeOrAfterItIsDue_IsNotSpoken()
    {
        QFETCH(bool, isDue);
        SessionHarness h;
        h.brains.reminders.made = {{7, core::Milliseconds{60'000}, "Your timer is done."}};
        h.start();
        h.send(kCreate);
        h.waitFor("response.done");
        h.brains.reminders = {{}, {7}};
        h.voice.isHeld = true;
        h.send(kCreate);
        h.waitFor("response.output_audio.delta");
        h.executor->advance(core::Milliseconds{isDue ? 60'000 : 0});
        h.voice.isHeld = false;
        h.waitFor("response.done");
        h.executor->advance(core::Milliseconds{60'000});
        h.settle();
        QCOMPARE(h.all("response.created").size(), std::size_t{2});
    }

    void g711Output_HasEightBytesAMillisecond()
    {
        SessionHarness h;
        h.start();
        h.send(update({{"audio", {{"output", {{"format", {{"type", "audio/pcmu"}}}}}}}}));
        h.send(kCreate);
        h.waitFor("response.done");
        std::size_t bytes = 0;
        for (const Json& delta : h.all("response.output_audio.delta")) {
            bytes += core::decodeBase64(delta.at("delta").get<std::string>())->size();
        }
        // 300 ms a sentence, and what the resampler holds at each end.
        QVERIFY2(bytes > 4'700 && bytes < 5'100, qPrintable(QString::number(bytes)));
    }
};

QTEST_GUILESS_MAIN(TestSessionReplies)
#include "test_session_replies.moc"
