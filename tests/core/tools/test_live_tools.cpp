#include "core/tools/live_tools.h"

#include "tests/core/tools/tool_world.h"

#include <QTest>

#include <map>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;
using Stage = ToolServer::Stage;

namespace {

class MemoryStore final : public SettingsStore {
public:
    [[nodiscard]] Settings load() const override { return kept; }
    Expected<void, Error> save(const Settings& settings) override
    {
        if (isFull) {
            return fail(ErrorCode::OutputUnwritable, "full");
        }
        kept = settings;
        return {};
    }
    Settings kept;
    bool isFull = false;
};

class SilentProcess final : public LineProcess {
public:
    void start(const ProcessCommand&, LineProcessListener& to) override { listener = &to; }
    void write(std::string_view) override {}
    LineProcessListener* listener = nullptr;
};

struct World {
    explicit World(Settings settings = {})
    {
        store.kept = std::move(settings);
        files["/mcp.json"] =
            R"({"mcpServers":{"a":{"command":"run-a","args":["x"],"env":{"KEY":"secret"}},"b":{"command":"run-b"}}})";
        source.offer("delete_file", ToolPolicy::Ask);
    }
    LiveTools& make()
    {
        live.emplace(store);
        box.emplace(ToolBox::Dependencies{
            clock, executor, {&source, &mcp}, [this](const std::string& name) -> std::optional<ToolPolicy> {
                const auto& decided = live->current().toolPolicies;
                const auto found = decided.find(name);
                return found == decided.end() ? std::nullopt : std::optional(found->second);
            }});
        tools.emplace(LiveTools::Dependencies{*live, *box, mcp,
            [this](const std::string& file) -> Expected<std::string, Error> {
                const auto found = files.find(file);
                return found == files.end() ? fail(ErrorCode::BadConfiguration, file + ": there is none")
                                            : Expected<std::string, Error>(found->second);
            },
            // Enough of one for this.
            [](std::string_view text) {
                std::array<std::uint8_t, 32> sum{};
                for (std::size_t i = 0; i < text.size(); ++i) {
                    sum[i % 32] = static_cast<std::uint8_t>(sum[i % 32] * 31 + static_cast<std::uint8_t>(text[i]));
                }
                return sum;
            }});
        tools->follow([this] { ++told; });
        return *tools;
    }
    [[nodiscard]] Stage stageOf(const std::string& name) const
    {
        for (const ToolServer& server : tools->servers()) {
            if (server.name == name) {
                return server.stage;
            }
        }
        return Stage::Off;
    }

    /// As somebody does who has seen it.
    void approve(const std::string& name)
    {
        for (const ToolServer& server : tools->servers()) {
            if (server.name == name) {
                tools->approve(name, server.fingerprint);
            }
        }
    }

    ManualClock clock;
    ManualExecutor executor{clock};
    MemoryStore store;
    std::map<std::string, std::string> files;
    FakeToolSource source;
    int started = 0;
    SilentProcess* last = nullptr;
    McpServers mcp{{executor,
        [this] {
            ++started;
            auto process = std::make_unique<SilentProcess>();
            last = process.get();
            return process;
        },
        "1"}};
    std::optional<LiveSettings> live;
    std::optional<ToolBox> box;
    std::optional<LiveTools> tools;
    int told = 0;
};

} // namespace

