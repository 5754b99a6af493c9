#include "agent/brain/chat_messages.h"
#include "tests/agent/skills/recording_sink.h"

#include <QtTest/QtTest>

#include <nlohmann/json.hpp>

using namespace vivavoce;
using namespace vivavoce::agent;
using brain::ChatReply;
using nlohmann::json;
using Kind = DialogueItem::Kind;

namespace {

std::string delta(const json& body, const json& finish = nullptr)
{
    return json{{"choices", {{{"index", 0}, {"delta", body}, {"finish_reason", finish}}}}}.dump();
}

json callPart(int index, const char* name, const char* arguments)
{
    json function{{"arguments", arguments}};
    if (*name != '\0') {
        function["name"] = name;
    }
    return {{"tool_calls", {{{"index", index}, {"function", function}}}}};
}

} // namespace

class TestChatMessages : public QObject {
    Q_OBJECT

private slots:
    void requestBody_WithoutAModel_LeavesItToTheServer()
    {
        QCOMPARE(json::parse(brain::chatRequestBody({}, {}))["model"].get<std::string>(), std::string("default"));
    }

    void requestBody_Dialogue_BecomesMessages()
    {
        BrainRequest request;
        request.instructions = "Be brief.";
        request.items = {{Kind::UserMessage, "hi", {}, {}, true}, {Kind::FunctionCall, "{\"a\":1}", "c1", "f", true},
            {Kind::FunctionCall, "{}", "c2", "g", true}, {Kind::FunctionOutput, "one", "c1", "f", true},
            {Kind::FunctionOutput, "two", "c2", "g", true}, {Kind::FunctionOutput, "lost", "c9", "h", true}};
        request.tools = {{"f", "does f", R"({"type":"object"})"}};
        const json body = json::parse(brain::chatRequestBody(request, "m"));
        QCOMPARE(body["stream"].get<bool>(), true);
        const json& messages = body["messages"];
        QCOMPARE(messages.size(), std::size_t(6));
        QCOMPARE(messages[0]["role"].get<std::string>(), std::string("system"));
        QCOMPARE(messages[2]["tool_calls"].size(), std::size_t(2));
        QCOMPARE(messages[2]["tool_calls"][0]["function"]["arguments"].get<std::string>(), std::string("{\"a\":1}"));
        QCOMPARE(messages[3]["tool_call_id"].get<std::string>(), std::string("c1"));
        QCOMPARE(messages[5]["role"].get<std::string>(), std::string("system"));
        QCOMPARE(body["tool_choice"].get<std::string>(), std::string("auto"));
        request.toolChoice = ToolChoice::Required;
        QCOMPARE(json::parse(brain::chatRequestBody(request, "m"))["tool_choice"].get<std::string>(),
            std::string("required"));
        request.requiredTool = "f";
        QCOMPARE(
            json::parse(brain::chatRequestBody(request, "m"))["tool_choice"]["function"]["name"].get<std::string>(),
            std::string("f"));
    }

    void requestBody_OutputsComeRightBehindTheirCalls()
    {
        BrainRequest request;
        request.items = {{Kind::UserMessage, "hi", {}, {}, true}, {Kind::FunctionCall, "{}", "c1", "f", true},
            {Kind::FunctionCall, "{}", "c2", "g", true}, {Kind::UserMessage, "said meanwhile", {}, {}, true},
            {Kind::FunctionOutput, "two", "c2", "g", true}, {Kind::FunctionOutput, "one", "c1", "f", true}};
        const json body = json::parse(brain::chatRequestBody(request, "m"));
        const json& messages = body["messages"];
        QCOMPARE(messages.size(), std::size_t(5));
        QCOMPARE(messages[1]["tool_calls"].size(), std::size_t(2));
        QCOMPARE(messages[2]["content"].get<std::string>(), std::string("one"));
        QCOMPARE(messages[3]["content"].get<std::string>(), std::string("two"));
        QCOMPARE(messages[4]["content"].get<std::string>(), std::string("said meanwhile"));
    }

    void take_TextAndCalls_AreAssembled()
    {
        tests::RecordingSink sink;
        ChatReply reply(sink);
        for (const std::string& event : {delta({{"role", "assistant"}, {"content", ""}}), delta({{"content", "Hel"}}),
                 delta({{"content", "lo"}}), delta(callPart(0, "f", "")), delta(callPart(1, "g", "{}")),
                 delta(callPart(0, "", "{\"a\"")), delta(callPart(0, "", ":1}")), delta(json::object(), "tool_calls"),
                 std::string(R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}})"),
                 std::string("[DONE]")}) {
            QVERIFY(reply.take(event));
        }
        const auto usage = reply.finish();
        QVERIFY(usage && *usage);
        QCOMPARE((*usage)->inputTokens, 5);
        QCOMPARE((*usage)->outputTokens, 7);
        QCOMPARE(sink.text, std::string("Hello"));
        QCOMPARE(sink.calls, (std::vector<std::pair<std::string, std::string>>{{"f", "{\"a\":1}"}, {"g", "{}"}}));
    }

    void take_BrokenStream_IsATypedError_data()
    {
        QTest::addColumn<QString>("event");
        QTest::addColumn<int>("code");
        const auto row = [](const char* event, core::ErrorCode code) {
            QTest::newRow(event) << event << static_cast<int>(code);
        };
        row("nonsense", core::ErrorCode::ProviderMalformed);
        row("[]", core::ErrorCode::ProviderMalformed);
        row("[DONE]", core::ErrorCode::ProviderMalformed);
        row("{}", core::ErrorCode::ProviderMalformed);
        row(R"({"choices":[{"delta":{"content":"half"}}]})", core::ErrorCode::ProviderMalformed);
        row(R"({"error":{"message":"secret things","code":"overloaded"}})", core::ErrorCode::ProviderFailed);
        row(R"({"choices":[{"delta":{"tool_calls":[7]}}]})", core::ErrorCode::ProviderMalformed);
        row(R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"no object"}}]},"finish_reason":"tool_calls"}]})",
            core::ErrorCode::ProviderMalformed);
    }

    void take_BrokenStream_IsATypedError()
    {
        QFETCH(QString, event);
        QFETCH(int, code);
        tests::RecordingSink sink;
        ChatReply reply(sink);
        const auto taken = reply.take(event.toStdString());
        const core::Error error = taken ? reply.finish().error() : taken.error();
        QCOMPARE(static_cast<int>(error.code), code);
        QVERIFY(error.detail.find("secret") == std::string::npos);
        QVERIFY(sink.calls.empty());
    }

    void take_SinkSaysStop_EndsTheReply()
    {
        tests::RecordingSink sink;
        sink.goesOn = false;
        ChatReply reply(sink);
        QVERIFY(reply.take(delta({{"content", "a"}})));
        QVERIFY(reply.isStopped());
        QVERIFY(reply.take(delta({{"content", "b"}})));
        QCOMPARE(sink.text, std::string("a"));
        QVERIFY(reply.finish());
    }
};

QTEST_GUILESS_MAIN(TestChatMessages)
#include "test_chat_messages.moc"
