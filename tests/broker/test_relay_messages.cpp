#include "broker/relay/client_message_check.h"
#include "broker/relay/rate_window.h"
#include "core/base/base64.h"

#include <QTest>

using namespace std::chrono_literals;
using namespace vivavoce;
using namespace vivavoce::broker::relay;
using Message = net::WebSocketMessage;

namespace {

Locks allLocks()
{
    Locks locks;
    locks.model = "gpt-realtime";
    locks.voices = std::vector<std::string>{"marin"};
    locks.tools = std::vector<std::string>{"look_up"};
    locks.areInstructionsFixed = true;
    return locks;
}

Verdict verdictOn(const ClientMessageCheck& check, std::string text)
{
    Message message{Message::Kind::Text, std::move(text)};
    return check.look(message);
}

/// Written with apostrophes for quotes.
QByteArray json(const char* text)
{
    return QByteArray(text).replace('\'', '"');
}

QByteArray nested(int depth)
{
    return json("{'type':'a','x':") + QByteArray(depth, '[') + QByteArray(depth, ']') + "}";
}

} // namespace

class TestRelayMessages : public QObject {
    Q_OBJECT

private slots:
    void message_ThatTwoReadersCouldReadInTwoWays_EndsTheStream_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("code");
        const auto row = [](const char* name, const QByteArray& text, const char* code) {
            QTest::newRow(name) << text << QByteArray(code);
        };
        row("not JSON", "hello", "invalid_json");
        row("nothing", "", "invalid_json");
        row("a list", "[]", "invalid_json");
        row("two values", json("{'type':'a'}{'type':'b'}"), "invalid_json");
        row("something behind", json("{'type':'a'} x"), "invalid_json");
        row("open", json("{'type':'a'"), "invalid_json");
        row("open inside", json("{'type':'a','x':[1,2}"), "invalid_json");
        row("comma too many", json("{'type':'a',}"), "invalid_json");
        row("no comma", json("{'type':'a' 'x':1}"), "invalid_json");
        row("bad number", json("{'type':'a','x':01}"), "invalid_json");
        row("two points", json("{'type':'a','x':[1.2.3]}"), "invalid_json");
        row("not quite true", json("{'type':'a','x':tru}"), "invalid_json");
        row("not quite null", json("{'type':'a','x':nul}"), "invalid_json");
        row("single quotes", json("{`type`:`a`}"), "invalid_json");
        row("a name that is none", json("{'type':'a',x:1}"), "invalid_json");
        row("a control character", QByteArray("{\"type\":\"a\nb\"}"), "invalid_json");
        row("an escape that is none", json("{'type':'a','x':'\\q'}"), "invalid_json");
        row("an escape that is too short", json("{'type':'a','x':'\\u12'}"), "invalid_json");
        row("an escape of other letters", json("{'type':'a','x':['\\u12g4']}"), "invalid_json");
        row("half a character, and an escape that is none", json("{'type':'a','x':'\\ud83c\\u12'}"), "invalid_json");
        row("half a character as a type", json("{'type':'\\ud83c'}"), "escaped_name");
        row("half a character as a name", json("{'type':'a','\\ud83c':1}"), "escaped_name");
        row("half a character, and a name twice", json("{'type':'a','x':'\\ud83c','x':1}"), "duplicate_name");
        row("no UTF-8", QByteArray("{\"type\":\"a\",\"x\":\"\xff\"}"), "invalid_json");
        row("no type", json("{'x':1}"), "no_type");
        row("a type that is a number", json("{'type':1}"), "no_type");
        row("type twice", json("{'type':'input_audio_buffer.append','type':'session.update'}"), "duplicate_name");
        row("twice inside", json("{'type':'a','session':{'model':'x','model':'y'}}"), "duplicate_name");
        row("twice in a list", json("{'type':'a','x':[{'b':1,'b':2}]}"), "duplicate_name");
        row("an escaped name", json("{'ty\\u0070e':'session.update'}"), "escaped_name");
        row("an escaped name inside", json("{'type':'a','session':{'mod\\u0065l':'x'}}"), "escaped_name");
        row("an escaped type", json("{'type':'session\\u002eupdate'}"), "escaped_name");
        row("too deep", nested(100), "too_deep");
        row("far too deep", nested(100'000), "too_deep");
    }

    void message_ThatTwoReadersCouldReadInTwoWays_EndsTheStream()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, code);
        const Verdict verdict = verdictOn(ClientMessageCheck(Locks{}), text.toStdString());
        QVERIFY(verdict.kind == Verdict::Kind::End);
        QCOMPARE(QByteArray(verdict.code.data(), static_cast<int>(verdict.code.size())), code);
    }

    void halfACharacter_IsRefused_AndEndsNothing_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("the first half") << json("{'event_id':'e','type':'a','x':'\\ud83c'}");
        QTest::newRow("the other half") << json("{'event_id':'e','type':'a','x':'\\udf99'}");
        QTest::newRow("something else behind it") << json("{'event_id':'e','type':'a','x':['\\ud83c\\u0041']}");
        QTest::newRow("the first half twice") << json("{'event_id':'e','type':'a','x':'\\ud83c\\ud83c\\udf99'}");
        QTest::newRow("of a response") << json("{'event_id':'e','type':'response.create','x':{'y':'\\udf99\\ud83c'}}");
    }
    void halfACharacter_IsRefused_AndEndsNothing()
    {
        QFETCH(QByteArray, text);
        const Verdict verdict = verdictOn(ClientMessageCheck(Locks{}), text.toStdString());
        QVERIFY(verdict.kind == Verdict::Kind::Refuse);
        QVERIFY(!verdict.asksForResponse);
        QCOMPARE(verdict.code, std::string_view("invalid_json"));
        QCOMPARE(verdict.eventId, std::string("e"));
    }

    /// Each message is read whole before the next one of anybody is: what takes seconds to read would keep others waiting.
    void messageOfTooManyParts_EndsTheStream_AndLongOnesOfFewDoNot()
    {
        std::string parts = "{'type':'x'";
        for (int i = 0; i < 40'000; ++i) {
            parts += ",'k" + std::to_string(i) + "':1";
        }
        parts += '}';
        const Verdict verdict = verdictOn(ClientMessageCheck(Locks{}), json(parts.c_str()).toStdString());
        QVERIFY(verdict.kind == Verdict::Kind::End && verdict.isTooBig);
        QCOMPARE(verdict.code, std::string_view("message_too_big"));
        const std::string letters(8'000'000, 'A');
        const std::string message = "{'type':'input_audio_buffer.append','audio':'" + letters + "'}";
        const std::string sound = json(message.c_str()).toStdString();
        QVERIFY(verdictOn(ClientMessageCheck(Locks{}), sound).kind == Verdict::Kind::Pass);
    }

    void binary_EndsTheStream()
    {
        Message message{Message::Kind::Binary, "\x01\x02"};
        QVERIFY(ClientMessageCheck(Locks{}).look(message).kind == Verdict::Kind::End);
    }

    void soundMessages_PassAsTheyAre_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("commit") << (json("{'type':'input_audio_buffer.commit'}"));
        QTest::newRow("unknown") << QByteArray(
            json(" { 'x' : [ 1.5e3 , -0 , null , true , {} ] , 'type' : 'tomorrow' } "));
        QTest::newRow("escapes in values") << (json("{'type':'a','x':'\\u0074\\\\\\'ype'}"));
        QTest::newRow("all escapes") << json(
            "{'type':'a','x':'\\b\\f\\n\\r\\t\\/\\\\ \\u00e9 \\uD83C\\uDF99','y':'\\\\u'}");
        QTest::newRow("same names, apart") << (json("{'type':'a','x':{'type':'b'},'y':[{'type':'c'},{'type':'d'}]}"));
        QTest::newRow("deep enough") << nested(50);
        QTest::newRow("allowed changes") << QByteArray(json(
            "{'type':'session.update','session':{'type':'realtime','model':'gpt-realtime','audio':{'output':{'voice':'marin'}},'tools':[{'type':'function','name':'look_up'}]}}"));
        QTest::newRow("an assistant's words")
            << json("{'type':'conversation.item.create','item':{'type':'message','role':'assistant','content':[]}}");
        QTest::newRow("a tool's result") << json(
            "{'type':'conversation.item.create','item':{'type':'function_call_output','call_id':'c'}}");
        QTest::newRow("a user's words") << QByteArray(
            json("{'type':'conversation.item.create','item':{'type':'message','role':'user','content':[]}}"));
    }

    void soundMessages_PassAsTheyAre()
    {
        QFETCH(QByteArray, text);
        Message message{Message::Kind::Text, text.toStdString()};
        QVERIFY(ClientMessageCheck(allLocks()).look(message).kind == Verdict::Kind::Pass);
        QCOMPARE(message.data, text.toStdString());
    }

    void lockedFields_AreRefused_AndNamed_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("field");
        const auto row = [](const char* name, const QByteArray& text, const char* field) {
            QTest::newRow(name) << text << QByteArray(field);
        };
        row("model", json("{'type':'session.update','session':{'model':'dear'}}"), "session.model");
        row("model, no text", json("{'type':'session.update','session':{'model':null}}"), "session.model");
        row("model of a reply", json("{'type':'response.create','response':{'model':'dear'}}"), "response.model");
        row("voice", json("{'type':'session.update','session':{'audio':{'output':{'voice':'ash'}}}}"),
            "session.audio.output.voice");
        row("voice by id", json("{'type':'session.update','session':{'audio':{'output':{'voice':{'id':'marin'}}}}}"),
            "session.audio.output.voice");
        row("voice of the beta", json("{'type':'session.update','session':{'voice':'ash'}}"), "session.voice");
        row("voice of a reply", json("{'type':'response.create','response':{'audio':{'output':{'voice':'ash'}}}}"),
            "response.audio.output.voice");
        row("tools", json("{'type':'session.update','session':{'tools':[{'type':'function','name':'pay'}]}}"),
            "session.tools");
        row("tools of a server",
            json("{'type':'session.update','session':{'tools':[{'type':'mcp','name':'look_up'}]}}"), "session.tools");
        row("tools of a reply",
            json("{'type':'response.create','response':{'tools':[{'type':'function','name':'pay'}]}}"),
            "response.tools");
        row("instructions", json("{'type':'session.update','session':{'instructions':'Be rude.'}}"),
            "session.instructions");
        row("instructions of a reply", json("{'type':'response.create','response':{'instructions':'Be rude.'}}"),
            "response.instructions");
        row("a prompt", json("{'type':'session.update','session':{'prompt':{'id':'p'}}}"), "session.prompt");
        row("a system message",
            json("{'type':'conversation.item.create','item':{'type':'message','role':'system','content':[]}}"),
            "item.role");
        row("a developer's message",
            json("{'type':'conversation.item.create','item':{'type':'message','role':'developer','content':[]}}"),
            "item.role");
        row("a message of a role that is none",
            json("{'type':'conversation.item.create','item':{'type':'message','role':['user']}}"), "item.role");
        row("a developer's message for a reply",
            json("{'type':'response.create','response':{'input':[{'type':'message','role':'developer'}]}}"),
            "response.input");
        row("a system message for a reply",
            json("{'type':'response.create','response':{'input':[{'type':'message','role':'system'}]}}"),
            "response.input");
    }

    void lockedFields_AreRefused_AndNamed()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, field);
        QByteArray named = text;
        named.insert(1, json("'event_id':'mine',"));
        const Verdict verdict = verdictOn(ClientMessageCheck(allLocks()), named.toStdString());
        QVERIFY(verdict.kind == Verdict::Kind::Refuse);
        QCOMPARE(verdict.field, field.toStdString());
        QCOMPARE(verdict.eventId, std::string("mine"));
        // Without locks all of that is the provider's business, but for the model.
        Locks open;
        open.model = "gpt-realtime";
        const bool isModel = field.endsWith(".model");
        QCOMPARE(verdictOn(ClientMessageCheck(open), named.toStdString()).kind == Verdict::Kind::Pass, !isModel);
    }

    /// A template brings tools along.
    void promptTemplate_WhereToolsAreLocked_IsRefused()
    {
        Locks locks;
        locks.model = "gpt-realtime";
        locks.tools = std::vector<std::string>{"look_up"};
        const ClientMessageCheck check(locks);
        for (const char* const text : {"{'type':'session.update','session':{'prompt':{'id':'p'}}}",
                 "{'type':'response.create','response':{'prompt':{'id':'p'}}}"}) {
            const Verdict verdict = verdictOn(check, json(text).toStdString());
            QVERIFY(verdict.kind == Verdict::Kind::Refuse);
            QVERIFY(verdict.field.ends_with(".prompt"));
        }
        QVERIFY(verdictOn(check, json("{'type':'session.update','session':{'prompt':null}}").toStdString()).kind
            == Verdict::Kind::Pass);
    }

    void sound_IsCountedByItsLength()
    {
        ClientMessageCheck check{Locks{}};
        const std::string sound = core::encodeBase64(std::vector<std::uint8_t>(4'800));
        const std::string text = json("{'type':'input_audio_buffer.append','audio':'").toStdString() + sound + "\"}";
        QCOMPARE(verdictOn(check, text).audio.count(), 100);
        check.setBytesPerMillisecond(8);
        QCOMPARE(verdictOn(check, text).audio.count(), 600);
        // Only what is sound: the same member elsewhere is nothing to hear.
        QCOMPARE(verdictOn(check, json("{'type':'tomorrow','audio':'").toStdString() + sound + "\"}").audio.count(), 0);
    }

    void soundInsideAnItem_IsCounted()
    {
        const std::string sound = core::encodeBase64(std::vector<std::uint8_t>(4'800));
        const std::string text = json("{'type':'conversation.item.create','item':{'type':'message','role':'user',"
                                      "'content':[{'type':'input_audio','audio':'")
                                     .toStdString()
            + sound + json("'}]}}").toStdString();
        QCOMPARE(verdictOn(ClientMessageCheck{Locks{}}, text).audio.count(), 100);
    }

    void soundInsideTheInputOfAResponse_IsCounted()
    {
        const std::string sound = core::encodeBase64(std::vector<std::uint8_t>(4'800));
        const std::string item = "{'type':'message','role':'user','content':[{'type':'input_audio','audio':'" + sound
            + "'},{'type':'input_audio','audio':'" + sound + "'}]}";
        const std::string text =
            json(("{'type':'response.create','response':{'conversation':'none','input':[" + item + "," + item + "]}}")
                     .c_str())
                .toStdString();
        QCOMPARE(verdictOn(ClientMessageCheck{Locks{}}, text).audio.count(), 400);
    }

    void whatAsksForAResponse_IsKnown()
    {
        const auto asked = verdictOn(ClientMessageCheck(allLocks()),
            json("{'type':'response.create','event_id':'mine','response':{}}").toStdString());
        QVERIFY(asked.kind == Verdict::Kind::Pass);
        QVERIFY(asked.asksForResponse);
        QCOMPARE(asked.eventId, std::string("mine"));
        QVERIFY(!verdictOn(ClientMessageCheck(allLocks()), json("{'type':'response.cancel'}").toStdString())
                     .asksForResponse);
    }

    void transcriberWithoutAPrice_IsRefusedUnderABudget_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("field");
        const auto row = [](const char* name, const char* text, const char* field) {
            QTest::newRow(name) << json(text) << QByteArray(field);
        };
        row("unknown", "{'type':'session.update','session':{'audio':{'input':{'transcription':{'model':'dear'}}}}}",
            "session.audio.input.transcription.model");
        row("whichever the provider likes",
            "{'type':'session.update','session':{'audio':{'input':{'transcription':{}}}}}",
            "session.audio.input.transcription.model");
        row("of the beta", "{'type':'session.update','session':{'input_audio_transcription':{'model':'dear'}}}",
            "session.input_audio_transcription.model");
        row("of the beta's transcription",
            "{'type':'transcription_session.update','session':{'input_audio_transcription':{'model':'dear'}}}",
            "session.input_audio_transcription.model");
        row("known",
            "{'type':'session.update','session':{'audio':{'input':{'transcription':{'model':'gpt-live-transcribe'}}}}}",
            "");
        row("none", "{'type':'session.update','session':{'audio':{'input':{'transcription':null}}}}", "");
        row("nothing of it", "{'type':'session.update','session':{'audio':{'input':{}}}}", "");
    }
    void transcriberWithoutAPrice_IsRefusedUnderABudget()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, field);
        Locks locks;
        QVERIFY(verdictOn(ClientMessageCheck(locks), text.toStdString()).kind == Verdict::Kind::Pass);
        locks.transcribersPrices = std::make_shared<const core::PriceList>(core::PriceList::builtIn());
        const Verdict verdict = verdictOn(ClientMessageCheck(locks), text.toStdString());
        QCOMPARE(verdict.kind == Verdict::Kind::Refuse, !field.isEmpty());
        QCOMPARE(verdict.field, field.toStdString());
        QCOMPARE(std::string(verdict.code), field.isEmpty() ? std::string() : "transcriber_without_price");
    }

    void rateWindow_NeverAdmitsMoreInAMinute()
    {
        RateWindow window(100);
        const core::MonotonicTime start(1'000'500ms);
        QVERIFY(window.take(60, start));
        QVERIFY(window.take(40, start + 30s));
        QVERIFY(!window.take(1, start + 59'999ms));
        // What was refused counts for nothing.
        QVERIFY(window.take(60, start + 61s));
        QVERIFY(!window.take(1, start + 61s));
        QVERIFY(window.take(40, start + 91s));
        QVERIFY(window.take(100, start + 1h));
        QVERIFY(!window.take(1, start + 1h));
        RateWindow open(0);
        QVERIFY(open.take(1'000'000'000, start));
    }
};

QTEST_APPLESS_MAIN(TestRelayMessages)
#include "test_relay_messages.moc"
