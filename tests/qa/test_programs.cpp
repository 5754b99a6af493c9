#include "app/command_line.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QGuiApplication>
#include <QImage>
#include <QProcess>
#include <QRegularExpression>
#include <QSet>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

#include <sys/resource.h>
#include <unistd.h>

using namespace vivavoce;

namespace {

/// Nobody: whoever tests as root would be let look everywhere.
constexpr unsigned kAnybody = 65'534;
constexpr int kPatience = 20'000;

QString program(const QString& name)
{
    return QDir(qEnvironmentVariable("VV_BIN_DIR")).filePath(name);
}

bool isRoot()
{
    return ::geteuid() == 0;
}

/// A user's home, where programs are run as that user.
class Home {
public:
    Home()
    {
        if (isRoot()) {
            static_cast<void>(::chown(m_folder.path().toLocal8Bit().constData(), kAnybody, kAnybody));
        }
    }

    [[nodiscard]] QString path() const { return m_folder.path(); }
    [[nodiscard]] QProcessEnvironment environment() const
    {
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const char* name : {"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"}) {
            environment.insert(QString::fromLatin1(name), m_folder.path());
        }
        return environment;
    }
    /// Started, and left to itself.
    [[nodiscard]] std::unique_ptr<QProcess> start(
        const QString& name, const QStringList& arguments, const QProcessEnvironment& environment) const
    {
        auto process = std::make_unique<QProcess>();
        process->setProcessEnvironment(environment);
        process->setChildProcessModifier([] {
            rlimit cores{};
            getrlimit(RLIMIT_CORE, &cores);
            cores.rlim_cur = cores.rlim_max;
            setrlimit(RLIMIT_CORE, &cores);
            if (isRoot() && (::setgid(kAnybody) != 0 || ::setuid(kAnybody) != 0)) {
                ::_exit(99);
            }
        });
        process->start(program(name), arguments);
        process->waitForStarted(kPatience);
        return process;
    }

private:
    QTemporaryDir m_folder;
};

QByteArray contents(const QString& file)
{
    QFile opened(file);
    return opened.open(QIODevice::ReadOnly) ? opened.readAll() : QByteArray();
}

QString ofProcess(const QProcess& process, const char* what)
{
    return QStringLiteral("/proc/%1/%2").arg(process.processId()).arg(QString::fromLatin1(what));
}

/// Nor may get any, where it starts nothing that is a person's own.
bool hasNoCores(const QProcess& process, bool isFinal)
{
    static const QRegularExpression none(QStringLiteral("Max core file size +0 "));
    static const QRegularExpression never(QStringLiteral("Max core file size +0 +0 "));
    return QString::fromLatin1(contents(ofProcess(process, "limits"))).contains(isFinal ? never : none);
}

/// What the system keeps from the user whose process it is belongs to root.
bool isClosed(const QProcess& process)
{
    return QFileInfo(ofProcess(process, "mem")).ownerId() == 0;
}

} // namespace

/// The programs themselves, as a user starts them: what they keep to themselves, and how they end.
class ProgramsTest : public QObject {
    Q_OBJECT

    QTcpServer m_silent;

private Q_SLOTS:
    void initTestCase() { QVERIFY(m_silent.listen(QHostAddress::LocalHost)); }

