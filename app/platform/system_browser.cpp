#include "app/platform/system_browser.h"

#include "app/platform/display.h"

#include <QDesktopServices>
#include <QGuiApplication>
#include <QProcess>
#include <QUrl>

namespace vivavoce::platform {
namespace {

#if defined(Q_OS_WIN)
constexpr const char* kOpener = "explorer";
#elif defined(Q_OS_MACOS)
constexpr const char* kOpener = "open";
#else
constexpr const char* kOpener = "xdg-open";
#endif

bool startBrowser(const QString& url)
{
    QString program = qEnvironmentVariable("BROWSER");
    if (program.isEmpty()) {
        if (!hasDisplay()) {
            return false;
        }
        program = QString::fromLatin1(kOpener);
    }
    return QProcess::startDetached(program, {url});
}

} // namespace

bool SystemBrowser::open(const std::string& url)
{
    const QString address = QString::fromStdString(url);
    if (qobject_cast<QGuiApplication*>(QCoreApplication::instance()) != nullptr) {
        return QDesktopServices::openUrl(QUrl(address, QUrl::StrictMode));
    }
    return startBrowser(address);
}

} // namespace vivavoce::platform
