#include "app/program.h"

#include "app/application.h"
#include "app/command_line.h"
#include "app/platform/interrupt_signal.h"
#include "app/platform/single_instance.h"

#include <QGuiApplication>

#include <cstdio>
#include <utility>

namespace vivavoce::app {

int runWithoutDisplay(int argc, char** argv)
{
    const QCoreApplication app(argc, argv);
    introduce();
    if (const auto exitCode = answerCommandLine()) {
        return *exitCode;
    }
    std::fputs("vivavoce: there is no screen to show a window on. Set DISPLAY or WAYLAND_DISPLAY, "
               "or talk without a window: vivavoce-cli talk --help\n",
        stderr);
    return core::exitCode(core::ErrorCode::NoDisplay);
}

int runInWindow(int argc, char** argv, std::shared_ptr<const core::Secret> credential)
{
    const QGuiApplication app(argc, argv);
    introduce();
    if (const auto exitCode = answerCommandLine()) {
        return *exitCode;
    }
    Application* running = nullptr;
    platform::SingleInstance instance(platform::SingleInstance::defaultFolder());
    if (!instance.claim([&running] {
            if (running != nullptr) {
                running->raise();
            }
        })) {
        std::fputs("vivavoce: it is already open; its window is in front now.\n", stderr);
        return core::exitCode(core::ErrorCode::AlreadyRunning);
    }
    Application application(std::move(credential));
    running = &application;
    // A session that ends, or Ctrl-C in a terminal: what was started is to end in order, too.
    const platform::InterruptSignal interrupted([] { QGuiApplication::quit(); });
    const int code = application.open() ? QGuiApplication::exec() : core::exitCode(core::ErrorCode::Internal);
    running = nullptr;
    // Whoever starts it now does not want to see the one that goes.
    instance.release();
    application.hide();
    application.finish();
    return code;
}

} // namespace vivavoce::app
