#include "app/platform/qt_line_process.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace vivavoce;

namespace {

struct Heard final : core::LineProcessListener {
    void lineReceived(std::string_view line) override
    {
        lines << QByteArray(line.data(), static_cast<qsizetype>(line.size()));
    }
    void processEnded(const core::Error& why) override { endings << QByteArray::fromStdString(why.detail); }
    QList<QByteArray> lines;
    QList<QByteArray> endings;
};

core::ProcessCommand shell(const std::string& script)
{
    return {"/bin/sh", {"-c", script}, {}};
}

bool isRunning(const QString& pidFile)
{
    QFile pid(pidFile);
    if (!pid.open(QIODevice::ReadOnly)) {
        return false;
    }
    // The file is there a moment before what is written into it.
    const QByteArray number = pid.readAll().trimmed();
    QFile stat(QStringLiteral("/proc/%1/stat").arg(QString::fromLatin1(number)));
    return !number.isEmpty() && stat.open(QIODevice::ReadOnly) && !stat.readAll().contains(") Z ");
}

} // namespace

class TestLineProcess : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void lines_GoBothWays()
    {
        Heard heard;
        platform::QtLineProcess process;
        process.start({"/bin/cat", {}, {}}, heard);
        process.write("one");
        process.write("two words");
        QTRY_COMPARE(heard.lines, (QList<QByteArray>{"one", "two words"}));
        QVERIFY(heard.endings.isEmpty());
    }

    void environment_IsClean()
    {
        qputenv("OPENAI_API_KEY", "sk-secret");
        qputenv("LD_PRELOAD_OF_OURS", "x");
        Heard heard;
        platform::QtLineProcess process;
        core::ProcessCommand command = shell("env; echo noise >&2");
        command.environment = {{"MINE", "here"}};
        process.start(command, heard);
        QTRY_COMPARE(heard.endings.size(), 1);
        const QByteArray all = heard.lines.join('\n');
        QVERIFY(all.contains("MINE=here"));
        QVERIFY(all.contains("PATH="));
        QVERIFY(!all.contains("sk-secret"));
        QVERIFY(!all.contains("LD_PRELOAD_OF_OURS"));
        QVERIFY(!all.contains("noise"));
        qunsetenv("OPENAI_API_KEY");
    }

    void end_IsToldOnce_data()
    {
        QTest::addColumn<QByteArray>("script");
        QTest::addColumn<QByteArray>("why");
        QTest::newRow("code") << QByteArray("exit 3") << QByteArray("code 3");
        QTest::newRow("crash") << QByteArray("kill -9 $$") << QByteArray("crashed");
        QTest::newRow("too long") << QByteArray("head -c 5000000 /dev/zero | tr '\\0' x; sleep 600")
                                  << QByteArray("4 MiB");
    }
    void end_IsToldOnce()
    {
        QFETCH(QByteArray, script);
        QFETCH(QByteArray, why);
        Heard heard;
        platform::QtLineProcess process;
        process.start(shell(script.toStdString()), heard);
        QTRY_COMPARE_WITH_TIMEOUT(heard.endings.size(), 1, 20'000);
        QVERIFY2(heard.endings[0].contains(why), heard.endings[0].constData());
        process.write("into nothing");
    }

    void programThatIsNotThere_IsToldLater()
    {
        Heard heard;
        platform::QtLineProcess process;
        process.start({"/no/such/program", {}, {}}, heard);
        QVERIFY(heard.endings.isEmpty());
        QTRY_COMPARE(heard.endings.size(), 1);
    }

    void programThatDoesNotRead_IsEnded()
    {
        Heard heard;
        platform::QtLineProcess process;
        process.start(shell("exec sleep 600"), heard);
        const std::string line(1024 * 1024, 'x');
        for (int i = 0; i < 20; ++i) {
            process.write(line);
        }
        QVERIFY2(heard.endings.isEmpty(), "whoever writes is told from within");
        QTRY_COMPARE(heard.endings.size(), 1);
        QVERIFY(heard.endings[0].contains("does not read"));
    }

    void ended_WhatItStartedIsKilled()
    {
#ifndef Q_OS_LINUX
        QSKIP("another system tells it in another way");
#endif
        const QTemporaryDir folder;
        const QString pid = folder.filePath(QStringLiteral("child"));
        Heard heard;
        platform::QtLineProcess process;
        process.start(shell("sleep 600 & echo $! >" + pid.toStdString()), heard);
        QTRY_COMPARE(heard.endings.size(), 1);
        QVERIFY(QFile::exists(pid));
        QTRY_VERIFY(!isRunning(pid));
    }

    void destroyed_ItIsKilledWithAllThatItStarted()
    {
#ifndef Q_OS_LINUX
        QSKIP("another system tells it in another way");
#endif
        const QTemporaryDir folder;
        const QString pid = folder.filePath(QStringLiteral("child"));
        Heard heard;
        auto process = std::make_unique<platform::QtLineProcess>();
        process->start(shell("sleep 600 & echo $! >" + pid.toStdString() + "; wait"), heard);
        QTRY_VERIFY(isRunning(pid));
        process.reset();
        QTRY_VERIFY(!isRunning(pid));
        QVERIFY(heard.endings.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestLineProcess)
#include "test_line_process.moc"
