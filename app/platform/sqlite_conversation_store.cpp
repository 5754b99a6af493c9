#include "app/platform/sqlite_conversation_store.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <QStandardPaths>
#include <QUuid>
#include <QVariant>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace vivavoce::platform {
namespace {

using core::Error;
using core::Expected;

constexpr auto kMine = QFileDevice::ReadOwner | QFileDevice::WriteOwner;
constexpr auto kMyFolder = kMine | QFileDevice::ExeOwner;

/// In milliseconds.
constexpr int kWaits = 250;

/// What SQLite says is wrong. It does not leave this file.
struct Fault {
    QString why;
};

/// One step a version: what a file of the version before lacks. They stay as they are.
const std::array<QStringList, 3>& migrations()
{
    static const std::array<QStringList, 3> steps{
        QStringList{
            QStringLiteral("CREATE TABLE conversation(id TEXT PRIMARY KEY NOT NULL, started_ms INTEGER NOT NULL,"
                           " model TEXT NOT NULL)"),
            QStringLiteral(
                "CREATE TABLE line(id INTEGER PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversation(id),"
                " item TEXT NOT NULL, place INTEGER NOT NULL, is_user INTEGER NOT NULL, words TEXT NOT NULL,"
                " was_interrupted INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,"
                " UNIQUE(conversation, item))"),
            QStringLiteral("CREATE INDEX line_place ON line(conversation, place)"),
            QStringLiteral("CREATE INDEX conversation_start ON conversation(started_ms)")},
        QStringList{
            QStringLiteral("CREATE VIRTUAL TABLE line_words USING fts5(words, content='line', content_rowid='id',"
                           " tokenize='unicode61 remove_diacritics 2')"),
            QStringLiteral("CREATE TRIGGER line_added AFTER INSERT ON line BEGIN"
                           " INSERT INTO line_words(rowid, words) VALUES (new.id, new.words); END"),
            QStringLiteral(
                "CREATE TRIGGER line_gone AFTER DELETE ON line BEGIN"
                " INSERT INTO line_words(line_words, rowid, words) VALUES ('delete', old.id, old.words); END"),
            QStringLiteral("CREATE TRIGGER line_changed AFTER UPDATE OF words ON line BEGIN"
                           " INSERT INTO line_words(line_words, rowid, words) VALUES ('delete', old.id, old.words);"
                           " INSERT INTO line_words(rowid, words) VALUES (new.id, new.words); END"),
            QStringLiteral("INSERT INTO line_words(line_words) VALUES ('rebuild')")},
        QStringList{QStringLiteral("ALTER TABLE conversation ADD COLUMN sound_ms INTEGER")}};
    return steps;
}

QString text(std::string_view words)
{
    // Nothing is NULL here, which an empty QString would be.
    return words.empty() ? QLatin1String("") : QString::fromUtf8(words.data(), static_cast<qsizetype>(words.size()));
}

qlonglong millisecondsOf(core::WallTime time)
{
    return std::chrono::duration_cast<core::Milliseconds>(time.time_since_epoch()).count();
}

core::WallTime wallTimeOf(qlonglong milliseconds)
{
    // A damaged file may say anything; the wall clock counts to the year 2262.
    constexpr qlonglong kLatest = 9'000'000'000'000;
    return core::WallTime(core::Milliseconds(std::clamp(milliseconds, qlonglong{0}, kLatest)));
}

core::Milliseconds sinceStart(qlonglong milliseconds)
{
    constexpr qlonglong kLongest = 1'000'000'000'000;
    return core::Milliseconds(std::clamp(milliseconds, qlonglong{0}, kLongest));
}

/// FTS5 queries, one a word, of the first fifty: as a string nothing in it is an operator. Nothing of what has no letter or digit: FTS5 has
/// no word for it.
QStringList queriesOf(const std::string& words)
{
    // SQLite takes an expression of no more than a thousand parts.
    constexpr qsizetype kMostWords = 50;
    QStringList queries;
    for (QString word : text(words).simplified().split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        word.remove(QChar(u'\0'));
        const auto points = word.toUcs4();
        if (std::any_of(points.begin(), points.end(), [](uint point) { return QChar::isLetterOrNumber(point); })) {
            queries +=
                QLatin1Char('"') + word.replace(QLatin1Char('"'), QStringLiteral("\"\"")) + QStringLiteral("\"*");
        }
        if (queries.size() == kMostWords) {
            break;
        }
    }
    return queries;
}

} // namespace

