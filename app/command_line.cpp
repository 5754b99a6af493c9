#include "app/command_line.h"

#include "core/base/error.h"

#include <QCommandLineParser>
#include <QGuiApplication>
#include <QIcon>

#include <cstdio>

namespace vivavoce::app {

void introduce()
{
    QCoreApplication::setApplicationName(QStringLiteral("vivavoce"));
    QCoreApplication::setApplicationVersion(QStringLiteral(VV_VERSION));
    if (qobject_cast<QGuiApplication*>(QCoreApplication::instance()) != nullptr) {
        QGuiApplication::setApplicationDisplayName(QStringLiteral("Vivavoce"));
        // The installed file's name: Wayland knows a window's icon and name by nothing else.
        QGuiApplication::setDesktopFileName(QStringLiteral("org.vivavoce.Vivavoce"));
        QGuiApplication::setWindowIcon(QIcon(QStringLiteral(":/qt/qml/Vivavoce/Style/icons/vivavoce.svg")));
    }
}

std::optional<int> answerCommandLine()
{
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

} // namespace vivavoce::app
