#include "app/platform/small_file.h"

#include <QFile>

namespace vivavoce::platform {
namespace {

constexpr qint64 kLargest = 256 * 1024;

} // namespace

core::Expected<std::string, core::Error> readSmallFile(const std::string& file)
{
    QFile input(QString::fromStdString(file));
    if (!input.open(QIODevice::ReadOnly)) {
        return core::fail(core::ErrorCode::BadConfiguration, file + ": " + input.errorString().toStdString());
    }
    const QByteArray text = input.read(kLargest + 1);
    if (text.size() > kLargest) {
        return core::fail(core::ErrorCode::BadConfiguration, file + ": longer than 256 KiB");
    }
    return text.toStdString();
}

} // namespace vivavoce::platform
