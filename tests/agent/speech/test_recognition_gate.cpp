#include "agent/speech/recognition_gate.h"

#include <QTest>

using namespace vivavoce::agent::speech;

class RecognitionGateTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void similarity_CountsLetters()
    {
        QCOMPARE(similarity("same", "same"), 1.0);
        QCOMPARE(similarity("", ""), 1.0);
        QCOMPARE(similarity("abcd", ""), 0.0);
        QCOMPARE(similarity("kitten", "sitting"), 1.0 - 3.0 / 7.0);
    }

    void command_IsBelievedOnlyWithBothSigns_data()
    {
        QTest::addColumn<std::string>("free");
        QTest::addColumn<int>("commandScore");
        QTest::addColumn<int>("freeScore");
        QTest::addColumn<bool>("isCredible");
        QTest::newRow("both") << std::string("what time is it") << -3000 << -6000 << true;
        QTest::newRow("at the limit") << std::string("what time is it") << -7000 << -10'000 << true;
        QTest::newRow("a score that is no better") << std::string("what time is it") << -7100 << -10'000 << false;
        QTest::newRow("another sentence") << std::string("please buy milk and bread") << -3000 << -6000 << false;
        QTest::newRow("nothing heard freely") << std::string() << -3000 << -6000 << false;
        QTest::newRow("no score") << std::string("what time is it") << -3000 << 0 << false;
    }
    void command_IsBelievedOnlyWithBothSigns()
    {
        QFETCH(std::string, free);
        QFETCH(int, commandScore);
        QFETCH(int, freeScore);
        QFETCH(bool, isCredible);
        QCOMPARE(isCommandCredible("what time is it", commandScore, free, freeScore), isCredible);
    }
};

QTEST_GUILESS_MAIN(RecognitionGateTest)
#include "test_recognition_gate.moc"
