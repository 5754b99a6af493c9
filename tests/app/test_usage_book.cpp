#include "app/platform/sqlite_usage_book.h"
#include "tests/app/sqlite_by_hand.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QSqlDatabase>
#include <QSqlQuery>
#include <QTemporaryDir>
#include <QTest>

#include <cstdio>
#include <optional>

using namespace vivavoce;
using namespace vivavoce::core;
using platform::SqliteUsageBook;

namespace {

UsageFigures oneTurn()
{
    UsageFigures figures;
    figures.tokens = {1, 2, 3, 4, 5, 6, 7, 8};
    figures.transcription = {9, Milliseconds{10}};
    figures.connected = Milliseconds{11};
    figures.turns = 1;
    figures.nanoDollars = 12;
    figures.unpriced = 13;
    return figures;
}

UsageRecord record(const std::string& session, const std::string& part, const std::string& day)
{
    return {session, part, day, "https://voice.example", "m", oneTurn(), "2026-10-09"};
}

/// Writes turns for ever, and tells of each when it is written.
int beKilled(const QString& folder, const std::string& session)
{
    SqliteUsageBook book(folder);
    for (int i = 0;; ++i) {
        if (!book.put({record(session, "reply " + std::to_string(i), "2026-11-29")})) {
            return 1;
        }
        std::printf("%d\n", i);
        std::fflush(stdout);
    }
}

} // namespace

class UsageBookTest : public QObject {
    Q_OBJECT

    std::optional<QTemporaryDir> m_place;
    QString m_folder;
    std::optional<SqliteUsageBook> m_book;

    void reopen() { m_book.emplace(m_folder); }
    [[nodiscard]] QString file() const { return m_folder + QStringLiteral("/usage.sqlite3"); }
    [[nodiscard]] UsageSum total(const UsageQuery& query = {})
    {
        const auto sums = m_book->sums(query);
        if (!sums || sums->size() != 1) {
            qFatal("no sum");
        }
        return sums->front();
    }
    /// "2026-11-29:2|…", each with its turns.
    [[nodiscard]] QString turnsBy(UsageGrouping by)
    {
        UsageQuery query;
        query.by = by;
        QStringList all;
        for (const UsageSum& sum : m_book->sums(query).value_or(std::vector<UsageSum>())) {
            all += QString::fromStdString(sum.key) + QLatin1Char(':') + QString::number(sum.figures.turns);
        }
        return all.join(QLatin1Char('|'));
    }
    void byHand(const QStringList& statements) const { tests::changeByHand(file(), statements); }

private Q_SLOTS:
    void init()
    {
        m_book.reset();
        m_place.emplace();
        m_folder = m_place->filePath(QStringLiteral("share/vivavoce/usage"));
        reopen();
    }

    void nothing_IsMadeBeforeSomethingIsPut()
    {
        QVERIFY(total().figures == UsageFigures());
        QCOMPARE(turnsBy(UsageGrouping::Day), QString());
        QVERIFY(m_book->put({}).has_value());
        QVERIFY(m_book->clear().has_value());
        QVERIFY(!QFileInfo::exists(m_place->filePath(QStringLiteral("share"))));
    }

    void everyFigure_ComesBackAsItWas()
    {
        QVERIFY(m_book->put({record("s", "reply 1", "2026-11-29")}).has_value());
        reopen();
        const UsageSum sum = total();
        QVERIFY(sum.figures == oneTurn());
        QCOMPARE(sum.sessions, 1);
        QCOMPARE(sum.oldestPrices, std::string("2026-10-09"));
        QCOMPARE(sum.newestPrices, std::string("2026-10-09"));
    }

