#include "broker/relay/gemini_client_check.h"
#include "broker/relay/gemini_meter.h"
#include "broker/relay/protocol.h"
#include "core/base/base64.h"

#include <QTest>

#include <chrono>

using namespace std::chrono_literals;
using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::broker::relay;
using Message = net::WebSocketMessage;
using usage::Measure;

namespace {

constexpr const char* kSetup = "{'setup':{'model':'models/gemini-3.8-live'}}";

Locks allLocks()
{
    Locks locks;
    locks.model = "gemini-3.8-live";
    locks.voices = std::vector<std::string>{"Kore"};
    locks.tools = std::vector<std::string>{"look_up"};
    locks.areInstructionsFixed = true;
    return locks;
}

Locks onlyTheModel()
{
    Locks locks;
    locks.model = "gemini-3.8-live";
    return locks;
}

/// Written with apostrophes for quotes.
std::string json(QByteArray text)
{
    return text.replace('\'', '"').toStdString();
}

Verdict look(ClientCheck& check, const QByteArray& text)
{
    Message message{Message::Kind::Text, json(text)};
    const std::string before = message.data;
    Verdict verdict = check.look(message);
    if (message.data != before) {
        qFatal("it was rewritten");
    }
    return verdict;
}

/// After a setup.
Verdict lookAtNext(const QByteArray& text, Locks locks = onlyTheModel())
{
    GeminiClientCheck check(std::move(locks));
    if (look(check, kSetup).kind != Verdict::Kind::Pass) {
        qFatal("no setup");
    }
    return look(check, text);
}

QByteArray base64(std::size_t bytes)
{
    return QByteArray::fromStdString(core::encodeBase64(std::vector<std::uint8_t>(bytes)));
}

struct Meter {
    explicit Meter(std::int64_t untold = 0, bool isFree = false, const std::string& model = "gemini-3.8-live")
        : meter({model, std::make_shared<const core::PriceList>(core::PriceList::builtIn()),
            core::WallTime(std::chrono::hours(24 * 365 * 100)), isFree, {}, untold})
    {
    }
    std::optional<StreamMeter::Bill> read(const QByteArray& text)
    {
        std::string message = json(text);
        return meter.read(message, now);
    }
    void sounds() { (void)read("{'serverContent':{'modelTurn':{'parts':[{'inlineData':{'data':'AAAA'}}]}}}"); }
    void pays() { (void)read("{'usageMetadata':{'promptTokenCount':10,'responseTokenCount':10}}"); }
    void turnsOver() { (void)read("{'serverContent':{'turnComplete':true}}"); }
    /// In hundredths of the hold.
    [[nodiscard]] std::int64_t lastCost()
    {
        std::int64_t cost = 0;
        for (const auto& bill : meter.lastBills(now)) {
            cost += bill.amounts[Measure::NanoDollars];
        }
        return cost;
    }
    core::MonotonicTime now{1h};
    GeminiMeter meter;
};

/// Ten tokens of text either way.
constexpr std::int64_t kTen = 10 * 750 + 10 * 4'500;

} // namespace

