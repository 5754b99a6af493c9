#include "app/platform/qt_sha256.h"

#include <QCryptographicHash>

#include <algorithm>

namespace vivavoce::platform {

std::array<std::uint8_t, 32> sha256(std::string_view text)
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    hash.addData(QByteArray::fromRawData(text.data(), static_cast<qsizetype>(text.size())));
    const QByteArray result = hash.result();
    std::array<std::uint8_t, 32> bytes{};
    std::copy(result.begin(), result.end(), bytes.begin());
    return bytes;
}

} // namespace vivavoce::platform
