#include "core/protocol/gemini/auth_token.h"
#include "core/protocol/gemini/codec.h"

#include <QTest>

using namespace vivavoce::core;
using namespace vivavoce::core::gemini;

class GeminiMessagesTest : public QObject {
    Q_OBJECT

    static Setup fullSetup()
    {
        Setup setup;
        setup.model = "models/gemini-3.8-live";
        GenerationConfig generation;
        generation.responseModalities = std::vector<std::string>{"AUDIO"};
        generation.voiceName = "Kore";
        generation.languageCode = "it-IT";
        generation.maxOutputTokens = 500;
        setup.generationConfig = generation;
        Part part;
        part.text = "Be brief.";
        setup.systemInstruction = Content{{}, {part}};
        FunctionDeclaration function;
        function.name = "get_weather";
        function.parametersJsonSchema = RawJson{R"({"type":"object"})"};
        function.behavior = "NON_BLOCKING";
        setup.tools = std::vector<Tool>{{std::vector{function}, std::nullopt}, {std::nullopt, RawJson{"{}"}}};
        RealtimeInputConfig input;
        input.automaticActivityDetection = ActivityDetection{true, {}, {}, 300, 500};
        setup.realtimeInputConfig = input;
        setup.sessionResumption = SessionResumption{"handle_1"};
        setup.contextWindowCompression = ContextWindowCompression{Int64{100'000}, SlidingWindow{Int64{50'000}}};
        setup.inputAudioTranscription = Mark{};
        setup.outputAudioTranscription = Mark{};
        setup.historyConfig = HistoryConfig{true};
        return setup;
    }

    static ServerMessage read(const char* text)
    {
        auto message = decodeServerMessage(text);
        if (!message) {
            qFatal("%s", message.error().message.c_str());
        }
        return std::move(*message);
    }

