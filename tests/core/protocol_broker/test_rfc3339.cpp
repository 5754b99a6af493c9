#include "core/base/rfc3339.h"

#include <QTest>

using namespace vivavoce;
using std::chrono::seconds;

class TestRfc3339 : public QObject {
    Q_OBJECT

private slots:
    void format_Fractions_AreRoundedDown()
    {
        const core::WallTime time(std::chrono::milliseconds(1'800'000'000'999));
        QCOMPARE(core::formatRfc3339(time), std::string("2027-01-15T08:00:00Z"));
    }

    void parse_GoodTime_IsThatMoment_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<qint64>("unixSeconds");
        QTest::newRow("UTC") << QByteArray("2027-01-15T08:00:00Z") << qint64(1'800'000'000);
        QTest::newRow("lower case") << QByteArray("2027-01-15t08:00:00z") << qint64(1'800'000'000);
        QTest::newRow("fraction dropped") << QByteArray("2027-01-15T08:00:00.999Z") << qint64(1'800'000'000);
        QTest::newRow("east") << QByteArray("2027-01-15T10:30:00+02:30") << qint64(1'800'000'000);
        QTest::newRow("west, the day before") << QByteArray("2027-01-14T20:00:00-12:00") << qint64(1'800'000'000);
        QTest::newRow("last moment") << QByteArray("2261-12-31T23:59:59-23:59") << qint64(9'214'732'739);
        QTest::newRow("leap day") << QByteArray("2028-02-29T00:00:00Z") << qint64(1'835'395'200);
    }
    void parse_GoodTime_IsThatMoment()
    {
        QFETCH(QByteArray, text);
        QFETCH(qint64, unixSeconds);
        const auto parsed = core::parseRfc3339(text.toStdString());
        QVERIFY(parsed.has_value());
        QCOMPARE(std::chrono::duration_cast<seconds>(parsed->time_since_epoch()).count(), unixSeconds);
    }

    void parse_AnythingElse_IsNothing_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char* text : {"", "2027-01-15", "2027-01-15T08:00:00", "2027-1-15T08:00:00Z", "2027-13-15T08:00:00Z",
                 "2027-02-29T08:00:00Z", "2027-01-15T24:00:00Z", "2027-01-15T08:60:00Z", "2027-01-15T08:00:60Z",
                 "2027-01-15T08:00:00.Z", "2027-01-15T08:00:00Zx", "2027-01-15T08:00:00+0100",
                 "2027-01-15T08:00:00+24:00", "2027-01-15 08:00:00Z", " 2027-01-15T08:00:00Z", "-027-01-15T08:00:00Z",
                 "3036-01-15T08:00:00Z", "1677-01-15T08:00:00Z", "9999-12-31T23:59:59Z"}) {
            QTest::newRow(text) << QByteArray(text);
        }
    }
    void parse_AnythingElse_IsNothing()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!core::parseRfc3339(text.toStdString()).has_value());
    }
};

QTEST_GUILESS_MAIN(TestRfc3339)
#include "test_rfc3339.moc"
