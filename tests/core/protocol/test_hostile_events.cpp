#include "core/base/json.h"
#include "core/protocol/openai/codec.h"
#include "tests/core/protocol/event_samples.h"

#include <nlohmann/json.hpp>

#include <QtTest>

using namespace vivavoce::core;
using namespace vivavoce::core::openai;
using vivavoce::test::clientSamples;
using vivavoce::test::EventSample;
using vivavoce::test::serverSamples;
using Fault = ProtocolError::Fault;

class TestHostileEvents : public QObject {
    Q_OBJECT

private slots:
    void text_NotAnEvent_IsRefused_data();
    void text_NotAnEvent_IsRefused();
    void requiredField_Missing_IsRefused();
    void requiredField_NullOrOfAWrongType_IsRefused();
    void clientField_Unknown_IsRefusedInEveryEvent();
    void clientFields_Mutated_AreReadOrBlamed();
    void serverFields_Mutated_NeverCrash();
    void fault_OfAClientEvent_CarriesItsEventId();
    void eventId_TooLongOrNoString_IsRefusedFromClients();
    void base64_Odd_IsRefused_data();
    void base64_Odd_IsRefused();
    void strings_OfAMegabyte_AreRead();
    void unknownKey_Odd_IsNotRepeated();
    void clientField_NullWhereItSaysNothing_IsAbsent_data();
    void clientField_NullWhereItSaysNothing_IsAbsent();
    void item_WithContentOfAnotherRole_IsRefused();
    void clientMetadata_BeyondSixteenPairs_IsRefused();
    void clientNumbers_OutOfRange_AreRefused_data();
    void clientNumbers_OutOfRange_AreRefused();
};

namespace {

const std::vector<const char*>& oddValues()
{
    static const std::vector<const char*> values{"null", "true", "0", "-1", "1.5", "1e300", "18446744073709551615",
        "\"\"", "\"x\"", "[]", "{}", "[[1]]", R"({"a":null})"};
    return values;
}

Json parsed(const std::string& text)
{
    auto json = parseJson(text);
    return json ? std::move(*json) : Json();
}

/// Replaces each value of the tree, however deep, by each odd value, and hands the text on.
template <typename Visit>
void mutate(const Json& root, const Json& node, const Json::json_pointer& at, Visit visit)
{
    if (!at.empty()) {
        for (const char* odd : oddValues()) {
            Json copy = root;
            copy[at] = parsed(odd);
            visit(writeJson(copy), at);
        }
        Json copy = root;
        if (copy[at.parent_pointer()].is_object()) {
            copy[at.parent_pointer()].erase(at.back());
            visit(writeJson(copy), at);
        }
    }
    if (node.is_object()) {
        for (const auto& member : node.items()) {
            mutate(root, member.value(), at / member.key(), visit);
        }
    } else if (node.is_array()) {
        for (std::size_t i = 0; i < node.size(); ++i) {
            mutate(root, node[i], at / i, visit);
        }
    }
}

std::string nested(int depth)
{
    return R"({"type":"response.done","x":)" + std::string(static_cast<std::size_t>(depth), '[')
        + std::string(static_cast<std::size_t>(depth), ']') + "}";
}

} // namespace

void TestHostileEvents::text_NotAnEvent_IsRefused_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("fault");
    const auto row = [](const char* name, const std::string& text, Fault fault) {
        QTest::newRow(name) << QByteArray::fromStdString(text) << static_cast<int>(fault);
    };
    row("nothing", "", Fault::NotJson);
    row("a word", "hello", Fault::NotJson);
    row("half an object", R"({"type":"response.done")", Fault::NotJson);
    row("two objects", R"({"type":"a"}{"type":"b"})", Fault::NotJson);
    row("bad UTF-8", "{\"type\":\"\xFF\"}", Fault::NotJson);
    row("a key twice", R"({"type":"session.update","type":"response.cancel"})", Fault::NotJson);
    row("a key twice, deep", R"({"type":"session.update","session":{"type":"realtime","type":"transcription"}})",
        Fault::NotJson);
    row("too deep", nested(1000), Fault::NotJson);
    row("far too deep", nested(1'000'000), Fault::NotJson);
    row("an array", R"([{"type":"response.done"}])", Fault::NotObject);
    row("a string", R"("response.done")", Fault::NotObject);
    row("null", "null", Fault::NotObject);
    row("no type", R"({"event_id":"a"})", Fault::MissingType);
    row("type is a number", R"({"type":7})", Fault::WrongType);
    row("type is null", R"({"type":null})", Fault::WrongType);
}

