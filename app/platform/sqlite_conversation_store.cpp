#include "app/platform/sqlite_conversation_store.h"

#include "app/platform/sqlite_connection.h"
#include "core/ports/history_fault.h"

#include <QSqlQuery>
#include <QStandardPaths>
#include <QVariant>

#include <algorithm>
#include <utility>

namespace vivavoce::platform {
namespace {

using core::Error;
using core::Expected;

const SqliteFile::Steps& migrations()
{
    static const SqliteFile::Steps steps{
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
    for (QString word : sqlText(words).simplified().split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
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

SqliteConversationStore::SqliteConversationStore(QString folder)
    : m_sounds(folder + QStringLiteral("/sound")),
      m_file(std::move(folder), QStringLiteral("conversations.sqlite3"), migrations())
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
    if (auto made = m_file.make(); !made) {
        return made;
    }
    auto done = changeOrSetAside([&](SqliteConnection& file) {
        const QString id = sqlText(head.id);
        const QString item = sqlText(line.entry.itemId);
        const QVariant soundStart = head.soundStart ? QVariant(qlonglong{head.soundStart->count()}) : QVariant();
        file.run(QStringLiteral("INSERT INTO conversation(id, started_ms, model, sound_ms) VALUES (?, ?, ?, ?)"
                                " ON CONFLICT(id) DO UPDATE SET model = excluded.model,"
                                " sound_ms = coalesce(excluded.sound_ms, sound_ms)"),
            {id, millisecondsOf(head.startedAt), sqlText(head.model), soundStart});
        const QVariantList said{sqlText(line.entry.heardText()), line.entry.wasInterrupted ? 1 : 0,
            qlonglong{line.start.count()}, qlonglong{line.end.count()}};
        const QSqlQuery known =
            file.run(QStringLiteral("UPDATE line SET words = ?, was_interrupted = ?, start_ms = ?, end_ms = ?"
                                    " WHERE conversation = ? AND item = ?"),
                said + QVariantList{id, item});
        if (known.numRowsAffected() > 0) {
            return;
        }
        qlonglong place = file.number(
            QStringLiteral("SELECT place FROM line WHERE conversation = ? AND item = ?"), {id, sqlText(nextItemId)});
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
    if (done && head.soundStart) {
        m_sounds.keep(sqlText(head.id));
    }
    return done;
}

Expected<void, Error> SqliteConversationStore::drop(const std::string& id, const std::string& itemId)
{
    if (!m_file.isThere()) {
        return {};
    }
    return changeOrSetAside([&](SqliteConnection& file) {
        file.run(
            QStringLiteral("DELETE FROM line WHERE conversation = ? AND item = ?"), {sqlText(id), sqlText(itemId)});
        file.run(QStringLiteral("DELETE FROM conversation WHERE id = ?"
                                " AND NOT EXISTS (SELECT 1 FROM line WHERE conversation = ?)"),
            {sqlText(id), sqlText(id)});
    });
}

Expected<std::vector<core::SavedConversation>, Error> SqliteConversationStore::find(const std::string& words)
{
    std::vector<core::SavedConversation> found;
    const QStringList queries = queriesOf(words);
    const bool isForAll = sqlText(words).trimmed().isEmpty();
    if (!m_file.isThere() || (queries.isEmpty() && !isForAll)) {
        return found;
    }
    const QString matching =
        QStringLiteral("FROM line WHERE id IN (SELECT rowid FROM line_words WHERE line_words MATCH ?)");
    // Of the lines with its first word, one with all of them tells the most.
    const QString best = queries.size() > 1
        ? QStringLiteral("id IN (SELECT rowid FROM line_words WHERE line_words MATCH ?) DESC, ")
        : QString();
    QString sql = QStringLiteral("SELECT id, started_ms, model,"
                                 " (SELECT max(end_ms) FROM line WHERE conversation = c.id),"
                                 " (SELECT count(*) FROM line WHERE conversation = c.id),"
                                 " (SELECT words %1 AND conversation = c.id ORDER BY %2place LIMIT 1)"
                                 " FROM conversation AS c WHERE EXISTS (SELECT 1 FROM line WHERE conversation = c.id)")
                      .arg(isForAll ? QStringLiteral("FROM line WHERE true") : matching, best);
    QVariantList values;
    if (!isForAll) {
        values += queries.first();
    }
    if (!best.isEmpty()) {
        values += queries.join(QStringLiteral(" AND "));
    }
    for (const QString& query : queries) {
        sql += QStringLiteral(" AND id IN (SELECT conversation ") + matching + QLatin1Char(')');
        values += query;
    }
    sql += QStringLiteral(" ORDER BY started_ms DESC, id");
    const auto read = m_file.read([&](SqliteConnection& file) {
        QSqlQuery rows = file.run(sql, values);
        while (SqliteConnection::hasNext(rows)) {
            core::SavedConversation saved;
            saved.head = {rows.value(0).toString().toStdString(), wallTimeOf(rows.value(1).toLongLong()),
                rows.value(2).toString().toStdString()};
            saved.length = sinceStart(rows.value(3).toLongLong());
            saved.lines = rows.value(4).toInt();
            saved.words = rows.value(5).toString().toStdString();
            found.push_back(std::move(saved));
        }
    });
    if (!read) {
        return core::Unexpected<Error>(read.error());
    }
    return found;
}

Expected<core::Transcript, Error> SqliteConversationStore::open(const std::string& id)
{
    if (!m_file.isThere()) {
        return m_file.failed(QStringLiteral("it is not there"));
    }
    core::Transcript transcript;
    bool isKnown = false;
    const auto read = m_file.read([&](SqliteConnection& file) {
        QSqlQuery head =
            file.run(QStringLiteral("SELECT started_ms, model FROM conversation WHERE id = ?"), {sqlText(id)});
        isKnown = SqliteConnection::hasNext(head);
        if (!isKnown) {
            return;
        }
        transcript.startedAt = wallTimeOf(head.value(0).toLongLong());
        transcript.model = head.value(1).toString().toStdString();
        QSqlQuery rows = file.run(QStringLiteral("SELECT item, is_user, words, was_interrupted, start_ms, end_ms"
                                                 " FROM line WHERE conversation = ? ORDER BY place"),
            {sqlText(id)});
        while (SqliteConnection::hasNext(rows)) {
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
    });
    if (!read) {
        return core::Unexpected<Error>(read.error());
    }
    if (!isKnown) {
        return m_file.failed(QStringLiteral("there is no such conversation"));
    }
    return transcript;
}

bool SqliteConversationStore::isEmpty()
{
    // Also what nobody has words for any more can be deleted.
    if (m_sounds.hasOthers() || m_file.hasAside()) {
        return false;
    }
    if (!m_file.isThere()) {
        return true;
    }
    bool isEmpty = false;
    // What cannot be read is not nothing: it can still be deleted.
    const auto read = m_file.read([&](SqliteConnection& file) {
        isEmpty = file.number(QStringLiteral("SELECT EXISTS (SELECT 1 FROM line)")) == 0;
    });
    return read && isEmpty;
}

Expected<void, Error> SqliteConversationStore::remove(const std::string& id)
{
    if (!m_file.isThere()) {
        return dropSound(id);
    }
    auto done = change([&](SqliteConnection& file) {
        file.run(QStringLiteral("DELETE FROM line WHERE conversation = ?"), {sqlText(id)});
        file.run(QStringLiteral("DELETE FROM conversation WHERE id = ?"), {sqlText(id)});
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
    auto read = m_file.read([&](SqliteConnection& file) {
        try {
            m_isLogToBeCut = !file.cutLog(mayWait);
        } catch (const SqliteFault& fault) {
            throw SqliteFault{QStringLiteral("deleted, but not yet overwritten: ") + fault.why};
        }
    });
    if (read && m_isLogToBeCut) {
        return m_file.failed(QStringLiteral("deleted, but not yet overwritten: another program is reading it"));
    }
    return read;
}

Expected<void, Error> SqliteConversationStore::removeAll()
{
    auto removed = m_file.remove();
    m_isLogToBeCut = m_isLogToBeCut && !removed;
    return removed ? m_sounds.removeAll() : removed;
}

Expected<std::string, Error> SqliteConversationStore::makeSound(const std::string& id, core::SoundFormat format)
{
    const auto made = m_sounds.make(sqlText(id), format);
    if (!made) {
        return core::Unexpected<Error>(made.error());
    }
    return made->toStdString();
}

bool SqliteConversationStore::hasSound(const std::string& id)
{
    return !m_sounds.find(sqlText(id)).isEmpty();
}

std::optional<core::SavedSound> SqliteConversationStore::sound(const std::string& id)
{
    if (!m_file.isThere()) {
        return std::nullopt;
    }
    qlonglong start = -1;
    const auto read = m_file.read([&](SqliteConnection& file) {
        start = file.number(
            QStringLiteral("SELECT sound_ms FROM conversation WHERE id = ? AND sound_ms IS NOT NULL"), {sqlText(id)});
    });
    if (!read || start < 0) {
        return std::nullopt;
    }
    return core::SavedSound{m_sounds.find(sqlText(id)).toStdString(), sinceStart(start)};
}

void SqliteConversationStore::keepSound(const std::string& id)
{
    m_sounds.keep(sqlText(id));
}

Expected<void, Error> SqliteConversationStore::dropSound(const std::string& id)
{
    return m_sounds.remove(sqlText(id));
}

void SqliteConversationStore::dropLostSound()
{
    const QStringList lost = m_sounds.takeLost();
    QStringList kept;
    bool isKnown = false;
    if (!lost.isEmpty() && m_file.isThere()) {
        const auto read = m_file.read([&](SqliteConnection& file) {
            QSqlQuery rows = file.run(QStringLiteral("SELECT id FROM conversation WHERE sound_ms IS NOT NULL"));
            while (SqliteConnection::hasNext(rows)) {
                kept += rows.value(0).toString();
            }
            isKnown = file.number(QStringLiteral("SELECT EXISTS (SELECT 1 FROM conversation)")) == 1;
        });
        isKnown = isKnown && read;
    }
    for (const QString& id : lost) {
        if (kept.contains(id)) {
            m_sounds.keep(id);
        } else if (isKnown) {
            static_cast<void>(m_sounds.remove(id));
        } else {
            // Of an empty file, or none, nobody knows what was in the one before: the sound may be all that is left.
            m_sounds.letGo(id);
        }
    }
}

std::optional<QString> SqliteConversationStore::keepDamaged()
{
    if (!m_file.isThere() || m_file.read([](SqliteConnection&) {}) || !m_file.isDamaged()) {
        return std::nullopt;
    }
    return m_file.setAside();
}

Expected<void, Error> SqliteConversationStore::changeOrSetAside(const std::function<void(SqliteConnection&)>& work)
{
    auto done = change(work);
    if (done || !m_file.isDamaged()) {
        return done;
    }
    const auto place = m_file.setAside();
    if (!place) {
        return done;
    }
    auto failed = m_file.failed(QStringLiteral("it was damaged, and is now ") + *place);
    failed.value().foreignCode = core::history_fault::kSetAside;
    return failed;
}

Expected<void, Error> SqliteConversationStore::change(const std::function<void(SqliteConnection&)>& work)
{
    auto done = m_file.change(work);
    if (done && m_isLogToBeCut) {
        // The change itself is made; should the log still be read, it is cut with one of the next.
        static_cast<void>(cutLog(false));
    }
    return done;
}

} // namespace vivavoce::platform
