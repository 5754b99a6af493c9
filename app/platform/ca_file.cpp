#include "app/platform/ca_file.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QSslCertificate>

#include <algorithm>

namespace vivavoce::platform {
namespace {

/// All authorities of a system are a quarter of that.
constexpr qint64 kLongest = 4 * 1024 * 1024;

} // namespace

std::optional<core::CaFileFault> checkCaFile(const std::string& path)
{
    QFile file(QString::fromStdString(path));
    // What is no file may never end.
    if (!QFileInfo(file).isFile() || !file.open(QIODevice::ReadOnly)) {
        return core::CaFileFault::Unreadable;
    }
    const QByteArray text = file.read(kLongest);
    if (text.trimmed().isEmpty()) {
        return core::CaFileFault::Empty;
    }
    const auto certificates = QSslCertificate::fromData(text, QSsl::Pem);
    if (certificates.isEmpty()) {
        return core::CaFileFault::NotPem;
    }
    const QDateTime now = QDateTime::currentDateTimeUtc();
    const bool isOver = std::all_of(certificates.begin(), certificates.end(),
        [&](const QSslCertificate& certificate) { return certificate.expiryDate() < now; });
    return isOver ? std::optional(core::CaFileFault::Expired) : std::nullopt;
}

} // namespace vivavoce::platform
