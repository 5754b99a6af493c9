#include "broker/relay/client_message_check.h"
#include "broker/relay/gemini_client_check.h"
#include "broker/relay/gemini_meter.h"
#include "broker/relay/gemini_transcript.h"
#include "broker/relay/openai_transcript.h"
#include "broker/relay/session_meter.h"
#include "broker/transcripts/fold.h"

#include <QTest>

#include <algorithm>
#include <map>

using namespace vivavoce;
using namespace vivavoce::broker;
using transcripts::Line;

namespace {

std::string quoted(std::string text)
{
    std::replace(text.begin(), text.end(), '\'', '"');
    return text;
}

/// What is told, as a store has it in the end.
template <typename Keeper>
struct World {
    void client(std::string text) { keeper.fromClient(quoted(std::move(text)), now); }
    void provider(std::string text) { keeper.fromProvider(quoted(std::move(text)), now); }
    void end() { keeper.ended(now); }
    [[nodiscard]] std::vector<std::string> said() const
    {
        std::vector<std::string> all;
        for (const auto& [position, line] : lines) {
            std::string one = std::string(textOf(line.speaker)) + ": " + line.text;
            one += line.extent == transcripts::Extent::Whole ? "" : " (" + std::string(textOf(line.extent)) + ")";
            all.push_back(std::move(one));
        }
        return all;
    }

    core::WallTime now{std::chrono::seconds(1'800'000'000)};
    std::map<std::int64_t, Line> lines;
    std::size_t told = 0;
    Keeper keeper{[this](Line line) {
        ++told;
        lines[line.position] = std::move(line);
    }};
};
using OpenAi = World<relay::OpenAiTranscript>;
using Gemini = World<relay::GeminiTranscript>;
using Said = std::vector<std::string>;

std::string added(const std::string& id, const std::string& previous, const std::string& item)
{
    return "{'type':'conversation.item.added','event_id':'e','previous_item_id':"
        + (previous.empty() ? "null" : "'" + previous + "'") + ",'item':{'id':'" + id + "','type':'message'," + item
        + "}}";
}

std::string heard(const std::string& id, const std::string& text)
{
    return "{'type':'conversation.item.input_audio_transcription.completed','event_id':'e','item_id':'" + id
        + "','content_index':0,'transcript':'" + text + "'}";
}

std::string typed(const std::string& text, const std::string& more = {})
{
    return "{'type':'conversation.item.create'," + more
        + "'item':{'type':'message','role':'user','content':[{'type':'input_text','text':'" + text + "'}]}}";
}

std::string reply(const std::string& name, const std::string& member, const std::string& id, const std::string& text)
{
    return "{'type':'" + name + "','event_id':'e','response_id':'r1','item_id':'" + id
        + "','output_index':0,'content_index':0,'" + member + "':'" + text + "'}";
}

std::string delta(const std::string& id, const std::string& text)
{
    return reply("response.output_audio_transcript.delta", "delta", id, text);
}

std::string whole(const std::string& id, const std::string& text)
{
    return reply("response.output_audio_transcript.done", "transcript", id, text);
}

std::string created(const std::string& id = "r1")
{
    return "{'type':'response.created','event_id':'e','response':{'id':'" + id + "','object':'realtime.response'}}";
}

std::string done(const std::string& status, const std::string& output = {})
{
    return "{'type':'response.done','event_id':'e','response':{'id':'r1','object':'realtime.response','status':'"
        + status + "','output':[" + output + "]}}";
}

std::string outputItem(const std::string& id)
{
    return "{'type':'response.output_item.added','event_id':'e','response_id':'r1','output_index':0,'item':{'id':'" + id
        + "','type':'message','role':'assistant','status':'in_progress','content':[]}}";
}

constexpr const char* kSpoken =
    "'role':'user','status':'completed','content':[{'type':'input_audio','transcript':null}]";

std::string content(const std::string& members)
{
    return "{'serverContent':{" + members + "}}";
}

std::string input(const std::string& text)
{
    return content("'inputTranscription':{'text':'" + text + "'}");
}

std::string output(const std::string& text)
{
    return content("'outputTranscription':{'text':'" + text + "'}");
}

} // namespace

/// What was said is written down in the order in which it was said, whenever it became known.
class TestTranscriptKeepers : public QObject {
    Q_OBJECT

private slots:
    void openAi_WordsThatComeAfterTheAnswer_HaveTheirPlaceBeforeIt()
    {
        OpenAi world;
        world.provider("{'type':'input_audio_buffer.committed','event_id':'e','item_id':'u1','previous_item_id':null}");
        world.provider(added("u1", "", kSpoken));
        world.provider(created());
        world.provider(outputItem("a1"));
        world.provider(delta("a1", "It is "));
        world.provider(delta("a1", "noon."));
        world.provider(whole("a1", "It is noon."));
        world.provider(done("completed"));
        world.provider(heard("u1", "What time is it?"));
        QCOMPARE(world.said(), (Said{"user: What time is it?", "assistant: It is noon."}));
        // Nothing is left to be told.
        const std::size_t told = world.told;
        world.end();
        QCOMPARE(world.told, told);
    }

