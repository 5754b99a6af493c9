#include "app/cli/command_tools.h"
#include "app/platform/qt_executor.h"
#include "core/base/process_memory.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <optional>

#ifdef Q_OS_LINUX
#include <sys/resource.h>
#endif

using namespace vivavoce;
using namespace vivavoce::core;
using vivavoce::cli::CommandTools;

namespace {

#ifdef Q_OS_LINUX
constexpr rlim_t kSomeCore = 512;
#endif

/// With a file of functions as its argument this program is one that runs the first of them until it is killed.
int runTheFirst(int argc, char** argv)
{
    core::hideProcessMemory(core::CoreLimit::Liftable);
    const QCoreApplication application(argc, argv);
    platform::QtExecutor executor;
    CommandTools tools(executor);
    if (!tools.load(argv[1]).has_value()) {
        return 1;
    }
    tools.run({"call_1", tools.tools()[0].declaration.name, "{}"}, [](const auto&) {});
    return QCoreApplication::exec();
}

} // namespace

class CommandToolsTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    platform::QtExecutor m_executor;

    std::string file(const QByteArray& content) const
    {
        QFile out(m_folder.filePath(QStringLiteral("tools.json")));
        if (!out.open(QIODevice::WriteOnly)) {
            qFatal("no place for test files");
        }
        out.write(content);
        return out.fileName().toStdString();
    }

    std::optional<Expected<std::string, Error>> call(CommandTools& tools, const char* name, const char* arguments)
    {
        std::optional<Expected<std::string, Error>> answer;
        tools.run(
            {"call_1", name, arguments}, [&](Expected<std::string, Error> result) { answer = std::move(result); });
        (void)QTest::qWaitFor([&] { return answer.has_value(); }, 10'000);
        return answer;
    }

    /// The process whose number is in that file; one that has ended and is not waited for yet does not run.
    static bool isRunning(const QByteArray& pidFile)
    {
        QFile pid(QString::fromUtf8(pidFile));
        if (!pid.open(QIODevice::ReadOnly)) {
            return false;
        }
        // The file is there a moment before what is written into it.
        const QByteArray number = pid.readAll().trimmed();
        QFile stat(QStringLiteral("/proc/%1/stat").arg(QString::fromLatin1(number)));
        return !number.isEmpty() && stat.open(QIODevice::ReadOnly) && !stat.readAll().contains(") Z ");
    }

private Q_SLOTS:
    void call_GivesTheArgumentsAndTakesTheOutput()
    {
        CommandTools tools(m_executor);
        QVERIFY(tools
                    .load(file(
                        R"([{"name":"echo","description":"d","parameters":{"type":"object"},"command":["/bin/cat"]}])"))
                    .has_value());
        QCOMPARE(tools.tools().size(), std::size_t{1});
        QCOMPARE(tools.tools()[0].declaration.parameters->text, std::string(R"({"type":"object"})"));
        const auto answer = call(tools, "echo", R"({"a":1})");
        QVERIFY(answer && answer->has_value());
        QCOMPARE(answer->value(), std::string(R"({"a":1})"));
    }

    void call_ThatReadsNoArguments_IsNoFailure()
    {
        CommandTools tools(m_executor);
        QVERIFY(tools.load(file(R"([{"name":"f","command":["/bin/sh","-c","exec <&-; echo fine"]}])")).has_value());
        // More than a pipe holds: it cannot be written before the command has gone.
        const std::string arguments = "\"" + std::string(200'000, 'x') + "\"";
        const auto answer = call(tools, "f", arguments.c_str());
        QVERIFY2(answer && answer->has_value(), answer ? answer->error().detail.c_str() : "no answer");
        QCOMPARE(answer->value(), std::string("fine"));
    }

    void call_ThatFails_IsToldSo_data()
    {
        QTest::addColumn<QByteArray>("command");
        QTest::newRow("exit code") << QByteArray(R"(["/bin/sh","-c","echo half; exit 3"])");
        QTest::newRow("not there") << QByteArray(R"(["/no/such/program"])");
        QTest::newRow("exit code, arguments unread") << QByteArray(R"(["/bin/sh","-c","exec <&-; exit 3"])");
        QTest::newRow("crash") << QByteArray(R"(["/bin/sh","-c","kill -9 $$"])");
        QTest::newRow("too much") << QByteArray(R"(["/bin/sh","-c","head -c 100000 /dev/zero | tr '\\0' x"])");
    }
    void call_ThatFails_IsToldSo()
    {
        QFETCH(QByteArray, command);
        CommandTools tools(m_executor);
        QVERIFY(tools.load(file("[{\"name\":\"f\",\"command\":" + command + "}]")).has_value());
        const auto answer = call(tools, "f", "{}");
        QVERIFY(answer && !answer->has_value());
        QCOMPARE(answer->error().code, ErrorCode::ToolFailed);
    }

    void call_ThatNeverEndsToTalk_IsKilledAtTheLimit()
    {
        CommandTools tools(m_executor);
        const QByteArray pid = m_folder.filePath(QStringLiteral("pid")).toUtf8();
        QVERIFY(tools.load(file(R"([{"name":"f","command":["/bin/sh","-c","echo $$ >)" + pid + R"(; yes"]}])"))
                    .has_value());
        const auto answer = call(tools, "f", "{}");
        QVERIFY2(answer.has_value(), "it is waited for, for ever");
        QCOMPARE(answer->error().code, ErrorCode::ToolFailed);
        QTRY_VERIFY(!isRunning(pid));
    }

    void cancel_KillsThatCallWithAllThatItStarted()
    {
        CommandTools tools(m_executor);
        const QByteArray pid = m_folder.filePath(QStringLiteral("child")).toUtf8();
        QVERIFY(tools
                    .load(file(R"([{"name":"f","command":["/bin/sh","-c","sleep 600 & echo $! >)" + pid
                        + R"(; wait"]},)"
                          R"({"name":"echo","command":["/bin/cat"]}])"))
                    .has_value());
        bool wasAnswered = false;
        tools.run({"slow", "f", "{}"}, [&](const auto&) { wasAnswered = true; });
        QTRY_VERIFY(isRunning(pid));
        tools.cancel("somebody_elses");
        QVERIFY(isRunning(pid));
        tools.cancel("slow");
        QTRY_VERIFY(!isRunning(pid));
        const auto other = call(tools, "echo", "{}");
        QVERIFY(other && other->has_value());
        QVERIFY(!wasAnswered);
    }

    void command_EndsWithUs_HoweverWeEnd()
    {
#ifndef Q_OS_LINUX
        QSKIP("another system leaves it running");
#endif
        const QByteArray pid = m_folder.filePath(QStringLiteral("orphan")).toUtf8();
        const std::string tools =
            file(R"([{"name":"f","command":["/bin/sh","-c","echo $$ >)" + pid + R"(; exec sleep 600"]}])");
        QProcess us;
        us.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        us.start(QCoreApplication::applicationFilePath(), {QString::fromStdString(tools)});
        QTRY_VERIFY(isRunning(pid));
        us.kill();
        QVERIFY(us.waitForFinished());
        QTRY_VERIFY(!isRunning(pid));
    }

    void command_HasTheCoreLimitThatWeWereStartedWith()
    {
#ifndef Q_OS_LINUX
        QSKIP("another system tells it in another way");
#else
        rlimit cores{};
        ::getrlimit(RLIMIT_CORE, &cores);
        if (cores.rlim_max < kSomeCore) {
            QSKIP("nobody may have a core dump here");
        }
        const QByteArray seen = m_folder.filePath(QStringLiteral("limit")).toUtf8();
        const QByteArray pid = m_folder.filePath(QStringLiteral("limited")).toUtf8();
        const std::string tools = file(R"([{"name":"f","command":["/bin/sh","-c","ulimit -Sc >)" + seen + "; echo $$ >"
            + pid + R"(; exec sleep 600"]}])");
        QProcess us;
        auto environment = QProcessEnvironment::systemEnvironment();
        // AddressSanitizer takes the limit away before we begin.
        environment.insert(QStringLiteral("ASAN_OPTIONS"),
            environment.value(QStringLiteral("ASAN_OPTIONS")) + QStringLiteral(":disable_coredump=0"));
        us.setProcessEnvironment(environment);
        us.setChildProcessModifier([] {
            const rlimit few{kSomeCore, kSomeCore};
            ::setrlimit(RLIMIT_CORE, &few);
        });
        us.start(QCoreApplication::applicationFilePath(), {QString::fromStdString(tools)});
        QTRY_VERIFY(isRunning(pid));
        QFile limit(QString::fromUtf8(seen));
        QVERIFY(limit.open(QIODevice::ReadOnly));
        // In blocks of 512 bytes.
        QCOMPARE(limit.readAll().trimmed(), QByteArray("1"));
        // And we have got none again.
        const auto limits = [&] {
            QFile ours(QStringLiteral("/proc/%1/limits").arg(us.processId()));
            return ours.open(QIODevice::ReadOnly) ? ours.readAll() : QByteArray();
        };
        QTRY_VERIFY2(limits().contains("Max core file size        0 "), limits().constData());
        us.kill();
        QVERIFY(us.waitForFinished());
