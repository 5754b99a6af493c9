#include "core/base/base64.h"
#include "core/protocol/gemini/codec.h"
#include "tests/broker/relay_harness.h"
#include "tests/support/gemini_stand_in.h"

#include <QTest>

#include <cstdlib>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

namespace gemini = core::gemini;
constexpr const char* kKey = "gemini-key-marker";
constexpr const char* kGemini = R"({"provider":"gemini"})";
constexpr const char* kPlainSetup =
    R"({"setup":{"model":"models/gemini-3.8-live","generationConfig":{"responseModalities":["AUDIO"]}}})";

using Change = std::function<void(broker::Config&)>;

struct World {
    explicit World(const Change& change = {})
        : relay([change](broker::Config& config) {
              config.geminiKey = core::Secret(kKey);
              config.pricesFile = std::string(std::getenv("VV_SOURCE_DIR")) + "/resources/prices/prices.json";
              config.holdCents = 100;
              if (change) {
                  change(config);
              }
          })
    {
    }

    [[nodiscard]] Json usage()
    {
        return Json::parse(relay.operators.as(relay.operators.user(), "GET", "/api/voice/usage").body);
    }
    [[nodiscard]] double cost() { return usage().at("totalCost").get<double>(); }
    /// What was told before has been heard, and counted.
    void settle(Line& provider, Line& client)
    {
        provider.send(R"({"serverContent":{}})");
        while (client.next() != R"({"serverContent":{}})") {
        }
    }

    RelayWorld relay;
};

void underABudget(broker::Config& config)
{
    config.policy.budgets.userDay.nanoDollars = 10'000'000'000;
}

/// The stand-in at the provider's end of a stream, and a client at the other.
struct Talk {
    explicit Talk(World& theWorld, const std::string& body = kGemini)
        : world(theWorld),
          session(theWorld.relay.session(body)),
          client(theWorld.relay.open(session)),
          line(theWorld.relay.upstream.next()),
          at(
              standIn, [this](std::string text) { line->sendBinary(std::move(text)); },
              [this](const core::TransportClose& close) { line->close(close.code, close.reason); })
    {
    }
    /// What the client says, and the stand-in hears.
    std::string says(const std::string& text)
    {
        client->line().send(text);
        std::string heard = line->next();
        at.heard(heard);
        return heard;
    }
    void setUp(const std::string& setup = kPlainSetup)
    {
        (void)says(setup);
        hears("setupComplete");
    }
    /// The next thing that the client hears is of that kind, as the provider sent it.
    Json hears(const char* kind)
    {
        const Line::Message message = client->line().nextMessage();
        if (message.kind != Line::Message::Kind::Binary) {
            qFatal("another frame");
        }
        Json json = Json::parse(message.data);
        if (!json.contains(kind)) {
            qFatal("%s", message.data.c_str());
        }
        return json.at(kind);
    }
    void soundIsHeard(int milliseconds)
    {
        at.sound(core::Milliseconds(milliseconds));
        hears("serverContent");
    }
    void usageIsHeard(int textIn, int audioIn, int audioOut)
    {
        at.usage(textIn, audioIn, audioOut);
        hears("usageMetadata");
    }
    /// Until the provider's side is closed as well.
    void hangUp()
    {
        client->line().close(1000, "");
        (void)line->end();
    }

    World& world;
    core::broker::TokenResponse session;
    std::unique_ptr<StreamClient> client;
    std::shared_ptr<Line> line;
    GeminiStandIn standIn;
    GeminiStandIn::Connection at;
};

std::string typed(const std::string& text)
{
    gemini::RealtimeInput input;
    input.text = text;
    return gemini::encode(gemini::ClientMessage(input));
}

std::string spoken(int milliseconds, int rate)
{
    gemini::RealtimeInput input;
    const auto bytes = static_cast<std::size_t>(milliseconds) * static_cast<std::size_t>(rate) / 500;
    input.audio = gemini::Blob{"audio/pcm;rate=" + std::to_string(rate), core::Bytes(bytes)};
    return gemini::encode(gemini::ClientMessage(input));
}

