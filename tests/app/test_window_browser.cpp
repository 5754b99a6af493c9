#include "app/platform/system_browser.h"
#include "core/base/process_memory.h"

#include <QFile>
#include <QGuiApplication>
#include <QTemporaryDir>
#include <QTest>

using namespace vivavoce;

/// A program with windows that shows its memory to nobody, where there is no portal.
class TestWindowBrowser : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

private Q_SLOTS:
    void browser_Opens()
    {
#ifndef Q_OS_LINUX
        QSKIP("another system has no portals");
#else
        const QString seen = m_folder.filePath(QStringLiteral("seen"));
        qputenv("BROWSER", "/bin/sh -c \"> '" + seen.toUtf8() + "'\"");
        platform::SystemBrowser browser;
        QVERIFY(browser.open("https://login.example/"));
        QVERIFY(QTest::qWaitFor([&] { return QFile::exists(seen); }, 5'000));
#endif
    }
};

int main(int argc, char** argv)
{
    // Nor one that would be started.
    qputenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/there/is/no/bus");
    core::hideProcessMemory(core::CoreLimit::Liftable);
    const QGuiApplication application(argc, argv);
    TestWindowBrowser test;
    return QTest::qExec(&test, argc, argv);
}

#include "test_window_browser.moc"