/// An open file. It throws `Fault`.
class SqliteConversationStore::Connection {
public:
    explicit Connection(const QString& file) : m_name(QUuid::createUuid().toString())
    {
        m_database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), m_name);
        m_database.setDatabaseName(file);
        // Nothing waits long for another program that has the file.
        m_database.setConnectOptions(QStringLiteral("QSQLITE_BUSY_TIMEOUT=%1").arg(kWaits));
    }
    ~Connection()
    {
        m_database.close();
        m_database = QSqlDatabase();
        QSqlDatabase::removeDatabase(m_name);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void open()
    {
        if (!m_database.open()) {
            throw Fault{m_database.lastError().text()};
        }
        // Each transaction is on the disk before the next line is said, also where the power fails.
        run(QStringLiteral("PRAGMA journal_mode=WAL"));
        run(QStringLiteral("PRAGMA synchronous=FULL"));
        run(QStringLiteral("PRAGMA secure_delete=ON"));
        run(QStringLiteral("PRAGMA foreign_keys=ON"));
        migrate();
    }

    QSqlQuery run(const QString& sql, std::initializer_list<QVariant> values = {})
    {
        return run(sql, QVariantList(values));
    }
    QSqlQuery run(const QString& sql, const QVariantList& values)
    {
        QSqlQuery query(m_database);
        query.setForwardOnly(true);
        if (!query.prepare(sql)) {
            throw Fault{query.lastError().databaseText()};
        }
        for (const QVariant& value : values) {
            query.addBindValue(value);
        }
        if (!query.exec()) {
            throw Fault{query.lastError().databaseText()};
        }
        return query;
    }
    [[nodiscard]] qlonglong number(const QString& sql, std::initializer_list<QVariant> values = {})
    {
        QSqlQuery query = run(sql, values);
        return hasNext(query) ? query.value(0).toLongLong() : -1;
    }
    /// False: that was the last row.
    [[nodiscard]] static bool hasNext(QSqlQuery& rows)
    {
        if (rows.next()) {
            return true;
        }
        // To Qt, rows that cannot be read are the end of them.
        if (rows.lastError().isValid()) {
            throw Fault{rows.lastError().databaseText()};
        }
        return false;
    }
    /// What was deleted is in the log no more. False: another program reads what was before.
    [[nodiscard]] bool cutLog(bool mayWait)
    {
        run(QStringLiteral("PRAGMA busy_timeout=%1").arg(mayWait ? kWaits : 0));
        const bool isBusy = number(QStringLiteral("PRAGMA wal_checkpoint(TRUNCATE)")) != 0;
        run(QStringLiteral("PRAGMA busy_timeout=%1").arg(kWaits));
        return !isBusy;
    }
    void inTransaction(const std::function<void(Connection&)>& work)
    {
        run(QStringLiteral("BEGIN IMMEDIATE"));
        try {
            work(*this);
            run(QStringLiteral("COMMIT"));
        } catch (const Fault&) {
            // It has rolled back by itself where the disk is full; then there is nothing to undo.
            QSqlQuery(m_database).exec(QStringLiteral("ROLLBACK"));
            throw;
        }
    }

private:
    /// At most the newest.
    [[nodiscard]] qlonglong currentVersion()
    {
        const qlonglong version = number(QStringLiteral("PRAGMA user_version"));
        if (version > static_cast<qlonglong>(migrations().size())) {
            throw Fault{QStringLiteral("it was written by a newer version of Vivavoce")};
        }
        if (version < 0) {
            throw Fault{QStringLiteral("it is of no version of Vivavoce")};
        }
        return version;
    }
    void migrate()
    {
        const auto newest = static_cast<qlonglong>(migrations().size());
        if (currentVersion() == newest) {
            return;
        }
        inTransaction([&](Connection&) {
            // Somebody may have been faster.
            for (auto version = currentVersion(); version < newest; ++version) {
                for (const QString& step : migrations()[static_cast<std::size_t>(version)]) {
                    run(step);
                }
                run(QStringLiteral("PRAGMA user_version=%1").arg(version + 1));
            }
        });
    }

    QString m_name;
    QSqlDatabase m_database;
};

namespace {

core::Unexpected<Error> failed(const QString& file, const QString& why)
{
    return core::fail(core::ErrorCode::HistoryFailed, file.toStdString() + ": " + why.simplified().toStdString());
}

} // namespace

