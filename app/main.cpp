#include "app/application.h"
#include "app/platform/display.h"
#include "app/platform/interrupt_signal.h"
#include "app/platform/single_instance.h"
#include "audio/audio_engine.h"

#include <QCommandLineParser>
#include <QGuiApplication>
#include <QIcon>

#include <cstdio>
#include <optional>
#include <utility>

using namespace vivavoce;

namespace {

/// What --help and the like are answered with: the exit code, where there is nothing more to do.
std::optional<int> answerCommandLine()
{
    QCoreApplication::setApplicationName(QStringLiteral("vivavoce"));
    QCoreApplication::setApplicationVersion(QStringLiteral(VV_VERSION));
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral(
        "Talks to realtime voice agents. It is set up in its window; without a window there is vivavoce-cli."));
    // Not the library's own: that promises to list Qt's options as well.
    const QCommandLineOption help({QStringLiteral("h"), QStringLiteral("help")}, QStringLiteral("Shows this."));
    const QCommandLineOption version(QStringLiteral("version"), QStringLiteral("Shows the version."));
    parser.addOption(help);
    parser.addOption(version);
    if (!parser.parse(QCoreApplication::arguments()) || !parser.positionalArguments().isEmpty()) {
        const QString wrong = parser.errorText().isEmpty()
            ? QStringLiteral("There is nothing to name on its command line.")
            : parser.errorText();
        std::fprintf(stderr, "vivavoce: %s See vivavoce --help\n", qPrintable(wrong));
        return core::exitCode(core::ErrorCode::BadUsage);
    }
    if (parser.isSet(help)) {
        std::fputs(qPrintable(parser.helpText()), stdout);
        return 0;
    }
    if (parser.isSet(version)) {
        std::puts("vivavoce " VV_VERSION);
        return 0;
    }
    return std::nullopt;
}

} // namespace

int main(int argc, char** argv)
{
    audio::prepareProcess();
    auto credential = app::Application::takeCredential();
    if (!platform::hasDisplay()) {
        const QCoreApplication app(argc, argv);
        if (const auto exitCode = answerCommandLine()) {
            return *exitCode;
        }
        std::fputs("vivavoce: there is no screen to show a window on. Set DISPLAY or WAYLAND_DISPLAY, "
                   "or talk without a window: vivavoce-cli talk --help\n",
            stderr);
        return core::exitCode(core::ErrorCode::NoDisplay);
    }
    QGuiApplication app(argc, argv);
    if (const auto exitCode = answerCommandLine()) {
        return *exitCode;
    }
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
    app::Application application(std::move(credential));
    running = &application;
    // A session that ends, or Ctrl-C in a terminal: what was started is to end in order, too.
    const platform::InterruptSignal interrupted([] { QGuiApplication::quit(); });
    const int code = application.open() ? QGuiApplication::exec() : core::exitCode(core::ErrorCode::Internal);
    running = nullptr;
    return code;
}