    void openAi_WhatIsCorrectedLater_IsToldAgain_ThoughItIsAsLong()
    {
        OpenAi world;
        world.provider(created());
        world.provider(heard("u1", "four"));
        world.provider(heard("u1", "Four"));
        QCOMPARE(world.said(), Said{"user: Four"});
        world.provider(heard("u1", "Four"));
        QCOMPARE(world.told, std::size_t{2});
    }

    void openAi_Beta_IsReadAsWell()
    {
        OpenAi world;
        world.provider("{'type':'conversation.item.created','event_id':'e','previous_item_id':null,'item':{'id':'u1',"
                       "'type':'message',"
            + std::string(kSpoken) + "}}");
        world.provider(created());
        world.provider(reply("response.audio_transcript.delta", "delta", "a1", "Hal"));
        world.provider(reply("response.audio_transcript.done", "transcript", "a1", "Hallo"));
        world.provider(reply("response.text.done", "text", "a2", "Welt"));
        world.provider(heard("u1", "Gr\\u00fc\\u00df"));
        world.provider(done("completed"));
        QCOMPARE(world.said(), (Said{"user: Gr\xC3\xBC\xC3\x9F", "assistant: Hallo", "assistant: Welt"}));
    }

    void openAi_WithoutItemEvents_SpeechHasItsPlaceWhereItBegan()
    {
        OpenAi world;
        world.provider("{'type':'input_audio_buffer.speech_started','event_id':'e','audio_start_ms':1,'item_id':'u1'}");
        world.provider(created());
        world.provider(whole("a1", "Yes."));
        world.provider(heard("u1", "Hello?"));
        QCOMPARE(world.said(), (Said{"user: Hello?", "assistant: Yes."}));
    }

    void openAi_AServerThatNamesNoItems_IsReadAllTheSame()
    {
        OpenAi world;
        for (const char* const answer : {"One.", "Two."}) {
            world.provider(
                "{'type':'conversation.item.input_audio_transcription.completed','event_id':'e','item_id':'',"
                "'content_index':0,'transcript':'Next?'}");
            world.provider(
                "{'type':'response.created','event_id':'e','response':{'id':'','object':'realtime.response'}}");
            for (const char letter : std::string(answer)) {
                world.provider(delta("", std::string(1, letter)));
            }
            world.provider(whole("", answer));
            world.provider(
                "{'type':'response.done','event_id':'e','response':{'id':'','object':'realtime.response','status':"
                "'completed','output':[]}}");
        }
        QCOMPARE(world.said(), (Said{"user: Next?", "assistant: One.", "user: Next?", "assistant: Two."}));
    }