/// Of a reply with `audioOut` tokens of speech.
double dollars(double textIn, double audioIn, double audioOut)
{
    return (textIn * 0.75 + audioIn * 3 + audioOut * 12) / 1e6;
}

} // namespace

/// Gemini Live through the real relay: the stand-in at one end, and a client whose words are the test's at the other.
class TestGeminiRelay : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void stream_LeadsToGemini_WithTheKeyInAField()
    {
        World world;
        const Talk talk(world);
        QCOMPARE(talk.session.provider, std::string("gemini"));
        QCOMPARE(talk.session.transport, std::string("relay"));
        QCOMPARE(talk.session.connect.dialect, std::string("gemini"));
        QCOMPARE(talk.session.connect.auth, std::string("bearer"));
        QVERIFY(talk.session.connect.url.ends_with("/api/voice/stream"));
        const net::HttpRequest request = world.relay.upstream.request();
        QCOMPARE(request.path, std::string(kGeminiPath));
        QVERIFY(request.query.empty());
        QCOMPARE(request.headers.find("x-goog-api-key").value_or(""), std::string_view(kKey));
        QVERIFY(!request.headers.find("Authorization"));
        QVERIFY(world.relay.operators.broker.log.text().find("marker") == std::string::npos);
    }

    void policyThatWantsTheRelay_GetsIt()
    {
        World world([](broker::Config& config) { config.policy.isRelayed = true; });
        const auto minted =
            tokenOf(world.relay.operators.as(world.relay.operators.user(), "POST", "/api/voice-agent/token", kGemini));
        QCOMPARE(minted.transport, std::string("relay"));
        QCOMPARE(minted.connect.dialect, std::string("gemini"));
    }

    void whatIsPinned_IsPinnedByATokenOfItsOwn()
    {
        World world([](broker::Config& config) { config.policy.instructions = "Be kind."; });
        const Talk talk(world);
        const net::HttpRequest request = world.relay.upstream.request();
        QCOMPARE(request.path, std::string(kPinnedGeminiPath));
        QVERIFY(request.query.empty());
        QCOMPARE(request.headers.find("Authorization").value_or(""), std::string_view("Token auth_tokens/pinned"));
        QVERIFY(!request.headers.find("x-goog-api-key"));
    }

    void conversation_GoesThroughAsItIs()
    {
        World world;
        Talk talk(world);
        const std::string setup =
            R"({"setup": {"model": "models/gemini-3.8-live", "sessionResumption": {}, "generationConfig": {"responseModalities": ["AUDIO"]},)"
            R"( "tools": [{"functionDeclarations": [{"name": "get_weather"}]}]}})";
        QCOMPARE(talk.says(setup), setup);
        talk.hears("setupComplete");
        (void)talk.says(spoken(20, 24'000));
        QCOMPARE(talk.at.session().soundBytes, std::size_t{960});
        QCOMPARE(talk.says(typed("hello")), typed("hello"));
        QVERIFY(talk.at.session().texts == std::vector<std::string>{"hello"});
        talk.at.call("call_1", "get_weather", "{}");
        QCOMPARE(talk.hears("toolCall")["functionCalls"][0]["id"].get<std::string>(), std::string("call_1"));
        (void)talk.says(
            R"({"toolResponse":{"functionResponses":[{"id":"call_1","name":"get_weather","response":{"a_b":1,"aB":2}}]}})");
        QCOMPARE(talk.at.session().answers.size(), std::size_t{1});
        talk.at.cancelCall("call_2");
        talk.hears("toolCallCancellation");
        const std::string handle = talk.at.handle();
        QCOMPARE(talk.hears("sessionResumptionUpdate")["newHandle"].get<std::string>(), handle);
        talk.at.goAway(core::Milliseconds(50'000));
        QCOMPARE(talk.hears("goAway")["timeLeft"].get<std::string>(), std::string("50s"));
        talk.at.hangUp(1011, "Deadline expired");
        QCOMPARE(unsigned{talk.client->line().end().code}, 1011U);
        QCOMPARE(talk.client->line().end().reason, std::string("Deadline expired"));
        QVERIFY(!talk.at.isOver() || talk.at.close().code == 1011);
    }

    void sessionIsResumed_OverAnotherStream_WithTheSameToken()
    {
        World world;
        Talk talk(world);
        talk.setUp();
        const std::string handle = talk.at.handle();
        talk.hears("sessionResumptionUpdate");
        talk.client->drop();
        const auto client = world.relay.open(talk.session);
        const auto line = world.relay.upstream.next();
        const std::string setup =
            Json({{"setup", {{"model", "models/gemini-3.8-live"}, {"sessionResumption", {{"handle", handle}}}}}})
                .dump();
        client->line().send(setup);
        QCOMPARE(line->next(), setup);
    }

    void clientsOfTheProvidersOwn_FindTheirPath()
    {
        World world;
        const auto session = world.relay.session(kGemini);
        for (const char* const slashes : {"", "/"}) {
            net::WebSocketRequest request = world.relay.streamRequest(session.token.reveal());
            request.url.replace(
                request.url.find("/api/"), std::string::npos, slashes + std::string(kGeminiPath) + "?key=none");
            StreamClient client(std::move(request));
            QCOMPARE(client.status(), 101);
            client.line().waitUntilOpen();
            const auto line = world.relay.upstream.next();
            client.line().send(kPlainSetup);
            QCOMPARE(line->next(), std::string(kPlainSetup));
        }
    }

    void posts_SayWhatTheyHaveToSay_InGeminisWords()
    {
        World world;
        const auto session = world.relay.session(kGemini);
        const auto post = [&](const std::string& body) {
            return world.relay.operators.as(std::string(session.token.reveal()), "POST", "/api/voice/stream", body)
                .status;
        };
        QCOMPARE(post(R"({"events":[{"type":"response.create"}]})"), 400);
        QCOMPARE(post("{\"events\":[" + std::string(kPlainSetup) + "]}"), 202);
        const auto line = world.relay.upstream.next();
        QCOMPARE(line->next(), std::string(kPlainSetup));
        QCOMPARE(post(R"({"audio":"AAAA","events":[{"realtimeInput":{"audioStreamEnd":true}}]})"), 202);
        const Json sound = Json::parse(line->next()).at("realtimeInput").at("audio");
        QCOMPARE(sound.at("data").get<std::string>(), std::string("AAAA"));
        QCOMPARE(sound.at("mimeType").get<std::string>(), std::string("audio/pcm;rate=24000"));
        QCOMPARE(line->next(), std::string(R"({"realtimeInput":{"audioStreamEnd":true}})"));
    }

    void messageThatMayNotPass_EndsTheStream_AndGoesNowhere_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("reason");
        const auto row = [](const char* text, const char* reason) {
            QTest::newRow(reason) << QByteArray(text) << QByteArray(reason);
        };
        row("{", "invalid_json");
        row(R"({"realtimeInput":{"activityEnd":{},"activity_end":{}}})", "duplicate_name");
        row(R"({"realtimeInput":{"text":"x"},"setup":{}})", "unknown_message");
        row(kPlainSetup, "second_setup");
        row(R"({"clientContent":{"turns":[{"role":"system"}]}})", "locked_by_policy clientContent.turns.role");
    }
    void messageThatMayNotPass_EndsTheStream_AndGoesNowhere()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, reason);
        World world([](broker::Config& config) { config.policy.instructions = "Be kind."; });
        Talk talk(world);
        talk.setUp();
        talk.client->line().send(text.toStdString());
        const net::WebSocketClose end = talk.client->line().end();
        QCOMPARE(unsigned{end.code}, 1008U);
        QCOMPARE(QByteArray::fromStdString(end.reason), reason);
        (void)talk.line->end();
        QCOMPARE(talk.line->pending(), std::size_t{0});
    }

    void setupThatIsNotAllowed_EndsTheStream_AndAnotherOneDoes_data()
    {
        QTest::addColumn<QByteArray>("part");
        QTest::addColumn<QByteArray>("field");
        QTest::newRow("the model") << QByteArray(R"("model":"models/gemini-9-live")") << QByteArray("setup.model");
        QTest::newRow("a tool") << QByteArray(R"("tools":[{"googleSearch":{}}])") << QByteArray("setup.tools");
        QTest::newRow("a function") << QByteArray(R"("tools":[{"functionDeclarations":[{"name":"pay"}]}])")
                                    << QByteArray("setup.tools");
        QTest::newRow("the instructions") << QByteArray(R"("system_instruction":{"parts":[{"text":"Be rude."}]})")
                                          << QByteArray("setup.systemInstruction");
        QTest::newRow("the voice") << QByteArray(
            R"("generationConfig":{"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Puck"}}}})")
                                   << QByteArray("setup.generationConfig.speechConfig.voiceConfig");
    }
    void setupThatIsNotAllowed_EndsTheStream_AndAnotherOneDoes()
    {
        QFETCH(QByteArray, part);
        QFETCH(QByteArray, field);
        World world([](broker::Config& config) {
            config.policy.instructions = "Be kind.";
            config.policy.tools = std::vector<std::string>{"get_weather"};
            config.policy.voices = std::vector<std::string>{"Kore", "Puck"};
        });
        // Of those that the policy allows, it is the session's own.
        const std::string body = R"({"provider":"gemini","voice":"Kore"})";
        {
            Talk talk(world, body);
            talk.client->line().send("{\"setup\":{" + part.toStdString() + "}}");
            QCOMPARE(unsigned{talk.client->line().end().code}, 1008U);
            QCOMPARE(talk.client->line().end().reason, "locked_by_policy " + field.toStdString());
            (void)talk.line->end();
            QCOMPARE(talk.line->pending(), std::size_t{0});
        }
        Talk talk(world, body);
        talk.setUp(
            R"({"setup":{"model":"models/gemini-3.8-live","tools":[{"functionDeclarations":[{"name":"get_weather"}]}],)"
            R"("generationConfig":{"responseModalities":["AUDIO"],"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Kore"}}}}}})");
    }

    void binaryMessage_EndsTheStream()
    {
        World world;
        Talk talk(world);
        talk.client->line().sendBinary(kPlainSetup);
        QCOMPARE(talk.client->line().end().reason, std::string("unexpected_binary"));
    }

    /// Sound at a low rate lasts as long as it lasts.
    void sound_IsBoundedByTheMinute()
    {
        World world;
        Talk talk(world);
        talk.setUp();
        for (int i = 0; i < 9; ++i) {
            (void)talk.says(spoken(10'000, 8'000));
        }
        talk.client->line().send(spoken(10'000, 8'000));
        QCOMPARE(talk.client->line().end().reason, std::string("rate_limited"));
    }

    void whatIsSaid_IsInTheLedger_ByKind()
    {
        World world;
        Talk talk(world);
        talk.setUp();
        (void)talk.says(spoken(3'000, 16'000));
        talk.at.userWords("what is the weather");
        talk.hears("serverContent");
        talk.at.call("call_1", "get_weather", "{}");
        talk.hears("toolCall");
        talk.usageIsHeard(10, 20, 0);
        (void)talk.says(
            R"({"toolResponse":{"functionResponses":[{"id":"call_1","name":"get_weather","response":{}}]}})");
        talk.soundIsHeard(6'000);
        talk.usageIsHeard(30, 40, 150);
        talk.at.generationComplete();
        talk.at.turnComplete();
        talk.hears("serverContent");
        talk.hears("serverContent");
        // What the client has heard of is there.
        const Json usage = world.usage();
        QCOMPARE(usage["turns"].get<int>(), 1);
        QCOMPARE(usage["toolCallsTotal"].get<int>(), 1);
        QCOMPARE(usage["tokens"]["textIn"].get<int>(), 40);
        QCOMPARE(usage["tokens"]["audioIn"].get<int>(), 60);
        QCOMPARE(usage["tokens"]["audioOut"].get<int>(), 150);
        QCOMPARE(usage["totalCost"].get<double>(), dollars(40, 60, 150));
        QCOMPARE(usage["rows"][0]["unpricedTurns"].get<int>(), 0);
        world.relay.operators.broker.clock.advance(core::Milliseconds(6'000));
        talk.hangUp();
        QTRY_COMPARE(world.usage()["totalMinutes"].get<double>(), 0.1);
        QCOMPARE(world.usage()["audioMinutesIn"].get<double>(), 0.05);
        QCOMPARE(world.usage()["audioMinutesOut"].get<double>(), 0.1);
        QCOMPARE(world.usage()["turns"].get<int>(), 1);
        QCOMPARE(world.cost(), dollars(40, 60, 150));
        QVERIFY(world.relay.operators.broker.log.text().find("usage.untold") == std::string::npos);
        const Json byProvider = Json::parse(
            world.relay.operators.as(world.relay.operators.user(), "GET", "/api/voice/usage?by=provider").body);
        QCOMPARE(byProvider["rows"][0]["provider"].get<std::string>(), std::string("gemini"));
    }

    void replyThatIsInterrupted_IsSettled()
    {
        World world(&underABudget);
        Talk talk(world);
        talk.setUp();
        (void)talk.says(typed("tell me a story"));
        talk.soundIsHeard(100);
        talk.at.interrupt();
        talk.hears("serverContent");
        talk.usageIsHeard(10, 0, 30);
        talk.at.turnComplete();
        talk.hears("serverContent");
        talk.hangUp();
        QTRY_COMPARE(world.usage()["audioMinutesOut"].get<double>(), 0.1 / 60);
        QCOMPARE(world.cost(), dollars(10, 0, 30));
        QCOMPARE(world.usage()["turns"].get<int>(), 1);
        QCOMPARE(world.usage()["rows"][0]["unpricedTurns"].get<int>(), 0);
    }

    void hangingUp_InAReply_CostsWhatIsToldOfIt_OrItsHold_data()
    {
        QTest::addColumn<QString>("what");
        QTest::addColumn<double>("cost");
        QTest::addColumn<int>("unpriced");
        QTest::newRow("nothing is told") << "nothing" << 1.0 << 1;
        QTest::newRow("it has not begun") << "asked" << 1.0 << 1;
        QTest::newRow("it is told late") << "late" << dollars(10, 0, 30) << 0;
        QTest::newRow("a part was told") << "part" << 1.0 << 1;
        QTest::newRow("the provider is lost") << "crash" << 1.0 << 1;
    }
    void hangingUp_InAReply_CostsWhatIsToldOfIt_OrItsHold()
    {
        QFETCH(QString, what);
        QFETCH(double, cost);
        QFETCH(int, unpriced);
        World world(&underABudget);
        Talk talk(world);
        talk.setUp();
        (void)talk.says(typed("tell me a story"));
        if (what != "asked") {
            talk.soundIsHeard(100);
        }
        if (what == "part") {
            talk.usageIsHeard(10, 0, 30);
            talk.soundIsHeard(100);
        }
        if (what == "crash") {
            world.relay.upstream.crash();
        } else {
            talk.client->line().close(1000, "");
            (void)talk.client->line().end();
        }
        if (what == "late") {
            talk.at.usage(10, 0, 30);
            talk.at.generationComplete();
        }
        if (what != "crash") {
            (void)talk.line->end();
        }
        QTRY_COMPARE(world.cost(), cost);
        QCOMPARE(world.usage()["turns"].get<int>(), 1);
        QCOMPARE(world.usage()["rows"][0]["unpricedTurns"].get<int>(), unpriced);
        QTRY_COMPARE(world.relay.operators.broker.log.text().find("usage.untold") != std::string::npos, unpriced == 1);
    }

    void hangingUp_BetweenReplies_CostsNothingMore()
    {
        World world(&underABudget);
        Talk talk(world);
        talk.setUp();
        (void)talk.says(typed("hello"));
        talk.at.reply("Hi.");
        world.settle(*talk.line, talk.client->line());
        world.relay.operators.broker.clock.advance(core::Milliseconds(6'000));
        talk.hangUp();
        QTRY_COMPARE(world.usage()["totalMinutes"].get<double>(), 0.1);
        QCOMPARE(world.cost(), dollars(10, 20, 30));
        QCOMPARE(world.usage()["turns"].get<int>(), 1);
    }

    void budgetThatIsSpent_EndsTheSession_AndRefusesTheNext()
    {
        World world([](broker::Config& config) { config.policy.budgets.userDay.nanoDollars = 3'000'000'000; });
        Talk talk(world);
        talk.setUp();
        // Two dollars, but for a little.
        talk.usageIsHeard(0, 0, 166'000);
        talk.usageIsHeard(0, 0, 1'000);
        QCOMPARE(unsigned{talk.client->line().end().code}, 4402U);
        QCOMPARE(talk.client->line().end().reason, std::string("budget_exhausted"));
        (void)talk.line->end();
        const auto refused =
            world.relay.operators.as(world.relay.operators.user(), "POST", "/api/voice/session", kGemini);
        QCOMPARE(refused.status, 429);
    }

    /// What is on this computer costs nothing; Google is not.
    void providerBesideAFreeOne_IsNotFree()
    {
        World world([](broker::Config& config) {
            config.pricesFile.clear();
            config.policy.budgets.userDay.nanoDollars = 3'000'000'000;
        });
        Talk talk(world);
        talk.setUp();
        talk.usageIsHeard(0, 0, 200'000);
        QCOMPARE(unsigned{talk.client->line().end().code}, 4402U);
        QCOMPARE(world.cost(), dollars(0, 0, 200'000));
    }

    void modelWithoutAPrice_HasNoStreamUnderABudget()
    {
        World world(&underABudget);
        const auto session = world.relay.operators.as(
            world.relay.operators.user(), "POST", "/api/voice/session", R"({"model":"gemini-9-live"})");
        if (session.status == 200) {
            QCOMPARE(StreamClient(world.relay.streamRequest(tokenOf(session).token.reveal())).status(), 403);
        } else {
            QCOMPARE(session.status, 403);
        }
    }

    /// A second one would be paid for before anybody knows of the first.
    void asking_UnderABudget_WaitsUntilTheLastOneHasBegun()
    {
        World world(&underABudget);
        Talk talk(world);
        talk.setUp();
        talk.client->line().send(typed("one"));
        talk.client->line().send(typed("two"));
        QCOMPARE(talk.line->next(), typed("one"));
        world.settle(*talk.line, talk.client->line());
        QCOMPARE(talk.line->pending(), std::size_t{0});
        talk.soundIsHeard(20);
        QCOMPARE(talk.line->next(), typed("two"));
        // One that is never answered is not waited for for ever.
        talk.client->line().send(typed("three"));
        world.settle(*talk.line, talk.client->line());
        QCOMPARE(talk.line->pending(), std::size_t{0});
        world.relay.operators.broker.clock.advance(core::Milliseconds(2'000));
        QCOMPARE(talk.line->next(), typed("three"));
    }

    void asking_WithoutABudget_IsTheProvidersBusiness()
    {
        World world;
        Talk talk(world);
        talk.setUp();
        talk.client->line().send(typed("one"));
        talk.client->line().send(typed("two"));
        QCOMPARE(talk.line->next(), typed("one"));
        QCOMPARE(talk.line->next(), typed("two"));
    }
};

QTEST_GUILESS_MAIN(TestGeminiRelay)
#include "test_gemini_relay.moc"