    void memory_IsKeptFromCoreDumpsAndFromOthers_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("isFinal");
        QTest::addColumn<QStringList>("arguments");
        const QString silent = QStringLiteral("http://127.0.0.1:%1").arg(m_silent.serverPort());
        QTest::newRow("app") << QStringLiteral("vivavoce") << false << QStringList();
        QTest::newRow("cli") << QStringLiteral("vivavoce-cli") << false
                             << QStringList{QStringLiteral("talk"), QStringLiteral("--broker"), silent,
                                    QStringLiteral("--text"), QStringLiteral("hello")};
        QTest::newRow("agent") << QStringLiteral("vivavoce-agent") << true
                               << QStringList{QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0")};
        QTest::newRow("broker") << QStringLiteral("vivavoce-broker") << true
                                << QStringList{QStringLiteral("--embedded"), QStringLiteral("--listen"),
                                       QStringLiteral("127.0.0.1:0")};
    }
    void memory_IsKeptFromCoreDumpsAndFromOthers()
    {
#ifndef Q_OS_LINUX
        QSKIP("another system tells it in another way");
#endif
        QFETCH(QString, name);
        QFETCH(bool, isFinal);
        QFETCH(QStringList, arguments);
        if (isRoot() && (QFile::permissions(program(name)) & QFileDevice::ExeOther) == 0) {
            QSKIP("others may not run what was built here");
        }
        const Home home;
        const auto running = home.start(name, arguments, home.environment());
        QTRY_VERIFY_WITH_TIMEOUT(hasNoCores(*running, isFinal) && isClosed(*running), kPatience);
        QCOMPARE(running->state(), QProcess::Running);
        running->kill();
        running->waitForFinished(kPatience);
    }

