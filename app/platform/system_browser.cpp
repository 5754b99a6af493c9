#include "app/platform/system_browser.h"

#include "app/platform/display.h"
#include "core/base/process_memory.h"

#include <QDesktopServices>
#include <QDir>
#include <QGuiApplication>
#include <QProcess>
#include <QUrl>

#include <algorithm>

namespace vivavoce::platform {
namespace {

#if defined(Q_OS_WIN)
constexpr const char* kOpener = "explorer";
#elif defined(Q_OS_MACOS)
constexpr const char* kOpener = "open";
#else
constexpr const char* kOpener = "xdg-open";
#endif

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
    return QProcess::startDetached(words.first(), words.mid(1));
}

bool startBrowser(const QString& url)
{
    const QStringList named = qEnvironmentVariable("BROWSER").split(QDir::listSeparator(), Qt::SkipEmptyParts);
    return std::any_of(named.begin(), named.end(), [&](const QString& command) { return startCommand(command, url); })
        || (hasDisplay() && QProcess::startDetached(QString::fromLatin1(kOpener), {url}));
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
