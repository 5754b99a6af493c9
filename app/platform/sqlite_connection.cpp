#include "app/platform/sqlite_connection.h"

#include <QSqlError>
#include <QUuid>
#include <QVariant>

namespace vivavoce::platform {
namespace {

/// In milliseconds.
constexpr int kWaits = 250;

SqliteFault faultOf(const QSqlError& error)
{
    // SQLITE_CORRUPT and SQLITE_NOTADB; what is above the last byte says more of the same.
    const int code = error.nativeErrorCode().toInt() & 0xFF;
    return {error.databaseText(), code == 11 || code == 26};
}

} // namespace

QString sqlText(std::string_view words)
{
    return words.empty() ? QLatin1String("") : QString::fromUtf8(words.data(), static_cast<qsizetype>(words.size()));
}

SqliteConnection::SqliteConnection(const QString& file) : m_name(QUuid::createUuid().toString())
{
    m_database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), m_name);
    m_database.setDatabaseName(file);
    // Nothing waits long for another program that has the file.
    m_database.setConnectOptions(QStringLiteral("QSQLITE_BUSY_TIMEOUT=%1").arg(kWaits));
}

SqliteConnection::~SqliteConnection()
{
    m_database.close();
    m_database = QSqlDatabase();
    QSqlDatabase::removeDatabase(m_name);
}

void SqliteConnection::open(const std::vector<QStringList>& steps)
{
    if (!m_database.open()) {
        throw SqliteFault{m_database.lastError().text(), false};
    }
    // Each transaction is on the disk before the next line is said, also where the power fails.
    run(QStringLiteral("PRAGMA journal_mode=WAL"));
    run(QStringLiteral("PRAGMA synchronous=FULL"));
    run(QStringLiteral("PRAGMA secure_delete=ON"));
    run(QStringLiteral("PRAGMA foreign_keys=ON"));
    migrate(steps);
}

QSqlQuery SqliteConnection::run(const QString& sql, std::initializer_list<QVariant> values)
{
    return run(sql, QVariantList(values));
}

QSqlQuery SqliteConnection::run(const QString& sql, const QVariantList& values)
{
    QSqlQuery query(m_database);
    query.setForwardOnly(true);
    if (!query.prepare(sql)) {
        throw faultOf(query.lastError());
    }
    for (const QVariant& value : values) {
        query.addBindValue(value);
    }
    if (!query.exec()) {
        throw faultOf(query.lastError());
    }
    return query;
}

qlonglong SqliteConnection::number(const QString& sql, std::initializer_list<QVariant> values)
{
    QSqlQuery query = run(sql, values);
    return hasNext(query) ? query.value(0).toLongLong() : -1;
}

bool SqliteConnection::hasNext(QSqlQuery& rows)
{
    if (rows.next()) {
        return true;
    }
    // To Qt, rows that cannot be read are the end of them.
    if (rows.lastError().isValid()) {
        throw faultOf(rows.lastError());
    }
    return false;
}

bool SqliteConnection::cutLog(bool mayWait)
{
    run(QStringLiteral("PRAGMA busy_timeout=%1").arg(mayWait ? kWaits : 0));
    const bool isBusy = number(QStringLiteral("PRAGMA wal_checkpoint(TRUNCATE)")) != 0;
    run(QStringLiteral("PRAGMA busy_timeout=%1").arg(kWaits));
    return !isBusy;
}

void SqliteConnection::inTransaction(const std::function<void(SqliteConnection&)>& work)
{
    run(QStringLiteral("BEGIN IMMEDIATE"));
    try {
        work(*this);
        run(QStringLiteral("COMMIT"));
    } catch (const SqliteFault&) {
        // It has rolled back by itself where the disk is full; then there is nothing to undo.
        QSqlQuery(m_database).exec(QStringLiteral("ROLLBACK"));
        throw;
    }
}

qlonglong SqliteConnection::currentVersion(qlonglong newest)
{
    const qlonglong version = number(QStringLiteral("PRAGMA user_version"));
    if (version > newest) {
        throw SqliteFault{QStringLiteral("it was written by a newer version of Vivavoce"), false};
    }
    if (version < 0) {
        throw SqliteFault{QStringLiteral("it is of no version of Vivavoce"), false};
    }
    return version;
}

void SqliteConnection::migrate(const std::vector<QStringList>& steps)
{
    const auto newest = static_cast<qlonglong>(steps.size());
    if (currentVersion(newest) == newest) {
        return;
    }
    inTransaction([&](SqliteConnection&) {
        // Somebody may have been faster.
        for (auto version = currentVersion(newest); version < newest; ++version) {
            for (const QString& step : steps[static_cast<std::size_t>(version)]) {
                run(step);
            }
            run(QStringLiteral("PRAGMA user_version=%1").arg(version + 1));
        }
    });
}

} // namespace vivavoce::platform
