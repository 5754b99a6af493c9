#include "core/tools/mcp_server.h"

#include "core/base/json.h"
#include "core/tools/mcp_servers.h"
#include "tests/support/manual_executor.h"

#include <nlohmann/json.hpp>

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;
using Stage = McpServer::Stage;

namespace {

/// The other end of a program.
struct Pipe {
    ProcessCommand command;
    LineProcessListener* listener = nullptr;
    std::vector<Json> said;
    bool isGone = false;
};

class FakeLineProcess final : public LineProcess {
public:
    explicit FakeLineProcess(std::shared_ptr<Pipe> pipe) : m_pipe(std::move(pipe)) {}
    ~FakeLineProcess() override { m_pipe->isGone = true; }
    void start(const ProcessCommand& command, LineProcessListener& listener) override
    {
        m_pipe->command = command;
        m_pipe->listener = &listener;
    }
    void write(std::string_view line) override { m_pipe->said.push_back(*parseJson(line)); }

private:
    std::shared_ptr<Pipe> m_pipe;
};

struct World {
    MakeLineProcess maker()
    {
        return [this] {
            pipes.push_back(std::make_shared<Pipe>());
            return std::make_unique<FakeLineProcess>(pipes.back());
        };
    }
    World()
    {
        server.follow([this] { ++told; });
    }

    Pipe& pipe() { return *pipes.back(); }
    const Json& last() { return pipe().said.back(); }
    void says(const Json& message) { pipe().listener->lineReceived(message.dump()); }
    void answers(const Json& result) { says({{"jsonrpc", "2.0"}, {"id", last()["id"]}, {"result", result}}); }
    void begin(const char* version = "2025-06-18")
    {
        server.start();
        answers({{"protocolVersion", version}, {"capabilities", {{"tools", {{"listChanged", true}}}}},
            {"serverInfo", {{"name", "s"}, {"version", "1"}}}});
    }
    static Json tool(const std::string& name)
    {
        return {{"name", name}, {"description", "does " + name}, {"inputSchema", {{"type", "object"}}}};
    }
    void ready()
    {
        begin();
        answers({{"tools", Json::array({tool("read"), tool("write.all")})}});
    }
    std::string call(const char* name, const std::string& id = "c1")
    {
        server.run({id, name, "{\"path\":\"a\"}"}, [this, id](Expected<std::string, Error> result) {
            results[id] = result ? *result : "failed: " + result.error().detail;
        });
        return results[id];
    }

    ManualClock clock;
    ManualExecutor executor{clock};
    std::vector<std::shared_ptr<Pipe>> pipes;
    int told = 0;
    std::map<std::string, std::string> results;
    McpServer server{{executor, maker(), {"files", {"/bin/files", {"-x"}, {{"A", "b"}}}}, "1.2"}};
};

std::vector<std::string> namesOf(const ToolSource& source)
{
    std::vector<std::string> names;
    for (const Tool& tool : source.tools()) {
        names.push_back(tool.declaration.name);
    }
    return names;
}

} // namespace

