#include "app/platform/system_browser.h"

#include "app/platform/display.h"
#include "core/base/process_memory.h"

#include <QDesktopServices>
#include <QDir>
#include <QGuiApplication>
#include <QProcess>
#include <QUrl>

#include <algorithm>

#ifdef Q_OS_UNIX
#include <unistd.h>
#endif

namespace vivavoce::platform {
namespace {

#if defined(Q_OS_WIN)
constexpr const char* kOpener = "explorer";
#elif defined(Q_OS_MACOS)
constexpr const char* kOpener = "open";
#else
constexpr const char* kOpener = "xdg-open";
#endif

/// Explorer's exit code says nothing.
#ifdef Q_OS_WIN
constexpr bool kHasHonestOpener = false;
#else
constexpr bool kHasHonestOpener = true;
#endif

/// One that finds nothing looks for some tenths of a second.
constexpr int kOpenerPatience = 1'000;

/// What it says is not for our streams: openers name the address, and browsers talk.
void silence(QProcess& process)
{
    process.setStandardOutputFile(QProcess::nullDevice());
    process.setStandardErrorFile(QProcess::nullDevice());
}

/// It outlives us, and a Ctrl-C is ours alone.
void leaveToItself(QProcess& process)
{
    process.setStandardInputFile(QProcess::nullDevice());
#ifdef Q_OS_UNIX
    process.setChildProcessModifier([] { ::setsid(); });
#endif
}

/// As xdg-open reads it.
bool startCommand(const QString& command, const QString& url)
{
    const QString place = QStringLiteral("%s");
    QStringList words = QProcess::splitCommand(command);
    if (words.isEmpty()) {
        return false;
    }
    if (words.filter(place).isEmpty()) {
        words += place;
    }
    // Not in the command before it is split: the address is one word, whatever is in it.
    words.replaceInStrings(place, url);
    QProcess browser;
    silence(browser);
    browser.setProgram(words.first());
    browser.setArguments(words.mid(1));
    return browser.startDetached();
}

/// Where it ends soon, whether it has found a browser; one that is still at it has started one.
bool startOpener(const QString& url)
{
    auto* const opener = new QProcess;
    silence(*opener);
    leaveToItself(*opener);
    QObject::connect(opener, &QProcess::finished, opener, &QObject::deleteLater);
    opener->start(QString::fromLatin1(kOpener), {url});
    if (!opener->waitForStarted(kOpenerPatience)) {
        opener->deleteLater();
        return false;
    }
    // Nobody deletes it before it has ended: that would end it.
    return !opener->waitForFinished(kOpenerPatience)
        || (opener->exitStatus() == QProcess::NormalExit && opener->exitCode() == 0) || !kHasHonestOpener;
}

bool startBrowser(const QString& url)
{
    const QStringList named = qEnvironmentVariable("BROWSER").split(QDir::listSeparator(), Qt::SkipEmptyParts);
    return std::any_of(named.begin(), named.end(), [&](const QString& command) { return startCommand(command, url); })
        || (hasDisplay() && startOpener(url));
}

} // namespace

bool SystemBrowser::open(const std::string& url)
{
    const core::ChildCoreLimit theirs;
    const QString address = QString::fromStdString(url);
    if (qobject_cast<QGuiApplication*>(QCoreApplication::instance()) != nullptr) {
        // Not every platform of Qt can, nor every portal wants to: the rest is as without windows.
        return QDesktopServices::openUrl(QUrl(address, QUrl::StrictMode)) || startBrowser(address);
    }
    return startBrowser(address);
}

} // namespace vivavoce::platform