void TestHostileEvents::text_NotAnEvent_IsRefused()
{
    QFETCH(QByteArray, text);
    QFETCH(int, fault);
    const auto client = decodeClientEvent(text.toStdString());
    const auto server = decodeServerEvent(text.toStdString());
    QVERIFY(!client.has_value());
    QVERIFY(!server.has_value());
    QCOMPARE(static_cast<int>(client.error().fault), fault);
    QCOMPARE(static_cast<int>(server.error().fault), fault);
}

void TestHostileEvents::requiredField_Missing_IsRefused()
{
    const auto check = [](const EventSample& sample, auto decode) {
        for (const std::string& field : sample.required) {
            Json json = parsed(sample.ga);
            json.erase(field);
            const auto event = decode(writeJson(json));
            QVERIFY2(!event.has_value(), (sample.type + " without " + field).c_str());
            QVERIFY(event.error().fault == Fault::MissingField);
            QCOMPARE(event.error().param, field);
        }
    };
    for (const auto& sample : clientSamples()) {
        check(sample, [](const std::string& text) { return decodeClientEvent(text); });
    }
    for (const auto& sample : serverSamples()) {
        check(sample, decodeServerEvent);
    }
}

void TestHostileEvents::requiredField_NullOrOfAWrongType_IsRefused()
{
    const auto check = [](const EventSample& sample, auto decode) {
        for (const std::string& field : sample.required) {
            for (const char* odd : {"null", "[]", "true"}) {
                Json json = parsed(sample.ga);
                json[field] = parsed(odd);
                const auto event = decode(writeJson(json));
                QVERIFY2(!event.has_value(), (sample.type + "." + field + " = " + odd).c_str());
                QVERIFY(event.error().fault == Fault::WrongType);
                QCOMPARE(event.error().param, field);
            }
        }
    };
    for (const auto& sample : clientSamples()) {
        check(sample, [](const std::string& text) { return decodeClientEvent(text); });
    }
    for (const auto& sample : serverSamples()) {
        check(sample, decodeServerEvent);
    }
}

void TestHostileEvents::clientField_Unknown_IsRefusedInEveryEvent()
{
    for (const auto& sample : clientSamples()) {
        Json json = parsed(sample.ga);
        json["novelty"] = 1;
        const auto event = decodeClientEvent(writeJson(json));
        QVERIFY2(!event.has_value(), sample.type.c_str());
        QVERIFY(event.error().fault == Fault::UnknownField);
        QCOMPARE(event.error().param, std::string("novelty"));
    }
}

void TestHostileEvents::clientFields_Mutated_AreReadOrBlamed()
{
    int refused = 0;
    for (const auto& sample : clientSamples()) {
        const Json root = parsed(sample.ga);
        mutate(root, root, Json::json_pointer(), [&](const std::string& text, const Json::json_pointer&) {
            const auto event = decodeClientEvent(text);
            if (!event) {
                ++refused;
                QVERIFY2(!event.error().param.empty() && !event.error().message.empty(), text.c_str());
            } else {
                // What was taken must be something that can be said again.
                const auto again = decodeClientEvent(encode(*event));
                QVERIFY2(again.has_value(), (text + " -> " + encode(*event)).c_str());
            }
        });
    }
    QVERIFY(refused > 500);
}

