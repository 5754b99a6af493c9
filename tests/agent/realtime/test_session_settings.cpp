#include "agent/realtime/client_limits.h"
#include "agent/realtime/session_settings.h"
#include "core/protocol/openai/codec.h"

#include <QtTest>

using namespace vivavoce;
using namespace vivavoce::agent::realtime;
using core::Milliseconds;
namespace openai = core::openai;

namespace {

SessionSettings defaults()
{
    return SessionSettings::defaults("gpt-realtime", "sess_1", 99);
}

/// As a session reads a text, up to obeying it.
core::Expected<openai::ClientEvent, EventFault> read(const std::string& text)
{
    auto event = openai::decodeClientEvent(text);
    if (!event) {
        return core::Unexpected<EventFault>(unreadable(event.error()));
    }
    if (auto fault = beyondLimits(*event)) {
        return core::Unexpected<EventFault>(std::move(*fault));
    }
    return std::move(*event);
}

core::Expected<SessionSettings, EventFault> merge(
    const SessionSettings& settings, const std::string& update, bool isVoiceLocked = false)
{
    const auto event = read(R"({"type":"session.update","session":)" + update + "}");
    return event ? settings.merged(std::get<openai::SessionUpdate>(*event).session, isVoiceLocked)
                 : core::Unexpected<EventFault>(event.error());
}

} // namespace