    void openAi_WhatIsTyped_CountsOnceItIsTaken_AndNotWhereItIsRefused()
    {
        OpenAi world;
        world.provider(created());
        world.client(typed("kept", "'event_id':'one',"));
        world.client(typed("refused", "'event_id':'two',"));
        QVERIFY(world.lines.empty());
        world.provider(added("u1", "", "'role':'user','content':[{'type':'input_text','text':'kept'}]"));
        QCOMPARE(world.said(), (Said{"user: kept"}));
        world.provider(
            "{'type':'error','event_id':'e','error':{'type':'invalid_request_error','code':'x','message':'m',"
            "'event_id':'two'}}");
        world.provider(created("r2"));
        world.end();
        QCOMPARE(world.said(), (Said{"user: kept"}));
    }

    void openAi_AProviderThatEchoesNothing_LosesNothingTyped()
    {
        OpenAi world;
        world.client(typed("What time is it?"));
        world.provider(created());
        world.provider(whole("a1", "Noon."));
        QCOMPARE(world.said(), (Said{"user: What time is it?", "assistant: Noon."}));
    }

    void openAi_HistoryOfAClientThatComesAgain_IsNotSaidTwice()
    {
        OpenAi world;
        world.client(typed("before"));
        world.provider(added("u1", "", "'role':'user','content':[{'type':'input_text','text':'before'}]"));
        world.client(
            "{'type':'conversation.item.create','item':{'type':'message','role':'assistant','content':[{'type':"
            "'output_text','text':'answered'}]}}");
        world.provider(added("h1", "u1", "'role':'assistant','content':[{'type':'output_text','text':'answered'}]"));
        world.client(typed("now"));
        world.provider(created());
        world.provider(whole("a1", "Here."));
        QCOMPARE(world.said(), (Said{"user: now", "assistant: Here."}));
        QVERIFY(world.lines.begin()->second.isOpening);
    }

    void openAi_AnInterruptedReply_IsMarked_HoweverThatIsTold_data()
    {
        QTest::addColumn<QByteArray>("way");
        for (const char* const how :
            {"cancelled", "cancelled after its text", "truncated by the client", "truncated"}) {
            QTest::newRow(how) << QByteArray(how);
        }
    }
    void openAi_AnInterruptedReply_IsMarked_HoweverThatIsTold()
    {
        QFETCH(QByteArray, way);
        const std::string how = way.toStdString();
        OpenAi world;
        world.provider(created());
        world.provider(outputItem("a1"));
        world.provider(delta("a1", "It is no"));
        if (how == "cancelled") {
            world.provider(done("cancelled"));
        } else if (how == "cancelled after its text") {
            world.provider(whole("a1", "It is no"));
            world.provider(done(
                "cancelled", "{'id':'a1','type':'message','role':'assistant','status':'incomplete','content':[]}"));
        } else {
            world.provider(whole("a1", "It is no"));
            world.provider(done("completed"));
            QCOMPARE(world.said(), (Said{"assistant: It is no"}));
            const std::string event = how == "truncated" ? "truncated','event_id':'e" : "truncate";
            const std::string text =
                "{'type':'conversation.item." + event + "','item_id':'a1','content_index':0,'audio_end_ms':100}";
            if (how == "truncated") {
                world.provider(text);
            } else {
                world.client(text);
            }
        }
        QCOMPARE(world.said(), (Said{"assistant: It is no (interrupted)"}));
    }

    void openAi_WhatIsHalfSaidAtTheEnd_IsKept_AndSaysSo()
    {
        OpenAi world;
        world.provider(created());
        world.provider(outputItem("a1"));
        world.provider(delta("a1", "It is"));
        world.provider("{'type':'conversation.item.input_audio_transcription.delta','event_id':'e','item_id':'u1',"
                       "'content_index':0,'delta':'But'}");
        QVERIFY(world.lines.empty());
        world.end();
        QCOMPARE(world.said(), (Said{"assistant: It is (unfinished)", "user: But (unfinished)"}));
    }