void TestHostileEvents::serverFields_Mutated_NeverCrash()
{
    int taken = 0;
    for (const auto& sample : serverSamples()) {
        for (const std::string& original : {sample.ga, sample.beta}) {
            if (original.empty()) {
                continue;
            }
            const Json root = parsed(original);
            mutate(root, root, Json::json_pointer(), [&](const std::string& text, const Json::json_pointer&) {
                const auto event = decodeServerEvent(text);
                if (event) {
                    ++taken;
                    QVERIFY2(decodeServerEvent(encode(*event)).has_value(), text.c_str());
                } else {
                    QVERIFY2(!event.error().message.empty(), text.c_str());
                }
            });
        }
    }
    QVERIFY(taken > 500);
}

void TestHostileEvents::fault_OfAClientEvent_CarriesItsEventId()
{
    const auto event =
        decodeClientEvent(R"({"session":{"type":"realtime","speed":1},"event_id":"mine_7","type":"session.update"})");
    QVERIFY(!event.has_value());
    QCOMPARE(event.error().eventId, std::string("mine_7"));
    const auto typeless = decodeClientEvent(R"({"event_id":"mine_8"})");
    QCOMPARE(typeless.error().eventId, std::string("mine_8"));
    QCOMPARE(typeless.error().param, std::string("type"));
}

void TestHostileEvents::eventId_TooLongOrNoString_IsRefusedFromClients()
{
    const std::string longId(513, 'a');
    for (const std::string& id : {std::string("7"), "\"" + longId + "\""}) {
        const std::string text = R"({"type":"input_audio_buffer.commit","event_id":)" + id + "}";
        const auto event = decodeClientEvent(text);
        QVERIFY(!event.has_value());
        QCOMPARE(event.error().param, std::string("event_id"));
        QVERIFY(event.error().eventId.empty());
    }
    QVERIFY(decodeClientEvent(R"({"type":"input_audio_buffer.commit","event_id":")" + longId.substr(1) + "\"}")
                .has_value());
    QVERIFY(decodeServerEvent(R"({"type":"input_audio_buffer.cleared","event_id":7})").has_value());
}

void TestHostileEvents::base64_Odd_IsRefused_data()
{
    QTest::addColumn<QByteArray>("audio");
    for (const char* audio :
        {"A", "AA", "AAA", "AAAA=", "AA=A", "AAE", "AB==", "AA==AA==", "A A=", "AA\\n==", "____", "AAA\\u0000"}) {
        QTest::newRow(audio) << QByteArray(audio);
    }
}

void TestHostileEvents::base64_Odd_IsRefused()
{
    QFETCH(QByteArray, audio);
    const std::string text = audio.toStdString();
    const auto client = decodeClientEvent(R"({"type":"input_audio_buffer.append","audio":")" + text + "\"}");
    QVERIFY(!client.has_value());
    QVERIFY(client.error().fault == Fault::BadValue);
    QCOMPARE(client.error().param, std::string("audio"));
    const auto server = decodeServerEvent(R"({"type":"response.output_audio.delta","delta":")" + text + "\"}");
    QVERIFY(!server.has_value());
    QVERIFY(server.error().fault == Fault::BadValue);
    QCOMPARE(server.error().param, std::string("delta"));
}

void TestHostileEvents::strings_OfAMegabyte_AreRead()
{
    const std::string big(1 << 20, 'x');
    const auto delta = decodeServerEvent(R"({"type":"response.output_text.delta","delta":")" + big + "\"}");
    QVERIFY(delta.has_value());
    QCOMPARE(std::get<ResponseOutputTextDelta>(*delta).delta.size(), big.size());
    const auto audio = decodeClientEvent(encode(ClientEvent(InputAudioBufferAppend{{}, Bytes(1 << 20, 0x5A)})));
    QVERIFY(audio.has_value());
    QCOMPARE(std::get<InputAudioBufferAppend>(*audio).audio, Bytes(1 << 20, 0x5A));
    const auto type = decodeClientEvent(R"({"type":")" + big + "\"}");
    QVERIFY(type.has_value());
    QVERIFY(std::holds_alternative<UnknownEvent>(*type));
    const auto key = decodeClientEvent(R"({"type":"response.cancel",")" + big + "\":1}");
    QVERIFY(!key.has_value());
    QVERIFY(key.error().message.size() < 200);
}

