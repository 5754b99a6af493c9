#include "agent/realtime/client_shapes.h"
#include "agent/realtime/session_settings.h"

#include <nlohmann/json.hpp>

#include <QtTest>

using namespace vivavoce;
using namespace vivavoce::agent::realtime;
using core::Json;
using core::Milliseconds;

namespace {

SessionSettings defaults()
{
    return SessionSettings::defaults("gpt-realtime", "sess_1", 99);
}

Json parse(const QString& text)
{
    return core::parseJson(text.toStdString()).value();
}

} // namespace

class TestSessionSettings : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void defaults_AreThoseOfThePublicApi()
    {
        const auto settings = defaults();
        QCOMPARE(settings.inputFormat(), WireFormat::Pcm24k);
        QCOMPARE(settings.turnDetection().silence, Milliseconds{500});
        QVERIFY(!settings.isTranscribing());
        QCOMPARE(settings.effective().at("expires_at"), Json(99));
        QCOMPARE(settings.responseSettings(nullptr).modality, Modality::Audio);
    }

    void merged_WithSomeFields_LeavesTheRest()
    {
        const auto next = defaults().merged(parse(R"({"type":"realtime","instructions":"be kind","audio":{"input":{
            "turn_detection":{"type":"server_vad","silence_duration_ms":900},"transcription":{"model":"whisper-1"}},
            "output":{"format":{"type":"audio/pcmu"}}}})"),
            false);
        QVERIFY(next.has_value());
        QCOMPARE(next->turnDetection().silence, Milliseconds{900});
        QCOMPARE(next->turnDetection().prefixPadding, Milliseconds{300});
        QVERIFY(next->isTranscribing());
        QCOMPARE(next->responseSettings(nullptr).outputFormat, WireFormat::Pcmu);
        QCOMPARE(next->effective().at("audio").at("output").at("format"), Json({{"type", "audio/pcmu"}}));
        QCOMPARE(next->effective().at("audio").at("output").at("voice"), Json("slt"));
        QCOMPARE(next->responseSettings(nullptr).instructions, std::string("be kind"));
    }

    void merged_WithNull_ClearsTheField()
    {
        auto next = defaults().merged(
            parse(R"({"type":"realtime","audio":{"input":{"turn_detection":null,"transcription":{}}}})"), false);
        QVERIFY(next.has_value());
        QVERIFY(next->turnDetection().isManual);
        next = next->merged(
            parse(
                R"({"type":"realtime","audio":{"input":{"transcription":null,"turn_detection":{"type":"semantic_vad","eagerness":"high"}}}})"),
            false);
        QVERIFY(next.has_value());
        QVERIFY(!next->isTranscribing());
        QCOMPARE(next->turnDetection().silence, Milliseconds{300});
    }

    void merged_WithOneBadField_VoidsAll_data()
    {
        QTest::addColumn<QString>("update");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("param");
        QTest::newRow("no type") << R"({"instructions":"x"})"
                                 << "missing_required_parameter"
                                 << "session.type";
        QTest::newRow("unknown") << R"({"type":"realtime","instructions":"x","temperature":1})"
                                 << "unknown_parameter"
                                 << "session.temperature";
        QTest::newRow("beta name") << R"({"type":"realtime","voice":"alloy"})"
                                   << "unknown_parameter"
                                   << "session.voice";
        QTest::newRow("deep unknown")
            << R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","eagerness":"low"}}}})"
            << "unknown_parameter"
            << "session.audio.input.turn_detection.eagerness";
        QTest::newRow("rate") << R"({"type":"realtime","audio":{"input":{"format":{"type":"audio/pcm","rate":16000}}}})"
                              << "invalid_value"
                              << "session.audio.input.format.rate";
        QTest::newRow("voice") << R"({"type":"realtime","audio":{"output":{"voice":"nobody"}}})"
                               << "invalid_value"
                               << "session.audio.output.voice";
        QTest::newRow("both modalities") << R"({"type":"realtime","output_modalities":["audio","text"]})"
                                         << "invalid_value"
                                         << "session.output_modalities";
        QTest::newRow("threshold")
            << R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","threshold":1.5}}}})"
            << "invalid_value"
            << "session.audio.input.turn_detection.threshold";
        QTest::newRow("idle")
            << R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":10}}}})"
            << "invalid_value"
            << "session.audio.input.turn_detection.idle_timeout_ms";
        QTest::newRow("huge integer") << R"({"type":"realtime","max_output_tokens":18446744073709551615})"
                                      << "invalid_value"
                                      << "session.max_output_tokens";
        QTest::newRow("model") << R"({"type":"realtime","model":"gpt-realtime-2.1"})"
                               << "invalid_value"
                               << "session.model";
        QTest::newRow("tool name")
            << R"({"type":"realtime","tools":[{"type":"function","name":"a"},{"type":"function"}]})"
            << "missing_required_parameter"
            << "session.tools[1].name";
        QTest::newRow("not an object") << R"([1])"
                                       << "invalid_value"
                                       << "session";
    }

    void merged_WithOneBadField_VoidsAll()
    {
        QFETCH(QString, update);
        QFETCH(QString, code);
        QFETCH(QString, param);
        const auto before = defaults();
        const auto next = before.merged(parse(update), false);
        QVERIFY(!next.has_value());
        QCOMPARE(QString::fromStdString(next.error().code), code);
        QCOMPARE(QString::fromStdString(next.error().param), param);
        QCOMPARE(before.effective(), defaults().effective());
    }

    void merged_AfterTheFirstSound_LocksTheVoiceOnly()
    {
        const Json other = parse(R"({"type":"realtime","instructions":"new","audio":{"output":{"voice":"marin"}}})");
        QCOMPARE(defaults().merged(other, true).error().code, std::string("cannot_update_voice"));
        QVERIFY(defaults()
                    .merged(parse(R"({"type":"realtime","audio":{"output":{"voice":"slt","speed":1.2}}})"), true)
                    .has_value());
        QVERIFY(defaults().merged(other, false).has_value());
    }

    void responseSettings_WithOverrides_TakesThemForThisReplyOnly()
    {
        const auto settings = defaults();
        const auto reply =
            settings.responseSettings(parse(R"({"instructions":"now","output_modalities":["text"],"conversation":"none",
            "tools":[{"type":"function","name":"f","description":null,"parameters":{"type":"object"}}],"tool_choice":{"type":"function","name":"f"},
            "max_output_tokens":5,"metadata":{"a":"b"}})"));
        QCOMPARE(reply.modality, Modality::Text);
        QVERIFY(reply.isOutOfBand);
        QCOMPARE(reply.tools.size(), std::size_t{1});
        QCOMPARE(reply.toolChoice, agent::ToolChoice::Required);
        QCOMPARE(reply.requiredTool, std::string("f"));
        QCOMPARE(*reply.maxOutputTokens, std::int64_t{5});
        QCOMPARE(reply.metadataJson, std::string(R"({"a":"b"})"));
        QCOMPARE(settings.responseSettings(nullptr).modality, Modality::Audio);
        QVERIFY(!settings.responseSettings(nullptr).maxOutputTokens.has_value());
    }

    void clientEventRule_WithABadEvent_SaysWhatIsWrong_data()
    {
        QTest::addColumn<QString>("event");
        QTest::addColumn<QString>("code");
        QTest::newRow("no type") << R"({})"
                                 << "missing_required_parameter";
        QTest::newRow("type is a number") << R"({"type":1})"
                                          << "invalid_value";
        QTest::newRow("unknown type") << R"({"type":"session.destroy"})"
                                      << "invalid_value";
        QTest::newRow("no audio") << R"({"type":"input_audio_buffer.append"})"
                                  << "missing_required_parameter";
        QTest::newRow("audio is an object") << R"({"type":"input_audio_buffer.append","audio":{}})"
                                            << "invalid_value";
        QTest::newRow("extra field") << R"({"type":"input_audio_buffer.commit","final":true})"
                                     << "unknown_parameter";
        QTest::newRow("negative time")
            << R"({"type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":-1})"
            << "invalid_value";
        QTest::newRow("fraction")
            << R"({"type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":1.5})"
            << "invalid_value";
        QTest::newRow("long event id")
            << QString(R"({"type":"response.cancel","event_id":"%1"})").arg(QString(600, 'x')) << "invalid_value";
        QTest::newRow("item without role")
            << R"({"type":"conversation.item.create","item":{"type":"message","content":[]}})"
            << "missing_required_parameter";
        QTest::newRow("secret in session") << R"({"type":"session.update","session":{"type":"transcription"}})"
                                           << "invalid_value";
    }

    void clientEventRule_WithABadEvent_SaysWhatIsWrong()
    {
        QFETCH(QString, event);
        QFETCH(QString, code);
        const auto fault = clientEventRule()(parse(event), "");
        QVERIFY(fault.has_value());
        QCOMPARE(QString::fromStdString(fault->code), code);
        QVERIFY(fault->message.size() < 500);
    }
};

QTEST_GUILESS_MAIN(TestSessionSettings)
#include "test_session_settings.moc"
