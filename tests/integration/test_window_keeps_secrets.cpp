#include "tests/integration/cli_run.h"
#include "tests/integration/process_memory_search.h"
#include "tests/integration/secrets_world.h"
#include "tests/integration/written_files.h"

#include <QCoreApplication>
#include <QFile>
#include <QTemporaryDir>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr int kPatience = 30'000;

/// The application, and somebody at its window (window_driver.cpp).
class WindowRun {
public:
    WindowRun(const QString& home, const std::string& brokerUrl)
    {
        QDir(home).mkdir(QStringLiteral("vivavoce"));
        QFile settings(home + QStringLiteral("/vivavoce/vivavoce.ini"));
        if (settings.open(QIODevice::WriteOnly)) {
            settings.write("[General]\nprofile=broker\n[broker]\nurl=" + QByteArray::fromStdString(brokerUrl) + "\n");
        }
        settings.close();
        QProcessEnvironment environment = environmentIn(home);
        environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("offscreen"));
        environment.insert(QStringLiteral("QT_QUICK_BACKEND"), QStringLiteral("software"));
        environment.insert(QStringLiteral("QT_QPA_GENERIC_PLUGINS"), QStringLiteral("vivavoce-driver"));
        environment.insert(QStringLiteral("QT_PLUGIN_PATH"), QStringLiteral(VV_DRIVER_FOLDER));
        // No browser opens: a code for another device is what is left.
        environment.insert(QStringLiteral("PATH"), home);
        environment.remove(QStringLiteral("BROWSER"));
        m_process.setProcessEnvironment(environment);
        m_process.start(program("vivavoce"), QStringList());
        m_process.waitForStarted(kPatience);
    }

    ~WindowRun()
    {
        m_process.kill();
        m_process.waitForFinished(kPatience);
    }
    WindowRun(const WindowRun&) = delete;
    WindowRun& operator=(const WindowRun&) = delete;

    /// False: it cannot be done.
    [[nodiscard]] bool does(const QByteArray& line)
    {
        m_process.write(line + '\n');
        return QTest::qWaitFor(
            [&] { return (m_output += m_process.readAllStandardOutput()).endsWith(line + '\n'); }, kPatience);
    }
    [[nodiscard]] QProcess& process() { return m_process; }
    [[nodiscard]] qint64 pid() const { return m_process.processId(); }
    /// What it has said beside what the driver did.
    [[nodiscard]] std::string log()
    {
        m_log += m_process.readAllStandardError();
        return m_log.toStdString();
    }

private:
    QProcess m_process;
    QByteArray m_output;
    QByteArray m_log;
};

bool isThere(const std::vector<ProcessMemorySearch::Hit>& hits, const QString& what, bool isInSecret)
{
    return std::any_of(
        hits.begin(), hits.end(), [&](const auto& hit) { return hit.isInSecret == isInSecret && hit.what == what; });
}

} // namespace

/// The same of the application with its window: during a conversation, after signing out while it is open, and at its end.
class TestWindowKeepsSecrets : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void signingInTalkingAndSigningOut_LeavesNothingAnywhere()
    {
#ifdef VV_SANITIZED
        QSKIP("a sanitizer has a memory allocator of its own: secrets were NOT looked for");
#endif
        QTemporaryDir home;
        PatientProvider provider;
        World world(provider.url());
        WrittenFiles written;
        ProcessMemorySearch memory;
        MarkerSearch text;
        world.tokens.addTo(memory);
        world.tokens.addTo(text);
        const std::string planted = makeMarker();
        ProcessMemorySearch plant;
        plant.add(QStringLiteral("planted"), planted);

        WindowRun window(home.path(), world.url());
        for (const char* step :
            {"press account", "press signIn", "press startTalking", "write text hello", "press send"}) {
            QVERIFY2(window.does(step), (step + QByteArray::fromStdString(window.log())).constData());
        }
        QVERIFY2(QTest::qWaitFor([&] { return provider.isAsked(); }, kPatience), window.log().c_str());
        QCOMPARE(provider.authorization().toStdString(), "Bearer " + world.tokens.session);
        QVERIFY(window.does("keep " + QByteArray::fromStdString(planted).toHex()));

        const auto during = memoryOf(window.pid());
        if (during.empty()) {
            QSKIP("the memory of other processes cannot be read here (it needs root): secrets were NOT looked for");
        }
        QVERIFY(isThere(plant.findIn(during), QStringLiteral("planted as itself"), false));
        const auto hits = memory.findIn(during);
        QVERIFY(isThere(hits, QStringLiteral("session's token as itself"), true));
        QVERIFY(isThere(hits, QStringLiteral("refresh token as itself"), true));
        QCOMPARE(ProcessMemorySearch::told(ProcessMemorySearch::outsideSecrets(hits)), QStringList());
        for (const char* file : {"cmdline", "environ"}) {
            QVERIFY(!procFile(window.pid(), file).empty());
            QCOMPARE(text.findIn(QString::fromLatin1(file), procFile(window.pid(), file)), QStringList());
        }
        QCOMPARE(filesOutside(window.pid(), home.path().toStdString()), QStringList());

        provider.reply();
        QVERIFY(window.does("press account"));
        QVERIFY(window.does("press signOut"));
        QVERIFY(QTest::qWaitFor([&] { return world.revocations == 1; }, kPatience));
        QVERIFY(window.does("await signIn"));
        // The answer to the revocation is on its way, and with it what carried the token.
        QStringList left;
        const auto isGone = [&] {
            return (left = ProcessMemorySearch::told(memory.findIn(memoryOf(window.pid())))).isEmpty();
        };
        static_cast<void>(QTest::qWaitFor(isGone, kPatience));
        QVERIFY2(left.isEmpty(), qPrintable(left.join(QLatin1Char('\n'))));

        LastBreath last(window.pid());
        QVERIFY(last.isAttached());
        window.process().terminate();
        QVERIFY(last.waitFor(kPatience));
        const auto end = memoryOf(window.pid());
        QVERIFY(!end.empty());
        QCOMPARE(ProcessMemorySearch::told(memory.findIn(end)), QStringList());
        QCOMPARE(text.findIn(QStringLiteral("log"), window.log()), QStringList());
        QCOMPARE(text.findInFolder(home.path().toStdString()), QStringList());
        QCOMPARE(written.findIn({window.pid()}, text), QStringList());
    }
};

QTEST_GUILESS_MAIN(TestWindowKeepsSecrets)
#include "test_window_keeps_secrets.moc"