void TestHostileEvents::unknownKey_Odd_IsNotRepeated()
{
    const auto event = decodeClientEvent(R"({"type":"response.cancel","Bearer sk-\u0007 secret":1})");
    QVERIFY(!event.has_value());
    QVERIFY(event.error().fault == Fault::UnknownField);
    QVERIFY(event.error().message.find("secret") == std::string::npos);
}

void TestHostileEvents::clientField_NullWhereItSaysNothing_IsAbsent_data()
{
    QTest::addColumn<QByteArray>("text");
    for (const char* text : {R"({"type":"response.create","event_id":null,"response":null})",
             R"({"type":"response.cancel","response_id":null})",
             R"({"type":"response.create","response":{"instructions":null,"metadata":null,"prompt":null}})",
             R"({"type":"conversation.item.create","previous_item_id":null,"item":{"type":"message","role":"user",
                "content":[{"type":"input_audio","audio":null,"transcript":null}]}})",
             R"({"type":"session.update","session":{"type":"realtime","include":null,
                "tools":[{"type":"function","name":"a","description":null,"parameters":null}],
                "audio":{"input":{"transcription":{"language":null,"prompt":null}}}}})"}) {
        QTest::newRow(text) << QByteArray(text);
    }
}

void TestHostileEvents::clientField_NullWhereItSaysNothing_IsAbsent()
{
    QFETCH(QByteArray, text);
    const auto event = decodeClientEvent(text.toStdString());
    QVERIFY2(event.has_value(), event ? "" : event.error().message.c_str());
}

void TestHostileEvents::item_WithContentOfAnotherRole_IsRefused()
{
    const auto event = decodeClientEvent(R"({"type":"conversation.item.create","item":{"type":"message","role":"user",
        "content":[{"type":"input_text","text":"a"},{"type":"output_text","text":"b"}]}})");
    QVERIFY(!event.has_value());
    QCOMPARE(event.error().param, std::string("item.content[1].type"));
    const auto textless =
        decodeClientEvent(R"({"type":"conversation.item.create","item":{"type":"message","role":"user",
        "content":[{"type":"input_text"}]}})");
    QVERIFY(!textless.has_value());
    QCOMPARE(textless.error().param, std::string("item.content[0].text"));
    const auto reference =
        decodeClientEvent(R"({"type":"conversation.item.create","item":{"type":"item_reference","id":"a"}})");
    QVERIFY(!reference.has_value());
    QCOMPARE(reference.error().param, std::string("item.type"));
}

void TestHostileEvents::clientMetadata_BeyondSixteenPairs_IsRefused()
{
    ResponseCreate create;
    create.response.emplace().metadata.emplace();
    for (int i = 0; i < 16; ++i) {
        (*create.response->metadata)["k" + std::to_string(i)] = "v";
    }
    QVERIFY(decodeClientEvent(encode(ClientEvent(create))).has_value());
    (*create.response->metadata)["k16"] = "v";
    const auto event = decodeClientEvent(encode(ClientEvent(create)));
    QVERIFY(!event.has_value());
    QCOMPARE(event.error().param, std::string("response.metadata"));
}

void TestHostileEvents::clientNumbers_OutOfRange_AreRefused_data()
{
    QTest::addColumn<QByteArray>("value");
    for (const char* value : {"-1", "1.5", "1e3", "18446744073709551615", "\"0\"", "true"}) {
        QTest::newRow(value) << QByteArray(value);
    }
}

void TestHostileEvents::clientNumbers_OutOfRange_AreRefused()
{
    QFETCH(QByteArray, value);
    const auto event =
        decodeClientEvent(R"({"type":"conversation.item.truncate","item_id":"i","content_index":0,"audio_end_ms":)"
            + value.toStdString() + "}");
    QVERIFY(!event.has_value());
    QCOMPARE(event.error().param, std::string("audio_end_ms"));
}

QTEST_GUILESS_MAIN(TestHostileEvents)
#include "test_hostile_events.moc"
