#include "app/platform/damaged_settings.h"

#include "app/platform/qt_settings_store.h"

#include <QFile>
#include <QFileInfo>
#include <QSettings>

#include <tuple>

namespace vivavoce::platform {
namespace {

/// Of those that are kept beside one another; then the last gives way.
constexpr int kMostKept = 9;

bool isDamaged(const QString& path)
{
    const QFileInfo info(path);
    if (!info.exists() || info.isDir()) {
        return false;
    }
    // Nobody saves settings without a setting: a file of none was cut off.
    const QSettings settings(path, QSettings::IniFormat);
    return settings.status() != QSettings::NoError || settings.allKeys().isEmpty();
}

QString placeBeside(const QString& path)
{
    QString place = path + QStringLiteral(".damaged");
    for (int number = 2; QFile::exists(place) && number <= kMostKept; ++number) {
        place = path + QStringLiteral(".damaged.%1").arg(number);
    }
    return place;
}

} // namespace

std::optional<QString> keepDamagedSettings(const QString& file)
{
    if (!isDamaged(file)) {
        return std::nullopt;
    }
    QtSettingsStore store(file);
    const core::Settings readable = store.load();
    const QString place = placeBeside(file);
    QFile::remove(place);
    // Renamed, for it may be one that cannot be read at all.
    if (!QFile::rename(file, place)) {
        return std::nullopt;
    }
    QFile::setPermissions(place, QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    // Otherwise it would be told at each start. Where it cannot be saved, that is told at the first change.
    std::ignore = store.save(readable);
    return place;
}

} // namespace vivavoce::platform
