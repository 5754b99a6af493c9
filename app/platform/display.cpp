#include "app/platform/display.h"

#include <QByteArray>
#include <QtGlobal>

#if defined(Q_OS_UNIX) && !defined(Q_OS_DARWIN)
#include <QDir>
#include <QLibrary>
#include <QLocalSocket>
#endif

namespace vivavoce::platform {

#if defined(Q_OS_UNIX) && !defined(Q_OS_DARWIN)
namespace {

constexpr int kPatienceMs = 3'000;

/// Whether an X server lets us in. Asked through the library that Qt's own platform plug-in uses: a name in DISPLAY says little, and Qt
/// ends the program with a crash where nobody answers there.
bool answersX()
{
    if (qEnvironmentVariableIsEmpty("DISPLAY")) {
        return false;
    }
    QLibrary xcb(QStringLiteral("xcb"), 1);
    using Connect = void* (*)(const char*, int*);
    using HasError = int (*)(void*);
    using Disconnect = void (*)(void*);
    // The one cast there is from a symbol to a function.
    const auto connect = reinterpret_cast<Connect>(xcb.resolve("xcb_connect")); // NOLINT
    const auto hasError = reinterpret_cast<HasError>(xcb.resolve("xcb_connection_has_error")); // NOLINT
    const auto disconnect = reinterpret_cast<Disconnect>(xcb.resolve("xcb_disconnect")); // NOLINT
    if (connect == nullptr || hasError == nullptr || disconnect == nullptr) {
        // Then Qt has no way to it either, but says so better than we can guess.
        return true;
    }
    void* const connection = connect(nullptr, nullptr);
    const bool isFine = hasError(connection) == 0;
    disconnect(connection);
    return isFine;
}

bool answersWayland()
{
    const QString name = qEnvironmentVariable("WAYLAND_DISPLAY");
    if (name.isEmpty()) {
        return false;
    }
    QLocalSocket socket;
    socket.connectToServer(
        QDir::isAbsolutePath(name) ? name : qEnvironmentVariable("XDG_RUNTIME_DIR") + QLatin1Char('/') + name);
    return socket.waitForConnected(kPatienceMs);
}

} // namespace
#endif

bool hasDisplay()
{
#if defined(Q_OS_UNIX) && !defined(Q_OS_DARWIN)
    // Who names a platform (offscreen, vnc, eglfs) knows what they do; xcb and wayland need a display all the same.
    const QByteArray platform = qgetenv("QT_QPA_PLATFORM");
    const bool needsServer = platform.isEmpty() || platform.startsWith("xcb") || platform.startsWith("wayland");
    return !needsServer || answersWayland() || answersX();
#else
    return true;
#endif
}

} // namespace vivavoce::platform