private Q_SLOTS:
    void setup_IsWrittenAsGoogleNamesIt()
    {
        const std::string text = encode(ClientMessage(fullSetup()));
        for (const char* part :
            {R"({"setup":{)", R"("model":"models/gemini-3.8-live")", R"("responseModalities":["AUDIO"])",
                R"("speechConfig":{"languageCode":"it-IT","voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Kore"}}})",
                R"("systemInstruction":{"parts":[{"text":"Be brief."}]})", R"("triggerTokens":"100000")",
                R"("slidingWindow":{"targetTokens":"50000"})", R"("inputAudioTranscription":{})",
                R"("functionDeclarations":[{"behavior":"NON_BLOCKING","name":"get_weather","parametersJsonSchema":{"type":"object"}}])",
                R"("automaticActivityDetection":{"disabled":true,"prefixPaddingMs":300,"silenceDurationMs":500})",
                R"("sessionResumption":{"handle":"handle_1"})",
                R"("historyConfig":{"initialHistoryInClientContent":true})"}) {
            QVERIFY2(text.find(part) != std::string::npos, (std::string(part) + " in " + text).c_str());
        }
    }

    void clientMessages_AreReadAsTheyWereWritten()
    {
        RealtimeInput audio;
        audio.audio = Blob{"audio/pcm;rate=24000", Bytes{1, 0, 2, 0}};
        RealtimeInput start;
        start.activityStart = Mark{};
        RealtimeInput streamEnd;
        streamEnd.audioStreamEnd = true;
        RealtimeInput text;
        text.text = "hello";
        ClientContent history;
        Part part;
        part.text = "hi";
        history.turns = {{"user", {part}}};
        history.turnComplete = true;
        const ToolResponse answers{{{"call_1", "get_weather", RawJson{R"({"sky":"blue"})"}, "WHEN_IDLE", false}}};
        for (const ClientMessage& message :
            std::vector<ClientMessage>{fullSetup(), audio, start, streamEnd, text, history, ClientContent{}, answers}) {
            const std::string written = encode(message);
            const auto read = decodeClientMessage(written);
            QVERIFY2(read.has_value(), written.c_str());
            QVERIFY2(*read == message, written.c_str());
        }
    }

    void clientMessage_ThatGoogleRefuses_IsRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("no key") << QByteArray("{}");
        QTest::newRow("two keys") << QByteArray(R"({"setup":{},"realtimeInput":{"text":"a"}})");
        QTest::newRow("unknown key") << QByteArray(R"({"hello":{}})");
        QTest::newRow("not an object") << QByteArray(R"({"setup":[]})");
        QTest::newRow("array") << QByteArray("[]");
        QTest::newRow("no JSON") << QByteArray("{");
        QTest::newRow("unknown name") << QByteArray(R"({"setup":{"modell":"x"}})");
        QTest::newRow("unknown name deep down")
            << QByteArray(R"({"setup":{"generationConfig":{"speechConfig":{"voice":"x"}}}})");
        QTest::newRow("wrong type") << QByteArray(R"({"setup":{"model":5}})");
        QTest::newRow("no number") << QByteArray(R"({"setup":{"contextWindowCompression":{"triggerTokens":"1e5"}}})");
        QTest::newRow("media chunks") << QByteArray(
            R"({"realtimeInput":{"mediaChunks":[{"mimeType":"audio/pcm","data":""}]}})");
        QTest::newRow("behaviour that there is not")
            << QByteArray(R"({"setup":{"tools":[{"functionDeclarations":[{"name":"a","behavior":"LATER"}]}]}})");
        QTest::newRow("scheduling that there is not") << QByteArray(
            R"({"toolResponse":{"functionResponses":[{"id":"1","name":"a","response":{},"scheduling":"LATER"}]}})");
        QTest::newRow("two inputs") << QByteArray(R"({"realtimeInput":{"text":"a","audioStreamEnd":true}})");
        QTest::newRow("something in a mark") << QByteArray(R"({"realtimeInput":{"activityStart":{"at":1}}})");
        QTest::newRow("no base64") << QByteArray(R"({"realtimeInput":{"audio":{"mimeType":"audio/pcm","data":"%"}}})");
        QTest::newRow("deep") << QByteArray(100'000, '[');
    }
    void clientMessage_ThatGoogleRefuses_IsRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!decodeClientMessage({text.constData(), static_cast<std::size_t>(text.size())}));
    }

    void serverMessage_WithSeveralKeys_TellsThemAll()
    {
        const ServerMessage message = read(R"({
            "serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"AQACAA=="}},
                {"text":"hm","thought":true}]},"interrupted":true,"generationComplete":true,"turnComplete":true,
                "inputTranscription":{"text":"ciao","finished":true},"outputTranscription":{"text":"hello"}},
            "usageMetadata":{"promptTokenCount":12,"responseTokenCount":"7","totalTokenCount":19,
                "promptTokensDetails":[{"modality":"AUDIO","tokenCount":12}]},
            "sessionResumptionUpdate":{"newHandle":"h","resumable":true,"lastConsumedClientMessageIndex":"5"},
            "goAway":{"timeLeft":"50s"},
            "toolCall":{"functionCalls":[{"id":"c","name":"f","args":{"a":1}}]},
            "toolCallCancellation":{"ids":["c"]}})");
        QVERIFY((message.serverContent->modelTurn->parts[0].inlineData->data == Bytes{1, 0, 2, 0}));
        QCOMPARE(*message.serverContent->modelTurn->parts[1].thought, true);
        QCOMPARE(*message.serverContent->interrupted, true);
        QCOMPARE(message.serverContent->inputTranscription->text, std::string("ciao"));
        QCOMPARE(message.usageMetadata->promptTokenCount->value, std::int64_t{12});
        QCOMPARE(message.usageMetadata->responseTokenCount->value, std::int64_t{7});
        QCOMPARE(message.usageMetadata->promptTokensDetails->at(0).tokenCount.value, std::int64_t{12});
        QCOMPARE(message.sessionResumptionUpdate->newHandle, std::string("h"));
        QCOMPARE(message.sessionResumptionUpdate->lastConsumedClientMessageIndex->value, std::int64_t{5});
        QCOMPARE(*message.goAway->timeLeft, Milliseconds{50'000});
        QCOMPARE(message.toolCall->functionCalls[0].args->text, std::string(R"({"a":1})"));
        QCOMPARE(message.toolCallCancellation->ids.size(), std::size_t{1});
    }

    void serverMessage_OfAServerThatKnowsMore_IsReadAsFarAsItIsKnown_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("nothing") << QByteArray("{}");
        QTest::newRow("unknown key") << QByteArray(R"({"sparkles":{"a":[1,2]}})");
        QTest::newRow("empty content") << QByteArray(R"({"serverContent":{}})");
        QTest::newRow("null") << QByteArray(R"({"serverContent":null,"goAway":null})");
        QTest::newRow("wrong types") << QByteArray(
            R"({"serverContent":7,"toolCall":"x","usageMetadata":[],"goAway":{"timeLeft":50},"setupComplete":[]})");
        QTest::newRow("odd parts") << QByteArray(R"({"serverContent":{"modelTurn":{"parts":{"a":1}}}})");
        QTest::newRow("odd counts") << QByteArray(
            R"({"usageMetadata":{"promptTokenCount":"many","responseTokenCount":1e300}})");
        QTest::newRow("odd ids") << QByteArray(R"({"toolCallCancellation":{"ids":[1,2]}})");
    }
    void serverMessage_OfAServerThatKnowsMore_IsReadAsFarAsItIsKnown()
    {
        QFETCH(QByteArray, text);
        const ServerMessage message = read(text.constData());
        QVERIFY(!message.serverContent || !message.serverContent->modelTurn
            || message.serverContent->modelTurn->parts.empty());
        QVERIFY(!message.goAway || !message.goAway->timeLeft);
    }

    void serverMessage_ThatIsNone_IsAFault_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("empty") << QByteArray("");
        QTest::newRow("array") << QByteArray("[]");
        QTest::newRow("cut") << QByteArray(R"({"serverContent":)");
        QTest::newRow("key twice") << QByteArray(R"({"goAway":{},"goAway":{}})");
        QTest::newRow("bad UTF-8") << QByteArray("{\"a\":\"\xff\"}");
        QTest::newRow("deep") << QByteArray(100'000, '[');
        QTest::newRow("bad sound") << QByteArray(
            R"({"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"%%%"}}]}}})");
    }
    void serverMessage_ThatIsNone_IsAFault()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!decodeServerMessage({text.constData(), static_cast<std::size_t>(text.size())}));
    }

    void sound_InTheUrlsAlphabet_IsReadToo()
    {
        const ServerMessage message =
            read(R"({"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"-_8"}}]}}})");
        QVERIFY((message.serverContent->modelTurn->parts[0].inlineData->data == Bytes{0xFB, 0xFF}));
    }

    void serverMessages_AreReadAsTheyWereWritten()
    {
        ServerMessage message;
        message.setupComplete = SetupComplete{"s"};
        message.goAway = GoAway{Milliseconds{50'250}};
        message.serverContent.emplace().turnComplete = true;
        const std::string text = encode(message);
        const ServerMessage again = read(text.c_str());
        QCOMPARE(again.setupComplete->sessionId, std::string("s"));
        QCOMPARE(*again.goAway->timeLeft, Milliseconds{50'250});
        QCOMPARE(*again.serverContent->turnComplete, true);
        QCOMPARE(encode(again), text);
    }

    void duration_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<int>("milliseconds");
        QTest::newRow("whole") << QByteArray("50s") << 50'000;
        QTest::newRow("decimals") << QByteArray("1.5s") << 1'500;
        QTest::newRow("nanoseconds") << QByteArray("0.001999999s") << 1;
        QTest::newRow("nothing") << QByteArray("0s") << 0;
        QTest::newRow("no unit") << QByteArray("50") << -1;
        QTest::newRow("minutes") << QByteArray("5m") << -1;
        QTest::newRow("negative") << QByteArray("-5s") << -1;
        QTest::newRow("no digits") << QByteArray("s") << -1;
        QTest::newRow("no decimals") << QByteArray("5.s") << -1;
        QTest::newRow("exponent") << QByteArray("1e3s") << -1;
        QTest::newRow("for ever") << QByteArray("999999999999999999999s") << -1;
        QTest::newRow("empty") << QByteArray("") << -1;
    }
    void duration()
    {
        QFETCH(QByteArray, text);
        QFETCH(int, milliseconds);
        const auto read = parseDuration({text.constData(), static_cast<std::size_t>(text.size())});
        QCOMPARE(read.value_or(Milliseconds{-1}), Milliseconds{milliseconds});
    }

    void authTokenRequest_IsReadAsItWasWritten()
    {
        AuthTokenRequest request;
        request.uses = 1;
        request.expireTime = "2026-11-29T12:30:00Z";
        request.newSessionExpireTime = "2026-11-29T12:01:00Z";
        Setup setup;
        setup.model = "models/gemini-3.8-live";
        request.setup = setup;
        request.fieldMask = "model";
        QVERIFY(encode(request).find(R"("bidiGenerateContentSetup":{"model":"models/gemini-3.8-live"})")
            != std::string::npos);
        const auto read = decodeAuthTokenRequest(encode(request));
        QVERIFY(read.has_value());
        QVERIFY(*read->setup == setup);
        QCOMPARE(*read->fieldMask, std::string("model"));
        QVERIFY(!decodeAuthTokenRequest(R"({"liveConnectConstraints":{}})"));
    }

    void authToken_IsItsName()
    {
        const auto token = decodeAuthToken(R"({"name":"auth_tokens/abc","uses":1})");
        QCOMPARE(token->name.reveal(), std::string_view("auth_tokens/abc"));
        QVERIFY(!decodeAuthToken(R"({"token":"auth_tokens/abc"})"));
        QVERIFY(!decodeAuthToken(R"({"name":5})"));
        QVERIFY(!decodeAuthToken("[]"));
    }
};

QTEST_GUILESS_MAIN(GeminiMessagesTest)
#include "test_gemini_messages.moc"
