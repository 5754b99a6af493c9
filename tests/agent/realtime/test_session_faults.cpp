#include "tests/agent/realtime/session_harness.h"

#include <QtTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

class TestSessionFaults : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void hostileText_IsAnsweredAndTheSessionLives_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("code");
        QTest::newRow("empty") << QByteArray("") << "invalid_json";
        QTest::newRow("half") << QByteArray(R"({"type":)") << "invalid_json";
        QTest::newRow("bad UTF-8") << QByteArray("{\"type\":\"\xff\"}") << "invalid_json";
        QTest::newRow("deep") << QByteArray(100, '[') << "invalid_json";
        QTest::newRow("duplicate key") << QByteArray(R"({"type":"response.cancel","type":"response.create"})")
                                       << "invalid_json";
        QTest::newRow("array") << QByteArray("[]") << "invalid_event";
        QTest::newRow("no type") << QByteArray("{}") << "missing_required_parameter";
        QTest::newRow("unknown") << QByteArray(R"({"type":"session.destroy"})") << "invalid_value";
        QTest::newRow("webrtc only") << QByteArray(R"({"type":"output_audio_buffer.clear"})") << "invalid_event";
        QTest::newRow("not base64") << QByteArray(R"({"type":"input_audio_buffer.append","audio":"%%%%"})")
                                    << "invalid_value";
        QTest::newRow("delete nothing") << QByteArray(R"({"type":"conversation.item.delete","item_id":"x"})")
                                        << "item_delete_invalid_item_id";
        QTest::newRow("truncate nothing")
            << QByteArray(R"({"type":"conversation.item.truncate","item_id":"x","content_index":0,"audio_end_ms":0})")
            << "item_truncate_invalid_item_id";
        QTest::newRow("reference to nothing")
            << QByteArray(R"({"type":"response.create","response":{"input":[{"type":"item_reference","id":"x"}]}})")
            << "invalid_value";
        QTest::newRow("metadata of numbers")
            << QByteArray(R"({"type":"response.create","response":{"metadata":{"a":1}}})") << "invalid_value";
    }

    void hostileText_IsAnsweredAndTheSessionLives()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, code);
        SessionHarness h;
        h.start();
        h.sendText({text.constData(), static_cast<std::size_t>(text.size())});
        const Json error = h.waitFor("error");
        QCOMPARE(QString::fromStdString(error.at("error").at("code").get<std::string>()), code);
        QVERIFY(!h.events.closing().has_value());
        h.send({{"type", "response.create"}});
        QCOMPARE(h.waitFor("response.done").at("response").at("status"), Json("completed"));
    }

    void binary_IsRefused()
    {
        SessionHarness h;
        h.start();
        h.session->receiveBinary();
        QCOMPARE(h.waitFor("error").at("error").at("code"), Json("invalid_event"));
    }

    void faultyUpdate_ChangesNothing()
    {
        SessionHarness h;
        h.start();
        h.send({{"type", "session.update"}, {"event_id", "e1"},
            {"session", {{"type", "realtime"}, {"instructions", "x"}, {"nonsense", 1}}}});
        const Json error = h.waitFor("error").at("error");
        QCOMPARE(error.at("code"), Json("unknown_parameter"));
        QCOMPARE(error.at("param"), Json("session.nonsense"));
        QCOMPARE(error.at("event_id"), Json("e1"));
        h.send({{"type", "session.update"}, {"session", {{"type", "realtime"}}}});
        QVERIFY(h.waitFor("session.updated").at("session").at("instructions") != Json("x"));
    }

    void oddBytes_AreCarriedOver()
    {
        SessionHarness h;
        h.start();
        h.send({{"type", "session.update"},
            {"session", {{"type", "realtime"}, {"audio", {{"input", {{"turn_detection", nullptr}}}}}}}});
        const core::Bytes part(2'401, 1);
        for (int i = 0; i < 2; ++i) {
            h.send({{"type", "input_audio_buffer.append"}, {"audio", core::encodeBase64(part)}});
        }
        h.send({{"type", "input_audio_buffer.commit"}});
        const Json id = h.waitFor("input_audio_buffer.committed").at("item_id");
        h.send({{"type", "conversation.item.retrieve"}, {"item_id", id}});
        const auto audio =
            h.waitFor("conversation.item.retrieved").at("item").at("content").at(0).at("audio").get<std::string>();
        QCOMPARE(core::decodeBase64(audio)->size(), std::size_t{4'802});
    }

    void session_AtItsMaximum_SaysSoAndCloses()
    {
        SessionHarness h;
        h.start();
        h.executor->advance(agent::realtime::RealtimeSession::kMaxDuration);
        QCOMPARE(h.waitFor("error").at("error").at("code"), Json("session_expired"));
        QVERIFY(h.events.closing().has_value());
        QCOMPARE(h.events.closing()->code, std::uint16_t{1001});
    }

    void stop_InTheMiddleOfAll_GivesEverythingBack()
    {
        SessionHarness h;
        h.voice.isHeld = true;
        h.start();
        h.send({{"type", "response.create"}});
        h.waitFor("response.output_audio.delta");
        h.append(200, true);
        h.waitFor("input_audio_buffer.speech_started");
        const std::weak_ptr<agent::realtime::RealtimeSession> weak = h.session;
        h.session->stop();
        h.session.reset();
        QVERIFY(h.runUntil([&] { return h.recognisers.lent == 0 && weak.expired(); }));
    }

    void clientThatDoesNotRead_IsNotReadFrom()
    {
        SessionHarness h;
        h.start();
        h.isReading = false;
        const std::string text(200'000, 'x');
        h.send({{"type", "conversation.item.create"},
            {"item",
                {{"type", "message"}, {"id", "big"}, {"role", "user"},
                    {"content", Json::array({{{"type", "input_text"}, {"text", text}}})}}}});
        int sent = 0;
        while (h.session->isReady() && sent < 100) {
            h.session->receive(R"({"type":"conversation.item.retrieve","item_id":"big"})");
            ++sent;
        }
        QVERIFY(sent < 10);
        h.isReading = true;
        QVERIFY(h.runUntil([&] { return h.session->isReady(); }));
    }

    void items_CreatedRetrievedDeleted_AreTold()
    {
        SessionHarness h;
        h.start();
        const Json item{{"type", "message"}, {"id", "a"}, {"role", "user"},
            {"content", Json::array({{{"type", "input_text"}, {"text", "hi"}}})}};
        h.send({{"type", "conversation.item.create"}, {"item", item}});
        h.waitFor("conversation.item.added");
        h.waitFor("conversation.item.done");
        h.send({{"type", "conversation.item.create"}, {"item", item}});
        QCOMPARE(h.waitFor("error").at("error").at("code"), Json("item_create_duplicate_id"));
        Json first = item;
        first["id"] = "b";
        h.send({{"type", "conversation.item.create"}, {"item", first}, {"previous_item_id", "root"}});
        QCOMPARE(h.waitFor("conversation.item.added").at("previous_item_id"), Json(nullptr));
        h.send({{"type", "conversation.item.retrieve"}, {"item_id", "a"}});
        QCOMPARE(h.waitFor("conversation.item.retrieved").at("item").at("content").at(0).at("text"), Json("hi"));
        h.send({{"type", "conversation.item.delete"}, {"item_id", "a"}});
        QCOMPARE(h.waitFor("conversation.item.deleted").at("item_id"), Json("a"));
        h.send({{"type", "conversation.item.retrieve"}, {"item_id", "a"}});
        QCOMPARE(h.waitFor("error").at("error").at("code"), Json("item_retrieve_invalid_item_id"));
    }
};

QTEST_GUILESS_MAIN(TestSessionFaults)
#include "test_session_faults.moc"
