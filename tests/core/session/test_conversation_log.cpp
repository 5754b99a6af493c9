#include "core/session/conversation_log.h"

#include <QTest>

using namespace vivavoce::core;

class ConversationLogTest : public QObject {
    Q_OBJECT

    static QStringList ids(const ConversationLog& log)
    {
        QStringList result;
        for (const auto& entry : log.entries()) {
            result += QString::fromStdString(entry.itemId);
        }
        return result;
    }

private Q_SLOTS:
    void upsert_AgainWithTheSameId_KeepsOneEntry()
    {
        ConversationLog log;
        log.upsert("a", Speaker::User).text = "one";
        ConversationEntry& again = log.upsert("a", Speaker::Assistant);
        QCOMPARE(again.text, std::string("one"));
        QCOMPARE(again.speaker, Speaker::User);
        QCOMPARE(log.entries().size(), std::size_t{1});
    }

    void upsert_BehindAnItem_GoesThereNotToTheEnd()
    {
        ConversationLog log;
        log.upsert("question", Speaker::User);
        log.upsert("answer", Speaker::Assistant);
        log.upsert("late", Speaker::User, "question");
        QCOMPARE(ids(log), QStringList({QStringLiteral("question"), QStringLiteral("late"), QStringLiteral("answer")}));
    }

    void upsert_BehindAnUnknownItem_GoesToTheEnd()
    {
        ConversationLog log;
        log.upsert("a", Speaker::User);
        log.upsert("b", Speaker::User, "never seen");
        QCOMPARE(ids(log), QStringList({QStringLiteral("a"), QStringLiteral("b")}));
    }

    void toldAfter_PassesOverWhatHasNothingToShow()
    {
        ConversationLog log;
        log.upsert("question", Speaker::User);
        log.upsert("empty", Speaker::User);
        log.upsert("answer", Speaker::Assistant).text = "It is nine.";
        log.upsert("unheard", Speaker::User).isFinal = true;
        QCOMPARE(log.toldAfter("question"), std::string("answer"));
        QCOMPARE(log.toldAfter("answer"), std::string("unheard"));
        QCOMPARE(log.toldAfter("unheard"), std::string());
    }

    void closeOpenEntries_MarksOnlyTheUnfinished()
    {
        ConversationLog log;
        log.upsert("done", Speaker::User).isFinal = true;
        log.upsert("open", Speaker::Assistant).text = "I was just";
        log.closeOpenEntries();
        QVERIFY(!log.find("done")->wasInterrupted);
        QVERIFY(log.find("open")->wasInterrupted && log.find("open")->isFinal);
    }

    void keepLatest_ForgetsTheOldest_ButNeverTheLastFew_data()
    {
        QTest::addColumn<int>("entries");
        QTest::addColumn<int>("bytes");
        QTest::addColumn<QString>("first");
        QTest::newRow("all") << 20 << 100 << QStringLiteral("item_0");
        QTest::newRow("fewer") << 12 << 100 << QStringLiteral("item_8");
        QTest::newRow("shorter") << 20 << 50 << QStringLiteral("item_10");
        QTest::newRow("neither leaves enough") << 0 << 0 << QStringLiteral("item_12");
    }
    void keepLatest_ForgetsTheOldest_ButNeverTheLastFew()
    {
        QFETCH(const int, entries);
        QFETCH(const int, bytes);
        QFETCH(const QString, first);
        ConversationLog log;
        for (int i = 0; i < 20; ++i) {
            log.upsert("item_" + std::to_string(i), Speaker::User).text = "words";
        }
        log.keepLatest(static_cast<std::size_t>(entries), static_cast<std::size_t>(bytes));
        QCOMPARE(log.entries().front().itemId, first.toStdString());
        QCOMPARE(log.entries().back().itemId, std::string("item_19"));
    }

    void wasHeard_EndsWithAWord_AndNeverInsideACharacter_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<double>("share");
        QTest::addColumn<QString>("heard");
        QTest::newRow("between words") << QStringLiteral("one two three") << 0.6 << QStringLiteral("one two");
        QTest::newRow("nothing") << QStringLiteral("one two") << 0.0 << QString();
        QTest::newRow("all") << QStringLiteral("one two") << 1.0 << QStringLiteral("one two");
        QTest::newRow("more than all") << QStringLiteral("one two") << 1.7 << QStringLiteral("one two");
        QTest::newRow("no spaces, three bytes each") << QStringLiteral("東京都庁") << 0.45 << QStringLiteral("東");
        QTest::newRow("before an accent") << QStringLiteral("é") << 0.6 << QString();
    }
    void wasHeard_EndsWithAWord_AndNeverInsideACharacter()
    {
        QFETCH(QString, text);
        QFETCH(double, share);
        QFETCH(QString, heard);
        ConversationEntry entry;
        entry.text = text.toStdString();
        entry.wasHeard(share);
        QVERIFY(entry.heardBytes.has_value());
        QCOMPARE(QString::fromStdString(entry.text.substr(0, *entry.heardBytes)), heard);
    }

    void remove_OfAnUnknownItem_ChangesNothing()
    {
        ConversationLog log;
        log.upsert("a", Speaker::User);
        log.remove("b");
        QCOMPARE(log.entries().size(), std::size_t{1});
        log.remove("a");
        QVERIFY(log.entries().empty());
        QVERIFY(log.find("a") == nullptr);
    }
};

QTEST_GUILESS_MAIN(ConversationLogTest)
#include "test_conversation_log.moc"
