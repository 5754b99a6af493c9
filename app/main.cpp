#include "app/application.h"
#include "app/platform/display.h"
#include "app/platform/single_instance.h"

#include <QGuiApplication>
#include <QIcon>

#include <cstdio>

using namespace vivavoce;

int main(int argc, char** argv)
{
    if (!platform::hasDisplay()) {
        std::fputs("vivavoce: there is no screen to show a window on. Set DISPLAY or WAYLAND_DISPLAY, "
                   "or talk without a window: vivavoce-cli talk --help\n",
            stderr);
        return core::exitCode(core::ErrorCode::NoDisplay);
    }
    QGuiApplication app(argc, argv);
    QGuiApplication::setApplicationDisplayName(QStringLiteral("Vivavoce"));
    QGuiApplication::setDesktopFileName(QStringLiteral("vivavoce"));
    QGuiApplication::setWindowIcon(QIcon(QStringLiteral(":/qt/qml/Vivavoce/Style/icons/vivavoce.svg")));

    app::Application* running = nullptr;
    platform::SingleInstance instance(platform::SingleInstance::defaultFolder());
    if (!instance.claim([&running] {
            if (running != nullptr) {
                running->raise();
            }
        })) {
        std::fputs("vivavoce: it is already open; its window is in front now.\n", stderr);
        return core::exitCode(core::ErrorCode::AlreadyRunning);
    }
    app::Application application;
    running = &application;
    const int code = application.open() ? QGuiApplication::exec() : core::exitCode(core::ErrorCode::Internal);
    running = nullptr;
    return code;
}
