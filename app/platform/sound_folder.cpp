#include "app/platform/sound_folder.h"

#include "core/ports/recording_fault.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::platform {
namespace {

using core::Error;
using core::Expected;
using core::SoundFormat;

constexpr auto kMine = QFileDevice::ReadOwner | QFileDevice::WriteOwner;
constexpr auto kMyFolder = kMine | QFileDevice::ExeOwner;
constexpr std::array kFormats{SoundFormat::OggOpus, SoundFormat::Wav};

QString endingOf(SoundFormat format)
{
    return format == SoundFormat::Wav ? QStringLiteral(".wav") : QStringLiteral(".ogg");
}

core::Unexpected<Error> unmade(const QString& path, const QString& why)
{
    return core::Unexpected<Error>(Error{core::ErrorCode::RecordingFailed,
        path.toStdString() + ": " + why.toStdString(), std::nullopt, core::recording_fault::kPlace});
}

/// A damaged file may say that a conversation is called as a way to somewhere else.
bool isName(const QString& id)
{
    return !id.isEmpty() && std::all_of(id.begin(), id.end(), [](QChar sign) {
        return sign.unicode() < 128
            && (sign.isLetterOrNumber() || sign == QLatin1Char('_') || sign == QLatin1Char('-'));
    });
}

bool makeFolder(const QString& folder)
{
    return QFileInfo(folder).isDir() ? QFile::setPermissions(folder, kMyFolder) : QDir().mkdir(folder, kMyFolder);
}

} // namespace

QString SoundFolder::pathOf(const QString& id, SoundFormat format) const
{
    return m_folder + QLatin1Char('/') + id + endingOf(format);
}

Expected<QString, Error> SoundFolder::make(const QString& id, SoundFormat format) const
{
    if (!isName(id)) {
        return unmade(m_folder, QStringLiteral("that is no name for a file"));
    }
    const QString parent = QFileInfo(m_folder).path();
    if (!QDir().mkpath(QFileInfo(parent).path()) || !makeFolder(parent) || !makeFolder(m_folder)) {
        return unmade(m_folder, QStringLiteral("it cannot be made"));
    }
    if (auto removed = remove(id); !removed) {
        return unmade(m_folder, QString::fromStdString(removed.error().detail));
    }
    const QString path = pathOf(id, format);
    QFile file(path);
    // Before there is anything in it.
    if (!file.open(QIODevice::WriteOnly | QIODevice::NewOnly, kMine)) {
        return unmade(path, file.errorString());
    }
    return path;
}

QString SoundFolder::find(const QString& id) const
{
    if (!isName(id)) {
        return {};
    }
    for (const SoundFormat format : kFormats) {
        if (QString path = pathOf(id, format); QFileInfo::exists(path)) {
            return path;
        }
    }
    return {};
}

Expected<void, Error> SoundFolder::remove(const QString& id) const
{
    if (!isName(id)) {
        return {};
    }
    for (const SoundFormat format : kFormats) {
        QFile file(pathOf(id, format));
        if (file.exists() && !file.remove()) {
            return core::fail(core::ErrorCode::HistoryFailed,
                file.fileName().toStdString() + ": " + file.errorString().toStdString());
        }
    }
    return {};
}

Expected<void, Error> SoundFolder::removeAll() const
{
    for (const QString& id : ids()) {
        if (auto removed = remove(id); !removed) {
            return removed;
        }
    }
    QDir().rmdir(m_folder);
    return {};
}

QStringList SoundFolder::ids() const
{
    QStringList found;
    for (const QFileInfo& file : QDir(m_folder).entryInfoList(
             {QLatin1Char('*') + endingOf(SoundFormat::OggOpus), QLatin1Char('*') + endingOf(SoundFormat::Wav)},
             QDir::Files | QDir::Hidden)) {
        found += file.completeBaseName();
    }
    return found;
}

} // namespace vivavoce::platform
