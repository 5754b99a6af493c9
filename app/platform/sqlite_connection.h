#pragma once

#include <QSqlDatabase>
#include <QSqlQuery>
#include <QString>
#include <QStringList>
#include <QVariantList>

#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace vivavoce::platform {

/// What SQLite says is wrong. It does not leave this folder.
struct SqliteFault {
    QString why;
    /// The file is none of SQLite, or not whole: it will be no other the next time.
    bool isDamage = false;
};

/// An open file of ours. It throws SqliteFault.
/// Threads: the thread that made it.
class SqliteConnection {
public:
    explicit SqliteConnection(const QString& file);
    ~SqliteConnection();
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    /// And brings it to the newest shape: one of the steps a version.
    void open(const std::vector<QStringList>& steps);
    QSqlQuery run(const QString& sql, std::initializer_list<QVariant> values = {});
    QSqlQuery run(const QString& sql, const QVariantList& values);
    /// The first row's first value; -1: there is no row.
    [[nodiscard]] qlonglong number(const QString& sql, std::initializer_list<QVariant> values = {});
    /// False: that was the last row.
    [[nodiscard]] static bool hasNext(QSqlQuery& rows);
    /// What was deleted is in the log no more. False: another program reads what was before.
    [[nodiscard]] bool cutLog(bool mayWait);
    void inTransaction(const std::function<void(SqliteConnection&)>& work);

private:
    void migrate(const std::vector<QStringList>& steps);
    /// At most the newest.
    [[nodiscard]] qlonglong currentVersion(qlonglong newest);

    QString m_name;
    QSqlDatabase m_database;
};

/// For a query: nothing is NULL there, which an empty QString would be.
[[nodiscard]] QString sqlText(std::string_view words);

} // namespace vivavoce::platform
