#include "app/platform/sqlite_file.h"

#include "app/platform/sqlite_connection.h"
#include "core/ports/history_fault.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <utility>

#ifdef Q_OS_UNIX
#include <sys/stat.h>
#endif

namespace vivavoce::platform {
namespace {

using core::Error;
using core::Expected;

constexpr auto kMine = QFileDevice::ReadOwner | QFileDevice::WriteOwner;
constexpr auto kMyFolder = kMine | QFileDevice::ExeOwner;
constexpr QLatin1String kAside(".damaged");

/// Device and number; where the system lets nobody delete an open file, one for all.
std::pair<quint64, quint64> identityOf(const QString& file)
{
#ifdef Q_OS_UNIX
    struct stat found = {};
    if (::stat(QFile::encodeName(file).constData(), &found) == 0) {
        return {static_cast<quint64>(found.st_dev), static_cast<quint64>(found.st_ino)};
    }
#else
    Q_UNUSED(file)
#endif
    return {};
}

core::Unexpected<Error> failedAt(const QString& file, const QString& why)
{
    return core::fail(core::ErrorCode::HistoryFailed, file.toStdString() + ": " + why.simplified().toStdString());
}

} // namespace

SqliteFile::SqliteFile(QString folder, const QString& name, const Steps& steps)
    : m_folder(std::move(folder)), m_file(m_folder + QLatin1Char('/') + name), m_steps(steps)
{
}

SqliteFile::~SqliteFile() = default;

core::Unexpected<Error> SqliteFile::failed(const QString& why) const
{
    return failedAt(m_file, why);
}

core::Unexpected<Error> SqliteFile::failed(const SqliteFault& fault)
{
    auto made = failed(fault.why);
    if (m_isDamaged = fault.isDamage; m_isDamaged) {
        made.value().foreignCode = core::history_fault::kDamaged;
    }
    return made;
}

bool SqliteFile::isThere()
{
    const bool isThere = QFileInfo::exists(m_file);
    if (!isThere || identityOf(m_file) != m_opened) {
        // Somebody has deleted it, and may have made it anew: what is written to the old one nobody would find.
        m_connection.reset();
    }
    return isThere;
}

Expected<void, Error> SqliteFile::make()
{
    if (isThere()) {
        return {};
    }
    if (!QDir().mkpath(QFileInfo(m_folder).path())) {
        return failedAt(m_folder, QStringLiteral("it cannot be made"));
    }
    // Before there is anything in them; what SQLite puts beside its file gets the file's permissions.
    if (!QFileInfo(m_folder).isDir() && !QDir().mkdir(m_folder, kMyFolder)) {
        return failedAt(m_folder, QStringLiteral("it cannot be made"));
    }
    QFile file(m_file);
    // Another program may have made it in the meantime.
    if (!file.open(QIODevice::WriteOnly | QIODevice::NewOnly, kMine) && !QFileInfo::exists(m_file)) {
        return failed(file.errorString());
    }
    return {};
}

Expected<SqliteConnection*, Error> SqliteFile::ready()
{
    if (m_connection != nullptr) {
        return m_connection.get();
    }
    // Somebody may have copied them back from elsewhere.
    if (!QFile::setPermissions(m_folder, kMyFolder) || !QFile::setPermissions(m_file, kMine)) {
        return failed(QStringLiteral("others might read it, and that cannot be changed"));
    }
    // Before it is opened: should it be another one by then, it is opened once more.
    m_opened = identityOf(m_file);
    auto connection = std::make_unique<SqliteConnection>(m_file);
    try {
        connection->open(m_steps);
    } catch (const SqliteFault& fault) {
        return failed(fault);
    }
    m_connection = std::move(connection);
    return m_connection.get();
}

Expected<void, Error> SqliteFile::attempt(const std::function<void(SqliteConnection&)>& work)
{
    m_isDamaged = false;
    const auto file = ready();
    if (!file) {
        return core::Unexpected<Error>(file.error());
    }
    try {
        work(**file);
    } catch (const SqliteFault& fault) {
        m_connection.reset();
        return failed(fault);
    }
    return {};
}

Expected<void, Error> SqliteFile::read(const std::function<void(SqliteConnection&)>& work)
{
    return attempt(work);
}

Expected<void, Error> SqliteFile::change(const std::function<void(SqliteConnection&)>& work)
{
    return attempt([&work](SqliteConnection& file) { file.inTransaction(work); });
}

Expected<void, Error> SqliteFile::remove()
{
    m_connection.reset();
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
        QFile file(m_file + QLatin1String(suffix));
        if (file.exists() && !file.remove()) {
            return failedAt(file.fileName(), file.errorString());
        }
    }
    for (const QString& aside : asides()) {
        QFile file(aside);
        if (!file.remove()) {
            return failedAt(file.fileName(), file.errorString());
        }
    }
    return {};
}

std::optional<QString> SqliteFile::setAside()
{
    m_connection.reset();
    QString place = m_file + kAside;
    for (int number = 2; QFile::exists(place); ++number) {
        place = m_file + kAside + QStringLiteral(".%1").arg(number);
    }
    if (!QFile::rename(m_file, place)) {
        return std::nullopt;
    }
    // Whoever mends it needs it too, and called like this; to a new file it would be no log.
    QFile::rename(m_file + QStringLiteral("-wal"), place + QStringLiteral("-wal"));
    for (const char* suffix : {"-wal", "-shm", "-journal"}) {
        QFile::remove(m_file + QLatin1String(suffix));
    }
    return place;
}

bool SqliteFile::hasAside() const
{
    return !asides().isEmpty();
}

QStringList SqliteFile::asides() const
{
    QStringList paths;
    for (const QFileInfo& file : QDir(m_folder).entryInfoList(
             {QFileInfo(m_file).fileName() + kAside + QLatin1Char('*')}, QDir::Files | QDir::Hidden)) {
        paths += file.filePath();
    }
    return paths;
}

} // namespace vivavoce::platform