SqliteConversationStore::SqliteConversationStore(QString folder)
    : m_folder(std::move(folder)),
      m_file(m_folder + QStringLiteral("/conversations.sqlite3")),
      m_sounds(m_folder + QStringLiteral("/sound"))
{
}

SqliteConversationStore::~SqliteConversationStore() = default;

QString SqliteConversationStore::defaultFolder()
{
    return QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation)
        + QStringLiteral("/vivavoce/conversations");
}

Expected<void, Error> SqliteConversationStore::put(
    const core::ConversationHead& head, const core::TranscriptLine& line, std::string_view nextItemId)
{
    if (!hasFile()) {
        if (auto made = makePlace(); !made) {
            return made;
        }
    }
    return change([&](Connection& file) {
        const QString id = text(head.id);
        const QString item = text(line.entry.itemId);
        const QVariant soundStart = head.soundStart ? QVariant(qlonglong{head.soundStart->count()}) : QVariant();
        file.run(QStringLiteral("INSERT INTO conversation(id, started_ms, model, sound_ms) VALUES (?, ?, ?, ?)"
                                " ON CONFLICT(id) DO UPDATE SET model = excluded.model,"
                                " sound_ms = coalesce(excluded.sound_ms, sound_ms)"),
            {id, millisecondsOf(head.startedAt), text(head.model), soundStart});
        const QVariantList said{text(line.entry.heardText()), line.entry.wasInterrupted ? 1 : 0,
            qlonglong{line.start.count()}, qlonglong{line.end.count()}};
        const QSqlQuery known =
            file.run(QStringLiteral("UPDATE line SET words = ?, was_interrupted = ?, start_ms = ?, end_ms = ?"
                                    " WHERE conversation = ? AND item = ?"),
                said + QVariantList{id, item});
        if (known.numRowsAffected() > 0) {
            return;
        }
        qlonglong place = file.number(
            QStringLiteral("SELECT place FROM line WHERE conversation = ? AND item = ?"), {id, text(nextItemId)});
        if (place >= 0) {
            file.run(
                QStringLiteral("UPDATE line SET place = place + 1 WHERE conversation = ? AND place >= ?"), {id, place});
        } else {
            place = file.number(
                QStringLiteral("SELECT coalesce(max(place), 0) + 1 FROM line WHERE conversation = ?"), {id});
        }
        file.run(QStringLiteral(
                     "INSERT INTO line(words, was_interrupted, start_ms, end_ms, conversation, item, place, is_user)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
            said + QVariantList{id, item, place, line.entry.speaker == core::Speaker::User ? 1 : 0});
    });
}

Expected<void, Error> SqliteConversationStore::drop(const std::string& id, const std::string& itemId)
{
    if (!hasFile()) {
        return {};
    }
    // The sound of one that is not over is still being recorded; what becomes of it its end shows.
    return change([&](Connection& file) {
        file.run(QStringLiteral("DELETE FROM line WHERE conversation = ? AND item = ?"), {text(id), text(itemId)});
        file.run(QStringLiteral("DELETE FROM conversation WHERE id = ?"
                                " AND NOT EXISTS (SELECT 1 FROM line WHERE conversation = ?)"),
            {text(id), text(id)});
    });
}

Expected<std::vector<core::SavedConversation>, Error> SqliteConversationStore::find(const std::string& words)
{
    std::vector<core::SavedConversation> found;
    const QStringList queries = queriesOf(words);
    const bool isForAll = text(words).trimmed().isEmpty();
    if (!hasFile() || (queries.isEmpty() && !isForAll)) {
        return found;
    }
    const auto file = ready();
    if (!file) {
        return core::Unexpected<Error>(file.error());
    }
    const QString matching =
        QStringLiteral("FROM line WHERE id IN (SELECT rowid FROM line_words WHERE line_words MATCH ?)");
    QString sql = QStringLiteral("SELECT id, started_ms, model,"
                                 " (SELECT max(end_ms) FROM line WHERE conversation = c.id),"
                                 " (SELECT count(*) FROM line WHERE conversation = c.id),"
                                 " (SELECT words %1 AND conversation = c.id ORDER BY place LIMIT 1)"
                                 " FROM conversation AS c WHERE EXISTS (SELECT 1 FROM line WHERE conversation = c.id)")
                      .arg(isForAll ? QStringLiteral("FROM line WHERE true") : matching);
    QVariantList values;
    if (!isForAll) {
        values += queries.first();
    }
    for (const QString& query : queries) {
        sql += QStringLiteral(" AND id IN (SELECT conversation ") + matching + QLatin1Char(')');
        values += query;
    }
    sql += QStringLiteral(" ORDER BY started_ms DESC, id");
    try {
        QSqlQuery rows = (*file)->run(sql, values);
        while (Connection::hasNext(rows)) {
            core::SavedConversation saved;
            saved.head = {rows.value(0).toString().toStdString(), wallTimeOf(rows.value(1).toLongLong()),
                rows.value(2).toString().toStdString()};
            saved.length = sinceStart(rows.value(3).toLongLong());
            saved.lines = rows.value(4).toInt();
            saved.words = rows.value(5).toString().toStdString();
            found.push_back(std::move(saved));
        }
    } catch (const Fault& fault) {
        m_connection.reset();
        return failed(m_file, fault.why);
    }
    return found;
}

Expected<core::Transcript, Error> SqliteConversationStore::open(const std::string& id)
{
    if (!hasFile()) {
        return failed(m_file, QStringLiteral("it is not there"));
    }
    const auto file = ready();
    if (!file) {
        return core::Unexpected<Error>(file.error());
    }
    core::Transcript transcript;
    try {
        QSqlQuery head =
            (*file)->run(QStringLiteral("SELECT started_ms, model FROM conversation WHERE id = ?"), {text(id)});
        if (!Connection::hasNext(head)) {
            return failed(m_file, QStringLiteral("there is no such conversation"));
        }
        transcript.startedAt = wallTimeOf(head.value(0).toLongLong());
        transcript.model = head.value(1).toString().toStdString();
        QSqlQuery rows = (*file)->run(QStringLiteral("SELECT item, is_user, words, was_interrupted, start_ms, end_ms"
                                                     " FROM line WHERE conversation = ? ORDER BY place"),
            {text(id)});
        while (Connection::hasNext(rows)) {
            core::TranscriptLine line;
            line.entry.itemId = rows.value(0).toString().toStdString();
            line.entry.speaker = rows.value(1).toBool() ? core::Speaker::User : core::Speaker::Assistant;
            line.entry.text = rows.value(2).toString().toStdString();
            line.entry.isFinal = true;
            line.entry.wasInterrupted = rows.value(3).toBool();
            line.start = sinceStart(rows.value(4).toLongLong());
            line.end = sinceStart(rows.value(5).toLongLong());
            transcript.lines.push_back(std::move(line));
        }
    } catch (const Fault& fault) {
        m_connection.reset();
        return failed(m_file, fault.why);
    }
    return transcript;
}

bool SqliteConversationStore::isEmpty()
{
    if (!hasFile()) {
        return true;
    }
    // What cannot be read is not nothing: it can still be deleted.
    const auto file = ready();
    if (!file) {
        return false;
    }
    try {
        return (*file)->number(QStringLiteral("SELECT EXISTS (SELECT 1 FROM line)")) == 0;
    } catch (const Fault&) {
        m_connection.reset();
        return false;
    }
}

Expected<void, Error> SqliteConversationStore::remove(const std::string& id)
{
    if (!hasFile()) {
        return dropSound(id);
    }
    auto done = change([&](Connection& file) {
        file.run(QStringLiteral("DELETE FROM line WHERE conversation = ?"), {text(id)});
        file.run(QStringLiteral("DELETE FROM conversation WHERE id = ?"), {text(id)});
        // An index of FTS5 keeps what is deleted until its parts are merged.
        file.run(QStringLiteral("INSERT INTO line_words(line_words) VALUES ('optimize')"));
    });
    if (!done) {
        return done;
    }
    m_isLogToBeCut = true;
    const auto dropped = dropSound(id);
    auto cut = cutLog(true);
    return dropped ? cut : dropped;
}

Expected<void, Error> SqliteConversationStore::cutLog(bool mayWait)
{
    const auto file = ready();
    if (!file) {
        return core::Unexpected<Error>(file.error());
    }
    try {
        m_isLogToBeCut = !(*file)->cutLog(mayWait);
    } catch (const Fault& fault) {
        m_connection.reset();
        return failed(m_file, QStringLiteral("deleted, but not yet overwritten: ") + fault.why);
    }
    if (m_isLogToBeCut) {
        return failed(m_file, QStringLiteral("deleted, but not yet overwritten: another program is reading it"));
    }
    return {};
}

Expected<void, Error> SqliteConversationStore::removeAll()
{
    m_connection.reset();
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
        QFile file(m_file + QLatin1String(suffix));
        if (file.exists() && !file.remove()) {
            return failed(file.fileName(), file.errorString());
        }
    }
    m_isLogToBeCut = false;
    return m_sounds.removeAll();
}

