#include "core/base/json.h"
#include "core/protocol/openai/codec.h"
#include "tests/core/protocol/event_samples.h"

#include <nlohmann/json.hpp>

#include <QtTest>

#include <set>

using namespace vivavoce::core;
using namespace vivavoce::core::openai;
using vivavoce::test::serverSamples;

class TestServerEvents : public QObject {
    Q_OBJECT

private slots:
    void samples_AsASet_AreTheFortySixTypes();
    void sample_DecodedAndEncoded_IsTheSame_data();
    void sample_DecodedAndEncoded_IsTheSame();
    void betaSample_DecodedAndEncoded_IsTheSame_data();
    void betaSample_DecodedAndEncoded_IsTheSame();
    void betaSample_Decoded_MeansTheSameAsGa_data();
    void betaSample_Decoded_MeansTheSameAsGa();
    void itemForms_Decoded_AreToldApart();
    void added_WrittenForTheBeta_IsCreated();
    void audioDelta_Decoded_HoldsBytesAndPlace();
    void unknownFields_InEverySample_AreIgnored();
    void bareEvents_OfCompatibleServers_AreRead_data();
    void bareEvents_OfCompatibleServers_AreRead();
    void session_WithFlatVoiceBesideGa_IsRead();
    void greeting_TellsItsDialect_data();
    void greeting_TellsItsDialect();
    void session_WithOddOptionalFields_KeepsTheRest();
    void responseDone_WithOddUsage_KeepsTheRest();
    void item_OfAnUnknownKind_IsKeptRaw();
    void contentPart_OfAnUnknownKind_IsKeptRaw();
    void usage_Decoded_HoldsEveryFigure();
    void transcriptionUsage_ByDuration_RoundTrips();
    void integers_WrittenAsFloats_AreRead();
    void unknownEvent_DecodedAndEncoded_IsUnchanged();
    void whatThereIsNot_Written_IsNullWhereTheProviderSaysSo();
    void text_WithBadUtf8_EncodesAsValidJson();
};

namespace {

const std::string& betaText(const vivavoce::test::EventSample& sample)
{
    return sample.beta.empty() ? sample.ga : sample.beta;
}

void addRows(bool isBeta)
{
    QTest::addColumn<QByteArray>("text");
    for (const auto& sample : serverSamples()) {
        QTest::newRow(sample.type.c_str()) << QByteArray::fromStdString(isBeta ? betaText(sample) : sample.ga);
    }
}

std::string normal(const std::string& text)
{
    const auto json = parseJson(text);
    return json ? writeJson(*json) : "not JSON: " + text;
}

void compareRoundTrip(const QByteArray& text, Dialect dialect)
{
    const auto event = decodeServerEvent(text.toStdString());
    QVERIFY2(event.has_value(), event ? "" : event.error().message.c_str());
    QCOMPARE(
        QString::fromStdString(normal(encode(*event, dialect))), QString::fromStdString(normal(text.toStdString())));
}

template <typename Event>
Event decoded(std::string_view text)
{
    auto event = decodeServerEvent(text);
    if (!event || !std::holds_alternative<Event>(*event)) {
        qWarning("%s", event ? "another event" : event.error().message.c_str());
        return {};
    }
    return std::get<Event>(std::move(*event));
}

} // namespace

void TestServerEvents::samples_AsASet_AreTheFortySixTypes()
{
    std::set<std::string> types;
    std::set<std::size_t> alternatives;
    for (const auto& sample : serverSamples()) {
        types.insert(sample.type);
        const auto event = decodeServerEvent(sample.ga);
        QVERIFY2(event.has_value(), event ? "" : event.error().message.c_str());
        alternatives.insert(event->index());
        QCOMPARE(std::string(typeName(*event)), sample.type);
        QVERIFY2(!std::holds_alternative<UnknownEvent>(*event), sample.type.c_str());
    }
    QCOMPARE(types.size(), std::size_t{46});
    QCOMPARE(alternatives.size(), std::size_t{46});
}

void TestServerEvents::sample_DecodedAndEncoded_IsTheSame_data()
{
    addRows(false);
}

void TestServerEvents::sample_DecodedAndEncoded_IsTheSame()
{
    QFETCH(QByteArray, text);
    compareRoundTrip(text, Dialect::Ga);
}

void TestServerEvents::betaSample_DecodedAndEncoded_IsTheSame_data()
{
    addRows(true);
}

void TestServerEvents::betaSample_DecodedAndEncoded_IsTheSame()
{
    QFETCH(QByteArray, text);
    compareRoundTrip(text, Dialect::Beta);
}