class TestMcpServer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void beginning_IsAsTheProtocolHasIt()
    {
        World world;
        world.server.start();
        QCOMPARE(world.pipe().command.program, std::string("/bin/files"));
        const Json hello = world.last();
        QVERIFY(hello["method"] == Json("initialize"));
        QVERIFY(hello["jsonrpc"] == Json("2.0"));
        QVERIFY(hello["params"]["protocolVersion"] == Json("2025-11-25"));
        QVERIFY(hello["params"]["clientInfo"]["name"] == Json("vivavoce"));
        QVERIFY(world.server.stage() == Stage::Starting);
        world.answers({{"protocolVersion", "2025-06-18"}, {"capabilities", {{"tools", Json::object()}}}});
        QCOMPARE(world.pipe().said.size(), std::size_t{3});
        QVERIFY(world.pipe().said[1]["method"] == Json("notifications/initialized"));
        QVERIFY(!world.pipe().said[1].contains("id"));
        QVERIFY(world.pipe().said[2]["method"] == Json("tools/list"));
        world.answers({{"tools", Json::array({World::tool("read")})}, {"nextCursor", "p2"}});
        QVERIFY(world.last()["params"]["cursor"] == Json("p2"));
        QVERIFY(world.server.tools().empty());
        world.answers({{"tools", Json::array({World::tool("write.all"), World::tool("read")})}});
        QVERIFY(world.server.stage() == Stage::Ready);
        QCOMPARE(namesOf(world.server), (std::vector<std::string>{"files__read", "files__write_all"}));
        QVERIFY(world.server.tools()[0].policy == ToolPolicy::Ask);
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }

    void serverWithoutFunctions_IsReadyWithNone()
    {
        World world;
        world.server.start();
        world.answers({{"protocolVersion", "2024-11-05"}, {"capabilities", Json::object()}});
        QVERIFY(world.server.stage() == Stage::Ready);
        QVERIFY(world.server.tools().empty());
    }

    void beginning_ThatGoesWrong_IsTold_data()
    {
        QTest::addColumn<int>("way");
        QTest::newRow("another version") << 0;
        QTest::newRow("an error") << 1;
        QTest::newRow("silence") << 2;
        QTest::newRow("not there") << 3;
        QTest::newRow("a list that is none") << 4;
        QTest::newRow("babble") << 5;
        QTest::newRow("JSON that is no message") << 6;
    }
    void beginning_ThatGoesWrong_IsTold()
    {
        QFETCH(int, way);
        World world;
        if (way == 0) {
            world.begin("1999-01-01");
        } else if (way == 4) {
            world.begin();
            world.answers({{"tools", 7}});
        } else {
            world.server.start();
        }
        if (way == 1) {
            world.says({{"jsonrpc", "2.0"}, {"id", 1}, {"error", {{"code", -1}, {"message", "no"}}}});
        } else if (way == 2) {
            world.executor.advance(Milliseconds{20'000});
        } else if (way == 3) {
            world.pipe().listener->processEnded({ErrorCode::ToolFailed, "not there", std::nullopt, {}});
        } else if (way == 5) {
            world.pipe().listener->lineReceived("Server listening on stdio");
        } else if (way == 6) {
            world.says({{"hello", 1}});
        }
        QVERIFY(world.server.stage() == Stage::Failed);
        QVERIFY(world.server.error().has_value());
        world.executor.runPosted();
        QVERIFY(world.pipe().isGone);
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }

    void call_IsAskedAndAnswered_data()
    {
        QTest::addColumn<QByteArray>("result");
        QTest::addColumn<QByteArray>("output");
        QTest::newRow("text") << QByteArray(R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})")
                              << QByteArray("a\nb");
        QTest::newRow("structure") << QByteArray(
            R"({"content":[{"type":"text","text":"x"}],"structuredContent":{"n":1}})")
                                   << QByteArray(R"({"n":1})");
        QTest::newRow("picture") << QByteArray(R"({"content":[{"type":"image","data":"AAAA","mimeType":"image/png"}]})")
                                 << QByteArray("[image, not shown]");
        QTest::newRow("failure") << QByteArray(R"({"content":[{"type":"text","text":"no file"}],"isError":true})")
                                 << QByteArray(R"({"error":"tool.failed","message":"no file"})");
        QTest::newRow("nothing") << QByteArray("{}") << QByteArray();
    }
    void call_IsAskedAndAnswered()
    {
        QFETCH(QByteArray, result);
        QFETCH(QByteArray, output);
        World world;
        world.ready();
        world.call("files__write_all");
        QVERIFY(world.last()["method"] == Json("tools/call"));
        QVERIFY(world.last()["params"]["name"] == Json("write.all"));
        QVERIFY(world.last()["params"]["arguments"]["path"] == Json("a"));
        world.answers(Json::parse(result.toStdString()));
        QCOMPARE(world.results["c1"], output.toStdString());
    }

    void call_ThatIsRefused_HasFailed()
    {
        World world;
        world.ready();
        world.call("files__read");
        world.says({{"jsonrpc", "2.0"}, {"id", world.last()["id"]}, {"error", {{"code", -32602}, {"message", "bad"}}}});
        QCOMPARE(world.results["c1"], std::string("failed: bad"));
        world.call("files__other", "c2");
        world.executor.runPosted();
        QVERIFY(QByteArray::fromStdString(world.results["c2"]).startsWith("failed"));
    }

    void cancelledCall_IsToldToTheServer_AndNotAnswered()
    {
        World world;
        world.ready();
        world.call("files__read");
        const Json id = world.last()["id"];
        world.server.cancelAll();
        QVERIFY(world.last()["method"] == Json("notifications/cancelled"));
        QVERIFY(world.last()["params"]["requestId"] == id);
        world.says({{"jsonrpc", "2.0"}, {"id", id}, {"result", {{"content", Json::array()}}}});
        QCOMPARE(world.results["c1"], std::string());
        QVERIFY(world.server.stage() == Stage::Ready);
    }

    void end_TakesTheFunctionsAway_AndAnswersWhoWaits()
    {
        World world;
        world.ready();
        world.call("files__read");
        const int before = world.told;
        world.pipe().listener->processEnded({ErrorCode::ToolFailed, "it has crashed", std::nullopt, {}});
        QVERIFY(QByteArray::fromStdString(world.results["c1"]).startsWith("failed"));
        QVERIFY(world.server.tools().empty());
        QVERIFY(world.server.stage() == Stage::Failed);
        QCOMPARE(world.told, before + 1);
        // The old program, which lives a little, cannot speak for the new one.
        LineProcessListener* const old = world.pipe().listener;
        world.server.start();
        old->lineReceived("babble");
        old->processEnded({ErrorCode::ToolFailed, "gone", std::nullopt, {}});
        QVERIFY(world.server.stage() == Stage::Starting);
        QCOMPARE(world.pipes.size(), std::size_t{2});
    }

    void listThatChanges_IsReadAgain()
    {
        World world;
        world.ready();
        const Json changed{{"jsonrpc", "2.0"}, {"method", "notifications/tools/list_changed"}};
        world.says(changed);
        QVERIFY(world.last()["method"] == Json("tools/list"));
        QCOMPARE(world.server.tools().size(), std::size_t{2});
        // It changes again before it is read: what is read is old.
        const std::size_t said = world.pipe().said.size();
        world.says(changed);
        QCOMPARE(world.pipe().said.size(), said);
        world.answers({{"tools", Json::array({World::tool("old")})}});
        world.executor.advance(Milliseconds{1'000});
        QCOMPARE(world.pipe().said.size(), said + 1);
        world.answers({{"tools", Json::array({World::tool("new")})}});
        QCOMPARE(namesOf(world.server), (std::vector<std::string>{"files__new"}));
    }

    void listThatChangesAllTheTime_IsReadOnceASecond()
    {
        World world;
        world.begin();
        const Json changed{{"jsonrpc", "2.0"}, {"method", "notifications/tools/list_changed"}};
        // While it begins, too.
        world.says(changed);
        world.answers({{"tools", Json::array({World::tool("read")})}});
        QVERIFY(world.server.stage() == Stage::Ready);
        QVERIFY(world.last()["method"] == Json("tools/list"));
        const std::size_t said = world.pipe().said.size();
        for (int i = 0; i < 100; ++i) {
            world.says(changed);
            if (world.pipe().said.size() == said && i == 50) {
                world.answers({{"tools", Json::array({World::tool("read")})}});
            }
        }
        world.executor.advance(Milliseconds{999});
        QCOMPARE(world.pipe().said.size(), said);
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.pipe().said.size(), said + 1);
        world.answers({{"tools", Json::array({World::tool("new")})}});
        world.executor.advance(Milliseconds{60'000});
        QCOMPARE(world.pipe().said.size(), said + 1);
        QCOMPARE(namesOf(world.server), (std::vector<std::string>{"files__new"}));
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }

    void listThatIsNotToldAgain_EndsTheServer()
    {
        World world;
        world.ready();
        world.says({{"jsonrpc", "2.0"}, {"method", "notifications/tools/list_changed"}});
        world.answers({{"tools", Json::array()}, {"nextCursor", "p2"}});
        world.executor.advance(Milliseconds{19'999});
        QVERIFY(world.server.stage() == Stage::Ready);
        world.executor.advance(Milliseconds{1});
        QVERIFY(world.server.stage() == Stage::Failed);
        QVERIFY(world.server.tools().empty());
    }

    void functionsThatAProviderWouldNotTake_AreLeftOut_AndThatIsTold()
    {
        World world;
        world.begin();
        const Json listed = Json::parse(R"([{"name":"fine","inputSchema":{"type":"object"}},
            {"name":"none"}, {"name":"text","inputSchema":"object"}, {"name":"untyped","inputSchema":{}},
            {"name":"list","inputSchema":{"type":"array"}}, {"name":"either","inputSchema":{"type":["object","null"]}},
            {"name":"fine","inputSchema":{"type":"object"}}, {"inputSchema":{"type":"object"}}, 7])");
        world.answers({{"tools", listed}});
        QCOMPARE(namesOf(world.server), (std::vector<std::string>{"files__fine"}));
        const std::vector<std::string> remarks = world.server.remarks();
        QCOMPARE(remarks.size(), std::size_t{8});
        QVERIFY(QByteArray::fromStdString(remarks[0]).startsWith("none of files is left out"));
        QVERIFY(QByteArray::fromStdString(remarks[5]).contains("the same"));
        world.server.stop();
        QVERIFY(world.server.remarks().empty());
    }

    void functionsThatAreLeftOut_FillNoScreen()
    {
        World world;
        world.begin();
        const Json longOne{{"name", std::string(5'000, 'x')}};
        world.answers({{"tools", Json(std::vector<Json>(1'000, longOne))}});
        QCOMPARE(world.server.remarks().size(), std::size_t{11});
        for (const std::string& remark : world.server.remarks()) {
            QVERIFY(remark.size() < 200);
        }
    }

    void requestUnderAnIdThatIsNone_EndsTheServer_data()
    {
        QTest::addColumn<QByteArray>("id");
        QTest::newRow("object") << QByteArray("{}");
        QTest::newRow("nothing") << QByteArray("null");
        QTest::newRow("long") << '"' + QByteArray(129, 'x') + '"';
    }
    void requestUnderAnIdThatIsNone_EndsTheServer()
    {
        QFETCH(QByteArray, id);
        World world;
        world.ready();
        const std::size_t said = world.pipe().said.size();
        world.says({{"jsonrpc", "2.0"}, {"id", Json::parse(id.toStdString())}, {"method", "ping"}});
        QCOMPARE(world.pipe().said.size(), said);
        QVERIFY(world.server.stage() == Stage::Failed);
    }

    void serversWords_CannotDeceive()
    {
        World world;
        world.server.start();
        world.says({{"jsonrpc", "2.0"}, {"id", 1}, {"error", {{"code", -1}, {"message", "\x1b[2J\nready"}}}});
        QCOMPARE(world.server.error()->detail, std::string("it refused to begin: \xef\xbf\xbd[2J \xe2\x86\xb5 ready"));
    }

    void serversRequests_AreAnswered()
    {
        World world;
        world.ready();
        world.says({{"jsonrpc", "2.0"}, {"id", "p"}, {"method", "ping"}});
        QVERIFY(world.last() == (Json{{"jsonrpc", "2.0"}, {"id", "p"}, {"result", Json::object()}}));
        world.says({{"jsonrpc", "2.0"}, {"id", 9}, {"method", "sampling/createMessage"}, {"params", Json::object()}});
        QVERIFY(world.last()["error"]["code"] == Json(-32601));
        world.says({{"jsonrpc", "2.0"}, {"method", "notifications/message"}, {"params", {{"data", "log"}}}});
        world.says(Json::array({{{"jsonrpc", "2.0"}, {"id", 10}, {"method", "ping"}}}));
        QVERIFY(world.last()["id"] == Json(10));
        QVERIFY(world.server.stage() == Stage::Ready);
    }

    void endlessPages_ComeToAnEnd()
    {
        World world;
        world.begin();
        for (int page = 0; page < 50; ++page) {
            QVERIFY(world.server.stage() == Stage::Starting);
            world.answers({{"tools", Json::array()}, {"nextCursor", "again"}});
        }
        QVERIFY(world.server.stage() == Stage::Ready);
    }

    void servers_OfAnotherFile_AreReplaced_OthersGoOn()
    {
        World world;
        McpServers servers({world.executor, world.maker(), "1"});
        servers.use({{"a", {"/bin/a", {}, {}}}, {"b", {"/bin/b", {}, {}}}});
        QCOMPARE(world.pipes.size(), std::size_t{0});
        for (const char* name : {"a", "b"}) {
            servers.find(name)->start();
            world.answers({{"protocolVersion", "2025-06-18"}, {"capabilities", {{"tools", Json::object()}}}});
            world.answers({{"tools", Json::array({World::tool("t")})}});
        }
        QCOMPARE(namesOf(servers), (std::vector<std::string>{"a__t", "b__t"}));
        std::string result;
        servers.run({"c", "b__t", "{}"}, [&](Expected<std::string, Error> got) { result = got ? "fine" : "failed"; });
        servers.use({{"a", {"/bin/a", {}, {}}}, {"b", {"/bin/b", {"other"}, {}}}});
        QCOMPARE(result, std::string("failed"));
        world.executor.runPosted();
        QVERIFY(!world.pipes[0]->isGone);
        QVERIFY(world.pipes[1]->isGone);
        QVERIFY(servers.find("b")->stage() == Stage::Off);
        QCOMPARE(namesOf(servers), (std::vector<std::string>{"a__t"}));
    }

    void configuration_IsRead_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<bool>("isFine");
        QTest::newRow("whole") << QByteArray(
            R"({"mcpServers":{"files":{"command":"npx","args":["-y","x y"],"env":{"A":"b"},"disabled":false}},"other":1})")
                               << true;
        QTest::newRow("none") << QByteArray(R"({"mcpServers":{}})") << true;
        QTest::newRow("no JSON") << QByteArray("{") << false;
        QTest::newRow("no servers") << QByteArray("{}") << false;
        QTest::newRow("by address") << QByteArray(R"({"mcpServers":{"a":{"url":"x"}}})") << false;
        QTest::newRow("args") << QByteArray(R"({"mcpServers":{"a":{"command":"x","args":[1]}}})") << false;
        QTest::newRow("env") << QByteArray(R"({"mcpServers":{"a":{"command":"x","env":{"A":1}}}})") << false;
        QTest::newRow("name") << QByteArray(R"({"mcpServers":{"a b":{"command":"x"}}})") << false;
        QTest::newRow("zero byte") << QByteArray(R"({"mcpServers":{"a":{"command":"x\u0000y"}}})") << false;
    }
    void configuration_IsRead()
    {
        QFETCH(QByteArray, text);
        QFETCH(bool, isFine);
        const auto read = parseMcpConfig(text.toStdString());
        QCOMPARE(read.has_value(), isFine);
        if (isFine && !read->empty()) {
            QCOMPARE(commandLine(read->front().command), std::string("npx -y \"x y\""));
            ProcessCommand other = read->front().command;
            QCOMPARE(commandIdentity(other), commandIdentity(read->front().command));
            other.environment["A"] = "c";
            QVERIFY(commandIdentity(other) != commandIdentity(read->front().command));
        }
    }

    void commandLine_ShowsWhatItIs_data()
    {
        QTest::addColumn<QByteArray>("word");
        QTest::addColumn<QByteArray>("shown");
        QTest::newRow("plain") << QByteArray("/usr/bin/x-1.2_a=b,c:d@e$(f)")
                               << QByteArray("/usr/bin/x-1.2_a=b,c:d@e$(f)");
        QTest::newRow("nothing") << QByteArray() << QByteArray(R"("")");
        QTest::newRow("blank") << QByteArray("/opt/my program") << QByteArray(R"("/opt/my program")");
        QTest::newRow("blank that is another") << QByteArray("a\xc2\xa0\x62") << QByteArray(R"("a\u00a0b")");
        QTest::newRow("quote") << QByteArray("a\"b") << QByteArray("\"a\\\"b\"");
        QTest::newRow("backslash") << QByteArray("a\\u202e") << QByteArray(R"("a\\u202e")");
        QTest::newRow("turned round") << QByteArray("gpj\xe2\x80\xae.sh") << QByteArray(R"("gpj\u202e.sh")");
        QTest::newRow("zero width") << QByteArray("a\xe2\x80\x8b") << QByteArray(R"("a\u200b")");
        QTest::newRow("control") << QByteArray("a\x1b\nb\x7f") << QByteArray(R"("a\u001b\nb\u007f")");
        QTest::newRow("another alphabet's a") << QByteArray("b\xd0\xb0sh") << QByteArray(R"("b\u0430sh")");
    }
    void commandLine_ShowsWhatItIs()
    {
        QFETCH(QByteArray, word);
        QFETCH(QByteArray, shown);
        QCOMPARE(commandLine({word.toStdString(), {word.toStdString()}, {}}), (shown + ' ' + shown).toStdString());
    }
};

QTEST_GUILESS_MAIN(TestMcpServer)
#include "test_mcp_server.moc"
