#include "app/platform/private_files.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <QStandardPaths>

namespace vivavoce::platform {
namespace {

constexpr auto kMine = QFileDevice::ReadOwner | QFileDevice::WriteOwner;

core::Unexpected<core::Error> unwritable(const std::string& path, const QString& why)
{
    return core::fail(core::ErrorCode::OutputUnwritable, path + ": " + why.toStdString());
}

bool isSpecial(const QFileInfo& place)
{
    return place.exists() && !place.isFile() && !place.isDir();
}

/// As far as one can see.
core::Expected<void, core::Error> look(const std::string& path)
{
    const QFileInfo place(QString::fromStdString(path));
    if (place.isDir()) {
        return unwritable(path, QStringLiteral("it is a folder"));
    }
    const QFileInfo folder(place.path());
    if (!folder.isDir()) {
        return unwritable(path, QStringLiteral("there is no such folder"));
    }
    if (!folder.isWritable() || (place.exists() && !place.isWritable())) {
        return unwritable(path, QStringLiteral("it may not be written to"));
    }
    return {};
}

/// Only who has tried knows what a folder takes. Nothing is left of it, and what is there stays.
core::Expected<void, core::Error> tryToCreate(const std::string& path, const QString& name)
{
    QSaveFile beside(name);
    if (!beside.open(QIODevice::WriteOnly)) {
        return unwritable(path, beside.errorString());
    }
    const QFileInfo place(name);
    if (place.exists() || place.isSymLink()) {
        return {};
    }
    // The one beside it may have no name until it is whole.
    QFile itself(name);
    if (!itself.open(QIODevice::WriteOnly | QIODevice::NewOnly)) {
        return unwritable(path, itself.errorString());
    }
    itself.remove();
    return {};
}

core::Expected<void, core::Error> fill(QFileDevice& file, const std::string& path, std::string_view text)
{
    if (file.write(text.data(), static_cast<qint64>(text.size())) != static_cast<qint64>(text.size())
        || !file.flush()) {
        return unwritable(path, file.errorString());
    }
    return {};
}

} // namespace

std::string PrivateFiles::usualFolder() const
{
    const QString documents = QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation);
    return (QFileInfo(documents).isDir() ? documents : QDir::homePath()).toStdString();
}

bool PrivateFiles::exists(const std::string& path) const
{
    return QFileInfo::exists(QString::fromStdString(path));
}

core::Expected<void, core::Error> PrivateFiles::check(const std::string& path) const
{
    if (auto looked = look(path); !looked) {
        return looked;
    }
    const QString name = QString::fromStdString(path);
    if (isSpecial(QFileInfo(name))) {
        return {};
    }
    return tryToCreate(path, name);
}

core::Expected<void, core::Error> PrivateFiles::write(const std::string& path, std::string_view text)
{
    if (auto looked = look(path); !looked) {
        return looked;
    }
    const QString name = QString::fromStdString(path);
    if (isSpecial(QFileInfo(name))) {
        QFile file(name);
        return file.open(QIODevice::WriteOnly) ? fill(file, path, text) : unwritable(path, file.errorString());
    }
    QSaveFile file(name);
    if (!file.open(QIODevice::WriteOnly)) {
        return unwritable(path, file.errorString());
    }
    // Before there is anything in it.
    if (!file.setPermissions(kMine)) {
        return unwritable(path, file.errorString());
    }
    if (auto filled = fill(file, path, text); !filled) {
        return filled;
    }
    return file.commit() ? core::Expected<void, core::Error>() : unwritable(path, file.errorString());
}

} // namespace vivavoce::platform