void TestServerEvents::betaSample_Decoded_MeansTheSameAsGa_data()
{
    QTest::addColumn<QByteArray>("ga");
    QTest::addColumn<QByteArray>("beta");
    for (const auto& sample : serverSamples()) {
        // What only one of the two can say is no part of the comparison: sessions have a test of their own.
        if (!sample.beta.empty() && !sample.type.starts_with("session.")) {
            QTest::newRow(sample.type.c_str())
                << QByteArray::fromStdString(sample.ga) << QByteArray::fromStdString(sample.beta);
        }
    }
}

void TestServerEvents::betaSample_Decoded_MeansTheSameAsGa()
{
    QFETCH(QByteArray, ga);
    QFETCH(QByteArray, beta);
    const auto fromGa = decodeServerEvent(ga.toStdString());
    auto fromBeta = decodeServerEvent(beta.toStdString());
    QVERIFY(fromGa.has_value() && fromBeta.has_value());
    if (auto* created = std::get_if<ConversationItemCreated>(&*fromBeta);
        created != nullptr && std::holds_alternative<ConversationItemAdded>(*fromGa)) {
        const ConversationItemAdded added{created->eventId, created->item, created->previousItemId};
        fromBeta = added;
    }
    // The beta names no rate.
    const QString meant = QString::fromStdString(encode(*fromGa)).replace(QStringLiteral("\"rate\":24000,"), QString());
    QCOMPARE(QString::fromStdString(encode(*fromBeta)), meant);
}

