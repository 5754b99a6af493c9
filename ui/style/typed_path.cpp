#include "ui/style/typed_path.h"

#include <QDir>

namespace vivavoce::ui {

QString typedPath(const QString& typed, const QString& folder)
{
    QString path = typed.trimmed();
    if (path == QLatin1String("~") || path.startsWith(QLatin1String("~/"))) {
        path.replace(0, 1, QDir::homePath());
    }
    return path.isEmpty() || folder.isEmpty() || QDir::isAbsolutePath(path) ? path : folder + QLatin1Char('/') + path;
}

} // namespace vivavoce::ui