    void parts_SumUpToTheWhole()
    {
        for (const char* day : {"2026-10-31", "2026-11-01", "2026-11-29", "2026-11-30", "2026-12-01"}) {
            for (const char* session : {"a", "b"}) {
                QVERIFY(m_book->put({record(session, std::string("reply ") + day, day)}).has_value());
            }
        }
        QCOMPARE(turnsBy(UsageGrouping::Day),
            QStringLiteral("2026-12-01:2|2026-11-30:2|2026-11-29:2|2026-11-01:2|2026-10-31:2"));
        QCOMPARE(turnsBy(UsageGrouping::Month), QStringLiteral("2026-12:2|2026-11:6|2026-10:2"));
        QCOMPARE(turnsBy(UsageGrouping::Session), QStringLiteral("b:5|a:5"));
        QCOMPARE(turnsBy(UsageGrouping::Model), QStringLiteral("m:10"));
        for (const auto by : {UsageGrouping::Day, UsageGrouping::Month, UsageGrouping::Session, UsageGrouping::Model}) {
            UsageQuery query;
            query.by = by;
            const auto sums = m_book->sums(query);
            QVERIFY(sums.has_value());
            UsageFigures whole;
            for (const UsageSum& sum : *sums) {
                whole += sum.figures;
            }
            QVERIFY(whole == total().figures);
        }
        UsageQuery november;
        november.from = "2026-11-01";
        november.to = "2026-11-30";
        QCOMPARE(total(november).figures.turns, 6);
        QCOMPARE(total(november).sessions, 2);
        november.to = "2026-11-29";
        QCOMPARE(total(november).figures.turns, 4);
        UsageQuery newest;
        newest.by = UsageGrouping::Day;
        newest.most = 1;
        QCOMPARE(m_book->sums(newest)->size(), std::size_t{1});
    }

    void figures_AreOfWhomOneAsks()
    {
        UsageRecord elsewhere = record("c", "reply 1", "2026-11-29");
        elsewhere.broker = "https://other.example";
        QVERIFY(m_book->put({record("a", "reply 1", "2026-11-29"), record("b", "reply 1", "2026-11-29"), elsewhere})
                    .has_value());
        UsageQuery query;
        query.broker = "https://voice.example";
        QCOMPARE(total(query).figures.turns, 2);
        query.session = "a";
        QCOMPARE(total(query).figures.turns, 1);
        query.session = "c";
        QCOMPARE(total(query).figures.turns, 0);
        query.session = "a' OR '1'='1";
        QCOMPARE(total(query).figures.turns, 0);
        query.broker = "";
        query.session.reset();
        QCOMPARE(total(query).figures.turns, 0);
    }

    void partToldAgain_CountsOnce_AndStaysInItsDay()
    {
        QVERIFY(m_book->put({record("s", "connection", "2026-11-29")}).has_value());
        UsageRecord grown = record("s", "connection", "2026-11-30");
        grown.figures.connected = Milliseconds{500};
        QVERIFY(m_book->put({grown}).has_value());
        QCOMPARE(total().figures.connected.count(), 500);
        QCOMPARE(total().figures.turns, 1);
        QCOMPARE(turnsBy(UsageGrouping::Day), QStringLiteral("2026-11-29:1"));
    }

    void prices_AreToldFromTheOldestToTheNewest()
    {
        UsageRecord newer = record("s", "reply 2", "2026-11-30");
        newer.pricesFrom = "2026-11-30";
        UsageRecord without = record("s", "reply 3", "2026-11-30");
        without.pricesFrom = "";
        QVERIFY(m_book->put({record("s", "reply 1", "2026-11-29"), newer, without}).has_value());
        QCOMPARE(total().oldestPrices, std::string("2026-10-09"));
        QCOMPARE(total().newestPrices, std::string("2026-11-30"));
        QVERIFY(m_book->clear().has_value());
        QVERIFY(m_book->put({without}).has_value());
        QCOMPARE(total().oldestPrices, std::string());
    }