void TestServerEvents::itemForms_Decoded_AreToldApart()
{
    const std::string rest = R"(","item":{"id":"i","type":"message","role":"user","content":[]}})";
    QCOMPARE(decoded<ConversationItemAdded>(R"({"type":"conversation.item.added)" + rest).item.id, std::string("i"));
    QCOMPARE(decoded<ConversationItemDone>(R"({"type":"conversation.item.done)" + rest).item.id, std::string("i"));
    QCOMPARE(
        decoded<ConversationItemCreated>(R"({"type":"conversation.item.created)" + rest).item.id, std::string("i"));
    QCOMPARE(
        decoded<ConversationItemRetrieved>(R"({"type":"conversation.item.retrieved)" + rest).item.id, std::string("i"));
}

void TestServerEvents::added_WrittenForTheBeta_IsCreated()
{
    ConversationItemAdded added;
    added.item.id = "i";
    const auto event = decodeServerEvent(encode(ServerEvent(added), Dialect::Beta));
    QVERIFY(event.has_value());
    QVERIFY(std::holds_alternative<ConversationItemCreated>(*event));
}

void TestServerEvents::audioDelta_Decoded_HoldsBytesAndPlace()
{
    for (const char* type : {"response.output_audio.delta", "response.audio.delta"}) {
        const auto delta = decoded<ResponseOutputAudioDelta>(std::string(R"({"type":")") + type
            + R"(","event_id":"e","response_id":"r","item_id":"i","output_index":3,"content_index":4,"delta":"/wCA"})");
        QCOMPARE(delta.audio, (Bytes{0xFF, 0x00, 0x80}));
        QCOMPARE(delta.eventId, std::string("e"));
        QCOMPARE(delta.responseId, std::string("r"));
        QCOMPARE(delta.itemId, std::string("i"));
        QCOMPARE(delta.outputIndex, std::int64_t{3});
        QCOMPARE(delta.contentIndex, std::int64_t{4});
    }
}

void TestServerEvents::unknownFields_InEverySample_AreIgnored()
{
    for (const auto& sample : serverSamples()) {
        auto json = parseJson(sample.ga);
        QVERIFY(json.has_value());
        (*json)["obfuscation"] = "x7Yq";
        for (auto& member : *json) {
            if (member.is_object()) {
                member["novelty"] = {{"deep", {1, 2, 3}}};
            }
        }
        const auto plain = decodeServerEvent(sample.ga);
        const auto padded = decodeServerEvent(writeJson(*json));
        QVERIFY2(padded.has_value(), sample.type.c_str());
        // An item kept raw keeps its novelty; there is none of those at the top of a sample.
        QCOMPARE(encode(*padded), encode(*plain));
    }
}

void TestServerEvents::bareEvents_OfCompatibleServers_AreRead_data()
{
    QTest::addColumn<QByteArray>("text");
    for (const char* text : {
             R"({"type":"session.created","session":{}})",
             R"({"type":"session.created","event_id":null,"session":{"modalities":null,"voice":null,"audio":null}})",
             R"({"type":"response.created","response":{}})",
             R"({"type":"response.done","response":{"status":null,"output":null,"usage":null,"metadata":null}})",
             R"({"type":"response.output_audio.delta","delta":"AAA="})",
             R"({"type":"response.output_audio.done"})",
             R"({"type":"response.audio_transcript.delta","delta":"a","content_index":null})",
             R"({"type":"input_audio_buffer.speech_started"})",
             R"({"type":"input_audio_buffer.speech_stopped","item_id":null})",
             R"({"type":"input_audio_buffer.committed"})",
             R"({"type":"conversation.item.input_audio_transcription.delta"})",
             R"({"type":"conversation.item.input_audio_transcription.completed","transcript":"a"})",
             R"({"type":"conversation.item.created","item":{"type":"message"}})",
             R"({"type":"response.function_call_arguments.done","arguments":"{}"})",
             R"({"type":"rate_limits.updated"})",
             R"({"type":"conversation.created"})",
             R"({"type":"error","error":{"message":"busy"}})",
         }) {
        QTest::newRow(text) << QByteArray(text);
    }
}

void TestServerEvents::bareEvents_OfCompatibleServers_AreRead()
{
    QFETCH(QByteArray, text);
    const auto event = decodeServerEvent(text.toStdString());
    QVERIFY2(event.has_value(), event ? "" : event.error().message.c_str());
    QVERIFY(!std::holds_alternative<UnknownEvent>(*event));
}

void TestServerEvents::session_WithFlatVoiceBesideGa_IsRead()
{
    const auto created =
        decoded<SessionCreated>(R"({"type":"session.created","session":{"type":"realtime","voice":"eve",
        "turn_detection":null,"audio":{"input":{"format":{"type":"audio/pcm","rate":16000}}}}})");
    QCOMPARE(created.session.voice->name, std::string("eve"));
    QVERIFY(created.session.turnDetection.isNull());
    QCOMPARE(created.session.inputFormat->rate.hz(), 16'000U);
}

void TestServerEvents::greeting_TellsItsDialect_data()
{
    QTest::addColumn<QByteArray>("session");
    QTest::addColumn<int>("dialect");
    const auto row = [](const char* name, const char* session, std::optional<Dialect> dialect) {
        QTest::newRow(name) << QByteArray(session) << (dialect ? static_cast<int>(*dialect) : -1);
    };
    row("ga", R"({"type":"realtime","audio":{}})", Dialect::Ga);
    row("its type only", R"({"type":"realtime"})", Dialect::Ga);
    row("its sound only", R"({"audio":{"output":{"voice":"marin"}}})", Dialect::Ga);
    row("both ways", R"({"type":"realtime","voice":"eve","modalities":["audio"]})", Dialect::Ga);
    row("beta", R"({"modalities":["audio","text"],"voice":"alloy"})", Dialect::Beta);
    row("its voice only", R"({"voice":"alloy"})", std::nullopt);
    row("of a transcription", R"({"input_audio_format":"pcm16"})", Dialect::Beta);
    row("nothing", "{}", std::nullopt);
    row("nulls", R"({"type":null,"audio":null,"voice":null})", std::nullopt);
}

void TestServerEvents::greeting_TellsItsDialect()
{
    QFETCH(QByteArray, session);
    QFETCH(int, dialect);
    const auto created =
        decoded<SessionCreated>(R"({"type":"session.created","session":)" + session.toStdString() + "}");
    QCOMPARE(created.dialect ? static_cast<int>(*created.dialect) : -1, dialect);
}

void TestServerEvents::session_WithOddOptionalFields_KeepsTheRest()
{
    const auto created = decoded<SessionCreated>(R"({"type":"session.created","session":{"id":"s","type":"duplex",
        "expires_at":"soon","tools":7,"model":"m","audio":{"input":{"format":{"type":"opus"},"turn_detection":{"type":"psychic"},
        "noise_reduction":{"type":"near_field"}}}}})");
    QCOMPARE(created.session.id.value_or(""), std::string("s"));
    QCOMPARE(created.session.model.value_or(""), std::string("m"));
    QVERIFY(!created.session.expiresAt.has_value());
    QVERIFY(!created.session.inputFormat.has_value());
    QVERIFY(created.session.turnDetection.isAbsent());
    QVERIFY(created.session.noiseReduction.hasValue());
}

void TestServerEvents::responseDone_WithOddUsage_KeepsTheRest()
{
    const auto done = decoded<ResponseDone>(
        R"({"type":"response.done","response":{"id":"r","status":"completed","usage":{"total_tokens":"many"},"output":[]}})");
    QCOMPARE(done.response.id, std::string("r"));
    QVERIFY(done.response.status == ResponseStatus::Completed);
    QVERIFY(!done.response.usage.has_value());
}

void TestServerEvents::item_OfAnUnknownKind_IsKeptRaw()
{
    const auto done = decoded<ResponseDone>(
        R"({"type":"response.done","response":{"id":"r","output":[{"type":"hologram","id":"h","z":[1]}]}})");
    QCOMPARE(done.response.output.size(), std::size_t{1});
    QVERIFY(done.response.output[0].type == ItemType::Other);
    QCOMPARE(done.response.output[0].id, std::string("h"));
    QCOMPARE(done.response.output[0].raw.text, std::string(R"({"id":"h","type":"hologram","z":[1]})"));
}

