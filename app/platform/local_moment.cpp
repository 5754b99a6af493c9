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
    return core::LocalMoment{moment.date().toString(Qt::ISODate).toStdString(),
        moment.time().toString(QStringLiteral("HH:mm")).toStdString(),
        QLocale::c().dayName(moment.date().dayOfWeek()).toStdString(), place.id().toStdString()};
}

} // namespace vivavoce::platform
