#include "app/platform/sqlite_usage_book.h"

#include "app/platform/sqlite_connection.h"

#include <QSqlQuery>
#include <QStandardPaths>
#include <QVariant>

#include <utility>

namespace vivavoce::platform {
namespace {

using core::Error;
using core::Expected;
using core::UsageFigures;

/// Of at most 400 days, as long as brokers keep theirs. They are counted from the seventh newest day on which anything was used: the newest ones
/// may be a wrong clock's.
QString sqlToForget()
{
    return QStringLiteral("DELETE FROM part WHERE day < (SELECT date(day, '-400 days') FROM"
                          " (SELECT DISTINCT day FROM part ORDER BY day DESC LIMIT 1 OFFSET 6))");
}

const SqliteFile::Steps& migrations()
{
    static const SqliteFile::Steps steps{QStringList{
        QStringLiteral(
            "CREATE TABLE part(session TEXT NOT NULL, part TEXT NOT NULL, day TEXT NOT NULL, broker TEXT NOT NULL,"
            " model TEXT NOT NULL, prices_from TEXT NOT NULL, text_in INTEGER NOT NULL, audio_in INTEGER NOT NULL,"
            " image_in INTEGER NOT NULL, cached_text_in INTEGER NOT NULL, cached_audio_in INTEGER NOT NULL,"
            " cached_image_in INTEGER NOT NULL, text_out INTEGER NOT NULL, audio_out INTEGER NOT NULL,"
            " words_tokens INTEGER NOT NULL, words_ms INTEGER NOT NULL, connected_ms INTEGER NOT NULL,"
            " turns INTEGER NOT NULL, nano_dollars INTEGER NOT NULL, unpriced INTEGER NOT NULL,"
            " PRIMARY KEY(session, part))"),
        QStringLiteral("CREATE INDEX part_day ON part(day)")}};
    return steps;
}

/// In the order of valuesOf and figuresOf.
const QStringList& columns()
{
    static const QStringList all = QStringLiteral("text_in audio_in image_in cached_text_in cached_audio_in"
                                                  " cached_image_in text_out audio_out words_tokens words_ms"
                                                  " connected_ms turns nano_dollars unpriced")
                                       .split(QLatin1Char(' '));
    return all;
}

QVariantList valuesOf(const UsageFigures& figures)
{
    const core::UsageTally& tokens = figures.tokens;
    QVariantList values;
    for (const std::int64_t value : {tokens.textIn, tokens.audioIn, tokens.imageIn, tokens.cachedTextIn,
             tokens.cachedAudioIn, tokens.cachedImageIn, tokens.textOut, tokens.audioOut, figures.transcription.tokens,
             std::int64_t{figures.transcription.time.count()}, std::int64_t{figures.connected.count()}, figures.turns,
             figures.nanoDollars, figures.unpriced}) {
        values += static_cast<qlonglong>(value);
    }
    return values;
}

UsageFigures figuresOf(const QSqlQuery& row, int first)
{
    const auto next = [&row, &first] { return static_cast<std::int64_t>(row.value(first++).toLongLong()); };
    UsageFigures figures;
    core::UsageTally& tokens = figures.tokens;
    for (std::int64_t* const value :
        {&tokens.textIn, &tokens.audioIn, &tokens.imageIn, &tokens.cachedTextIn, &tokens.cachedAudioIn,
            &tokens.cachedImageIn, &tokens.textOut, &tokens.audioOut, &figures.transcription.tokens}) {
        *value = next();
    }
    figures.transcription.time = core::Milliseconds{next()};
    figures.connected = core::Milliseconds{next()};
    for (std::int64_t* const value : {&figures.turns, &figures.nanoDollars, &figures.unpriced}) {
        *value = next();
    }
    return figures;
}

struct Grouped {
    QString key;
    QString order;
};

Grouped groupedBy(core::UsageGrouping by)
{
    using By = core::UsageGrouping;
    switch (by) {
    case By::Day:
        return {QStringLiteral("day"), QStringLiteral("day DESC")};
    case By::Month:
        return {QStringLiteral("substr(day, 1, 7)"), QStringLiteral("1 DESC")};
    case By::Model:
        return {QStringLiteral("model"), QStringLiteral("sum(nano_dollars) DESC, model")};
    case By::Session:
        return {QStringLiteral("session"), QStringLiteral("max(rowid) DESC")};
    case By::All:
        break;
    }
    return {QStringLiteral("''"), {}};
}

/// " WHERE …", and what belongs into it.
QString conditionOf(const core::UsageQuery& query, QVariantList& values)
{
    QString condition = QStringLiteral(" WHERE true");
    const auto narrow = [&](const char* part, const std::string& value) {
        condition += QLatin1String(part);
        values += sqlText(value);
    };
    if (!query.from.empty()) {
        narrow(" AND day >= ?", query.from);
    }
    if (!query.to.empty()) {
        narrow(" AND day <= ?", query.to);
    }
    if (query.broker) {
        narrow(" AND broker = ?", *query.broker);
    }
    if (query.session) {
        narrow(" AND session = ?", *query.session);
    }
    return condition;
}

} // namespace

SqliteUsageBook::SqliteUsageBook(QString folder)
    : m_file(std::move(folder), QStringLiteral("usage.sqlite3"), migrations())
{
}

QString SqliteUsageBook::defaultFolder()
{
    return QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation) + QStringLiteral("/vivavoce/usage");
}