    void streamsThatWereClosed_AreNoFilesOfTheirs_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QStringList>("arguments");
        QTest::newRow("app") << QStringLiteral("vivavoce") << QStringList();
        QTest::newRow("cli") << QStringLiteral("vivavoce-cli")
                             << QStringList{QStringLiteral("talk"), QStringLiteral("--broker"),
                                    QStringLiteral("http://127.0.0.1:%1").arg(m_silent.serverPort()),
                                    QStringLiteral("--text"), QStringLiteral("hello")};
        QTest::newRow("broker") << QStringLiteral("vivavoce-broker")
                                << QStringList{QStringLiteral("--embedded"), QStringLiteral("--listen"),
                                       QStringLiteral("127.0.0.1:0")};
    }
    void streamsThatWereClosed_AreNoFilesOfTheirs()
    {
#ifndef Q_OS_LINUX
        QSKIP("another system tells it in another way");
#endif
        QFETCH(QString, name);
        QFETCH(QStringList, arguments);
        if (!isRoot()) {
            QSKIP("the system lets nobody but root look");
        }
        const Home home;
        QProcess running;
        running.setProcessEnvironment(home.environment());
        running.setChildProcessModifier([] {
            ::close(STDOUT_FILENO);
            ::close(STDERR_FILENO);
        });
        running.start(program(name), arguments);
        QVERIFY(running.waitForStarted(kPatience));
        for (const int number : {STDOUT_FILENO, STDERR_FILENO}) {
            const QString stream = ofProcess(running, "fd/") + QString::number(number);
            QTRY_COMPARE_WITH_TIMEOUT(QFile::symLinkTarget(stream), QStringLiteral("/dev/null"), kPatience);
        }
        QCOMPARE(running.state(), QProcess::Running);
        running.kill();
        running.waitForFinished(kPatience);
    }

    void closedMemory_IsSeenToBeUnusual()
    {
        // Or the check above would prove nothing.
        const Home home;
        QProcess open;
        open.setChildProcessModifier([] {
            if (isRoot() && (::setgid(kAnybody) != 0 || ::setuid(kAnybody) != 0)) {
                ::_exit(99);
            }
        });
        open.start(QStringLiteral("sleep"), {QStringLiteral("60")});
        QVERIFY(open.waitForStarted(kPatience));
        QTRY_VERIFY_WITH_TIMEOUT(!isClosed(open), kPatience);
        open.kill();
        open.waitForFinished(kPatience);
    }

    void chatKey_DoesNotStayInTheEnvironment()
    {
        const Home home;
        QProcessEnvironment environment = home.environment();
        environment.insert(QStringLiteral("VIVAVOCE_CHAT_API_KEY"), QStringLiteral("a-key-to-look-for"));
        const auto agent = home.start(
            QStringLiteral("vivavoce-agent"), {QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0")}, environment);
        QTRY_VERIFY_WITH_TIMEOUT(agent->bytesAvailable() > 0, kPatience);
        const QByteArray block = contents(ofProcess(*agent, "environ"));
        if (block.isEmpty()) {
            QSKIP("the system lets nobody but root look");
        }
        QVERIFY(block.contains("HOME="));
        QVERIFY(!block.contains("a-key-to-look-for"));
        agent->terminate();
        QVERIFY(agent->waitForFinished(kPatience));
    }

    void app_WithoutADisplay_EndsWithNine()
    {
        const Home home;
        QProcessEnvironment environment = home.environment();
        for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}) {
            environment.remove(QString::fromLatin1(name));
        }
        const auto app = home.start(QStringLiteral("vivavoce"), {}, environment);
        QVERIFY(app->waitForFinished(kPatience));
        QCOMPARE(app->exitCode(), 9);
        QVERIFY(app->readAllStandardError().contains("vivavoce-cli talk"));
    }

    void app_WhileItIsOpen_EndsWithEight()
    {
        const Home home;
        const auto first = home.start(QStringLiteral("vivavoce"), {}, home.environment());
        // It listens to those that come later.
        QTRY_VERIFY_WITH_TIMEOUT(QFileInfo::exists(home.path() + QStringLiteral("/vivavoce/window")), kPatience);
        const auto second = home.start(QStringLiteral("vivavoce"), {}, home.environment());
        QVERIFY(second->waitForFinished(kPatience));
        QCOMPARE(second->exitCode(), 8);
        QVERIFY(second->readAllStandardError().contains("already open"));
        QCOMPARE(first->state(), QProcess::Running);
        first->terminate();
        QVERIFY(first->waitForFinished(kPatience));
        QCOMPARE(first->exitCode(), 0);
        const auto third = home.start(QStringLiteral("vivavoce"), {}, home.environment());
        QTRY_VERIFY_WITH_TIMEOUT(QFileInfo::exists(home.path() + QStringLiteral("/vivavoce/window")), kPatience);
        third->terminate();
        QVERIFY(third->waitForFinished(kPatience));
    }

    void app_OnWayland_IsKnownByTheInstalledDesktopFile()
    {
        app::introduce();
        const QString installed = qEnvironmentVariable("VV_SOURCE_DIR") + QStringLiteral("/packaging/linux/")
            + QGuiApplication::desktopFileName() + QStringLiteral(".desktop");
        QVERIFY2(QFileInfo::exists(installed), qPrintable(installed));
    }

    void pictures_OfAPage_ShowSomething()
    {
        const Home home;
        const auto offline = home.start(QStringLiteral("vivavoce-offline"),
            {QStringLiteral("--render"), home.path(), QStringLiteral("first-run")}, home.environment());
        QVERIFY(offline->waitForFinished(3 * kPatience));
        QVERIFY2(offline->exitCode() == 0, offline->readAllStandardError().constData());
        for (const char* name : {"first-run-light.png", "first-run-dark.png", "first-run-light@2x.png"}) {
            const QImage picture(home.path() + QLatin1Char('/') + QString::fromLatin1(name));
            QVERIFY2(!picture.isNull(), name);
            QSet<QRgb> colours;
            for (int y = 0; y < picture.height(); y += 3) {
                for (int x = 0; x < picture.width(); x += 3) {
                    colours.insert(picture.pixel(x, y));
                }
            }
            QVERIFY2(colours.size() > 20, name);
        }
    }

    void pictures_OfAPageThatThereIsNot_AreRefused()
    {
        const Home home;
        const auto offline = home.start(QStringLiteral("vivavoce-offline"),
            {QStringLiteral("--render"), home.path(), QStringLiteral("attic")}, home.environment());
        QVERIFY(offline->waitForFinished(kPatience));
        QCOMPARE(offline->exitCode(), 2);
    }
};

QTEST_MAIN(ProgramsTest)
#include "test_programs.moc"