void TestServerEvents::contentPart_OfAnUnknownKind_IsKeptRaw()
{
    const auto done = decoded<ConversationItemDone>(
        R"({"type":"conversation.item.done","item":{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"no"}]}})");
    QCOMPARE(done.item.content.size(), std::size_t{1});
    QVERIFY(done.item.content[0].type == ContentType::Other);
    QCOMPARE(done.item.content[0].raw.text, std::string(R"({"refusal":"no","type":"refusal"})"));
}

void TestServerEvents::usage_Decoded_HoldsEveryFigure()
{
    for (const auto& sample : serverSamples()) {
        if (sample.type != "response.done") {
            continue;
        }
        const auto done = decoded<ResponseDone>(sample.ga);
        QVERIFY(done.response.usage.has_value());
        const Usage& usage = *done.response.usage;
        QCOMPARE(usage.totalTokens, std::int64_t{30});
        QCOMPARE(usage.inputTokens, std::int64_t{20});
        QCOMPARE(usage.outputTokens, std::int64_t{10});
        QCOMPARE(usage.inputDetails->cached, std::int64_t{8});
        QCOMPARE(usage.inputDetails->tokens.text, std::int64_t{12});
        QCOMPARE(usage.inputDetails->tokens.audio, std::int64_t{8});
        QCOMPARE(usage.inputDetails->cachedDetails->text, std::int64_t{5});
        QCOMPARE(usage.inputDetails->cachedDetails->audio, std::int64_t{2});
        QCOMPARE(usage.inputDetails->cachedDetails->image, std::int64_t{1});
        QCOMPARE(usage.outputDetails->text, std::int64_t{4});
        QCOMPARE(usage.outputDetails->audio, std::int64_t{6});
        QCOMPARE(done.response.statusDetails->error->code.value_or(""), std::string("c"));
    }
}

void TestServerEvents::transcriptionUsage_ByDuration_RoundTrips()
{
    const std::string text =
        R"({"content_index":0,"item_id":"i","transcript":"a","type":)"
        R"("conversation.item.input_audio_transcription.completed","usage":{"seconds":2.5,"type":"duration"}})";
    const auto completed = decoded<InputAudioTranscriptionCompleted>(text);
    QCOMPARE(std::get<TranscriptionDuration>(*completed.usage).seconds, 2.5);
    QCOMPARE(encode(ServerEvent(completed)), text);
}

void TestServerEvents::integers_WrittenAsFloats_AreRead()
{
    QCOMPARE(
        decoded<InputAudioBufferSpeechStopped>(R"({"type":"input_audio_buffer.speech_stopped","audio_end_ms":1234.0})")
            .audioEndMs,
        std::int64_t{1234});
}

void TestServerEvents::unknownEvent_DecodedAndEncoded_IsUnchanged()
{
    const std::string text = R"({ "type":"localai.meter", "level": 0.50 })";
    const auto event = decodeServerEvent(text);
    QVERIFY(event.has_value());
    QCOMPARE(std::get<UnknownEvent>(*event).type, std::string("localai.meter"));
    QCOMPARE(encode(*event), text);
    QCOMPARE(encode(*event, Dialect::Beta), text);
}

void TestServerEvents::whatThereIsNot_Written_IsNullWhereTheProviderSaysSo()
{
    const std::string error = encode(ServerEvent(ErrorEvent{{}, {"server_error", {}, "No.", {}, {}}}));
    QCOMPARE(error,
        std::string(
            R"({"error":{"code":null,"event_id":null,"message":"No.","param":null,"type":"server_error"},"type":"error"})"));
    ConversationItemAdded added;
    added.item.content.push_back({ContentType::InputAudio, {}, {}, {}, {}, {}, {}});
    QVERIFY(encode(ServerEvent(added)).find(R"({"transcript":null,"type":"input_audio"})") != std::string::npos);
    const std::string created = encode(ServerEvent(ResponseCreated{}));
    for (const char* key : {"conversation_id", "metadata", "status_details", "usage"}) {
        QVERIFY2(created.find("\"" + std::string(key) + "\":null") != std::string::npos, key);
    }
}

void TestServerEvents::text_WithBadUtf8_EncodesAsValidJson()
{
    ResponseOutputTextDelta delta;
    delta.delta = "a\xFFz";
    const auto again = decoded<ResponseOutputTextDelta>(encode(ServerEvent(delta)));
    QCOMPARE(again.delta, std::string("a\xEF\xBF\xBDz"));
}

QTEST_GUILESS_MAIN(TestServerEvents)
#include "test_server_events.moc"