Expected<void, Error> SqliteUsageBook::put(const std::vector<core::UsageRecord>& records)
{
    if (records.empty()) {
        return {};
    }
    if (auto made = m_file.make(); !made) {
        return made;
    }
    const QString today = sqlText(records.back().day);
    QStringList updates;
    for (const QString& column : QStringList{QStringLiteral("model"), QStringLiteral("prices_from")} + columns()) {
        updates += column + QStringLiteral(" = excluded.") + column;
    }
    const QString sql = QStringLiteral("INSERT INTO part(session, part, day, broker, model, prices_from, ")
        + columns().join(QStringLiteral(", ")) + QStringLiteral(") VALUES (?, ?, ?, ?, ?, ?")
        + QStringLiteral(", ?").repeated(columns().size())
        + QStringLiteral(") ON CONFLICT(session, part) DO UPDATE SET ") + updates.join(QStringLiteral(", "));
    auto done = m_file.change([&](SqliteConnection& file) {
        for (const core::UsageRecord& record : records) {
            file.run(sql,
                QVariantList{sqlText(record.session), sqlText(record.part), sqlText(record.day), sqlText(record.broker),
                    sqlText(record.model), sqlText(record.pricesFrom)}
                    + valuesOf(record.figures));
        }
        if (m_forgotten != today) {
            file.run(sqlToForget());
        }
    });
    m_forgotten = done ? today : m_forgotten;
    return done;
}

Expected<std::vector<core::UsageSum>, Error> SqliteUsageBook::sums(const core::UsageQuery& query)
{
    std::vector<core::UsageSum> sums;
    const bool isForAll = query.by == core::UsageGrouping::All;
    if (!m_file.isThere()) {
        return isForAll ? std::vector<core::UsageSum>(1) : sums;
    }
    const Grouped grouped = groupedBy(query.by);
    QVariantList values;
    QString sql = QStringLiteral("SELECT %1, count(DISTINCT session), coalesce(min(nullif(prices_from, '')), ''),"
                                 " coalesce(max(prices_from), '')")
                      .arg(grouped.key);
    for (const QString& column : columns()) {
        sql += QStringLiteral(", coalesce(sum(%1), 0)").arg(column);
    }
    sql += QStringLiteral(" FROM part") + conditionOf(query, values);
    if (!isForAll) {
        sql += QStringLiteral(" GROUP BY 1 ORDER BY %1 LIMIT %2").arg(grouped.order).arg(query.most);
    }
    const auto read = m_file.read([&](SqliteConnection& file) {
        constexpr int kFirstFigure = 4;
        QSqlQuery rows = file.run(sql, values);
        while (SqliteConnection::hasNext(rows)) {
            core::UsageSum sum;
            sum.key = rows.value(0).toString().toStdString();
            sum.sessions = rows.value(1).toLongLong();
            sum.oldestPrices = rows.value(2).toString().toStdString();
            sum.newestPrices = rows.value(3).toString().toStdString();
            sum.figures = figuresOf(rows, kFirstFigure);
            sums.push_back(std::move(sum));
        }
    });
    if (!read) {
        return core::Unexpected<Error>(read.error());
    }
    return sums;
}

Expected<void, Error> SqliteUsageBook::clear()
{
    return m_file.remove();
}

} // namespace vivavoce::platform