#endif
    }

    void call_OfAnUnknownFunction_IsToldSo()
    {
        CommandTools tools(m_executor);
        const auto answer = call(tools, "nothing", "{}");
        QVERIFY(answer && !answer->has_value());
    }

    void badFile_IsRefusedWithThePlace_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("not JSON") << QByteArray("hello");
        QTest::newRow("an object") << QByteArray("{}");
        QTest::newRow("no name") << QByteArray(R"([{"command":["/bin/cat"]}])");
        QTest::newRow("no command") << QByteArray(R"([{"name":"x"}])");
        QTest::newRow("empty command") << QByteArray(R"([{"name":"x","command":[]}])");
        QTest::newRow("command as text") << QByteArray(R"([{"name":"x","command":"cat"}])");
        QTest::newRow("parameters as text") << QByteArray(R"([{"name":"x","command":["c"],"parameters":"p"}])");
        QTest::newRow("the same name twice")
            << QByteArray(R"([{"name":"x","command":["c"]},{"name":"x","command":["c"]}])");
    }
    void badFile_IsRefusedWithThePlace()
    {
        QFETCH(QByteArray, content);
        CommandTools tools(m_executor);
        const auto loaded = tools.load(file(content));
        QVERIFY(!loaded.has_value());
        QCOMPARE(loaded.error().code, ErrorCode::BadUsage);
        QVERIFY(loaded.error().detail.find("tools.json") != std::string::npos);
    }

    void cancelAll_StopsACommandThatRuns()
    {
        CommandTools tools(m_executor);
        QVERIFY(tools.load(file(R"([{"name":"slow","command":["/bin/sleep","600"]}])")).has_value());
        bool wasAnswered = false;
        tools.run({"c", "slow", "{}"}, [&](const auto&) { wasAnswered = true; });
        tools.cancelAll();
        QCoreApplication::processEvents();
        QVERIFY(!wasAnswered);
    }
};

int main(int argc, char** argv)
{
    if (argc == 2 && QByteArray(argv[1]).endsWith(".json")) {
        return runTheFirst(argc, argv);
    }
    QCoreApplication application(argc, argv);
    CommandToolsTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_command_tools.moc"
