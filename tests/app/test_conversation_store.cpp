#include "app/platform/sqlite_conversation_store.h"
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
#include <memory>
#include <optional>

#ifdef Q_OS_UNIX
#include <signal.h>
#include <sys/resource.h>
#endif

using namespace vivavoce;
using namespace vivavoce::core;
using platform::SqliteConversationStore;

namespace {

constexpr auto kOthers =
    QFile::ReadGroup | QFile::WriteGroup | QFile::ExeGroup | QFile::ReadOther | QFile::WriteOther | QFile::ExeOther;

TranscriptLine line(const char* id, const std::string& text, Speaker speaker = Speaker::User, int startMs = 0)
{
    TranscriptLine made;
    made.entry = {id, speaker, text, true, false};
    made.start = Milliseconds{startMs};
    made.end = Milliseconds{startMs + 500};
    return made;
}

ConversationHead head(const char* id, int second = 0)
{
    return {id, WallTime{std::chrono::seconds{1'800'000'000 + second}}, "gpt-realtime"};
}

QStringList found(SqliteConversationStore& store, const char* words)
{
    const auto all = store.find(words);
    if (!all) {
        return {QString::fromStdString(all.error().detail)};
    }
    QStringList ids;
    for (const SavedConversation& saved : *all) {
        ids += QString::fromStdString(saved.head.id);
    }
    return ids;
}

/// "text|text".
QString said(SqliteConversationStore& store, const char* id)
{
    const auto opened = store.open(id);
    if (!opened) {
        return QString::fromStdString(opened.error().detail);
    }
    QStringList texts;
    for (const TranscriptLine& each : opened->lines) {
        texts += QString::fromStdString(each.entry.text);
    }
    return texts.join(QLatin1Char('|'));
}

QByteArray allBytes(const QString& folder)
{
    QByteArray bytes;
    for (const QFileInfo& entry : QDir(folder).entryInfoList(QDir::Files)) {
        QFile file(entry.filePath());
        if (file.open(QIODevice::ReadOnly)) {
            bytes += file.readAll();
        }
    }
    return bytes;
}

/// Keeps lines for ever, and tells of each when it is kept.
int beKilled(const QString& folder)
{
    SqliteConversationStore store(folder);
    for (int i = 0;; ++i) {
        const std::string id = "i" + std::to_string(i);
        if (!store.put(head("killed"), line(id.c_str(), "line " + std::to_string(i)), {})) {
            return 1;
        }
        std::printf("%d\n", i);
        std::fflush(stdout);
    }
}

} // namespace

class ConversationStoreTest : public QObject {
    Q_OBJECT

    std::optional<QTemporaryDir> m_place;
    QString m_folder;
    std::optional<SqliteConversationStore> m_store;

    void reopen() { m_store.emplace(m_folder); }
    [[nodiscard]] QString file() const { return m_folder + QStringLiteral("/conversations.sqlite3"); }
    /// As another program has it open.
    void byHand(const QStringList& statements) const { tests::changeByHand(file(), statements); }

private Q_SLOTS:
    void init()
    {
        m_store.reset();
        m_place.emplace();
        m_folder = m_place->filePath(QStringLiteral("share/vivavoce/conversations"));
        reopen();
    }

    void nothing_IsMadeBeforeSomethingIsPut()
    {
        QVERIFY(m_store->isEmpty());
        QCOMPARE(found(*m_store, "x"), QStringList());
        QVERIFY(!m_store->open("x").has_value());
        QVERIFY(m_store->remove("x").has_value());
        QVERIFY(m_store->drop("x", "y").has_value());
        QVERIFY(m_store->removeAll().has_value());
        QVERIFY(!QFileInfo::exists(m_place->filePath(QStringLiteral("share"))));
    }

    void conversation_ComesBackAsItWas()
    {
        TranscriptLine cut = line("r", "It is nine o'clock.", Speaker::Assistant, 1'000);
        cut.entry.wasInterrupted = true;
        cut.entry.heardBytes = 10;
        QVERIFY(m_store->put(head("c"), line("q", "Wann? \"Grüße\" '; DROP TABLE line; --"), {}).has_value());
        QVERIFY(m_store->put(head("c"), cut, {}).has_value());
        reopen();
        const auto opened = m_store->open("c");
        QVERIFY(opened.has_value());
        QVERIFY(opened->startedAt == head("c").startedAt);
        QCOMPARE(opened->model, std::string("gpt-realtime"));
        QCOMPARE(opened->lines.size(), std::size_t{2});
        QVERIFY(opened->lines[0] == line("q", "Wann? \"Grüße\" '; DROP TABLE line; --"));
        // Of what was not heard nothing is kept.
        QCOMPARE(opened->lines[1].entry.text, std::string("It is nine"));
        QVERIFY(opened->lines[1].entry.wasInterrupted);
        QCOMPARE(opened->lines[1].entry.speaker, Speaker::Assistant);
        QCOMPARE(opened->lines[1].end.count(), 1'500);
        QVERIFY(!allBytes(m_folder).contains("clock"));
    }

    void lines_AreInTheirOrder_AndChange()
    {
        QVERIFY(m_store->put(head("c"), line("b", "two"), {}).has_value());
        QVERIFY(m_store->put(head("c"), line("d", "four"), "unknown").has_value());
        QVERIFY(m_store->put(head("c"), line("c", "three"), "d").has_value());
        QVERIFY(m_store->put(head("c"), line("a", "one"), "b").has_value());
        QVERIFY(m_store->put(head("c"), line("b", "TWO"), {}).has_value());
        QCOMPARE(said(*m_store, "c"), QStringLiteral("one|TWO|three|four"));
        QCOMPARE(found(*m_store, "two"), QStringList{QStringLiteral("c")});
        QVERIFY(m_store->put(head("c"), line("b", "zwei"), {}).has_value());
        QCOMPARE(found(*m_store, "two"), QStringList());
        QVERIFY(m_store->drop("c", "c").has_value());
        QCOMPARE(said(*m_store, "c"), QStringLiteral("one|zwei|four"));
    }

    void list_HasTheNewestFirst_WithWhatItGoesBy()
    {
        QVERIFY(m_store->put(head("old", 1), line("a", "first words"), {}).has_value());
        QVERIFY(m_store->put(head("old", 1), line("b", "last", Speaker::Assistant, 9'000), {}).has_value());
        QVERIFY(m_store->put(head("new", 2), line("a", "newer"), {}).has_value());
        const auto all = m_store->find("  ");
        QVERIFY(all.has_value());
        QCOMPARE(all->size(), std::size_t{2});
        QCOMPARE(all->at(0).head.id, std::string("new"));
        QCOMPARE(all->at(1).words, std::string("first words"));
        QCOMPARE(all->at(1).lines, 2);
        QCOMPARE(all->at(1).length.count(), 9'500);
        QVERIFY(!m_store->isEmpty());
        // Without its lines there is nothing to show of it.
        QVERIFY(m_store->drop("new", "a").has_value());
        QCOMPARE(found(*m_store, ""), QStringList{QStringLiteral("old")});
        QVERIFY(!m_store->open("new").has_value());
        QVERIFY(m_store->drop("old", "a").has_value());
        QVERIFY(!m_store->isEmpty());
        QVERIFY(m_store->drop("old", "b").has_value());
        QVERIFY(m_store->isEmpty());
    }

    void search_TakesWhatPeopleType_data()
    {
        QTest::addColumn<QByteArray>("words");
        QTest::addColumn<bool>("isFound");
        const auto row = [](const char* words, bool isFound) { QTest::newRow(words) << QByteArray(words) << isFound; };
        row("mountain", true);
        row("MOUNT", true);
        row("ountain", false);
        row("mountain kölle", true);
        row("mountain nothing", false);
        row("köln", true);
        row("Koln", true);
        row("KÖLLE", true);
        row("don't", true);
        row("\"tallest", true);
        row("\"tallest mountain\"", true);
        row("tallest\" OR \"nothing", false);
        row("NOT mountain", false);
        row("mountain AND tallest", true);
        row("nothing OR mountain", false);
        row("NEAR(mountain tallest)", false);
        row("words:mountain", false);
        row("mountain*", true);
        row("^mountain", true);
        row("mountain - + ( ) : ; \\ %", true);
        row("' OR 1=1 --", false);
        row("\"", false);
        row("***", false);
        row("%", false);
        row("4,806", true);
        row("C++", true);
    }

    void search_TakesWhatPeopleType()
    {
        QFETCH(QByteArray, words);
        QFETCH(bool, isFound);
        QVERIFY(m_store->put(head("c"), line("a", "The tallest MOUNTAIN, and 4,806 metres? Don't ask in C++."), {})
                    .has_value());
        // Not all need to be in one line.
        QVERIFY(m_store->put(head("c"), line("b", "Köln, in Kölle."), {}).has_value());
        QVERIFY(m_store->put(head("other"), line("a", "something else"), {}).has_value());
        QCOMPARE(found(*m_store, words.constData()), isFound ? QStringList{QStringLiteral("c")} : QStringList());
    }

    void search_ShowsTheLineThatWasLookedFor()
    {
        QVERIFY(m_store->put(head("c"), line("a", "hello"), {}).has_value());
        QVERIFY(m_store->put(head("c"), line("b", "the weather"), {}).has_value());
        QCOMPARE(m_store->find("weath")->at(0).words, std::string("the weather"));
        QCOMPARE(m_store->find("")->at(0).words, std::string("hello"));
    }

    void search_ShowsALineWithAllOfTheWords_WhereThereIsOne()
    {
        for (const auto& [id, words] : {std::pair("a", "number 0"), std::pair("b", "899 of them"),
                 std::pair("c", "number 899"), std::pair("d", "number 899 again")}) {
            QVERIFY(m_store->put(head("c"), line(id, words), {}).has_value());
        }
        QCOMPARE(m_store->find("number 899")->at(0).words, std::string("number 899"));
        QCOMPARE(m_store->find("number them")->at(0).words, std::string("number 0"));
    }

    void deletedConversation_LeavesNoWordBehind()
    {
        QVERIFY(m_store->put(head("c"), line("a", "Rumpelstilzchen"), {}).has_value());
        QVERIFY(m_store->put(head("d"), line("a", "Dornroeschen"), {}).has_value());
        QVERIFY(allBytes(m_folder).contains("Rumpelstilzchen"));
        QVERIFY(m_store->remove("c").has_value());
        QCOMPARE(found(*m_store, ""), QStringList{QStringLiteral("d")});
        const QByteArray left = allBytes(m_folder).toLower();
        QVERIFY(!left.contains("rumpelstilzchen"));
        QVERIFY(left.contains("dornroeschen"));
        QVERIFY(m_store->remove("c").has_value());
    }

    void deletionBesideSomebodyWhoReads_IsToldAsNotYetOverwritten()
    {
        QVERIFY(m_store->put(head("c"), line("a", "Rumpelstilzchen"), {}).has_value());
        QVERIFY(m_store->put(head("d"), line("a", "one"), {}).has_value());
        {
            QSqlDatabase reader = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), QStringLiteral("reader"));
            reader.setDatabaseName(file());
            QVERIFY(reader.open());
            QSqlQuery rows(reader);
            QVERIFY(rows.exec(QStringLiteral("BEGIN")));
            QVERIFY(rows.exec(QStringLiteral("SELECT words FROM line")));
            QVERIFY(rows.next());
            const auto removed = m_store->remove("c");
            QVERIFY(!removed.has_value());
            QCOMPARE(removed.error().code, ErrorCode::HistoryFailed);
            QVERIFY2(removed.error().detail.find("deleted, but not yet overwritten") != std::string::npos,
                removed.error().detail.c_str());
            QCOMPARE(found(*m_store, ""), QStringList{QStringLiteral("d")});
            // What is said meanwhile is kept all the same.
            QVERIFY(m_store->put(head("d"), line("b", "two"), {}).has_value());
            QVERIFY(allBytes(m_folder).contains("Rumpelstilzchen"));
        }
        QSqlDatabase::removeDatabase(QStringLiteral("reader"));
        QVERIFY(m_store->put(head("d"), line("c", "three"), {}).has_value());
        QVERIFY(!allBytes(m_folder).toLower().contains("rumpelstilzchen"));
        QCOMPARE(said(*m_store, "d"), QStringLiteral("one|two|three"));
    }

    void removeAll_LeavesNoFile_AndBeginsAnew()
    {
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
        QVERIFY(m_store->removeAll().has_value());
        QVERIFY(QDir(m_folder).isEmpty(QDir::Files | QDir::Hidden));
        QVERIFY(m_store->isEmpty());
        QVERIFY(m_store->put(head("d"), line("a", "two"), {}).has_value());
        QCOMPARE(found(*m_store, ""), QStringList{QStringLiteral("d")});
    }

    void fileThatSomebodyDeletes_IsMadeAnew()
    {
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
        QVERIFY(QDir(m_folder).removeRecursively());
        QVERIFY(m_store->isEmpty());
        QVERIFY(m_store->put(head("c"), line("b", "two"), {}).has_value());
        reopen();
        QCOMPARE(said(*m_store, "c"), QStringLiteral("two"));
    }

    void files_AreTheirUsersAlone()
    {
#ifdef Q_OS_UNIX
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
        const auto look = [this] {
            QCOMPARE(QFileInfo(m_folder).permissions() & kOthers, QFile::Permissions());
            const auto files = QDir(m_folder).entryInfoList(QDir::Files);
            QVERIFY(files.size() >= 2);
            for (const QFileInfo& each : files) {
                QVERIFY2(!(each.permissions() & kOthers), qPrintable(each.filePath()));
            }
        };
        look();
        // As they are after somebody has put them back from a backup.
        m_store.reset();
        QVERIFY(QFile::setPermissions(file(), QFile::ReadOwner | QFile::WriteOwner | QFile::ReadOther));
        QVERIFY(QFile::setPermissions(m_folder, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner | kOthers));
        reopen();
        QVERIFY(m_store->put(head("c"), line("b", "two"), {}).has_value());
        look();
#else
        QSKIP("no such permissions here");
#endif
    }

    void killedProgram_LosesNoLineThatWasKept()
    {
        QProcess child;
        child.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--keep"), m_folder});
        QByteArray told;
        while (told.count('\n') < 20) {
            QVERIFY(child.waitForReadyRead(20'000));
            told += child.readAllStandardOutput();
        }
        child.kill();
        QVERIFY(child.waitForFinished());
        QCOMPARE(child.exitStatus(), QProcess::CrashExit);
        told += child.readAllStandardOutput();
        const auto lines = told.count('\n');
        const auto opened = m_store->open("killed");
        QVERIFY2(opened.has_value(), opened ? "" : opened.error().detail.c_str());
        const auto kept = static_cast<qsizetype>(opened->lines.size());
        // The one that it was about to tell of may be there too.
        QVERIFY2(kept == lines || kept == lines + 1, qPrintable(QStringLiteral("%1 of %2").arg(kept).arg(lines)));
        QCOMPARE(opened->lines.back().entry.text, "line " + std::to_string(kept - 1));
        QCOMPARE(found(*m_store, "line"), QStringList{QStringLiteral("killed")});
        QVERIFY(m_store->put(head("killed"), line("after", "life goes on"), {}).has_value());
    }

    void olderFile_IsBroughtUpToDate()
    {
        QVERIFY(QDir().mkpath(m_folder));
        byHand({QStringLiteral("CREATE TABLE conversation(id TEXT PRIMARY KEY NOT NULL, started_ms INTEGER NOT NULL,"
                               " model TEXT NOT NULL)"),
            QStringLiteral(
                "CREATE TABLE line(id INTEGER PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversation(id),"
                " item TEXT NOT NULL, place INTEGER NOT NULL, is_user INTEGER NOT NULL, words TEXT NOT NULL,"
                " was_interrupted INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,"
                " UNIQUE(conversation, item))"),
            QStringLiteral("CREATE INDEX line_place ON line(conversation, place)"),
            QStringLiteral("CREATE INDEX conversation_start ON conversation(started_ms)"),
            QStringLiteral("INSERT INTO conversation VALUES('c', 1800000000000, 'm')"),
            QStringLiteral("INSERT INTO line VALUES(1, 'c', 'a', 1, 1, 'from before', 0, 0, 10)"),
            QStringLiteral("PRAGMA user_version=1")});
        QCOMPARE(found(*m_store, "before"), QStringList{QStringLiteral("c")});
        QVERIFY(m_store->put(head("c"), line("b", "from now"), {}).has_value());
        reopen();
        QCOMPARE(said(*m_store, "c"), QStringLiteral("from before|from now"));
        QCOMPARE(found(*m_store, "now"), QStringList{QStringLiteral("c")});
    }

    void newerFile_IsLeftAlone()
    {
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
        m_store.reset();
        byHand({QStringLiteral("PRAGMA user_version=99")});
        reopen();
        const auto put = m_store->put(head("c"), line("b", "two"), {});
        QVERIFY(!put.has_value());
        QCOMPARE(put.error().code, ErrorCode::HistoryFailed);
        QVERIFY(put.error().detail.find("newer version") != std::string::npos);
        QVERIFY(!m_store->find("").has_value());
        QVERIFY(!m_store->isEmpty());
        byHand({QStringLiteral("PRAGMA user_version=3")});
        QCOMPARE(said(*m_store, "c"), QStringLiteral("one"));
    }

    void fileOfNoVersion_IsAnError()
    {
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
        m_store.reset();
        byHand({QStringLiteral("PRAGMA user_version=-1")});
        reopen();
        const auto opened = m_store->open("c");
        QVERIFY(!opened.has_value());
        QCOMPARE(opened.error().code, ErrorCode::HistoryFailed);
        QVERIFY(opened.error().detail.find("no version") != std::string::npos);
        QVERIFY(!m_store->put(head("c"), line("b", "two"), {}).has_value());
    }

    void damagedRows_AreAnError_AndNotFewerOfThem()
    {
        for (int i = 0; i < 80; ++i) {
            const std::string id = "i" + std::to_string(i);
            QVERIFY(m_store->put(head(id.c_str(), i), line(id.c_str(), std::string(400, 'w')), {}).has_value());
            QVERIFY(m_store->put(head("long", 1'000), line(id.c_str(), std::string(400, 'w')), {}).has_value());
        }
        m_store.reset();
        byHand({QStringLiteral("PRAGMA wal_checkpoint(TRUNCATE)")});
        // The leaves of the table of lines say that they are something else; the first ones are whole.
        QFile damaged(file());
        QVERIFY(damaged.open(QIODevice::ReadWrite));
        QByteArray bytes = damaged.readAll();
        constexpr qsizetype kPage = 4'096;
        const QByteArray words(400, 'w');
        int leaves = 0;
        for (qsizetype at = kPage; at < bytes.size(); at += kPage) {
            if (bytes[at] == '\x0D' && bytes.mid(at, kPage).contains(words) && ++leaves > 3) {
                bytes[at] = '\x77';
            }
        }
        QVERIFY(leaves > 10);
        QVERIFY(damaged.seek(0) && damaged.write(bytes) == bytes.size());
        damaged.close();
        reopen();
        const auto opened = m_store->open("long");
        QVERIFY(!opened.has_value());
        QCOMPARE(opened.error().code, ErrorCode::HistoryFailed);
        QVERIFY(!m_store->find("").has_value());
    }

    void damagedTimes_AreNoFarTimes()
    {
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
        m_store.reset();
        byHand({QStringLiteral("UPDATE conversation SET started_ms = 9223372036854775807"),
            QStringLiteral("UPDATE line SET start_ms = -9223372036854775807, end_ms = 9223372036854775807")});
        reopen();
        const auto opened = m_store->open("c");
        QVERIFY(opened.has_value());
        QVERIFY(opened->startedAt > head("c").startedAt);
        QCOMPARE(opened->lines.at(0).start.count(), 0);
        QVERIFY(opened->lines.at(0).end.count() < 10'000'000'000'000);
    }

    void strangeWords_ComeBack_AndAreFound()
    {
        using namespace std::string_literals;
        const std::string strange = "nul\0within \xF0\x9F\x8E\xBB emoji \xF0\x9E\xA4\x80"s;
        QVERIFY(m_store->put(head("c"), line("a", strange), {}).has_value());
        QCOMPARE(m_store->open("c")->lines.at(0).entry.text, strange);
        QCOMPARE(found(*m_store, "emoji \xF0\x9F\x8E\xBB"), QStringList{QStringLiteral("c")});
        QCOMPARE(found(*m_store, "\xF0\x9F\x8E\xBB"), QStringList());
        QVERIFY(m_store->find(std::string("em\0", 3)).has_value());
        // A page that somebody has put there by mistake.
        std::string page;
        for (int i = 0; i < 5'000; ++i) {
            page += "emoji ";
        }
        QCOMPARE(found(*m_store, page.c_str()), QStringList{QStringLiteral("c")});
        QVERIFY(m_store->remove("c").has_value());
        QVERIFY(!allBytes(m_folder).contains("emoji"));
    }

    void folderInTheFilesPlace_IsAnError()
    {
        QVERIFY(QDir().mkpath(file()));
        QCOMPARE(m_store->put(head("c"), line("a", "one"), {}).error().code, ErrorCode::HistoryFailed);
        QCOMPARE(m_store->find("").error().code, ErrorCode::HistoryFailed);
        QVERIFY(!m_store->removeAll().has_value());
    }

    void fileThatIsNone_IsAnError_AndCanBeDeleted()
    {
        QVERIFY(QDir().mkpath(m_folder));
        QFile rubbish(file());
        QVERIFY(rubbish.open(QIODevice::WriteOnly));
        rubbish.write(QByteArray(8'192, 'x'));
        rubbish.close();
        QCOMPARE(m_store->find("").error().foreignCode, std::string("history.damaged"));
        QCOMPARE(m_store->open("c").error().code, ErrorCode::HistoryFailed);
        QVERIFY(!m_store->isEmpty());
        QVERIFY(m_store->removeAll().has_value());
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
    }

    void fileThatIsNone_IsSetAside_AndANewOneIsBegun()
    {
        const auto spoil = [this](char sign) {
            m_store.reset();
            QVERIFY(QDir().mkpath(m_folder));
            QFile rubbish(file());
            QVERIFY(rubbish.open(QIODevice::WriteOnly));
            rubbish.write(QByteArray(8'192, sign));
            rubbish.close();
            reopen();
        };
        QVERIFY(!m_store->keepDamaged());
        spoil('x');
        // While it runs: it is told with what is put then, which can be put again.
        QVERIFY(m_store->makeSound("c", SoundFormat::OggOpus).has_value());
        const auto put = m_store->put(head("c"), line("a", "one"), {});
        QVERIFY(!put.has_value());
        QCOMPARE(put.error().foreignCode, std::string("history.set_aside"));
        QVERIFY(put.error().detail.find("conversations.sqlite3.damaged") != std::string::npos);
        ConversationHead withSound = head("c");
        withSound.soundStart = Milliseconds{0};
        QVERIFY(m_store->put(withSound, line("a", "one"), {}).has_value());
        QCOMPARE(said(*m_store, "c"), QStringLiteral("one"));
        QVERIFY(!m_store->keepDamaged());
        // At the next start, beside the first.
        spoil('y');
        QCOMPARE(m_store->keepDamaged(), std::optional(file() + QStringLiteral(".damaged.2")));
        m_store->dropLostSound();
        QVERIFY(m_store->hasSound("c"));
        QVERIFY(!m_store->isEmpty());
        QCOMPARE(found(*m_store, ""), QStringList());
        QVERIFY(!(QFileInfo(file() + QStringLiteral(".damaged.2")).permissions() & kOthers));
        QVERIFY(allBytes(m_folder).contains('x') && allBytes(m_folder).contains('y'));
        QVERIFY(m_store->removeAll().has_value());
        QVERIFY(QDir(m_folder).isEmpty());
    }

    void folderThatCannotBeMade_IsAnError()
    {
        QFile inTheWay(m_place->filePath(QStringLiteral("share")));
        QVERIFY(inTheWay.open(QIODevice::WriteOnly));
        const auto put = m_store->put(head("c"), line("a", "one"), {});
        QVERIFY(!put.has_value());
        QCOMPARE(put.error().code, ErrorCode::HistoryFailed);
        QVERIFY(inTheWay.remove());
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
    }

    void fullDisk_IsAnError_AndLosesNothingThatWasThere()
    {
#ifdef Q_OS_UNIX
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit before{};
        QCOMPARE(::getrlimit(RLIMIT_FSIZE, &before), 0);
        rlimit full = before;
        full.rlim_cur = static_cast<rlim_t>(QFileInfo(file() + QStringLiteral("-wal")).size());
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &full), 0);
        const auto put = m_store->put(head("c"), line("b", std::string(200'000, 'b')), {});
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
        QVERIFY(!put.has_value());
        QCOMPARE(put.error().code, ErrorCode::HistoryFailed);
        QVERIFY(put.error().detail.find("bbbb") == std::string::npos);
        QCOMPARE(said(*m_store, "c"), QStringLiteral("one"));
        QVERIFY(m_store->put(head("c"), line("b", "two"), {}).has_value());
        reopen();
        QCOMPARE(said(*m_store, "c"), QStringLiteral("one|two"));
#else
        QSKIP("no limit of files here");
#endif
    }

    void sound_LiesBesideTheWords_ForTheUserAlone()
    {
        QVERIFY(!m_store->hasSound("c"));
        const auto path = m_store->makeSound("c", SoundFormat::OggOpus);
        QVERIFY2(path.has_value(), path ? "" : path.error().detail.c_str());
        QVERIFY(m_store->hasSound("c"));
        QVERIFY(QString::fromStdString(*path).endsWith(QStringLiteral("/c.ogg")));
        QVERIFY(!(QFileInfo(QString::fromStdString(*path)).permissions() & kOthers));
        QVERIFY(!(QFileInfo(QFileInfo(QString::fromStdString(*path)).path()).permissions() & kOthers));
        QVERIFY(!(QFileInfo(m_folder).permissions() & kOthers));
        QVERIFY2(!m_store->sound("c"), "it is not kept yet");
        ConversationHead withSound = head("c");
        withSound.soundStart = Milliseconds{1'500};
        QVERIFY(m_store->put(withSound, line("a", "one"), {}).has_value());
        QVERIFY(m_store->put(head("c"), line("b", "two"), {}).has_value());
        QVERIFY(m_store->put(head("d"), line("a", "one"), {}).has_value());
        reopen();
        const auto sound = m_store->sound("c");
        QVERIFY(sound.has_value());
        QCOMPARE(sound->path, *path);
        QCOMPARE(sound->start, Milliseconds{1'500});
        QVERIFY(!m_store->sound("d"));
        QVERIFY(QFile::remove(QString::fromStdString(*path)));
        QVERIFY(m_store->sound("c").has_value());
        QVERIFY(m_store->sound("c")->path.empty());
    }

    void sound_GoesWithItsConversation()
    {
        const auto keep = [this](const char* id, SoundFormat format) {
            ConversationHead withSound = head(id);
            withSound.soundStart = Milliseconds{0};
            return m_store->makeSound(id, format).has_value()
                && m_store->put(withSound, line("a", "one"), {}).has_value();
        };
        QVERIFY(keep("c", SoundFormat::Wav));
        QVERIFY(keep("d", SoundFormat::OggOpus));
        QVERIFY(keep("e", SoundFormat::OggOpus));
        QVERIFY(m_store->remove("c").has_value());
        QVERIFY(!m_store->hasSound("c"));
        QVERIFY(m_store->hasSound("d"));
        QVERIFY(m_store->removeAll().has_value());
        QVERIFY(!m_store->hasSound("d") && !m_store->hasSound("e"));
        QVERIFY(!QFileInfo::exists(m_folder + QStringLiteral("/sound")));
    }

    void soundThatACrashHasLeft_IsDeleted_AndNothingElse()
    {
        QVERIFY(m_store->makeSound("lost", SoundFormat::OggOpus).has_value());
        ConversationHead withSound = head("kept");
        withSound.soundStart = Milliseconds{0};
        QVERIFY(m_store->makeSound("kept", SoundFormat::OggOpus).has_value());
        QVERIFY(m_store->put(withSound, line("a", "one"), {}).has_value());
        reopen();
        // What cannot be read now may be read later.
        byHand({QStringLiteral("PRAGMA user_version=99")});
        m_store->dropLostSound();
        QVERIFY(m_store->hasSound("lost"));
        byHand({QStringLiteral("PRAGMA user_version=3")});
        m_store->dropLostSound();
        QVERIFY(!m_store->hasSound("lost"));
        QVERIFY(m_store->hasSound("kept"));
        QCOMPARE(QDir(m_folder + QStringLiteral("/sound")).entryList(QDir::Files | QDir::Hidden),
            QStringList{QStringLiteral("kept.ogg")});
    }

    void soundOfAConversationThatIsGone_StaysUntilAllIsDeleted_data()
    {
        QTest::addColumn<bool>("isOlder");
        QTest::newRow("the file is missing") << false;
        QTest::newRow("an older one is there") << true;
    }

    void soundOfAConversationThatIsGone_StaysUntilAllIsDeleted()
    {
        QFETCH(bool, isOlder);
        ConversationHead withSound = head("kept");
        withSound.soundStart = Milliseconds{0};
        QVERIFY(m_store->makeSound("kept", SoundFormat::OggOpus).has_value());
        QVERIFY(m_store->put(withSound, line("a", "one"), {}).has_value());
        QVERIFY(m_store->makeSound("lost", SoundFormat::OggOpus).has_value());
        m_store.reset();
        for (const char* ending : {"", "-wal", "-shm"}) {
            QFile::remove(file() + QLatin1String(ending));
        }
        reopen();
        if (isOlder) {
            QVERIFY(m_store->put(head("older"), line("a", "one"), {}).has_value());
        }
        m_store->dropLostSound();
        QVERIFY(m_store->hasSound("kept"));
        QCOMPARE(m_store->hasSound("lost"), !isOlder);
        if (isOlder) {
            QVERIFY(m_store->remove("older").has_value());
        }
        QVERIFY2(!m_store->isEmpty(), "it can be deleted");
        QVERIFY(m_store->removeAll().has_value());
        QVERIFY(m_store->isEmpty());
        QVERIFY(!QFileInfo::exists(m_folder + QStringLiteral("/sound")));
    }

    void soundThatAnotherProgramRecords_IsNotWhatACrashHasLeft()
    {
        QVERIFY(m_store->put(head("c"), line("a", "one"), {}).has_value());
        QVERIFY(m_store->makeSound("running", SoundFormat::OggOpus).has_value());
        SqliteConversationStore other(m_folder);
        other.dropLostSound();
        QVERIFY(m_store->hasSound("running"));
        ConversationHead withSound = head("running");
        withSound.soundStart = Milliseconds{0};
        QVERIFY(m_store->put(withSound, line("a", "one"), {}).has_value());
        other.dropLostSound();
        QVERIFY(m_store->hasSound("running"));
        reopen();
        m_store->dropLostSound();
        QVERIFY(m_store->hasSound("running"));
    }

    void nameThatIsAWayElsewhere_IsNoFile()
    {
        for (const char* id : {"../c", "a/b", "", ".", "a b", "a%2e"}) {
            const auto made = m_store->makeSound(id, SoundFormat::Wav);
            QVERIFY2(!made.has_value(), id);
            QCOMPARE(made.error().foreignCode, std::string("recording.place"));
            QVERIFY2(!m_store->hasSound(id), id);
            QVERIFY2(m_store->dropSound(id).has_value(), id);
        }
    }
};

int main(int argc, char** argv)
{
    QCoreApplication application(argc, argv);
    if (argc == 3 && qstrcmp(argv[1], "--keep") == 0) {
        return beKilled(QString::fromLocal8Bit(argv[2]));
    }
    ConversationStoreTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_conversation_store.moc"
