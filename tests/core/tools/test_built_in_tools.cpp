#include "core/tools/built_in_tools.h"

#include "core/tools/argument_schema.h"
#include "tests/support/manual_executor.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

class FakeBrowser final : public Browser {
public:
    bool open(const std::string& url) override
    {
        opened.push_back(url);
        return isThere;
    }
    std::vector<std::string> opened;
    bool isThere = true;
};

struct World {
    World()
    {
        tools.followTimers([this](const TimerDue& timer) { due.push_back(timer.id + " " + timer.label); });
    }
    std::string call(const char* name, const std::string& arguments = "{}")
    {
        std::string result = "nothing";
        tools.run({"1", name, arguments}, [&](Expected<std::string, Error> answer) {
            result = answer ? *answer : std::string(codeText(answer.error().code));
        });
        if (result != "nothing") {
            return "from within";
        }
        executor.runPosted();
        return result;
    }

    ManualClock clock;
    ManualExecutor executor{clock};
    FakeBrowser browser;
    std::vector<std::string> due;
    BuiltInTools tools{{clock, executor, browser, [](WallTime, const std::string& zone) -> std::optional<LocalMoment> {
                            if (zone == "Moon/Base") {
                                return std::nullopt;
                            }
                            return LocalMoment{"2027-01-15", "08:00", "Friday", zone.empty() ? "Europe/Berlin" : zone};
                        }}};
};

std::string said(const std::string& words)
{
    return "{\"result\":\"" + words + "\"}";
}

} // namespace

class TestBuiltInTools : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void schemas_CanBeHeldAgainst()
    {
        World world;
        for (const Tool& tool : world.tools.tools()) {
            const auto schema = ArgumentSchema::create(tool.declaration.parameters->text);
            QVERIFY2(schema.has_value(), tool.declaration.name.c_str());
            QVERIFY(schema->ignored().empty());
            QCOMPARE(tool.alwaysAsks, tool.declaration.name == "open_link");
        }
    }

    void time_HasItsZone()
    {
        World world;
        QCOMPARE(world.call("get_current_time"), said("It is 08:00 on Friday, 2027-01-15, in Europe/Berlin"));
        QVERIFY(
            world.call("get_current_time", R"({"time_zone":"Asia/Tokyo"})").find("Asia/Tokyo") != std::string::npos);
        QCOMPARE(world.call("get_current_time", R"({"time_zone":"Moon/Base"})"), std::string("tool.arguments"));
    }

    void timer_IsToldWhenItIsOver()
    {
        World world;
        QCOMPARE(world.call("set_timer", R"({"seconds":300,"label":"tea"})"),
            said("The timer is set for 5 minutes, and its id is timer_1"));
        world.executor.advance(Milliseconds{100'500});
        QCOMPARE(world.call("list_timers"), said("timer_1 (tea): 200 seconds left"));
        // The session ends; a timer does not.
        world.tools.cancelAll();
        world.executor.advance(Milliseconds{199'499});
        QVERIFY(world.due.empty());
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.due, (std::vector<std::string>{"timer_1 tea"}));
        QCOMPARE(world.call("list_timers"), said("No timer runs"));
    }

    void timer_ThatIsCancelled_IsNotTold()
    {
        World world;
        (void)world.call("set_timer", R"({"seconds":5})");
        (void)world.call("set_timer", R"({"seconds":6})");
        QCOMPARE(world.call("cancel_timer", R"({"id":"timer_1"})"), said("timer_1 is cancelled"));
        QCOMPARE(world.call("cancel_timer", R"({"id":"timer_1"})"), std::string("tool.arguments"));
        world.executor.advance(Milliseconds{60'000});
        QCOMPARE(world.due, (std::vector<std::string>{"timer_2 "}));
    }

    void timer_IsCancelledWithoutItsId_WhereThereIsOne()
    {
        World world;
        QCOMPARE(world.call("cancel_timer"), std::string("tool.arguments"));
        (void)world.call("set_timer", R"({"seconds":61})");
        (void)world.call("set_timer", R"({"seconds":60})");
        QCOMPARE(world.call("list_timers"), said("timer_1: 61 seconds left; timer_2: 1 minute left"));
        QCOMPARE(world.call("cancel_timer"), std::string("tool.arguments"));
        (void)world.call("cancel_timer", R"({"id":"timer_1"})");
        QCOMPARE(world.call("cancel_timer"), said("timer_2 is cancelled"));
    }

    void timers_AreTwentyAtMost()
    {
        World world;
        for (int i = 0; i < 20; ++i) {
            QVERIFY(world.call("set_timer", R"({"seconds":5})").starts_with('{'));
        }
        QCOMPARE(world.call("set_timer", R"({"seconds":5})"), std::string("tool.arguments"));
    }

    void link_IsOpened_WhereItIsPlainHttps_data()
    {
        QTest::addColumn<QString>("url");
        QTest::addColumn<bool>("isOpened");
        QTest::newRow("https") << "https://example.com/a?b=c#d" << true;
        QTest::newRow("port") << "https://example.com:8443/" << true;
        QTest::newRow("http") << "http://example.com/" << false;
        QTest::newRow("file") << "file:///etc/passwd" << false;
        QTest::newRow("script") << "javascript:alert(1)" << false;
        QTest::newRow("no host") << "https:///a" << false;
        QTest::newRow("user name") << "https://bank.example@evil.example/" << false;
        QTest::newRow("backslash") << "https://evil.example\\@bank.example/" << false;
        QTest::newRow("space") << "https://example.com/ -x" << false;
        QTest::newRow("not ASCII") << QString::fromUtf8("https://еxample.com/") << false;
        QTest::newRow("upper case scheme") << "HTTPS://example.com/" << false;
    }
    void link_IsOpened_WhereItIsPlainHttps()
    {
        QFETCH(QString, url);
        QFETCH(bool, isOpened);
        World world;
        const QString escaped = QString(url).replace(QLatin1Char('\\'), QStringLiteral("\\\\"));
        const std::string result = world.call("open_link", "{\"url\":\"" + escaped.toStdString() + "\"}");
        const std::string expected = isOpened ? said("The page is open in the browser") : "tool.arguments";
        QCOMPARE(result, expected);
        QCOMPARE(world.browser.opened.size(), isOpened ? std::size_t{1} : std::size_t{0});
    }

    void link_WithoutABrowser_IsToldSo()
    {
        World world;
        world.browser.isThere = false;
        QCOMPARE(world.call("open_link", "{\"url\":\"https://example.com/\"}"), std::string("tool.failed"));
    }

    void cancelledCall_DoesNothing()
    {
        World world;
        world.tools.run(
            {"1", "open_link", "{\"url\":\"https://example.com/\"}"}, [](const auto&) { QFAIL("answered"); });
        world.tools.cancel("1");
        world.executor.runPosted();
        QVERIFY(world.browser.opened.empty());
    }
};

QTEST_APPLESS_MAIN(TestBuiltInTools)
#include "test_built_in_tools.moc"
