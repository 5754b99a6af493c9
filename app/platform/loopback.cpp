#include "app/platform/loopback.h"

#include <QHostAddress>
#include <QUrl>

namespace vivavoce::platform {

bool isLoopback(const QUrl& url)
{
    const QString host = url.host();
    if (host.compare(QStringLiteral("localhost"), Qt::CaseInsensitive) == 0) {
        return true;
    }
    const QHostAddress address(host);
    return !address.isNull() && address.isLoopback();
}

} // namespace vivavoce::platform
