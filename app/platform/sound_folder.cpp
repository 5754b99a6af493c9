#include "app/platform/sound_folder.h"

#include "core/ports/recording_fault.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QLockFile>

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

constexpr QLatin1String kMark(".unkept");
constexpr QLatin1String kLock(".lock");

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

SoundFolder::SoundFolder(QString folder) : m_folder(std::move(folder)) {}

SoundFolder::~SoundFolder() = default;

QString SoundFolder::pathOf(const QString& id, SoundFormat format) const
{
    return m_folder + QLatin1Char('/') + id + endingOf(format);
}

QString SoundFolder::markOf(const QString& id) const
{
    return m_folder + QLatin1Char('/') + id + kMark;
}

/// Whether it is ours: nobody else makes it just now.
bool SoundFolder::lock(const QString& id)
{
    const QString path = m_folder + QLatin1Char('/') + id + kLock;
    auto lock = std::make_unique<QLockFile>(path);
    // Held as long as somebody says nothing: only a holder that has died makes it stale.
    lock->setStaleLockTime(0);
    if (!lock->tryLock(0)) {
        return false;
    }
    QFile::setPermissions(path, kMine);
    m_locks[id] = std::move(lock);
    return true;
}

Expected<QString, Error> SoundFolder::make(const QString& id, SoundFormat format)
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
    QFile mark(markOf(id));
    if (!lock(id) || !mark.open(QIODevice::WriteOnly | QIODevice::NewOnly, kMine)) {
        letGo(id);
        return unmade(mark.fileName(), QStringLiteral("it cannot be made"));
    }
    const QString path = pathOf(id, format);
    QFile file(path);
    // Before there is anything in it.
    if (!file.open(QIODevice::WriteOnly | QIODevice::NewOnly, kMine)) {
        return unmade(path, file.errorString());
    }
    return path;
}

void SoundFolder::keep(const QString& id)
{
    if (m_locks.contains(id)) {
        QFile::remove(markOf(id));
        letGo(id);
    }
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

Expected<void, Error> SoundFolder::remove(const QString& id)
{
    if (!isName(id)) {
        return {};
    }
    // The mark goes last: what stays is found at the next start.
    for (const QString& path : {pathOf(id, SoundFormat::OggOpus), pathOf(id, SoundFormat::Wav), markOf(id)}) {
        QFile file(path);
        if (file.exists() && !file.remove()) {
            return core::fail(core::ErrorCode::HistoryFailed,
                file.fileName().toStdString() + ": " + file.errorString().toStdString());
        }
    }
    letGo(id);
    return {};
}

Expected<void, Error> SoundFolder::removeAll()
{
    // What a crash has left of locks goes with them.
    static_cast<void>(takeLost());
    for (const QString& id : ids()) {
        if (auto removed = remove(id); !removed) {
            return removed;
        }
    }
    QDir().rmdir(m_folder);
    return {};
}

bool SoundFolder::hasOthers() const
{
    const QStringList all = ids();
    return std::any_of(all.begin(), all.end(), [this](const QString& id) { return !m_locks.contains(id); });
}

QStringList SoundFolder::takeLost()
{
    QStringList lost;
    for (const QFileInfo& mark : QDir(m_folder).entryInfoList({QLatin1Char('*') + kMark}, QDir::Files | QDir::Hidden)) {
        const QString id = mark.completeBaseName();
        if (m_locks.contains(id) || !lock(id)) {
            continue;
        }
        // Whoever made it may have kept it meanwhile.
        if (QFileInfo::exists(mark.filePath())) {
            lost += id;
        } else {
            letGo(id);
        }
    }
    return lost;
}

void SoundFolder::letGo(const QString& id)
{
    m_locks.erase(id);
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