Expected<std::string, Error> SqliteConversationStore::makeSound(const std::string& id, core::SoundFormat format)
{
    const auto made = m_sounds.make(text(id), format);
    if (!made) {
        return core::Unexpected<Error>(made.error());
    }
    return made->toStdString();
}

bool SqliteConversationStore::hasSound(const std::string& id)
{
    return !m_sounds.find(text(id)).isEmpty();
}

std::optional<core::SavedSound> SqliteConversationStore::sound(const std::string& id)
{
    const auto file = hasFile() ? ready() : core::Expected<Connection*, Error>(nullptr);
    if (!file || *file == nullptr) {
        return std::nullopt;
    }
    try {
        const qlonglong start = (*file)->number(
            QStringLiteral("SELECT sound_ms FROM conversation WHERE id = ? AND sound_ms IS NOT NULL"), {text(id)});
        if (start < 0) {
            return std::nullopt;
        }
        return core::SavedSound{m_sounds.find(text(id)).toStdString(), sinceStart(start)};
    } catch (const Fault&) {
        m_connection.reset();
        return std::nullopt;
    }
}

Expected<void, Error> SqliteConversationStore::dropSound(const std::string& id)
{
    return m_sounds.remove(text(id));
}

void SqliteConversationStore::dropLostSound()
{
    const QStringList ids = m_sounds.ids();
    if (ids.isEmpty()) {
        return;
    }
    const auto file = hasFile() ? ready() : core::Expected<Connection*, Error>(nullptr);
    if (!file) {
        // It may yet be read: then it is known whose they are.
        return;
    }
    try {
        for (const QString& id : ids) {
            const bool isKept = *file != nullptr
                && (*file)->number(
                       QStringLiteral("SELECT count(*) FROM conversation WHERE id = ? AND sound_ms IS NOT NULL"), {id})
                    > 0;
            if (!isKept) {
                static_cast<void>(m_sounds.remove(id));
            }
        }
    } catch (const Fault&) {
        m_connection.reset();
    }
}

