#include "app/platform/display.h"

#include <QByteArray>
#include <QtGlobal>

namespace vivavoce::platform {

bool hasDisplay()
{
#if defined(Q_OS_UNIX) && !defined(Q_OS_DARWIN)
    // Who names a platform (offscreen, vnc, eglfs) knows what they do; xcb and wayland need a display all the same.
    const QByteArray platform = qgetenv("QT_QPA_PLATFORM");
    const bool needsServer = platform.isEmpty() || platform.startsWith("xcb") || platform.startsWith("wayland");
    return !needsServer || !qEnvironmentVariableIsEmpty("DISPLAY") || !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY");
#else
    return true;
#endif
}

} // namespace vivavoce::platform