    void openAi_OfACall_TheNameIsKeptAndNothingElse()
    {
        OpenAi world;
        world.provider(created());
        world.provider(
            "{'type':'response.output_item.done','event_id':'e','response_id':'r1','output_index':0,'item':{"
            "'id':'c1','type':'function_call','call_id':'c','name':'send_mail','arguments':'{\\'to\\':\\'marker\\'}',"
            "'status':'completed'}}");
        world.client(
            "{'type':'conversation.item.create','item':{'type':'function_call_output','call_id':'c','output':'marker'}}");
        world.provider(done("completed"));
        world.end();
        QCOMPARE(world.said(), (Said{"tool: send_mail"}));
    }

    void openAi_AnItemPutBetweenOthers_IsThere()
    {
        OpenAi world;
        world.provider(created());
        for (const char* const id : {"u1", "u2"}) {
            world.client(typed(id));
            world.provider(added(id, id == std::string("u1") ? "" : "u1",
                std::string("'role':'user','content':[{'type':'input_text','text':'") + id + "'}]"));
        }
        world.client(typed("between", "'previous_item_id':'u1',"));
        world.provider(added("u3", "u1", "'role':'user','content':[{'type':'input_text','text':'between'}]"));
        world.client(typed("first", "'previous_item_id':'root',"));
        world.provider(added("u4", "root", "'role':'user','content':[{'type':'input_text','text':'first'}]"));
        QCOMPARE(world.said(), (Said{"user: first", "user: u1", "user: between", "user: u2"}));
    }