bool SqliteConversationStore::hasFile()
{
    const bool isThere = QFileInfo::exists(m_file);
    if (!isThere) {
        // Somebody has deleted it: what is written to it now nobody would find.
        m_connection.reset();
    }
    return isThere;
}

Expected<void, Error> SqliteConversationStore::makePlace() const
{
    if (!QDir().mkpath(QFileInfo(m_folder).path())) {
        return failed(m_folder, QStringLiteral("it cannot be made"));
    }
    // Before there is anything in them; what SQLite puts beside its file gets the file's permissions.
    if (!QFileInfo(m_folder).isDir() && !QDir().mkdir(m_folder, kMyFolder)) {
        return failed(m_folder, QStringLiteral("it cannot be made"));
    }
    QFile file(m_file);
    if (!file.open(QIODevice::WriteOnly | QIODevice::NewOnly, kMine)) {
        return failed(m_file, file.errorString());
    }
    return {};
}

Expected<SqliteConversationStore::Connection*, Error> SqliteConversationStore::ready()
{
    if (m_connection != nullptr) {
        return m_connection.get();
    }
    // Somebody may have copied them back from elsewhere.
    if (!QFile::setPermissions(m_folder, kMyFolder) || !QFile::setPermissions(m_file, kMine)) {
        return failed(m_file, QStringLiteral("others might read it, and that cannot be changed"));
    }
    auto connection = std::make_unique<Connection>(m_file);
    try {
        connection->open();
    } catch (const Fault& fault) {
        return failed(m_file, fault.why);
    }
    m_connection = std::move(connection);
    return m_connection.get();
}

Expected<void, Error> SqliteConversationStore::change(const std::function<void(Connection&)>& work)
{
    const auto file = ready();
    if (!file) {
        return core::Unexpected<Error>(file.error());
    }
    try {
        (*file)->inTransaction(work);
    } catch (const Fault& fault) {
        m_connection.reset();
        return failed(m_file, fault.why);
    }
    if (m_isLogToBeCut) {
        // The change itself is made; should the log still be read, it is cut with one of the next.
        static_cast<void>(cutLog(false));
    }
    return {};
}

} // namespace vivavoce::platform
