#include "core/base/json.h"
#include "core/protocol/openai/codec.h"
#include "tests/core/protocol/event_samples.h"

#include <nlohmann/json.hpp>

#include <QtTest>

#include <set>

using namespace vivavoce::core;
using namespace vivavoce::core::openai;
using vivavoce::test::clientSamples;

class TestClientEvents : public QObject {
    Q_OBJECT

private slots:
    void samples_AsASet_AreTheElevenTypes();
    void sample_DecodedAndEncoded_IsTheSame_data();
    void sample_DecodedAndEncoded_IsTheSame();
    void betaSample_DecodedAndEncoded_IsTheSame_data();
    void betaSample_DecodedAndEncoded_IsTheSame();
    void betaSample_WrittenAsGa_IsReadByAGaServer();
    void append_Decoded_HoldsBytes();
    void append_WithoutEventId_WritesNone();
    void append_EmptyAudio_RoundTrips();
    void assistantItem_WrittenForTheBeta_UsesItsContentTypes();
    void item_OfMcp_IsKeptRaw();
    void transcriptionUpdate_ForTheBeta_IsAnEventOfItsOwn();
    void transcriptionUpdate_WithRealtimeFields_WritesOnlyItsOwn();
    void unknownEvent_DecodedAndEncoded_IsUnchanged();
    void typeName_OfEachSample_IsItsType();
};

namespace {

void addRows(bool isBeta)
{
    QTest::addColumn<QString>("type");
    QTest::addColumn<QByteArray>("text");
    for (const auto& sample : clientSamples()) {
        const std::string& text = isBeta && !sample.beta.empty() ? sample.beta : sample.ga;
        QTest::newRow(sample.type.c_str()) << QString::fromStdString(sample.type) << QByteArray::fromStdString(text);
    }
}

void compareRoundTrip(const QByteArray& text, Dialect dialect)
{
    const auto event = decodeClientEvent(text.toStdString(), dialect);
    QVERIFY2(event.has_value(), event ? "" : event.error().message.c_str());
    const auto original = parseJson(text.toStdString());
    const auto written = parseJson(encode(*event, dialect));
    QVERIFY(original.has_value() && written.has_value());
    QCOMPARE(QString::fromStdString(writeJson(*written)), QString::fromStdString(writeJson(*original)));
}

} // namespace

void TestClientEvents::samples_AsASet_AreTheElevenTypes()
{
    std::set<std::string> types;
    std::set<std::size_t> alternatives;
    for (const auto& sample : clientSamples()) {
        types.insert(sample.type);
        const auto event = decodeClientEvent(sample.ga);
        QVERIFY2(event.has_value(), event ? "" : event.error().message.c_str());
        alternatives.insert(event->index());
        QVERIFY2(!std::holds_alternative<UnknownEvent>(*event), sample.type.c_str());
    }
    QCOMPARE(types.size(), std::size_t{11});
    QCOMPARE(alternatives.size(), std::size_t{11});
}

void TestClientEvents::sample_DecodedAndEncoded_IsTheSame_data()
{
    addRows(false);
}

void TestClientEvents::sample_DecodedAndEncoded_IsTheSame()
{
    QFETCH(QByteArray, text);
    compareRoundTrip(text, Dialect::Ga);
}

void TestClientEvents::betaSample_DecodedAndEncoded_IsTheSame_data()
{
    addRows(true);
}

void TestClientEvents::betaSample_DecodedAndEncoded_IsTheSame()
{
    QFETCH(QByteArray, text);
    compareRoundTrip(text, Dialect::Beta);
}

void TestClientEvents::betaSample_WrittenAsGa_IsReadByAGaServer()
{
    for (const auto& sample : clientSamples()) {
        if (sample.beta.empty()) {
            continue;
        }
        const auto event = decodeClientEvent(sample.beta, Dialect::Beta);
        QVERIFY2(event.has_value(), event ? "" : event.error().message.c_str());
        const auto again = decodeClientEvent(encode(*event, Dialect::Ga), Dialect::Ga);
        QVERIFY2(again.has_value(), again ? "" : again.error().message.c_str());
        QCOMPARE(again->index(), event->index());
    }
}