    void latestSession_IsTheFirst()
    {
        QVERIFY(m_book->put({record("z", "reply 1", "2026-11-29")}).has_value());
        QVERIFY(m_book->put({record("a", "reply 1", "2026-11-29")}).has_value());
        QCOMPARE(turnsBy(UsageGrouping::Session), QStringLiteral("a:1|z:1"));
        QVERIFY(m_book->put({record("z", "reply 2", "2026-11-29")}).has_value());
        QCOMPARE(turnsBy(UsageGrouping::Session), QStringLiteral("z:2|a:1"));
    }

    void twoWhoWriteAtOnce_LoseNothing()
    {
        SqliteUsageBook other(m_folder);
        for (int i = 0; i < 20; ++i) {
            const std::string part = "reply " + std::to_string(i);
            QVERIFY(m_book->put({record("a", part, "2026-11-29")}).has_value());
            QVERIFY(other.put({record("b", part, "2026-11-29")}).has_value());
        }
        QCOMPARE(total().figures.turns, 40);
        QCOMPARE(other.sums({})->front().figures.turns, 40);
    }

    void fileThatSomebodyHolds_IsAnError_AndWorksAfterwards()
    {
        QVERIFY(m_book->put({record("s", "reply 1", "2026-11-29")}).has_value());
        {
            QSqlDatabase database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), QStringLiteral("holder"));
            database.setDatabaseName(file());
            QVERIFY(database.open());
            QVERIFY(QSqlQuery(database).exec(QStringLiteral("BEGIN IMMEDIATE")));
            const auto put = m_book->put({record("s", "reply 2", "2026-11-29")});
            QVERIFY(!put.has_value());
            QCOMPARE(put.error().code, ErrorCode::HistoryFailed);
            // What is there can be read meanwhile.
            QCOMPARE(total().figures.turns, 1);
        }
        QSqlDatabase::removeDatabase(QStringLiteral("holder"));
        QVERIFY(m_book->put({record("s", "reply 2", "2026-11-29")}).has_value());
        QCOMPARE(total().figures.turns, 2);
    }

    void killedProgram_LosesNoTurn()
    {
        QProcess child;
        child.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--keep"), m_folder});
        QByteArray told;
        while (told.count('\n') < 20) {
            QVERIFY(child.waitForReadyRead(20'000));
            told += child.readAllStandardOutput();
            // Another one writes at the same time; it may have to wait, and try again.
            static_cast<void>(m_book->put({record("mine", "reply 1", "2026-11-29")}));
        }
        child.kill();
        QVERIFY(child.waitForFinished());
        told += child.readAllStandardOutput();
        const auto lines = told.count('\n');
        reopen();
        UsageQuery query;
        query.session = "killed";
        const auto kept = total(query).figures.turns;
        // The one that it was about to tell of may be there too.
        QVERIFY2(kept == lines || kept == lines + 1, qPrintable(QStringLiteral("%1 of %2").arg(kept).arg(lines)));
    }

    void oldFigures_AreForgotten()
    {
        QVERIFY(m_book->put({record("s", "old", "2025-10-18"), record("s", "kept", "2025-10-19")}).has_value());
        reopen();
        for (int day = 23; day < 29; ++day) {
            const std::string date = "2026-11-" + std::to_string(day);
            QVERIFY(m_book->put({record("s", date, date)}).has_value());
        }
        QVERIFY(turnsBy(UsageGrouping::Day).endsWith(QStringLiteral("2025-10-19:1|2025-10-18:1")));
        QVERIFY(m_book->put({record("s", "new", "2026-11-29")}).has_value());
        QVERIFY(turnsBy(UsageGrouping::Day).endsWith(QStringLiteral("2026-11-23:1|2025-10-19:1")));
    }

    void clockThatIsYearsAhead_TakesNothingAway()
    {
        const QStringList real{
            QStringLiteral("2026-11-20"), QStringLiteral("2026-11-25"), QStringLiteral("2026-11-29")};
        for (const QString& day : real) {
            QVERIFY(m_book->put({record("s", day.toStdString(), day.toStdString())}).has_value());
        }
        for (const char* day : {"2031-01-01", "2031-01-02"}) {
            QVERIFY(m_book->put({record("s", day, day)}).has_value());
            reopen();
            QVERIFY(m_book->put({record("s", std::string(day) + " again", day)}).has_value());
        }
        // It is right again.
        QVERIFY(m_book->put({record("s", "right", "2026-11-29")}).has_value());
        QCOMPARE(turnsBy(UsageGrouping::Day),
            QStringLiteral("2031-01-02:2|2031-01-01:2|2026-11-29:2|2026-11-25:1|2026-11-20:1"));
    }

    void clear_LeavesNoFile_AndBeginsAnew()
    {
        QVERIFY(m_book->put({record("s", "reply 1", "2026-11-29")}).has_value());
        QVERIFY(m_book->clear().has_value());
        QVERIFY(QDir(m_folder).isEmpty(QDir::Files | QDir::Hidden));
        QCOMPARE(total().figures.turns, 0);
        QVERIFY(m_book->put({record("s", "reply 2", "2026-11-29")}).has_value());
        QCOMPARE(total().figures.turns, 1);
    }

    void figuresThatAnotherProgramHasCleared_AreCountedInItsNewFile()
    {
        SqliteUsageBook other(m_folder);
        QVERIFY(other.put({record("other", "reply 1", "2026-11-29")}).has_value());
        QVERIFY(m_book->clear().has_value());
        QVERIFY(m_book->put({record("mine", "reply 1", "2026-11-29")}).has_value());
        QCOMPARE(other.sums({})->front().figures.turns, 1);
        QVERIFY(other.put({record("other", "reply 2", "2026-11-29")}).has_value());
        QVERIFY(m_book->put({record("mine", "reply 2", "2026-11-29")}).has_value());
        QCOMPARE(total().figures.turns, 3);
        reopen();
        QCOMPARE(total().figures.turns, 3);
    }

    void damagedFile_IsAnError_AndCanBeCleared()
    {
        QVERIFY(QDir().mkpath(m_folder));
        QFile damaged(file());
        QVERIFY(damaged.open(QIODevice::WriteOnly));
        QVERIFY(damaged.write(QByteArray(8'192, 'x')) > 0);
        damaged.close();
        QVERIFY(!m_book->put({record("s", "reply 1", "2026-11-29")}).has_value());
        QVERIFY(!m_book->sums({}).has_value());
        QVERIFY(m_book->clear().has_value());
        QVERIFY(m_book->put({record("s", "reply 1", "2026-11-29")}).has_value());
    }

    void newerFile_IsLeftAlone()
    {
        QVERIFY(m_book->put({record("s", "reply 1", "2026-11-29")}).has_value());
        m_book.reset();
        byHand({QStringLiteral("PRAGMA user_version=99")});
        reopen();
        const auto put = m_book->put({record("s", "reply 2", "2026-11-29")});
        QVERIFY(!put.has_value());
        QVERIFY(put.error().detail.find("newer version") != std::string::npos);
        byHand({QStringLiteral("PRAGMA user_version=1")});
        QCOMPARE(total().figures.turns, 1);
    }

    void files_AreTheirUsersAlone()
    {
#ifdef Q_OS_UNIX
        constexpr auto kOthers = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
        QVERIFY(m_book->put({record("s", "reply 1", "2026-11-29")}).has_value());
        QCOMPARE(QFileInfo(m_folder).permissions() & kOthers, QFile::Permissions());
        for (const QFileInfo& each : QDir(m_folder).entryInfoList(QDir::Files)) {
            QVERIFY2(!(each.permissions() & kOthers), qPrintable(each.filePath()));
        }
#else
        QSKIP("no such permissions here");
#endif
    }
};

int main(int argc, char** argv)
{
    QCoreApplication application(argc, argv);
    if (argc == 3 && qstrcmp(argv[1], "--keep") == 0) {
        return beKilled(QString::fromLocal8Bit(argv[2]), "killed");
    }
    UsageBookTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_usage_book.moc"
