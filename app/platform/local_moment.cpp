#include "app/platform/local_moment.h"

#include <QDateTime>
#include <QLocale>
#include <QTimeZone>

namespace vivavoce::platform {

std::optional<core::LocalMoment> localMoment(core::WallTime time, const std::string& zone)
{
    const QTimeZone place = zone.empty() ? QTimeZone::systemTimeZone() : QTimeZone(QByteArray::fromStdString(zone));
    if (!place.isValid()) {
        return std::nullopt;
    }
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
    const QDateTime moment = QDateTime::fromMSecsSinceEpoch(since.count(), place);
    const int minutes = moment.offsetFromUtc() / 60;
    const QString offset = QStringLiteral("%1%2:%3")
                               .arg(minutes < 0 ? QLatin1Char('-') : QLatin1Char('+'))
                               .arg(qAbs(minutes) / 60, 2, 10, QLatin1Char('0'))
                               .arg(qAbs(minutes) % 60, 2, 10, QLatin1Char('0'));
    return core::LocalMoment{moment.date().toString(Qt::ISODate).toStdString(),
        moment.time().toString(QStringLiteral("HH:mm:ss")).toStdString(),
        QLocale::c().dayName(moment.date().dayOfWeek()).toStdString(), place.id().toStdString(), offset.toStdString()};
}

} // namespace vivavoce::platform