/// What the relay makes of the messages of Gemini Live.
class TestGeminiRelayMessages : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void message_ThatTwoReadersCouldReadInTwoWays_EndsTheStream_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("code");
        const auto row = [](const char* name, const QByteArray& text, const char* code) {
            QTest::newRow(name) << text << QByteArray(code);
        };
        row("not JSON", "hello", "invalid_json");
        row("a list", "[]", "invalid_json");
        row("two values", "{'realtimeInput':{}}{'setup':{}}", "invalid_json");
        row("half a character", "{'realtimeInput':{'text':'\\ud83c'}}", "invalid_json");
        row("no UTF-8", "{'realtimeInput':{'text':'\xff'}}", "invalid_json");
        row("nothing", "{}", "unknown_message");
        row("null", "{'realtimeInput':null}", "unknown_message");
        row("a word", "{'realtimeInput':'x'}", "unknown_message");
        row("nobody knows it", "{'contextUpdate':{'systemInstruction':{}}}", "unknown_message");
        row("two kinds", "{'realtimeInput':{'text':'x'},'clientContent':{}}", "unknown_message");
        row("a kind, and something", "{'realtimeInput':{'text':'x'},'x':1}", "unknown_message");
        row("another case", "{'RealtimeInput':{'text':'x'}}", "unknown_message");
        row("half of each spelling", "{'Realtime_input':{'text':'x'}}", "unknown_message");
        row("a message of OpenAI's", "{'type':'response.create'}", "unknown_message");
        row("twice", "{'realtimeInput':{'text':'x'},'realtimeInput':{}}", "unknown_message");
        row("twice inside", "{'realtimeInput':{'text':'x','text':'y'}}", "duplicate_name");
        row("twice, but for case", "{'realtimeInput':{'text':'x','Text':'y'}}", "duplicate_name");
        row("in both spellings", "{'realtimeInput':{'activityEnd':{},'activity_end':{}}}", "duplicate_name");
        row("in both spellings, deep", "{'clientContent':{'turns':[{'parts':[{'inlineData':{},'inline_data':{}}]}]}}",
            "duplicate_name");
        row("an escaped name", "{'realtimeInput':{'t\\u0065xt':'x'}}", "escaped_name");
        row("an escaped kind", "{'realtim\\u0065Input':{'text':'x'}}", "escaped_name");
        row("too deep", "{'toolResponse':{'x':" + QByteArray(64, '[') + QByteArray(64, ']') + "}}", "too_deep");
        row("a second setup", kSetup, "second_setup");
        row("sound of another kind", "{'realtimeInput':{'audio':{'mimeType':'audio/mp3','data':'AAAA'}}}",
            "unknown_audio_format");
        row("sound of no rate", "{'realtimeInput':{'audio':{'mimeType':'audio/pcm;rate=0','data':'AAAA'}}}",
            "unknown_audio_format");
        row("sound of two words for a rate",
            "{'realtimeInput':{'audio':{'mimeType':'audio/pcm;rate=16000x','data':'AAAA'}}}", "unknown_audio_format");
        row("sound that is misspelt", "{'realtimeInput':{'AUDIO':{'mimeType':'audio/pcm','data':'AAAA'}}}",
            "unknown_audio_format");
        row("text that is misspelt", "{'realtimeInput':{'TEXT':'x'}}", "unknown_message");
    }
    void message_ThatTwoReadersCouldReadInTwoWays_EndsTheStream()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, code);
        const Verdict verdict = lookAtNext(text);
        QVERIFY(verdict.kind == Verdict::Kind::End);
        QCOMPARE(QByteArray::fromStdString(std::string(verdict.code)), code);
    }

    void message_OfEachKindAndSpelling_Passes_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<bool>("asks");
        const auto row = [](const char* text, bool asks = false) { QTest::newRow(text) << QByteArray(text) << asks; };
        row("{'realtimeInput':{'text':'hello'}}", true);
        row("{'realtime_input':{'text':'hello'}}", true);
        row("{'realtimeInput':{'activityEnd':{}}}", true);
        row("{'realtimeInput':{'activity_end':{}}}", true);
        row("{'realtimeInput':{'activityStart':{}}}");
        row("{'realtimeInput':{'audioStreamEnd':true}}");
        row("{'realtimeInput':{'video':{'mimeType':'image/jpeg','data':'AAAA'}}}");
        row("{'clientContent':{'turns':[{'role':'user','parts':[{'text':'x'}]}],'turnComplete':true}}", true);
        row("{'client_content':{'turns':[],'turn_complete':true}}", true);
        row("{'clientContent':{'turns':[{'role':'user','parts':[{'text':'x'}]}]}}");
        row("{'toolResponse':{'functionResponses':[{'id':'1','name':'n','response':{'x':1}}]}}");
        // What a function has answered is its own: no reader of the protocol takes one of these names for the other.
        row("{'toolResponse':{'functionResponses':[{'id':'1','response':{'user_id':1,'userId':2,'data':'AAAA'}}]}}");
    }
    void message_OfEachKindAndSpelling_Passes()
    {
        QFETCH(QByteArray, text);
        QFETCH(bool, asks);
        const Verdict verdict = lookAtNext(text, allLocks());
        QVERIFY2(verdict.kind == Verdict::Kind::Pass, std::string(verdict.code).c_str());
        QCOMPARE(verdict.asksForResponse, asks);
        QCOMPARE(verdict.isWaitedFor, text.contains("toolResponse"));
        QCOMPARE(verdict.audio.count(), 0);
    }

    void nameTwice_InWhatAFunctionAnswers_EndsTheStream()
    {
        QCOMPARE(lookAtNext("{'toolResponse':{'functionResponses':[{'response':{'a':1,'a':2}}]}}").code,
            std::string_view("duplicate_name"));
        QCOMPARE(lookAtNext("{'toolResponse':{'functionResponses':[{'response':{},'Response':{}}]}}").code,
            std::string_view("duplicate_name"));
    }

    void setup_ComesFirst()
    {
        GeminiClientCheck check(onlyTheModel());
        QCOMPARE(look(check, "{'realtimeInput':{'text':'x'}}").code, std::string_view("setup_expected"));
    }

    void binaryMessage_EndsTheStream()
    {
        GeminiClientCheck check(onlyTheModel());
        Message message{Message::Kind::Binary, json(kSetup)};
        QCOMPARE(check.look(message).code, std::string_view("unexpected_binary"));
    }

    void history_IsNotAnswered_ButOnce()
    {
        GeminiClientCheck check(onlyTheModel());
        const char* const content = "{'clientContent':{'turns':[],'turnComplete':true}}";
        (void)look(check, "{'setup':{'history_config':{'initialHistoryInClientContent':true}}}");
        QVERIFY(!look(check, content).asksForResponse);
        QVERIFY(look(check, content).asksForResponse);
    }

    void setup_ThatChangesWhatIsLocked_EndsTheStream_data()
    {
        QTest::addColumn<QByteArray>("setup");
        QTest::addColumn<QByteArray>("field");
        const auto row = [](const char* setup, const char* field) {
            QTest::newRow(setup) << QByteArray(setup) << QByteArray(field);
        };
        const char* const voice = "generationConfig.speechConfig.voiceConfig";
        row("{'model':'models/gemini-3.1-flash-live-preview'}", "model");
        row("{'model':1}", "model");
        row("{'Model':'models/gemini-3.8-live'}", "model");
        row("{'systemInstruction':{'parts':[{'text':'x'}]}}", "systemInstruction");
        row("{'system_instruction':{'parts':[{'text':'x'}]}}", "systemInstruction");
        row("{'SystemInstruction':{}}", "systemInstruction");
        row("{'systeminstruction':{}}", "systemInstruction");
        row("{'systemInstruction':null}", "systemInstruction");
        row("{'generationConfig':{'speechConfig':{'voiceConfig':{'prebuiltVoiceConfig':{'voiceName':'Puck'}}}}}",
            voice);
        row("{'generation_config':{'speech_config':{'voice_config':{'prebuilt_voice_config':{'voice_name':'Puck'}}}}}",
            voice);
        row("{'generationConfig':{'speechConfig':{'voiceConfig':{'replicatedVoiceConfig':{}}}}}", voice);
        row("{'generationConfig':{'speechConfig':{'VoiceConfig':{}}}}", voice);
        row("{'generationConfig':7}", voice);
        row("{'generationConfig':{'speechConfig':{'multiSpeakerVoiceConfig':{}}}}",
            "generationConfig.speechConfig.multiSpeakerVoiceConfig");
        row("{'tools':[{'functionDeclarations':[{'name':'pay'}]}]}", "tools");
        row("{'tools':[{'functionDeclarations':[{'name':'look_up'},{'name':'pay'}]}]}", "tools");
        row("{'tools':[{'functionDeclarations':[{'name':'look_up'}]},{'functionDeclarations':[{'name':'pay'}]}]}",
            "tools");
        row("{'tools':[{'function_declarations':[{'name':'pay'}]}]}", "tools");
        row("{'tools':[{'functionDeclarations':[{'Name':'look_up'}]}]}", "tools");
        row("{'tools':[{'googleSearch':{}}]}", "tools");
        row("{'tools':[{'functionDeclarations':[{'name':'look_up'}],'googleSearch':{}}]}", "tools");
        row("{'tools':{'functionDeclarations':[{'name':'look_up'}]}}", "tools");
    }
    void setup_ThatChangesWhatIsLocked_EndsTheStream()
    {
        QFETCH(QByteArray, setup);
        QFETCH(QByteArray, field);
        GeminiClientCheck check(allLocks());
        const Verdict verdict = look(check, "{'setup':" + setup + "}");
        QVERIFY(verdict.kind == Verdict::Kind::End);
        QCOMPARE(verdict.code, std::string_view("locked_by_policy"));
        QCOMPARE(verdict.field, "setup." + field.toStdString());
        // It was none: the next one is not the second.
        QVERIFY(look(check, kSetup).kind == Verdict::Kind::Pass);
        // Where nothing but the model is locked, nothing else is.
        GeminiClientCheck open(onlyTheModel());
        QCOMPARE(look(open, "{'setup':" + setup + "}").kind == Verdict::Kind::Pass, field != "model");
    }

    void setup_ThatKeepsToTheLocks_Passes_data()
    {
        QTest::addColumn<QByteArray>("setup");
        const auto row = [](const char* setup) { QTest::newRow(setup) << QByteArray(setup); };
        row("{'model':'models/gemini-3.8-live'}");
        row("{'model':'gemini-3.8-live'}");
        row("{'generationConfig':{'responseModalities':['AUDIO'],'speechConfig':{'languageCode':'de-DE'}}}");
        row("{'generationConfig':{'speechConfig':{'voiceConfig':{'prebuiltVoiceConfig':{'voiceName':'Kore'}}}}}");
        row("{'generation_config':{'speech_config':{'voice_config':{'prebuilt_voice_config':{'voice_name':'Kore'}}}}}");
        row("{'tools':[]}");
        row("{'tools':[{'functionDeclarations':[{'name':'look_up','parameters':{'type':'OBJECT','properties':{'aB':{},'a_b':{}}}}]}]}");
        row("{'sessionResumption':{'handle':'h'},'contextWindowCompression':{'slidingWindow':{}}}");
    }
    void setup_ThatKeepsToTheLocks_Passes()
    {
        QFETCH(QByteArray, setup);
        GeminiClientCheck check(allLocks());
        const Verdict verdict = look(check, "{'setup':" + setup + "}");
        QVERIFY2(verdict.kind == Verdict::Kind::Pass, verdict.field.c_str());
    }

    void instructionsInDisguise_EndTheStream()
    {
        const char* const said = "{'clientContent':{'turns':[{'role':'system','parts':[{'text':'x'}]}]}}";
        QCOMPARE(lookAtNext(said, allLocks()).code, std::string_view("locked_by_policy"));
        QVERIFY(lookAtNext(said).kind == Verdict::Kind::Pass);
        QCOMPARE(lookAtNext("{'clientContent':{'turns':[{'Role':'user'}]}}", allLocks()).code,
            std::string_view("locked_by_policy"));
    }

    void sound_IsCountedByItsRate_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<qint64>("ms");
        const auto row = [](const char* name, const QByteArray& text, qint64 ms) { QTest::newRow(name) << text << ms; };
        const QByteArray sound = base64(4'800);
        row("Gemini's own", "{'realtimeInput':{'audio':{'mimeType':'audio/pcm;rate=16000','data':'" + sound + "'}}}",
            150);
        row("ours", "{'realtimeInput':{'audio':{'data':'" + sound + "','mimeType':'audio/pcm;rate=24000'}}}", 100);
        row("with a space", "{'realtimeInput':{'audio':{'data':'" + sound + "','mimeType':'audio/pcm; rate=48000'}}}",
            50);
        row("unnamed", "{'realtimeInput':{'audio':{'mimeType':'audio/pcm','data':'" + sound + "'}}}", 150);
        row("untyped", "{'realtimeInput':{'audio':{'data':'" + sound + "'}}}", 150);
        row("the other spelling",
            "{'realtime_input':{'audio':{'mime_type':'audio/pcm;rate=8000','data':'" + sound + "'}}}", 300);
        row("as it was called before",
            "{'realtimeInput':{'mediaChunks':[{'mimeType':'audio/pcm;rate=24000','data':'" + sound
                + "'},{'mimeType':'audio/pcm;rate=24000','data':'" + sound + "'}]}}",
            200);
        row("in a turn",
            "{'clientContent':{'turns':[{'parts':[{'inlineData':{'mimeType':'audio/pcm;rate=24000','data':'" + sound
                + "'}}]}]}}",
            100);
        row("a picture", "{'realtimeInput':{'video':{'mimeType':'image/jpeg','data':'" + sound + "'}}}", 0);
    }
    void sound_IsCountedByItsRate()
    {
        QFETCH(QByteArray, text);
        QFETCH(qint64, ms);
        const Verdict verdict = lookAtNext(text);
        QVERIFY(verdict.kind == Verdict::Kind::Pass);
        QCOMPARE(qint64{verdict.audio.count()}, ms);
    }

    void soundOfAPost_IsAMessageThatPasses()
    {
        const std::string message = Protocol::of("gemini").soundMessage(base64(4'800).toStdString());
        QCOMPARE(qint64{lookAtNext(QByteArray::fromStdString(message)).audio.count()}, qint64{100});
    }

    void snapshot_IsBilledByKind()
    {
        Meter meter;
        const auto bill = meter.read(
            "{'usageMetadata':{'promptTokenCount':30,'responseTokenCount':45,'thoughtsTokenCount':5,'totalTokenCount':80,"
            "'promptTokensDetails':[{'modality':'TEXT','tokenCount':10},{'modality':'AUDIO','tokenCount':20}],"
            "'responseTokensDetails':[{'modality':'AUDIO','tokenCount':40},{'modality':'TEXT','tokenCount':5}]}}");
        QVERIFY(bill && bill->isTold);
        QCOMPARE(bill->amounts[Measure::TextIn], 10);
        QCOMPARE(bill->amounts[Measure::AudioIn], 20);
        QCOMPARE(bill->amounts[Measure::AudioOut], 40);
        QCOMPARE(bill->amounts[Measure::TextOut], 10);
        QCOMPARE(bill->amounts[Measure::NanoDollars], std::int64_t{10 * 750 + 20 * 3'000 + 40 * 12'000 + 10 * 4'500});
        QCOMPARE(bill->amounts[Measure::Turns], 0);
        QCOMPARE(bill->amounts[Measure::Unpriced], 0);
    }

    void snapshots_AreAddedUp_EachUnderANameOfItsOwn()
    {
        Meter meter;
        const char* const told = "{'usageMetadata':{'promptTokenCount':10,'responseTokenCount':10}}";
        const auto one = meter.read(told);
        const auto other = meter.read(told);
        QVERIFY(one && other && one->part != other->part);
        QCOMPARE(other->amounts[Measure::NanoDollars], kTen);
    }

    void model_WithoutAPrice_IsUnpriced_AndAFreeOneCostsNothing()
    {
        const char* const told = "{'usageMetadata':{'promptTokenCount':10}}";
        QCOMPARE(Meter(0, false, "gemini-9").read(told)->amounts[Measure::Unpriced], 1);
        QCOMPARE(Meter(0, true).read(told)->amounts[Measure::NanoDollars], 0);
        QCOMPARE(Meter(0, true).read(told)->amounts[Measure::TextIn], 10);
    }

    void everythingInOneMessage_IsOneBill()
    {
        Meter meter;
        const auto bill = meter.read(
            "{'serverContent':{'modelTurn':{'parts':[{'inlineData':{'mimeType':'audio/pcm;rate=24000','data':'"
            + base64(4'800)
            + "'}}]},'turnComplete':true},'toolCall':{'functionCalls':[{'id':'1','name':'a'},{'id':'2','name':'b'}]},"
              "'usageMetadata':{'promptTokenCount':10,'responseTokenCount':10}}");
        QVERIFY(bill.has_value());
        QCOMPARE(bill->amounts[Measure::Turns], 1);
        QCOMPARE(bill->amounts[Measure::ToolCalls], 2);
        QCOMPARE(bill->amounts[Measure::NanoDollars], kTen);
        QVERIFY(meter.meter.lastBills(meter.now).empty());
        QCOMPARE(meter.meter.stream(core::Milliseconds(7))[Measure::AudioOutMs], 100);
        QCOMPARE(meter.meter.stream(core::Milliseconds(7))[Measure::ConnectedMs], 7);
    }

    void snapshotThatSaysNothing_PaysForNothing_data()
    {
        QTest::addColumn<QByteArray>("told");
        QTest::newRow("empty") << QByteArray("{'usageMetadata':{}}");
        QTest::newRow("nothing") << QByteArray("{'usageMetadata':{'promptTokenCount':0}}");
        QTest::newRow("less") << QByteArray("{'usageMetadata':{'promptTokenCount':10,'responseTokenCount':-10}}");
        QTest::newRow("less of a kind") << QByteArray(
            "{'usageMetadata':{'promptTokenCount':10,'promptTokensDetails':[{'modality':'AUDIO','tokenCount':-1}]}}");
        QTest::newRow("unreadable") << QByteArray("{'usageMetadata':{'promptTokenCount':'ten'}}");
    }
    void snapshotThatSaysNothing_PaysForNothing()
    {
        QFETCH(QByteArray, told);
        Meter meter(1'000'000);
        meter.sounds();
        QVERIFY(!meter.read(told));
        QCOMPARE(meter.lastCost(), std::int64_t{1'000'000});
    }

    void replyThatIsCutOff_CostsItsHold_WithoutWhatWasToldOfIt()
    {
        Meter meter(1'000'000);
        QVERIFY(!meter.meter.isBillDue(meter.now));
        meter.sounds();
        QVERIFY(meter.meter.isBillDue(meter.now));
        QCOMPARE(meter.lastCost(), std::int64_t{1'000'000});
        meter.pays();
        QCOMPARE(meter.lastCost(), std::int64_t{0});
        // It goes on.
        QVERIFY(meter.meter.isBillDue(meter.now));
        meter.sounds();
        QCOMPARE(meter.lastCost(), 1'000'000 - kTen);
        const auto last = meter.meter.lastBills(meter.now);
        QCOMPARE(last.at(0).amounts[Measure::Turns], 1);
        QCOMPARE(last.at(0).amounts[Measure::Unpriced], 1);
        QVERIFY(!last.at(0).isTold);
    }

    void replyThatIsOver_AndPaid_OwesNothing_AndItsLateWordsNeither()
    {
        Meter meter(1'000'000);
        meter.sounds();
        meter.pays();
        (void)meter.read("{'serverContent':{'generationComplete':true}}");
        QVERIFY(!meter.meter.isBillDue(meter.now));
        (void)meter.read("{'serverContent':{'outputTranscription':{'text':'late'}}}");
        QVERIFY(!meter.meter.isBillDue(meter.now));
        QCOMPARE(meter.meter.lastBills(meter.now).at(0).amounts[Measure::Turns], 1);
        QVERIFY(meter.meter.lastBills(meter.now).at(0).isTold);
        meter.turnsOver();
        QVERIFY(meter.meter.lastBills(meter.now).empty());
    }

    void replyThatWasInterrupted_IsSettledByTheNextSnapshot()
    {
        Meter meter(1'000'000);
        meter.sounds();
        (void)meter.read("{'serverContent':{'interrupted':true}}");
        QCOMPARE(meter.read("{'serverContent':{'turnComplete':true}}")->amounts[Measure::Turns], 1);
        QCOMPARE(meter.lastCost(), std::int64_t{1'000'000});
        // The turn has been counted.
        QCOMPARE(meter.meter.lastBills(meter.now).at(0).amounts[Measure::Turns], 0);
        meter.pays();
        QVERIFY(meter.meter.lastBills(meter.now).empty());
    }

    void replyThatWasAskedFor_CostsItsHold_UntilItComes()
    {
        Meter meter(1'000'000);
        QVERIFY(meter.meter.mayAsk({}, meter.now));
        QCOMPARE(meter.lastCost(), std::int64_t{1'000'000});
        // Over another one that goes on: two are to be paid for.
        meter.sounds();
        QVERIFY(meter.meter.mayAsk({}, meter.now));
        meter.sounds();
        QCOMPARE(meter.lastCost(), std::int64_t{2'000'000});
        (void)meter.read("{'serverContent':{'interrupted':true}}");
        meter.pays();
        meter.turnsOver();
        QCOMPARE(meter.lastCost(), std::int64_t{1'000'000});
        meter.sounds();
        meter.pays();
        meter.turnsOver();
        QVERIFY(meter.meter.lastBills(meter.now).empty());
    }

    void replyThatIsSilence_IsATurn_AndOwesNothing()
    {
        Meter meter(1'000'000);
        QVERIFY(meter.meter.mayAsk({}, meter.now));
        QCOMPARE(meter.read("{'serverContent':{'turnComplete':true}}")->amounts[Measure::Turns], 1);
        QVERIFY(meter.meter.lastBills(meter.now).empty());
        // Nobody asked for this one.
        QVERIFY(!meter.read("{'serverContent':{'turnComplete':true}}"));
        QVERIFY(meter.meter.mayAsk({}, meter.now));
        meter.pays();
        QVERIFY(meter.meter.lastBills(meter.now).empty());
    }

    void asking_UnderABudget_IsOneAtATime_UntilItHasBegun()
    {
        Meter meter(1'000'000);
        QVERIFY(meter.meter.mayAsk({}, meter.now));
        QVERIFY(!meter.meter.mayAsk({}, meter.now));
        meter.sounds();
        // It interrupts.
        QVERIFY(meter.meter.mayAsk({}, meter.now));
        QVERIFY(!meter.meter.mayAsk({}, meter.now));
        // What is not answered is not waited for.
        meter.now += 2s;
        QVERIFY(meter.meter.mayAsk({}, meter.now));
        Meter free;
        QVERIFY(free.meter.mayAsk({}, free.now));
        QVERIFY(free.meter.mayAsk({}, free.now));
    }

    void whatIsAnsweredToAFunction_IsGoneOnWith()
    {
        Meter meter(1'000'000);
        (void)meter.read("{'toolCall':{'functionCalls':[{'id':'1','name':'a'}]}}");
        meter.pays();
        QCOMPARE(meter.lastCost(), std::int64_t{0});
        meter.meter.answered();
        QCOMPARE(meter.lastCost(), 1'000'000 - kTen);
    }

    void messageThatCannotBeRead_IsNotForNothing()
    {
        Meter meter(1'000'000);
        QVERIFY(!meter.read("{'serverContent'"));
        QCOMPARE(meter.lastCost(), std::int64_t{1'000'000});
    }

    void wordsOfTheUsers_MayBeAnswered_ForTwoSeconds()
    {
        Meter meter;
        (void)meter.read("{'serverContent':{'inputTranscription':{'text':'hello'}}}");
        QVERIFY(meter.meter.isBillDue(meter.now));
        QCOMPARE(meter.lastCost(), std::int64_t{0});
        meter.now += 2s;
        QVERIFY(!meter.meter.isBillDue(meter.now));
    }
};

QTEST_GUILESS_MAIN(TestGeminiRelayMessages)
#include "test_gemini_relay_messages.moc"