class TestSessionSettings : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void defaults_AreThoseOfThePublicApi()
    {
        const auto settings = defaults();
        QCOMPARE(settings.inputFormat(), WireFormat::Pcm);
        QCOMPARE(settings.turnDetection().silence, Milliseconds{500});
        QVERIFY(!settings.isTranscribing());
        QCOMPARE(settings.effective().expiresAt.value(), std::int64_t{99});
        QCOMPARE(settings.responseSettings().modality, Modality::Audio);
    }

    void merged_WithSomeFields_LeavesTheRest()
    {
        const auto next = merge(defaults(), R"({"type":"realtime","instructions":"be kind","audio":{"input":{
            "turn_detection":{"type":"server_vad","silence_duration_ms":900},"transcription":{"model":"whisper-1"}},
            "output":{"format":{"type":"audio/pcmu"}}}})");
        QVERIFY(next.has_value());
        QCOMPARE(next->turnDetection().silence, Milliseconds{900});
        QCOMPARE(next->turnDetection().prefixPadding, Milliseconds{300});
        QVERIFY(next->isTranscribing());
        QCOMPARE(next->responseSettings().outputFormat, WireFormat::Pcmu);
        QCOMPARE(next->effective().voice->name, std::string("slt"));
        QCOMPARE(next->responseSettings().instructions, std::string("be kind"));
    }

    void merged_WithNull_ClearsTheField()
    {
        auto next =
            merge(defaults(), R"({"type":"realtime","audio":{"input":{"turn_detection":null,"transcription":{}}}})");
        QVERIFY(next.has_value());
        QVERIFY(next->turnDetection().isManual);
        next = merge(*next,
            R"({"type":"realtime","audio":{"input":{"transcription":null,"turn_detection":{"type":"semantic_vad","eagerness":"high"}}}})");
        QVERIFY(next.has_value());
        QVERIFY(!next->isTranscribing());
        QCOMPARE(next->turnDetection().silence, Milliseconds{300});
    }

    void merged_WithAnotherDetector_FillsInItsDefaults()
    {
        auto next =
            merge(defaults(), R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"semantic_vad"}}}})");
        QVERIFY(next.has_value());
        QVERIFY(std::get<openai::SemanticVad>(*next->effective().turnDetection.value())
            == (openai::SemanticVad{openai::Eagerness::Auto, true, true}));
        next = merge(
            *next, R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.9}}}})");
        QVERIFY(next.has_value());
        QVERIFY(std::get<openai::ServerVad>(*next->effective().turnDetection.value())
            == (openai::ServerVad{0.9, 300, 500, true, true, openai::Null{}}));
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
        const auto next = merge(before, update.toStdString());
        QVERIFY(!next.has_value());
        QCOMPARE(QString::fromStdString(next.error().code), code);
        QCOMPARE(QString::fromStdString(next.error().param), param);
        QVERIFY(before.effective() == defaults().effective());
    }

    void merged_AfterTheFirstSound_LocksTheVoiceOnly()
    {
        const std::string other = R"({"type":"realtime","instructions":"new","audio":{"output":{"voice":"marin"}}})";
        QCOMPARE(merge(defaults(), other, true).error().code, std::string("cannot_update_voice"));
        QVERIFY(merge(defaults(), R"({"type":"realtime","audio":{"output":{"voice":"slt","speed":1.2}}})", true)
                    .has_value());
        QVERIFY(merge(defaults(), other).has_value());
    }

    void responseSettings_WithOverrides_TakesThemForThisReplyOnly()
    {
        const auto settings = defaults();
        const auto event = read(R"({"type":"response.create","response":{"instructions":"now",
            "output_modalities":["text"],"conversation":"none","tools":[{"type":"function","name":"f","description":null,
            "parameters":{"type":"object"}}],"tool_choice":{"type":"function","name":"f"},
            "max_output_tokens":5,"metadata":{"a":"b"}}})");
        QVERIFY(event.has_value());
        const auto reply = settings.responseSettings(std::get<openai::ResponseCreate>(*event).response.value());
        QCOMPARE(reply.modality, Modality::Text);
        QVERIFY(reply.isOutOfBand);
        QCOMPARE(reply.tools.size(), std::size_t{1});
        QCOMPARE(reply.toolChoice, agent::ToolChoice::Required);
        QCOMPARE(reply.requiredTool, std::string("f"));
        QCOMPARE(*reply.maxOutputTokens, std::int64_t{5});
        QCOMPARE(reply.metadata->at("a"), std::string("b"));
        QCOMPARE(settings.responseSettings().modality, Modality::Audio);
        QVERIFY(!settings.responseSettings().maxOutputTokens.has_value());
    }

    void event_ThatIsBad_SaysWhatIsWrong_data()
    {
        QTest::addColumn<QString>("event");
        QTest::addColumn<QString>("code");
        QTest::newRow("no type") << R"({})"
                                 << "missing_required_parameter";
        QTest::newRow("type is a number") << R"({"type":1})"
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
        QTest::newRow("long item id") << QString(R"({"type":"conversation.item.create","item":{"type":"message",
            "id":"%1","role":"user","content":[]}})")
                                             .arg(QString(200, 'x'))
                                      << "invalid_value";
        QTest::newRow("speech of the agent's") << R"({"type":"conversation.item.create","item":{"type":"message",
            "role":"assistant","content":[{"type":"output_audio"}]}})"
                                               << "invalid_value";
        QTest::newRow("approval") << R"({"type":"conversation.item.create","item":{"type":"mcp_approval_response"}})"
                                  << "invalid_value";
        QTest::newRow("silence of a blink")
            << R"({"type":"session.update","session":{"type":"realtime","audio":{"input":
            {"turn_detection":{"type":"server_vad","silence_duration_ms":10}}}}})"
            << "invalid_value";
        QTest::newRow("secret in session") << R"({"type":"session.update","session":{"type":"transcription"}})"
                                           << "invalid_value";
    }

    void event_ThatIsBad_SaysWhatIsWrong()
    {
        QFETCH(QString, event);
        QFETCH(QString, code);
        const auto result = read(event.toStdString());
        QVERIFY(!result.has_value());
        QCOMPARE(QString::fromStdString(result.error().code), code);
        QVERIFY(result.error().message.size() < 500);
    }
};

QTEST_GUILESS_MAIN(TestSessionSettings)
#include "test_session_settings.moc"
