#include "app/platform/damaged_settings.h"

#include "app/platform/qt_settings_store.h"

#include <QFile>
#include <QFileInfo>
#include <QSettings>
#include <QStringDecoder>
#include <QStringList>

#include <algorithm>
#include <tuple>

namespace vivavoce::platform {
namespace {

/// Of those that are kept beside one another; then the last gives way.
constexpr int kMostKept = 9;

/// Far more than settings come to.
constexpr qint64 kLongest = 4 * 1024 * 1024;

/// Lines as settings are written in, to the end of the last: QSettings takes the rest of any bytes for keys.
bool hasOnlyLinesOfSettings(const QString& path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        return false;
    }
    const QByteArray bytes = file.read(kLongest);
    QStringDecoder utf8(QStringDecoder::Utf8);
    const QString text = utf8(bytes);
    const bool isText = !utf8.hasError() && std::none_of(text.begin(), text.end(), [](QChar c) {
        return c.category() == QChar::Other_Control && c != QLatin1Char('\n') && c != QLatin1Char('\r')
            && c != QLatin1Char('\t');
    });
    if (!isText || !text.endsWith(QLatin1Char('\n'))) {
        return false;
    }
    const QStringList lines = text.split(QLatin1Char('\n'));
    return std::all_of(lines.begin(), lines.end(), [](const QString& line) {
        const QString words = line.trimmed();
        return words.isEmpty() || words.startsWith(QLatin1Char(';')) || words.startsWith(QLatin1Char('#'))
            || (words.startsWith(QLatin1Char('[')) ? words.endsWith(QLatin1Char(']'))
                                                   : words.indexOf(QLatin1Char('=')) > 0);
    });
}

bool isDamaged(const QString& path)
{
    const QFileInfo info(path);
    if (!info.exists() || info.isDir()) {
        return false;
    }
    // Nobody saves settings without a setting: a file of none was cut off.
    const QSettings settings(path, QSettings::IniFormat);
    return settings.status() != QSettings::NoError || settings.allKeys().isEmpty() || !hasOnlyLinesOfSettings(path)
        || !QtSettingsStore(path).hasProperNumbers();
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