class TestLiveTools : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void file_BringsServers_ButStartsNone()
    {
        World world;
        LiveTools& tools = world.make();
        QVERIFY(tools.useFile("/mcp.json").has_value());
        QCOMPARE(world.store.kept.mcpFile, std::string("/mcp.json"));
        QCOMPARE(tools.servers().size(), std::size_t{2});
        QCOMPARE(tools.servers()[0].commandLine, std::string("run-a x"));
        QCOMPARE(tools.servers()[0].environment, (std::vector<std::string>{"KEY"}));
        QVERIFY(world.stageOf("a") == Stage::NotApproved);
        QCOMPARE(world.started, 0);
        tools.startAgain("a");
        QCOMPARE(world.started, 0);
    }

    void variables_CannotDeceive()
    {
        World world;
        LiveTools& tools = world.make();
        world.files["/mcp.json"] = R"({"mcpServers":{"a":{"command":"run-a","env":{"A\u202e":"x"}}}})";
        QVERIFY(tools.useFile("/mcp.json").has_value());
        QCOMPARE(tools.servers()[0].environment, (std::vector<std::string>{R"("A\u202e")"}));
    }

    void fileThatCannotBeUsed_ChangesNothing()
    {
        World world;
        LiveTools& tools = world.make();
        QVERIFY(tools.useFile("/mcp.json").has_value());
        world.files["/bad.json"] = "[]";
        QVERIFY(!tools.useFile("/missing.json").has_value());
        QVERIFY(!tools.useFile("/bad.json").has_value());
        QCOMPARE(tools.file(), std::string("/mcp.json"));
        QCOMPARE(tools.servers().size(), std::size_t{2});
        QVERIFY(tools.useFile("").has_value());
        QVERIFY(tools.servers().empty());
    }

    void approved_IsStarted_NowAndWithTheProgram()
    {
        World world;
        LiveTools& tools = world.make();
        QVERIFY(tools.useFile("/mcp.json").has_value());
        world.approve("a");
        QVERIFY(world.stageOf("a") == Stage::Starting);
        QCOMPARE(world.started, 1);
        QVERIFY(world.store.kept.approvedServers.at("a").find("secret") == std::string::npos);
        World next(world.store.kept);
        (void)next.make();
        QCOMPARE(next.started, 1);
        QVERIFY(next.stageOf("a") == Stage::Starting);
        QVERIFY(next.stageOf("b") == Stage::NotApproved);
    }

    void otherCommandThanShown_IsNotApproved()
    {
        World world;
        LiveTools& tools = world.make();
        QVERIFY(tools.useFile("/mcp.json").has_value());
        tools.approve("a", "");
        tools.approve("a", tools.servers()[0].commandLine);
        tools.approve("a", tools.servers()[1].fingerprint);
        tools.approve("c", tools.servers()[0].fingerprint);
        // It looks the same, and is given something else.
        const std::string seen = tools.servers()[0].fingerprint;
        world.files["/mcp.json"] = R"({"mcpServers":{"a":{"command":"run-a","args":["x"],"env":{"KEY":"another"}}}})";
        QVERIFY(tools.useFile("/mcp.json").has_value());
        tools.approve("a", seen);
        QCOMPARE(world.started, 0);
        QVERIFY(world.store.kept.approvedServers.empty());
    }

    void commandThatHasChanged_AsksAgain_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::newRow("program") << QByteArray(
            R"({"mcpServers":{"a":{"command":"run-z","args":["x"],"env":{"KEY":"secret"}}}})");
        QTest::newRow("argument") << QByteArray(
            R"({"mcpServers":{"a":{"command":"run-a","args":["y"],"env":{"KEY":"secret"}}}})");
        QTest::newRow("environment") << QByteArray(
            R"({"mcpServers":{"a":{"command":"run-a","args":["x"],"env":{"KEY":"other"}}}})");
    }
    void commandThatHasChanged_AsksAgain()
    {
        QFETCH(QByteArray, file);
        World world;
        LiveTools& tools = world.make();
        QVERIFY(tools.useFile("/mcp.json").has_value());
        world.approve("a");
        world.files["/mcp.json"] = file.toStdString();
        QVERIFY(tools.useFile("/mcp.json").has_value());
        QVERIFY(world.stageOf("a") == Stage::NotApproved);
        QCOMPARE(world.started, 1);
        World next(world.store.kept);
        next.files = world.files;
        (void)next.make();
        QCOMPARE(next.started, 0);
    }

    void fileInWhichOneHasChanged_LeavesTheOtherAlone_WhoeverLooks()
    {
        World world;
        LiveTools& tools = world.make();
        QVERIFY(tools.useFile("/mcp.json").has_value());
        world.approve("a");
        world.approve("b");
        // As the page of settings does.
        std::size_t seen = 0;
        tools.follow([&] { seen = tools.servers().size() + tools.tools().size(); });
        world.files["/mcp.json"] = R"({"mcpServers":{"a":{"command":"run-z"},"b":{"command":"run-b"}}})";
        QVERIFY(tools.useFile("/mcp.json").has_value());
        QCOMPARE(seen, std::size_t{3});
        QVERIFY(world.stageOf("a") == Stage::NotApproved);
        QVERIFY(world.stageOf("b") == Stage::Starting);
        QCOMPARE(world.started, 2);
    }

    void withdrawn_IsStopped_AndAsksAgain()
    {
        World world;
        LiveTools& tools = world.make();
        QVERIFY(tools.useFile("/mcp.json").has_value());
        world.approve("a");
        tools.withdraw("a");
        QVERIFY(world.stageOf("a") == Stage::NotApproved);
        QVERIFY(world.store.kept.approvedServers.empty());
    }

    void failed_IsStartedAgain_WhenSomebodyWants()
    {
        World world;
        LiveTools& tools = world.make();
        QVERIFY(tools.useFile("/mcp.json").has_value());
        world.approve("a");
        const int before = world.told;
        world.last->listener->processEnded({ErrorCode::ToolFailed, "gone", std::nullopt, {}});
        QVERIFY(world.stageOf("a") == Stage::Failed);
        QVERIFY(world.told > before);
        QCOMPARE(tools.servers()[0].error->detail, std::string("gone"));
        tools.startAgain("a");
        QVERIFY(world.stageOf("a") == Stage::Starting);
    }

    void decision_ThatCannotBeKept_HoldsAndIsTold()
    {
        World world;
        LiveTools& tools = world.make();
        world.store.isFull = true;
        tools.decide("delete_file", ToolPolicy::Never);
        QVERIFY(tools.tools()[0].policy == ToolPolicy::Never);
        QCOMPARE(tools.fileFault()->detail, std::string("full"));
        world.store.isFull = false;
        tools.decide("delete_file", ToolPolicy::Ask);
        QVERIFY(!tools.fileFault().has_value());
    }

    void fileThatIsGone_IsToldAtTheStart()
    {
        Settings settings;
        settings.mcpFile = "/gone.json";
        World world(settings);
        LiveTools& tools = world.make();
        QVERIFY(tools.fileFault().has_value());
        QCOMPARE(tools.file(), std::string("/gone.json"));
        QVERIFY(tools.useFile("/mcp.json").has_value());
        QVERIFY(!tools.fileFault().has_value());
    }

    void decision_IsKept_AndCountsAtOnce()
    {
        World world;
        LiveTools& tools = world.make();
        tools.decide("delete_file", ToolPolicy::Never);
        QVERIFY(world.store.kept.toolPolicies.at("delete_file") == ToolPolicy::Never);
        QVERIFY(tools.tools()[0].policy == ToolPolicy::Never);
        QVERIFY(world.box->begin().empty());
        QCOMPARE(world.told, 1);
    }
};

QTEST_GUILESS_MAIN(TestLiveTools)
#include "test_live_tools.moc"