    void openAi_WithoutEnd_RemembersLittle()
    {
        OpenAi world;
        const std::string much(100'000, 'x');
        for (int i = 0; i < 200; ++i) {
            world.provider(delta("a" + std::to_string(i), much));
        }
        // The oldest are told, so that the others fit.
        QCOMPARE(world.lines.size(), std::size_t(200 - 64));
        QCOMPARE(world.lines.begin()->second.text.size(), transcripts::kLongestLine);
        QVERIFY(world.lines.begin()->second.isCut);
    }

    void openAi_WhatIsTyped_IsRememberedAsFarAsALineHoldsIt()
    {
        OpenAi world;
        world.provider(created());
        const std::string much(100'000, 'x');
        world.client(typed(much));
        world.client(typed(much + "and more"));
        // The provider tells all of it.
        for (const char* const id : {"u1", "u2"}) {
            world.provider(added(id, "", "'role':'user','content':[{'type':'input_text','text':'" + much + "'}]"));
        }
        QCOMPARE(world.lines.size(), std::size_t{2});
        for (const auto& [position, line] : world.lines) {
            QCOMPARE(line.text.size(), transcripts::kLongestLine);
            QVERIFY(line.isCut);
        }
    }

    void openAi_WhatIsTypedBeyondTheRoom_IsToldAsALoss()
    {
        OpenAi world;
        for (int i = 0; i < 64; ++i) {
            world.client(typed(std::to_string(i)));
        }
        QVERIFY(world.lines.empty());
        world.client(typed("marker"));
        QCOMPARE(world.lines.size(), std::size_t{1});
        const Line& loss = world.lines.begin()->second;
        QVERIFY(loss.text.empty() && loss.isCut);
        world.provider(created());
        QCOMPARE(world.lines.size(), std::size_t{65});
    }

    void gemini_PiecesAreJoined_AndLateOnesHaveTheirPlace()
    {
        Gemini world;
        world.provider(input("What "));
        world.provider(output("It is "));
        world.provider(input("time?"));
        world.provider(output("noon."));
        QVERIFY(world.lines.empty());
        world.provider(content("'turnComplete':true"));
        QCOMPARE(world.said(), (Said{"user: What time?", "assistant: It is noon."}));
        // An answer before whatever it answers is known.
        world.provider(output("Bye."));
        world.provider(input("Bye!"));
        world.provider(content("'generationComplete':true"));
        world.provider(content("'turnComplete':true"));
        QCOMPARE(world.said(), (Said{"user: What time?", "assistant: It is noon.", "user: Bye!", "assistant: Bye."}));
    }

    void gemini_AnInterruptedAnswer_IsMarked_AndWhatInterruptedItComesAfter()
    {
        Gemini world;
        world.provider(content("'inputTranscription':{'text':'Tell me all.','finished':true}"));
        world.provider(output("Once upon"));
        // Into the answer, before anybody says that it is interrupted.
        world.provider(input("Stop, "));
        world.provider(content("'interrupted':true"));
        world.provider(content("'turnComplete':true"));
        world.provider(input("please."));
        world.provider(output("Fine."));
        world.provider(content("'turnComplete':true"));
        QCOMPARE(world.said(),
            (Said{"user: Tell me all.", "assistant: Once upon (interrupted)", "user: Stop, please.",
                "assistant: Fine."}));
    }

    void gemini_WithoutAWordOfTheUsersEnd_WhatIsSaidLongAfter_IsSaidIntoTheAnswer()
    {
        Gemini world;
        world.provider(input("Tell me."));
        world.provider(output("Once"));
        world.now += core::Milliseconds(5'000);
        world.provider(input("Stop."));
        world.provider(content("'interrupted':true"));
        world.provider(output("Fine."));
        world.provider(content("'turnComplete':true"));
        QCOMPARE(
            world.said(), (Said{"user: Tell me.", "assistant: Once (interrupted)", "user: Stop.", "assistant: Fine."}));
    }

    void gemini_TypedTextIsRead_InEitherSpelling_AndTextAnswers()
    {
        Gemini world;
        world.client(
            "{'client_content':{'turns':[{'role':'model','parts':[{'text':'before'}]},{'role':'user','parts':[{"
            "'text':'one'}]}],'turn_complete':true}}");
        world.provider(
            content("'modelTurn':{'parts':[{'text':'thinking','thought':true},{'text':'two'}]},'turnComplete':true"));
        world.client("{'realtimeInput':{'text':'three'}}");
        world.provider("{'toolCall':{'functionCalls':[{'id':'c','name':'look_up','args':{'q':'marker'}}]}}");
        world.end();
        QCOMPARE(world.said(), (Said{"user: one", "assistant: two", "user: three", "tool: look_up"}));
    }

    void gemini_OneMessage_IsOneLine_WhateverItIsMadeOf()
    {
        Gemini world;
        std::string parts;
        for (int i = 0; i < 5'000; ++i) {
            parts += ",{'text':'wordword'}";
        }
        world.client("{'clientContent':{'turns':[{'role':'user','parts':[{'text':'one'},{'text':'two'}]},{'role':'user'"
                     ",'parts':{'text':'three'}}],'turnComplete':true}}");
        world.client(
            "{'clientContent':{'turns':[{'role':'user','parts':[" + parts.substr(1) + "]}],'turnComplete':true}}");
        QCOMPARE(world.lines.size(), std::size_t{2});
        QCOMPARE(world.lines.begin()->second.text, std::string("one\ntwo\nthree"));
        QVERIFY(!world.lines.begin()->second.isCut);
        const Line& much = world.lines.rbegin()->second;
        QVERIFY(much.isCut && much.text.size() <= transcripts::kLongestLine);
    }

    void gemini_HistoryOfAClientThatComesAgain_IsNotSaidTwice()
    {
        Gemini world;
        const std::string before =
            "{'role':'user','parts':[{'text':'before'}]},{'role':'model','parts':[{'text':'answered'}]}";
        world.client("{'clientContent':{'turns':[" + before + ",{'role':'user','parts':[{'text':'now'}]}],"
            + "'turnComplete':true}}");
        QCOMPARE(world.said(), Said{"user: now"});
        QVERIFY(!world.lines.begin()->second.isOpening);
        // Turn by turn: whether it was said is for the store to know.
        Gemini apart;
        apart.client("{'clientContent':{'turns':[{'role':'user','parts':[{'text':'before'}]}]}}");
        QVERIFY(apart.lines.begin()->second.isOpening);
        // Once something was answered it is part of the conversation.
        apart.provider(content("'turnComplete':true"));
        apart.client("{'clientContent':{'turns':[" + before + "]}}");
        QCOMPARE(apart.said(), (Said{"user: before", "user: before"}));
        QVERIFY(!apart.lines.rbegin()->second.isOpening);
    }

    void gemini_WithoutTheAnswersText_EachTurnIsALine()
    {
        Gemini world;
        for (const char* const text : {"One?", "Two?"}) {
            world.provider(input(text));
            world.provider(content("'turnComplete':true"));
        }
        world.provider(input("Three?"));
        // Into the answer.
        world.provider(content("'interrupted':true"));
        world.provider(input("Stop, "));
        world.provider(content("'turnComplete':true"));
        world.provider(input("please."));
        world.provider(content("'turnComplete':true"));
        QCOMPARE(world.said(), (Said{"user: One?", "user: Two?", "user: Three?", "user: Stop, please."}));
    }

    void gemini_WhatIsHalfSaidAtTheEnd_IsKept_AndSaysSo()
    {
        Gemini world;
        world.provider(input("What"));
        world.end();
        QCOMPARE(world.said(), (Said{"user: What (unfinished)"}));
        Gemini answered;
        answered.provider(input("What?"));
        answered.provider(output("It"));
        answered.end();
        QCOMPARE(answered.said(), (Said{"user: What?", "assistant: It (unfinished)"}));
    }

    void soundIsNotReadTwice_ByEitherMeter()
    {
        const auto settings = [] {
            return relay::StreamMeter::Settings{
                "m", std::make_shared<const core::PriceList>(core::PriceList::builtIn()), core::WallTime(), true};
        };
        relay::SessionMeter openAi(settings());
        const auto mayHold = [](relay::StreamMeter& meter, std::string text) {
            text = quoted(std::move(text));
            (void)meter.read(text, {});
            return meter.mayHoldWords();
        };
        QVERIFY(!mayHold(openAi, reply("response.output_audio.delta", "delta", "a1", "AAAA")));
        QVERIFY(mayHold(openAi, delta("a1", "word")));
        QVERIFY(mayHold(openAi, heard("u1", "word")));
        relay::GeminiMeter gemini(settings());
        QVERIFY(!mayHold(gemini,
            content("'modelTurn':{'parts':[{'inlineData':{'mimeType':'audio/pcm;rate=24000','data':'AAAA'}}]}")));
        QVERIFY(mayHold(gemini, input("word")));
        QVERIFY(mayHold(gemini, content("'turnComplete':true")));
    }

    void ofAClientsMessages_ThoseWithWordsAreRead_AndNoHistory()
    {
        const auto mayHold = [](relay::ClientCheck& check, const std::string& text) {
            net::WebSocketMessage message{net::WebSocketMessage::Kind::Text, quoted(text)};
            return check.look(message).mayHoldWords;
        };
        relay::ClientMessageCheck openAi({"m", std::nullopt, std::nullopt});
        QVERIFY(!mayHold(openAi, "{'type':'input_audio_buffer.append','audio':'AAAA'}"));
        QVERIFY(mayHold(openAi, typed("x")));
        QVERIFY(
            mayHold(openAi, "{'type':'conversation.item.truncate','item_id':'a','content_index':0,'audio_end_ms':1}"));
        relay::GeminiClientCheck gemini({"m", std::nullopt, std::nullopt});
        QVERIFY(
            !mayHold(gemini, "{'setup':{'model':'models/m','historyConfig':{'initialHistoryInClientContent':true}}}"));
        const std::string words =
            "{'clientContent':{'turns':[{'role':'user','parts':[{'text':'x'}]}],'turnComplete':true}}";
        QVERIFY(!mayHold(gemini, words));
        QVERIFY(mayHold(gemini, words));
        QVERIFY(mayHold(gemini, "{'realtimeInput':{'text':'x'}}"));
        QVERIFY(!mayHold(gemini, "{'realtimeInput':{'audio':{'mimeType':'audio/pcm;rate=16000','data':'AAAA'}}}"));
    }

    void folding_KnowsEveryScriptThatHasCases_data()
    {
        QTest::addColumn<QByteArray>("written");
        QTest::addColumn<QByteArray>("folded");
        QTest::newRow("ASCII") << QByteArray("AZ az [") << QByteArray("az az [");
        QTest::newRow("Latin") << QByteArray("ÄÖÜ ÇŞĞ ŁÓDŹ ÆØÅ") << QByteArray("äöü çşğ łódź æøå");
        QTest::newRow("Greek, with both sigmas") << QByteArray("ΣΊΣΥΦΟΣ Σίσυφος") << QByteArray("σίσυφοσ σίσυφοσ");
        QTest::newRow("German, where one letter is two")
            << QByteArray("GRÖSSE Größe ẞ") << QByteArray("grösse grösse ss");
        QTest::newRow("Turkish, with and without dots")
            << QByteArray("İstanbul ISTANBUL i̇ ı") << QByteArray("istanbul istanbul i ı");
        QTest::newRow("ligatures") << QByteArray("ﬁnal Oﬃce") << QByteArray("final office");
        QTest::newRow("Greek, where one letter is three")
            << QByteArray("\xCE\x90") << QByteArray("\xCE\xB9\xCC\x88\xCC\x81");
        QTest::newRow("Cyrillic") << QByteArray("ЖЁЛТЫЙ") << QByteArray("жёлтый");
        QTest::newRow("Armenian") << QByteArray("ԲԱՐԵՒ") << QByteArray("բարեւ");
        QTest::newRow("Deseret, beyond 16 bits") << QByteArray("𐐀𐐧") << QByteArray("𐐨𐑏");
        QTest::newRow("without cases") << QByteArray("日本語 שלום") << QByteArray("日本語 שלום");
        QTest::newRow("white space") << QByteArray("a \n\t b") << QByteArray("a b");
        QTest::newRow("no UTF-8") << QByteArray("a\xFF\xC3") << QByteArray("a\xEF\xBF\xBD\xEF\xBF\xBD");
    }
    void folding_KnowsEveryScriptThatHasCases()
    {
        QFETCH(QByteArray, written);
        QFETCH(QByteArray, folded);
        QCOMPARE(transcripts::folded(written.toStdString()), folded.toStdString());
    }

    void aPattern_HasNoWildcardsOfItsOwn() { QCOMPARE(transcripts::containing("100%_!"), std::string("%100!%!_!!%")); }

    void anExcerpt_IsAroundWhatWasFound()
    {
        std::string text(300, 'a');
        text += " ÜBER ";
        text += std::string(500, 'b');
        const std::string found = transcripts::excerpt(text, "über");
        QVERIFY(found.starts_with("…a") && found.ends_with("b…"));
        QVERIFY(found.find("ÜBER") != std::string::npos);
        QVERIFY(found.size() < 400);
        QCOMPARE(transcripts::excerpt("Über", "über"), std::string("Über"));
        const std::string longer =
            transcripts::excerpt(std::string(300, 'a') + " Größe " + std::string(500, 'b'), "grösse");
        QVERIFY(longer.starts_with("…a") && longer.find("Größe") != std::string::npos);
    }

    void aLine_EndsWithAWholeCharacter()
    {
        std::string line(transcripts::kLongestLine - 1, 'a');
        QVERIFY(!transcripts::append(line, "ü"));
        QCOMPARE(line.size(), transcripts::kLongestLine - 1);
        QVERIFY(transcripts::append(line, "b"));
        QVERIFY(!transcripts::append(line, "c"));
    }
};

QTEST_GUILESS_MAIN(TestTranscriptKeepers)
#include "test_transcript_keepers.moc"
