#include "broker/relay/session_meter.h"

#include <QTest>

#include <algorithm>
#include <chrono>

using namespace vivavoce;
using namespace vivavoce::broker;
using relay::SessionMeter;
using usage::Measure;

namespace {

struct World {
    explicit World(const std::string& model = "gpt-realtime", bool isFree = false, std::int64_t untold = 0,
        core::VoiceRates rates = {})
        : meter({model, std::make_shared<const core::PriceList>(core::PriceList::builtIn()), core::WallTime(), isFree,
            {}, untold, rates})
    {
    }
    /// Written with apostrophes for quotes.
    std::optional<SessionMeter::Bill> read(std::string text)
    {
        std::replace(text.begin(), text.end(), '\'', '"');
        const relay::MessageScan scan = relay::scanMessage(text);
        return meter.read(scan, text);
    }
    SessionMeter meter;
};

const char* const kDone = "{'type':'response.done','event_id':'e','response':{'id':'r1','object':'realtime.response',"
                          "'status':'completed','output':[{'id':'i','type':'function_call','call_id':'c','name':'n',"
                          "'arguments':'{}','status':'completed'}],"
                          "'usage':{'total_tokens':300,'input_tokens':200,'output_tokens':100,'input_token_details':{"
                          "'text_tokens':80,'audio_tokens':120,'image_tokens':0,'cached_tokens':60,"
                          "'cached_tokens_details':{'text_tokens':20,'audio_tokens':40,'image_tokens':0}},"
                          "'output_token_details':{'text_tokens':30,'audio_tokens':70}}}}";

} // namespace

class TestSessionMeter : public QObject {
    Q_OBJECT

private slots:
    void response_IsBilledByKind_TheCachedPartAtItsOwnPrice()
    {
        World world;
        const auto bill = world.read(kDone);
        QVERIFY(bill.has_value());
        QCOMPARE(bill->part, std::string("response r1"));
        QCOMPARE(bill->amounts[Measure::Turns], 1);
        QCOMPARE(bill->amounts[Measure::ToolCalls], 1);
        QCOMPARE(bill->amounts[Measure::TextIn], 60);
        QCOMPARE(bill->amounts[Measure::CachedTextIn], 20);
        QCOMPARE(bill->amounts[Measure::AudioIn], 80);
        QCOMPARE(bill->amounts[Measure::CachedAudioIn], 40);
        // 60×4 + 20×0.4 + 80×32 + 40×0.4 + 30×16 + 70×64 dollars for a million.
        QCOMPARE(bill->amounts[Measure::NanoDollars], std::int64_t{7'784'000});
        QCOMPARE(bill->amounts[Measure::Unpriced], 0);
    }

    void unknownModel_IsUnpriced_AndAFreeOneCostsNothing()
    {
        World unknown("gpt-tomorrow");
        const auto bill = unknown.read(kDone);
        QCOMPARE(bill.value().amounts[Measure::NanoDollars], 0);
        QCOMPARE(bill.value().amounts[Measure::Unpriced], 1);
        World free("gpt-realtime", true);
        QCOMPARE(free.read(kDone).value().amounts[Measure::NanoDollars], 0);
        QCOMPARE(free.read(kDone).value().amounts[Measure::Unpriced], 0);
        QCOMPARE(free.read(kDone).value().amounts[Measure::AudioIn], 80);
    }

