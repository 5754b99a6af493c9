#include "agent/realtime/conversation.h"
#include "agent/realtime/usage.h"
#include "core/base/json.h"
#include "core/protocol/openai/codec.h"

#include <nlohmann/json.hpp>

#include <QtTest>

using namespace vivavoce;
using namespace vivavoce::agent::realtime;
using core::Json;
using core::Milliseconds;
namespace openai = core::openai;

namespace {

Item message(const std::string& id, ItemRole role = ItemRole::User, const std::string& words = "hello there")
{
    Item item;
    item.id = id;
    item.role = role;
    ContentPart part;
    part.kind = role == ItemRole::Assistant ? PartKind::OutputAudio : PartKind::InputText;
    part.text = words;
    item.content.push_back(part);
    return item;
}

/// "One two. Three four." in 2 s: a sentence a second.
Item spoken(const std::string& id)
{
    Item item = message(id, ItemRole::Assistant, "One two. Three four.");
    ContentPart& part = item.content.front();
    part.audioLength = Milliseconds{2'000};
    part.audio.resize(2'000 * 48);
    part.marks = {{Milliseconds{1'000}, 8}, {Milliseconds{2'000}, 20}};
    return item;
}

openai::Item wireItem(const Json& item)
{
    const auto event = openai::decodeClientEvent(Json{{"type", "conversation.item.create"}, {"item", item}}.dump());
    return std::get<openai::ConversationItemCreate>(event.value()).item;
}

std::string codeOf(const core::Expected<std::string, EventFault>& result)
{
    return result ? std::string() : result.error().code;
}

std::string codeOf(const core::Expected<void, EventFault>& result)
{
    return result ? std::string() : result.error().code;
}

} // namespace

class TestConversation : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void insert_WithoutPrevious_Appends()
    {
        Conversation conversation;
        QCOMPARE(conversation.insert(message("a"), std::nullopt).value(), std::string());
        QCOMPARE(conversation.insert(message("b"), std::nullopt).value(), std::string("a"));
        QCOMPARE(conversation.lastId(), std::string("b"));
    }

    void insert_AtRootAndBehind_KeepsTheOrder()
    {
        Conversation conversation;
        (void)conversation.insert(message("b"), std::nullopt);
        (void)conversation.insert(message("d"), std::nullopt);
        QCOMPARE(conversation.insert(message("a"), "root").value(), std::string());
        QCOMPARE(conversation.insert(message("c"), "b").value(), std::string("b"));
        std::string order;
        for (const Item* item : conversation.finishedItems()) {
            order += item->id;
        }
        QCOMPARE(order, std::string("abcd"));
        QCOMPARE(conversation.before("d"), std::string("c"));
    }

    void insert_Refused_ChangesNothing()
    {
        Conversation conversation;
        (void)conversation.insert(message("a"), std::nullopt);
        QCOMPARE(codeOf(conversation.insert(message("a"), std::nullopt)), std::string("item_create_duplicate_id"));
        QCOMPARE(codeOf(conversation.insert(message("b"), "nowhere")), std::string("invalid_value"));
        Item output;
        output.id = "out";
        output.kind = ItemKind::FunctionCallOutput;
        output.callId = "call_1";
        QCOMPARE(codeOf(conversation.insert(output, std::nullopt)), std::string("invalid_tool_call_id"));
        QCOMPARE(conversation.size(), std::size_t{1});

        Item call;
        call.id = "call";
        call.kind = ItemKind::FunctionCall;
        call.callId = "call_1";
        (void)conversation.insert(call, std::nullopt);
        QVERIFY(conversation.insert(output, std::nullopt).has_value());
    }

    void insert_BeyondTheLimits_ForgetsTheOldest()
    {
        Conversation conversation;
        for (std::size_t i = 0; i < Conversation::kMaxItems + 3; ++i) {
            (void)conversation.insert(message("m" + std::to_string(i)), std::nullopt);
        }
        QCOMPARE(conversation.size(), Conversation::kMaxItems);
        QVERIFY(conversation.find("m2") == nullptr);
        QVERIFY(conversation.find("m3") != nullptr);

        Conversation heavy;
        Item first = spoken("first");
        first.content.front().audio.resize(Conversation::kMaxAudioBytes);
        (void)heavy.insert(first, std::nullopt);
        (void)heavy.insert(spoken("second"), std::nullopt);
        QVERIFY(heavy.find("first")->content.front().audio.empty());
        QVERIFY(!heavy.find("second")->content.front().audio.empty());
    }

    void truncate_ForgetsWhatWasNotHeard_data()
    {
        QTest::addColumn<int>("heardMs");
        QTest::addColumn<QString>("text");
        QTest::newRow("nothing") << 0 << "";
        QTest::newRow("half of a sentence") << 500 << "One";
        QTest::newRow("one sentence") << 1'000 << "One two.";
        QTest::newRow("one and a half") << 1'600 << "One two. Three";
        QTest::newRow("all") << 2'000 << "One two. Three four.";
    }

    void truncate_ForgetsWhatWasNotHeard()
    {
        QFETCH(int, heardMs);
        QFETCH(QString, text);
        Conversation conversation;
        (void)conversation.insert(spoken("a"), std::nullopt);
        QVERIFY(conversation.truncate("a", 0, Milliseconds{heardMs}).has_value());
        const ContentPart& part = conversation.find("a")->content.front();
        QCOMPARE(QString::fromStdString(*part.text), text);
        QCOMPARE(part.audioLength, Milliseconds{heardMs});
        QCOMPARE(part.audio.size(), static_cast<std::size_t>(heardMs) * 48);
    }

    void truncate_OfWhatIsNotThere_IsRefused()
    {
        Conversation conversation;
        (void)conversation.insert(spoken("a"), std::nullopt);
        (void)conversation.insert(message("user"), std::nullopt);
        QCOMPARE(
            codeOf(conversation.truncate("none", 0, Milliseconds{0})), std::string("item_truncate_invalid_item_id"));
        QCOMPARE(
            codeOf(conversation.truncate("user", 0, Milliseconds{0})), std::string("item_truncate_invalid_item_id"));
        QCOMPARE(
            codeOf(conversation.truncate("a", 1, Milliseconds{0})), std::string("item_truncate_invalid_content_index"));
        QCOMPARE(codeOf(conversation.truncate("a", 0, Milliseconds{2'001})),
            std::string("item_truncate_invalid_audio_end_ms"));
        QCOMPARE(*conversation.find("a")->content.front().text, std::string("One two. Three four."));
    }

    void item_OfEachKind_RoundTrips_data()
    {
        QTest::addColumn<QString>("json");
        QTest::newRow("user") << R"({"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]})";
        QTest::newRow("system")
            << R"({"type":"message","role":"system","content":[{"type":"input_text","text":"be kind"}]})";
        QTest::newRow("assistant")
            << R"({"type":"message","role":"assistant","content":[{"type":"output_text","text":"ho"}]})";
        QTest::newRow("call") << R"({"type":"function_call","call_id":"c","name":"n","arguments":"{}"})";
        QTest::newRow("output") << R"({"type":"function_call_output","call_id":"c","output":"42"})";
    }

    void item_OfEachKind_RoundTrips()
    {
        QFETCH(QString, json);
        const Json given = core::parseJson(json.toStdString()).value();
        const auto item = itemFromWire(wireItem(given), WireFormat::Pcm, "item");
        QVERIFY(item.has_value());
        const auto told = openai::encode(openai::ConversationItemRetrieved{{}, itemToWire(*item, WithAudio::No)});
        const Json back = core::parseJson(told).value().at("item");
        for (const auto& [name, value] : given.items()) {
            QVERIFY2(back.at(name) == value, name.c_str());
        }
        QCOMPARE(back.at("object"), Json("realtime.item"));
        QVERIFY(back.at("id").get<std::string>().size() > 10);
    }

    void item_WithBadAudio_NamesThePart()
    {
        const Json item{{"type", "message"}, {"role", "user"},
            {"content",
                Json::array({{{"type", "input_text"}, {"text", "a"}},
                    {{"type", "input_audio"}, {"audio", "AAA="}, {"transcript", nullptr}},
                    {{"type", "input_audio"}, {"audio", "AAAA"}}})}};
        const auto read = itemFromWire(wireItem(item), WireFormat::Pcm, "item");
        QVERIFY(!read.has_value());
        QCOMPARE(read.error().param, std::string("item.content[2].audio"));
    }

    void usage_OfARequest_CountsByDurationAndCachesWhatWasSent()
    {
        Item heard = message("a");
        heard.content.front().kind = PartKind::InputAudio;
        heard.content.front().audioLength = Milliseconds{1'950};
        heard.wasSent = true;
        const Item typed = message("b", ItemRole::User, " one  two three ");
        const Usage usage = inputUsage("be brief", true, {&heard, &typed});
        QCOMPARE(usage.inputAudio, 20);
        QCOMPARE(usage.cachedAudio, 20);
        QCOMPARE(usage.inputText, 5);
        QCOMPARE(usage.cachedText, 2);
        const auto told = usage.toWire();
        QCOMPARE(told.inputTokens, 25);
        QCOMPARE(told.inputDetails->cached, 22);
        QCOMPARE(outputAudioTokens(Milliseconds{101}), 3);
    }
};

QTEST_GUILESS_MAIN(TestConversation)
#include "test_conversation.moc"