void TestClientEvents::append_Decoded_HoldsBytes()
{
    const auto event = decodeClientEvent(R"({"type":"input_audio_buffer.append","audio":"AAECAw=="})");
    QVERIFY(event.has_value());
    QCOMPARE(std::get<InputAudioBufferAppend>(*event).audio, (Bytes{0, 1, 2, 3}));
}

void TestClientEvents::append_WithoutEventId_WritesNone()
{
    QCOMPARE(encode(ClientEvent(InputAudioBufferAppend{{}, {0, 1, 2, 3}})),
        std::string(R"({"type":"input_audio_buffer.append","audio":"AAECAw=="})"));
}

void TestClientEvents::append_EmptyAudio_RoundTrips()
{
    const auto event = decodeClientEvent(encode(ClientEvent(InputAudioBufferAppend{"e", {}})));
    QVERIFY(event.has_value());
    QCOMPARE(std::get<InputAudioBufferAppend>(*event).audio.size(), std::size_t{0});
    QCOMPARE(std::get<InputAudioBufferAppend>(*event).eventId, std::string("e"));
}

void TestClientEvents::assistantItem_WrittenForTheBeta_UsesItsContentTypes()
{
    ConversationItemCreate create;
    create.item.role = Role::Assistant;
    create.item.content.push_back({ContentType::OutputText, "Hi", {}, {}, {}, {}, {}});
    const auto ga = parseJson(encode(ClientEvent(create)));
    const auto beta = parseJson(encode(ClientEvent(create), Dialect::Beta));
    QCOMPARE((*ga)["item"]["content"][0]["type"].get<std::string>(), std::string("output_text"));
    QCOMPARE((*beta)["item"]["content"][0]["type"].get<std::string>(), std::string("text"));
}

void TestClientEvents::item_OfMcp_IsKeptRaw()
{
    const std::string text =
        R"({"item":{"approval_request_id":"r","approve":true,"id":"i","type":"mcp_approval_response"},)"
        R"("type":"conversation.item.create"})";
    const auto event = decodeClientEvent(text);
    QVERIFY(event.has_value());
    const Item& item = std::get<ConversationItemCreate>(*event).item;
    QVERIFY(item.type == ItemType::Other);
    QCOMPARE(item.id, std::string("i"));
    QCOMPARE(encode(*event), text);
}

void TestClientEvents::transcriptionUpdate_ForTheBeta_IsAnEventOfItsOwn()
{
    SessionUpdate update;
    update.session.type = SessionType::Transcription;
    update.session.transcription = Transcription{"ear-1", {}, {}, {}, {}, {}};
    const std::string text = encode(ClientEvent(update), Dialect::Beta);
    QCOMPARE(text,
        std::string(
            R"({"session":{"input_audio_transcription":{"model":"ear-1"}},"type":"transcription_session.update"})"));
    const auto event = decodeClientEvent(text, Dialect::Beta);
    QVERIFY(event.has_value());
    QVERIFY(std::get<SessionUpdate>(*event).session == update.session);
}

void TestClientEvents::transcriptionUpdate_WithRealtimeFields_WritesOnlyItsOwn()
{
    SessionUpdate update;
    update.session.type = SessionType::Transcription;
    update.session.model = "voice-1";
    update.session.voice = Voice{"marin", false};
    update.session.turnDetection = Null{};
    QCOMPARE(encode(ClientEvent(update)),
        std::string(
            R"({"session":{"audio":{"input":{"turn_detection":null}},"type":"transcription"},"type":"session.update"})"));
}

void TestClientEvents::unknownEvent_DecodedAndEncoded_IsUnchanged()
{
    const std::string text = R"( {"type":"x.dance",  "event_id":"e1","steps":[1, 2.50]} )";
    const auto event = decodeClientEvent(text);
    QVERIFY(event.has_value());
    const auto& unknown = std::get<UnknownEvent>(*event);
    QCOMPARE(unknown.type, std::string("x.dance"));
    QCOMPARE(unknown.eventId, std::string("e1"));
    QCOMPARE(encode(*event), text);
    QCOMPARE(typeName(*event), std::string_view("x.dance"));
}

void TestClientEvents::typeName_OfEachSample_IsItsType()
{
    for (const auto& sample : clientSamples()) {
        QCOMPARE(std::string(typeName(*decodeClientEvent(sample.ga))), sample.type);
    }
}

QTEST_GUILESS_MAIN(TestClientEvents)
#include "test_client_events.moc"
