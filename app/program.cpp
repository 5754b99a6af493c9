#include "app/program.h"

#include "app/application.h"
#include "app/command_line.h"
#include "app/platform/interrupt_signal.h"
#include "app/platform/single_instance.h"

#include <QGuiApplication>
#include <QLockFile>

#include <cstdio>
#include <tuple>
#include <utility>

namespace vivavoce::app {
namespace {

/// The one that ends takes a second for what it still tells, and some more for what it has started.
constexpr int kPatienceMs = 10'000;

} // namespace

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
    // The one that ends is the first no longer, and still writes: its sound would be taken for what a crash has left, and deleted.
    QLockFile writing(platform::SingleInstance::defaultFolder() + QStringLiteral("/writing"));
    writing.setStaleLockTime(0);
    // Whatever it is that holds it for so long is no reason not to run.
    std::ignore = writing.tryLock(kPatienceMs);
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