    void brokenOff_BeforeAnythingWasMade_CostsNothing_AndIsATurnAllTheSame_data()
    {
        QTest::addColumn<QByteArray>("response");
        QTest::newRow("failed") << QByteArray("'status':'failed','usage':null");
        QTest::newRow("failed, all nothing") << QByteArray("'status':'failed','usage':{'total_tokens':0}");
        QTest::newRow("cancelled, all nothing") << QByteArray("'status':'cancelled','usage':{'total_tokens':0}");
    }
    void brokenOff_BeforeAnythingWasMade_CostsNothing_AndIsATurnAllTheSame()
    {
        QFETCH(QByteArray, response);
        World world("gpt-realtime", false, 1'000);
        const auto bill =
            world.read("{'type':'response.done','response':{'id':'r'," + response.toStdString() + "}}").value();
        QVERIFY(bill.isTold);
        QCOMPARE(bill.amounts[Measure::Turns], 1);
        QCOMPARE(bill.amounts[Measure::NanoDollars], 0);
        QCOMPARE(bill.amounts[Measure::Unpriced], 0);
        QVERIFY(!world.read("{'type':'response.created','response':{'id':'r'}}"));
    }

    /// Whoever gets a provider not to say it has nothing for free.
    void usageThatIsNotTold_CountsAsWhatIsHeld_data()
    {
        QTest::addColumn<QByteArray>("response");
        const auto row = [](const char* name, const char* response) { QTest::newRow(name) << QByteArray(response); };
        row("completed, none", "'status':'completed'");
        row("completed, null", "'status':'completed','usage':null");
        row("completed, empty", "'status':'completed','usage':{}");
        row("completed, all nothing", "'status':'completed','usage':{'total_tokens':0,'input_tokens':0}");
        row("cancelled, none", "'status':'cancelled'");
        row("incomplete, none", "'status':'incomplete','usage':null");
        row("no status, none", "'output':[]");
        row("failed, with output",
            "'status':'failed','output':[{'id':'i','type':'message','role':'assistant','content':[]}]");
        row("less than nothing", "'status':'completed','usage':{'total_tokens':-1,'input_tokens':-5}");
        row("partly less than nothing",
            "'status':'completed','usage':{'total_tokens':3,'input_tokens':1,'output_tokens':2,"
            "'output_token_details':{'text_tokens':3,'audio_tokens':-1}}");
    }
    void usageThatIsNotTold_CountsAsWhatIsHeld()
    {
        QFETCH(QByteArray, response);
        const std::string done = "{'type':'response.done','response':{'id':'r'," + response.toStdString() + "}}";
        World world("gpt-realtime", false, 1'000'000);
        const auto bill = world.read(done).value();
        QVERIFY(!bill.isTold);
        QCOMPARE(bill.part, std::string("response r"));
        QCOMPARE(bill.amounts[Measure::Turns], 1);
        QCOMPARE(bill.amounts[Measure::Unpriced], 1);
        QCOMPARE(bill.amounts[Measure::NanoDollars], std::int64_t{1'000'000});
        World free("gpt-realtime", true);
        QCOMPARE(free.read(done).value().amounts[Measure::NanoDollars], 0);
        QCOMPARE(free.read(done).value().amounts[Measure::Unpriced], 0);
    }

    void failedWithoutUsage_AfterSomethingWasHeard_IsNotFree()
    {
        World world("gpt-realtime", false, 1'000);
        (void)world.read("{'type':'response.output_audio.delta','delta':'AAAA'}");
        const std::string failed = "{'type':'response.done','response':{'id':'r','status':'failed'}}";
        QCOMPARE(world.read(failed).value().amounts[Measure::NanoDollars], std::int64_t{1'000});
        // That was of the one before.
        QCOMPARE(world.read(failed).value().amounts[Measure::NanoDollars], 0);
    }

    /// Neither free nor silent, whatever is wrong with it.
    void endThatCannotBeRead_IsATurnOfUnknownPrice_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("no response") << QByteArray("{'type':'response.done'}");
        QTest::newRow("a list") << QByteArray("{'type':'response.done','response':[]}");
        QTest::newRow("twice the same name") << QByteArray("{'response':{'id':'r','id':'s'},'type':'response.done'}");
        QTest::newRow("cut off") << QByteArray("{'type':'response.done','response':{'id':'r'");
    }
    void endThatCannotBeRead_IsATurnOfUnknownPrice()
    {
        QFETCH(QByteArray, text);
        World world("gpt-realtime", false, 1'000);
        (void)world.read("{'type':'response.created','response':{'id':'r'}}");
        const auto bill = world.read(text.toStdString());
        QVERIFY(bill.has_value());
        QVERIFY(!bill->isTold);
        QCOMPARE(bill->amounts[Measure::Turns], 1);
        QCOMPARE(bill->amounts[Measure::Unpriced], 1);
        QCOMPARE(bill->amounts[Measure::NanoDollars], std::int64_t{1'000});
        QVERIFY(world.meter.underWay().areNone());
    }

    /// Or a client could have the provider complain of something else, and ask for one more.
    void errorThatMayBeAboutSomethingElse_RefusesNothing_data()
    {
        QTest::addColumn<QByteArray>("before");
        QTest::addColumn<QByteArray>("asked");
        QTest::addColumn<QByteArray>("since");
        QTest::addColumn<QByteArray>("error");
        const auto row = [](const char* name, const QByteArray& before, const QByteArray& asked,
                             const QByteArray& since,
                             const QByteArray& error) { QTest::newRow(name) << before << asked << since << error; };
        row("names nothing", "", "a", "", "");
        row("names nothing, nor does the client", "", "", "", "");
        row("another event of that name since", "", "a", "a", "a");
        row("another event of that name before", "a", "a", "", "a");
        const QByteArray longest(512, 'a');
        row("another one before whose name is longer than names can be", longest + "b", longest, "", longest);
    }
    void errorThatMayBeAboutSomethingElse_RefusesNothing()
    {
        QFETCH(QByteArray, before);
        QFETCH(QByteArray, asked);
        QFETCH(QByteArray, since);
        QFETCH(QByteArray, error);
        using namespace std::chrono_literals;
        World world("gpt-realtime", false, 1'000);
        const auto& underWay = world.meter.underWay();
        const core::MonotonicTime now{1h};
        if (!before.isEmpty()) {
            world.meter.sent(before.toStdString(), now - 30s);
        }
        world.meter.asked(asked.toStdString(), now);
        if (!since.isEmpty()) {
            world.meter.sent(since.toStdString(), now);
        }
        (void)world.read(
            "{'type':'error','error':{'type':'t','message':'m','event_id':'" + error.toStdString() + "'}}");
        QCOMPARE(underWay.onlyAsked(), std::size_t{1});
        QCOMPARE(world.meter.untoldBills().size(), std::size_t{1});
        // Where it does not begin it was refused.
        (void)world.meter.lastBills(now + 4s);
        QCOMPARE(underWay.onlyAsked(), std::size_t{1});
        (void)world.meter.lastBills(now + 5s);
        QVERIFY(underWay.areNone());
    }

    void responseOfWhichNothingWasRefused_IsNotForgotten()
    {
        using namespace std::chrono_literals;
        World world("gpt-realtime", false, 1'000);
        world.meter.asked("a", core::MonotonicTime{1h});
        (void)world.meter.lastBills(core::MonotonicTime{2h});
        QCOMPARE(world.meter.underWay().onlyAsked(), std::size_t{1});
    }

    void errorAboutAResponse_RefusesTheOneThatWasAskedFor()
    {
        World world("gpt-realtime", false, 1'000);
        world.meter.asked("", {});
        world.meter.sent("", {});
        (void)world.read(
            "{'type':'error','error':{'type':'t','message':'m','code':'conversation_already_has_active_response'}}");
        QVERIFY(world.meter.underWay().areNone());
    }

    void names_OfAClientThatUsesVeryMany_AreNobodysOwn()
    {
        using namespace std::chrono_literals;
        relay::RecentNames names;
        core::MonotonicTime now{1h};
        QVERIFY(names.use("a", now));
        QVERIFY(!names.use("a", now + 59s));
        QVERIFY(!names.use("a", now + 61s));
        // Nobody waits for so long for what is wrong with an event.
        QVERIFY(names.use("a", now + 125s));
        now += 125s;
        std::size_t used = 1;
        while (names.use("b" + std::to_string(used), now)) {
            ++used;
        }
        QCOMPARE(used, relay::RecentNames::kMost);
        QVERIFY(!names.use("never before", now));
    }

    void providerThatAnswersTurns_SaysSo()
    {
        World world;
        QVERIFY(world.meter.answersTurns());
        const auto detection = [&](const std::string& how) {
            (void)world.read(
                "{'type':'session.updated','session':{'type':'realtime','audio':{'input':{'turn_detection':" + how
                + "}}}}");
            return world.meter.answersTurns();
        };
        QVERIFY(!detection("null"));
        QVERIFY(detection("{'type':'server_vad'}"));
        QVERIFY(!detection("{'type':'semantic_vad','create_response':false}"));
    }

    void responsesUnderWay_AreKnown_UntilTheyEndOrAreRefused()
    {
        World world("gpt-realtime", false, 1'000);
        const auto& underWay = world.meter.underWay();
        world.meter.asked("e1", {});
        QCOMPARE(underWay.onlyAsked(), std::size_t{1});
        (void)world.read("{'type':'error','error':{'type':'t','message':'m','event_id':'other'}}");
        QVERIFY(!underWay.areNone());
        (void)world.read("{'type':'error','error':{'type':'t','message':'m','event_id':'e1'}}");
        QVERIFY(underWay.areNone());
        world.meter.asked("", {});
        (void)world.read("{'type':'response.created','response':{'id':'r1'}}");
        QCOMPARE(underWay.onlyAsked(), std::size_t{0});
        QCOMPARE(underWay.begun().size(), std::size_t{1});
        // One that the provider begins by itself.
        (void)world.read("{'type':'response.created','response':{'id':'r2'}}");
        (void)world.read("{'type':'response.done','response':{'id':'r1','status':'cancelled'}}");
        const auto untold = world.meter.untoldBills();
        QCOMPARE(untold.size(), std::size_t{1});
        QCOMPARE(untold[0].part, std::string("response r2"));
        QCOMPARE(untold[0].amounts[Measure::NanoDollars], std::int64_t{1'000});
        (void)world.read("{'type':'response.done','response':{'id':'r2','status':'cancelled'}}");
        QVERIFY(underWay.areNone());
    }

    void modelThatIsPaidByTheMinute_LeavesNothingUnpriced()
    {
        World world("grok-voice-think-fast-1.0");
        (void)world.read("{'type':'response.created','response':{'id':'r1'}}");
        for (const char* const text :
            {"{'type':'response.done','response':{'id':'r1','status':'completed','output':[{'id':'i','type':'message'}]}}",
                "{'type':'conversation.item.input_audio_transcription.completed','item_id':'i','transcript':'Hi.'}"}) {
            const auto bill = world.read(text);
            QVERIFY2(bill.has_value() && bill->isTold, text);
            QCOMPARE(bill->amounts[Measure::Unpriced], std::int64_t{0});
            QCOMPARE(bill->amounts[Measure::NanoDollars], std::int64_t{0});
        }
    }

    /// Some servers give sums alone, others details that do not add up to them.
    void sumsWithoutDetails_AreBilled_data()
    {
        QTest::addColumn<QByteArray>("usage");
        QTest::addColumn<qint64>("textIn");
        QTest::addColumn<qint64>("audioIn");
        QTest::addColumn<qint64>("textOut");
        QTest::newRow("sums alone") << QByteArray("'total_tokens':300,'input_tokens':200,'output_tokens':100")
                                    << qint64{200} << qint64{0} << qint64{100};
        QTest::newRow("empty details") << QByteArray("'total_tokens':300,'input_tokens':200,'output_tokens':100,"
                                                     "'input_token_details':{},'output_token_details':{}")
                                       << qint64{200} << qint64{0} << qint64{100};
        QTest::newRow("some details") << QByteArray("'total_tokens':300,'input_tokens':200,'output_tokens':100,"
                                                    "'input_token_details':{'audio_tokens':150}")
                                      << qint64{50} << qint64{150} << qint64{100};
        QTest::newRow("a total alone") << QByteArray("'total_tokens':300") << qint64{300} << qint64{0} << qint64{0};
    }
    void sumsWithoutDetails_AreBilled()
    {
        QFETCH(QByteArray, usage);
        QFETCH(qint64, textIn);
        QFETCH(qint64, audioIn);
        QFETCH(qint64, textOut);
        World world;
        const auto bill =
            world.read("{'type':'response.done','response':{'id':'r','usage':{" + usage.toStdString() + "}}}");
        QCOMPARE(bill.value().amounts[Measure::TextIn], std::int64_t{textIn});
        QCOMPARE(bill.value().amounts[Measure::AudioIn], std::int64_t{audioIn});
        QCOMPARE(bill.value().amounts[Measure::TextOut], std::int64_t{textOut});
    }

    /// Nothing that a provider says takes anything back, or overflows.
    void absurdCounts_AreBounded()
    {
        World world;
        const auto huge = world.read("{'type':'response.done','response':{'id':'r','usage':{'total_tokens':1,"
                                     "'input_tokens':9223372036854775807,'output_tokens':-5}}}");
        QVERIFY(huge.has_value());
        QCOMPARE(huge->amounts[Measure::TextIn], 10'000'000);
        QCOMPARE(huge->amounts[Measure::TextOut], 0);
        QVERIFY(huge->amounts[Measure::NanoDollars] > 0);
        // An id that would not fit, or would break a line, is not taken for a name.
        const auto odd = world.read("{'type':'response.done','response':{'id':'" + std::string(500, 'x') + "'}}");
        QVERIFY(odd->part.size() < 160);
    }

    void sound_IsMeasuredByItsFormat_BothDialects()
    {
        World world;
        const std::string second(64'000, 'A');
        QVERIFY(!world.read("{'type':'response.output_audio.delta','delta':'" + second + "'}"));
        world.meter.heard(core::Milliseconds(250));
        auto amounts = world.meter.stream(core::Milliseconds(5'000));
        QCOMPARE(amounts[Measure::AudioOutMs], 1'000);
        QCOMPARE(amounts[Measure::AudioInMs], 250);
        QCOMPARE(amounts[Measure::ConnectedMs], 5'000);
        (void)world.read(
            "{'type':'session.updated','session':{'type':'realtime','audio':{"
            "'input':{'format':{'type':'audio/pcm','rate':24000}},'output':{'format':{'type':'audio/pcmu'}}}}}");
        QVERIFY(!world.read("{'type':'response.audio.delta','delta':'" + second + "'}"));
        amounts = world.meter.stream(core::Milliseconds(5'000));
        QCOMPARE(amounts[Measure::AudioOutMs], 7'000);
        QCOMPARE(world.meter.inputBytesPerMillisecond(), std::size_t{48});
        (void)world.read("{'type':'session.updated','session':{'input_audio_format':'g711_alaw'}}");
        QCOMPARE(world.meter.inputBytesPerMillisecond(), std::size_t{8});
    }

    void sound_IsMeasuredAtTheRatesThatAreKnown_UntilTheProviderNamesOthers()
    {
        World world("gpt-realtime", false, 0, {core::SampleRate(16'000), core::SampleRate(48'000)});
        // A second at 24 kHz, and half a one at 48.
        const std::string delta = "{'type':'response.output_audio.delta','delta':'" + std::string(64'000, 'A') + "'}";
        const auto out = [&] {
            const auto before = world.meter.stream({})[Measure::AudioOutMs];
            (void)world.read(delta);
            return world.meter.stream({})[Measure::AudioOutMs] - before;
        };
        QCOMPARE(out(), 500);
        QCOMPARE(world.meter.inputBytesPerMillisecond(), std::size_t{32});
        // The beta names none, nor does this one.
        (void)world.read("{'type':'session.updated','session':{'modalities':['audio'],'input_audio_format':'pcm16',"
                         "'output_audio_format':'pcm16'}}");
        QCOMPARE(out(), 500);
        QCOMPARE(world.meter.inputBytesPerMillisecond(), std::size_t{32});
        (void)world.read("{'type':'session.created','session':{'type':'realtime','audio':{'input':{'format':{"
                         "'type':'audio/pcm'}},'output':{'format':{'type':'audio/pcm','rate':16000}}}}}");
        QCOMPARE(out(), 1'500);
        QCOMPARE(world.meter.inputBytesPerMillisecond(), std::size_t{32});
        (void)world.read("{'type':'session.updated','session':{'type':'realtime','audio':{'input':{'format':{"
                         "'type':'audio/pcm','rate':24000}}}}}");
        QCOMPARE(world.meter.inputBytesPerMillisecond(), std::size_t{48});
        QCOMPARE(out(), 1'500);
    }

    void transcription_IsBilledByItsOwnModel()
    {
        World world;
        (void)world.read("{'type':'session.updated','session':{'type':'realtime','audio':{'input':{"
                         "'transcription':{'model':'gpt-realtime-whisper'}}}}}");
        const auto bill = world.read("{'type':'conversation.item.input_audio_transcription.completed','item_id':'i',"
                                     "'content_index':0,'transcript':'hi','usage':{'type':'duration','seconds':30}}");
        QCOMPARE(bill.value().part, std::string("transcript i"));
        QCOMPARE(bill.value().amounts[Measure::TranscribedMs], 30'000);
        QCOMPARE(bill.value().amounts[Measure::NanoDollars], std::int64_t{8'500'000});
    }

    /// Nobody knows then what it cost; where it has a price it is not free, and a budget sees it.
    void transcriptionThatIsNotTold_CostsWhatTheSoundWouldHave_data()
    {
        QTest::addColumn<QByteArray>("usage");
        QTest::addColumn<bool>("isSaid");
        const auto row = [](const char* name, const char* usage, bool isSaid = false) {
            QTest::newRow(name) << QByteArray(usage) << isSaid;
        };
        row("none", "");
        row("null", ",'usage':null");
        row("empty", ",'usage':{}");
        row("no number", ",'usage':{'type':'duration','seconds':'60'}");
        row("less than nothing", ",'usage':{'type':'duration','seconds':-60}");
        row("in tokens, of a price by the minute",
            ",'usage':{'type':'tokens','total_tokens':22,'input_tokens':13,'output_tokens':9}", true);
    }
    void transcriptionThatIsNotTold_CostsWhatTheSoundWouldHave()
    {
        QFETCH(QByteArray, usage);
        QFETCH(bool, isSaid);
        World world;
        (void)world.read("{'type':'session.updated','session':{'type':'realtime','audio':{'input':{"
                         "'transcription':{'model':'gpt-realtime-whisper'}}}}}");
        world.meter.heard(core::Milliseconds(30'000));
        const std::string completed = "{'type':'conversation.item.input_audio_transcription.completed','item_id':'i',"
                                      "'content_index':0,'transcript':'hi'"
            + usage.toStdString() + "}";
        const auto bill = world.read(completed).value();
        QCOMPARE(bill.isTold, isSaid);
        QCOMPARE(bill.amounts[Measure::Unpriced], 1);
        QCOMPARE(bill.amounts[Measure::TranscriptionTokens], isSaid ? 22 : 0);
        QCOMPARE(bill.amounts[Measure::NanoDollars], std::int64_t{8'500'000});
        // All of that sound has been paid for.
        QCOMPARE(world.read(completed).value().amounts[Measure::NanoDollars], 0);
    }

    void connection_ThatIsPaidByTheMinute_CostsByTheMinute()
    {
        World world("grok-voice-think-fast-1.0");
        QCOMPARE(world.meter.stream(core::Milliseconds(90'000))[Measure::NanoDollars], std::int64_t{75'000'000});
        QCOMPARE(World().meter.stream(core::Milliseconds(90'000))[Measure::NanoDollars], 0);
    }
};

QTEST_GUILESS_MAIN(TestSessionMeter)
#include "test_session_meter.moc"
