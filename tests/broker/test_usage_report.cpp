#include "broker/usage/usage_report.h"

#include <QTest>

#include <nlohmann/json.hpp>

using namespace vivavoce;
using namespace vivavoce::broker::usage;

class TestUsageReport : public QObject {
    Q_OBJECT

private slots:
    void csv_IsWrittenAsSpreadsheetsReadIt_AndNoFormula()
    {
        UsageReport report;
        report.query.by = Grouping::User;
        for (const char* const key : {"plain", "a,b", "say \"hi\"", "=1+1", "@x", "two\nlines"}) {
            UsageRow row;
            row.key = key;
            row.sessions = 2;
            row.amounts[Measure::ConnectedMs] = 90'000;
            row.amounts[Measure::NanoDollars] = 1'250'000;
            report.rows.push_back(row);
        }
        const std::string csv = writeCsv(report);
        QVERIFY(csv.starts_with("user,sessions,minutes,cost_usd,cost_reported_usd,audio_minutes_in,"));
        QVERIFY(csv.find("\r\nplain,2,1.500,0.001250000,0.000000000,0.000,") != std::string::npos);
        QVERIFY(csv.find("\r\n\"a,b\",2,") != std::string::npos);
        QVERIFY(csv.find("\r\n\"say \"\"hi\"\"\",2,") != std::string::npos);
        QVERIFY(csv.find("\r\n'=1+1,2,") != std::string::npos);
        QVERIFY(csv.find("\r\n'@x,2,") != std::string::npos);
        QVERIFY(csv.find("\r\n\"two\nlines\",2,") != std::string::npos);
        // As many fields in each line as there are names.
        const auto fields = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
        const std::string head = csv.substr(0, csv.find("\r\n"));
        const std::size_t plain = csv.find("plain");
        QCOMPARE(fields(csv.substr(plain, csv.find("\r\n", plain) - plain)), fields(head));
    }

    /// The figures that the first service told: $0.002 a minute.
    void minutesAndMoney_AreTheSeeds()
    {
        UsageReport report;
        report.total.sessions = 3;
        report.total.relayed = 2;
        // Half of it is what a client says of a session that nobody else saw.
        report.total.relayedMs = 3'825'000;
        report.total.reportedNanoDollars = 55'000'000;
        report.total.amounts[Measure::ConnectedMs] = 7'650'000;
        report.total.amounts[Measure::NanoDollars] = 255'000'000;
        const core::Json json = writeJson(report);
        QCOMPARE(json["totalMinutes"].get<double>(), 127.5);
        QCOMPARE(json["totalCost"].get<double>(), 0.255);
        QCOMPARE(json["averageSessionDuration"].get<double>(), 31.875);
        QCOMPARE(json["costReported"].get<double>(), 0.055);
        report.total.relayed = 0;
        QCOMPARE(writeJson(report)["averageSessionDuration"].get<double>(), 0.0);
    }

    void days_AreDatesBothWays()
    {
        QCOMPARE(dateOf(0), std::string("1970-01-01"));
        QCOMPARE(dateOf(20'833), std::string("2027-01-15"));
        QCOMPARE(dayOfDate("2027-01-15").value_or(0), std::int64_t{20'833});
        QCOMPARE(dayOfDate("2024-02-29").value_or(0), std::int64_t{19'782});
        for (const char* const wrong : {"", "2027-1-15", "2027-02-30", "2027-01-15T00:00:00Z", "yesterday"}) {
            QVERIFY2(!dayOfDate(wrong), wrong);
        }
    }
};

QTEST_GUILESS_MAIN(TestUsageReport)
#include "test_usage_report.moc"
