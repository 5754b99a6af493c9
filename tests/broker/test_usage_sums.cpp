#include "broker/store/connection.h"
#include "broker/usage/internal/usage_query.h"
#include "broker/usage/internal/usage_rows.h"
#include "broker/usage/internal/usage_sums.h"
#include "broker/usage/usage_report.h"
#include "core/base/json.h"
#include "tests/broker/postgres_server.h"
#include "tests/broker/usage_filler.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>

using namespace vivavoce;
using namespace vivavoce::broker::usage;
using tests::UsageFiller;

namespace {

/// Of the test's clock: 2027-01-15, eight o'clock.
constexpr std::int64_t kToday = 20'833;
constexpr std::int64_t kFirst = kToday - 99;
constexpr std::int64_t kNoneClosed = -1;

core::WallTime morningOf(std::int64_t day)
{
    return core::WallTime(std::chrono::days(day) + std::chrono::hours(8));
}

std::vector<UsageQuery> queries()
{
    std::vector<UsageQuery> all;
    const std::array<std::pair<std::int64_t, std::int64_t>, 4> ranges{
        {{0, kToday}, {kFirst + 3, kToday - 2}, {kToday - 29, kToday}, {kToday - 200, kToday - 150}}};
    for (const auto by : {Grouping::Day, Grouping::Project, Grouping::User, Grouping::Provider, Grouping::Model}) {
        for (const auto& [from, to] : ranges) {
            for (int of = 0; of < 4; ++of) {
                UsageQuery query;
                query.by = by;
                query.from = from;
                query.to = to;
                query.today = kToday;
                if ((of & 1) != 0) {
                    query.project = UsageFiller::projectNamed(4);
                }
                if ((of & 2) != 0) {
                    query.caller = UsageFiller::userNamed(24);
                }
                all.push_back(query);
            }
        }
    }
    return all;
}

std::string textOf(const UsageReport& report)
{
    return core::writeJson(writeJson(report)) + writeCsv(report);
}

/// The statements, one a line, with their values in them.
std::vector<std::string> statementsOf(broker::Connection& sql, const UsageQuery& query)
{
    std::ostringstream log;
    sql.set_log_stream(&log);
    (void)reportOf(sql, query, 0);
    sql.set_log_stream(nullptr);
    std::vector<std::string> statements;
    std::istringstream in(log.str());
    for (std::string line; std::getline(in, line);) {
        statements.push_back(std::regex_replace(line, std::regex(":p[0-9]+"), "'x'"));
    }
    return statements;
}

/// How the database would do it, a line each.
std::string planOf(broker::Connection& sql, const std::string& statement)
{
    const bool isShared = sql.get_backend_name() == "postgresql";
    const soci::rowset<soci::row> rows = (sql.prepare << (isShared ? "EXPLAIN " : "EXPLAIN QUERY PLAN ") + statement);
    std::string plan;
    for (const soci::row& row : rows) {
        plan += row.get<std::string>(isShared ? 0 : 3) + "\n";
    }
    return plan;
}

} // namespace

/// All that has to do with a database on SQLite and on PostgreSQL.
class TestUsageSums : public QObject {
    Q_OBJECT

    std::unique_ptr<tests::PostgresServer> m_server;
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<UsageFiller> m_local;
    std::unique_ptr<UsageFiller> m_shared;

    /// Filled once for each kind of database; nothing is closed.
    UsageFiller& filled()
    {
        QFETCH_GLOBAL(bool, isShared);
        auto& filler = isShared ? m_shared : m_local;
        if (filler == nullptr) {
            filler = std::make_unique<UsageFiller>(isShared
                    ? m_server->url()
                    : "sqlite://" + m_folder->filePath(QStringLiteral("broker.db")).toStdString());
            filler->fill({});
        }
        filler->run([](broker::Connection& sql) {
            sql << "DELETE FROM usage_sums";
            sql << "UPDATE usage_closed SET until_day = -1, closing_day = -1, caller = ''";
        });
        return *filler;
    }

private slots:
    void initTestCase_data()
    {
        QTest::addColumn<bool>("isShared");
        QTest::newRow("SQLite") << false;
        if (const QString missing = tests::PostgresServer::missing(); missing.isEmpty()) {
            QTest::newRow("PostgreSQL") << true;
        } else {
            qWarning("not tried on PostgreSQL: %s", qPrintable(missing));
        }
    }
    void initTestCase()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        if (tests::PostgresServer::missing().isEmpty()) {
            m_server = std::make_unique<tests::PostgresServer>();
            QVERIFY(m_server->start());
        }
    }

    void pieces_HaveEachDayOnce()
    {
        for (const auto need : {sums::Need::Totals, sums::Need::Models, sums::Need::Projects, sums::Need::Callers}) {
            for (std::int64_t from = kFirst; from <= kFirst + 40; from += 2) {
                for (std::int64_t to = from; to <= from + 80; to += 3) {
                    for (const std::int64_t closed : {kNoneClosed, from - 1, from + 5, from + 37, to, to + 50}) {
                        std::map<std::int64_t, int> days;
                        const auto pieces = sums::piecesOf(need, false, from, to, closed);
                        const sums::Piece* before = nullptr;
                        for (const auto& piece : pieces) {
                            QVERIFY(piece.scope.empty() || piece.to <= closed);
                            // Two of one kind side by side would be one.
                            QVERIFY(before == nullptr || before->scope != piece.scope || before->to + 1 != piece.from);
                            before = &piece;
                            for (std::int64_t day = piece.from; day <= piece.to; ++day) {
                                ++days[day];
                            }
                        }
                        const auto isOnce = [](const auto& day) { return day.second == 1; };
                        QCOMPARE(static_cast<std::int64_t>(days.size()), to - from + 1);
                        QVERIFY(days.begin()->first == from && std::all_of(days.begin(), days.end(), isOnce));
                    }
                }
            }
        }
    }

    /// A year is quarters, and a few days at both ends.
    void pieces_OfAYear_AreFew()
    {
        const auto pieces = sums::piecesOf(sums::Need::Callers, false, kToday - 360, kToday, kToday - 1);
        QVERIFY2(pieces.size() <= 8, qPrintable(QString::number(pieces.size())));
        const auto quarters = std::find_if(
            pieces.begin(), pieces.end(), [](const auto& piece) { return piece.scope == "caller_quarter"; });
        QVERIFY(quarters != pieces.end() && quarters->to - quarters->from > 270);
    }

    void closedDays_ComeToWhatTheirSessionsDid()
    {
        auto& filler = filled();
        std::vector<std::string> before;
        filler.run([&](broker::Connection& sql) {
            for (const UsageQuery& query : queries()) {
                before.push_back(textOf(reportOf(sql, query, kToday - 400)));
            }
        });
        QVERIFY(filler.closeDays(morningOf(kToday)) >= 10);
        filler.run([&](broker::Connection& sql) {
            QCOMPARE(sums::closedUntil(sql), kToday - 1);
            std::size_t number = 0;
            for (const UsageQuery& query : queries()) {
                QCOMPARE(textOf(reportOf(sql, query, kToday - 400)), before[number++]);
            }
            long long money = 0;
            long long sessions = 0;
            sql << "SELECT CAST(SUM(nano_dollars) AS BIGINT), COUNT(*) FROM usage_sessions", soci::into(money),
                soci::into(sessions);
            for (const auto by : {Grouping::Day, Grouping::Project, Grouping::User, Grouping::Provider}) {
                UsageQuery query;
                query.to = query.today = kToday;
                query.by = by;
                const auto report = reportOf(sql, query, 0);
                Amounts sum;
                std::int64_t count = 0;
                for (const auto& row : report.rows) {
                    sum += row.amounts;
                    count += row.sessions;
                }
                QCOMPARE(sum[Measure::NanoDollars], static_cast<std::int64_t>(money));
                QCOMPARE(count, static_cast<std::int64_t>(sessions));
                QVERIFY(sum == report.total.amounts);
            }
        });
    }

    /// Day by day, as time goes on, it comes to the same as in one go.
    void closing_DayByDay_IsAsInOneGo()
    {
        auto& filler = filled();
        const auto all = [&] {
            std::string text;
            filler.run([&](broker::Connection& sql) {
                const soci::rowset<soci::row> rows = (sql.prepare
                    << "SELECT scope, begin_day, caller, project, provider, model, sessions, nano_dollars, unpriced "
                       "FROM usage_sums ORDER BY 1, 2, 3, 4, 5, 6");
                for (const soci::row& row : rows) {
                    for (const std::size_t column : {0, 2, 3, 4, 5}) {
                        text += row.get<std::string>(column) + ' ';
                    }
                    for (const std::size_t column : {1, 6, 7, 8}) {
                        text += std::to_string(row.get<long long>(column)) + ' ';
                    }
                }
            });
            return text;
        };
        (void)filler.closeDays(morningOf(kToday));
        const std::string atOnce = all();
        auto& again = filled();
        for (std::int64_t day = kFirst; day <= kToday; ++day) {
            (void)again.closeDays(morningOf(day));
        }
        QVERIFY(all() == atOnce);
        // As in parts, where a day has more than is done at once: whoever is told of meanwhile does not count twice.
        auto& inParts = filled();
        QVERIFY(inParts.closeDays(morningOf(kToday), 10) > 200);
        QVERIFY(all() == atOnce);
    }

    /// A day that is summed up in part is read as it is, and takes nothing more.
    void dayThatIsClosedInPart_IsReadWhole()
    {
        auto& filler = filled();
        filler.run([&](broker::Connection& sql) {
            UsageQuery query;
            query.to = query.today = kToday;
            const std::string before = textOf(reportOf(sql, query, 0));
            QVERIFY(sums::closeDays(sql, morningOf(kToday), 7));
            QCOMPARE(sums::closedUntil(sql), kNoneClosed);
            QCOMPARE(textOf(reportOf(sql, query, 0)), before);
            long long day = 0;
            const long long first = kFirst;
            sql.ask(std::string("SELECT ") + sums::kOpenDay, soci::into(day), soci::use(first), soci::use(first));
            QCOMPARE(static_cast<std::int64_t>(day), kFirst + 1);
        });
    }

    void day_IsOpenForAnHourAfterItsEnd()
    {
        auto& filler = filled();
        const core::WallTime midnight{std::chrono::days(kToday)};
        (void)filler.closeDays(midnight + std::chrono::minutes(59));
        filler.run([&](broker::Connection& sql) { QCOMPARE(sums::closedUntil(sql), kToday - 2); });
        (void)filler.closeDays(midnight + std::chrono::minutes(60));
        filler.run([&](broker::Connection& sql) { QCOMPARE(sums::closedUntil(sql), kToday - 1); });
    }

    /// By a clock that is wrong, say.
    void whatIsToldOfAClosedDay_CountsOnTheFirstOpenOne()
    {
        auto& filler = filled();
        (void)filler.closeDays(morningOf(kToday));
        filler.run([&](broker::Connection& sql) {
            UsageQuery query;
            query.from = kToday - 50;
            query.to = query.today = kToday;
            const auto before = reportOf(sql, query, 0);
            Account account;
            account.caller = UsageFiller::userNamed(0);
            account.transport = "relay";
            Amounts more;
            more[Measure::NanoDollars] = 77;
            rows::addToDay(sql, account, morningOf(kToday - 3), more);
            const auto after = reportOf(sql, query, 0);
            QCOMPARE(after.total.amounts[Measure::NanoDollars], before.total.amounts[Measure::NanoDollars] + 77);
            QCOMPARE(after.today.amounts[Measure::NanoDollars], before.today.amounts[Measure::NanoDollars] + 77);
            sql << "DELETE FROM usage_days WHERE nano_dollars = 77 AND sessions = 0";
        });
    }

    void forgottenDays_AreInNoSum()
    {
        auto& filler = filled();
        (void)filler.closeDays(morningOf(kToday));
        filler.run([&](broker::Connection& sql) {
            UsageQuery query;
            query.to = query.today = kToday;
            query.by = Grouping::User;
            const auto told = [&] { return textOf(reportOf(sql, query, kToday - 33)); };
            const std::string before = told();
            sums::forget(sql, kToday - 33);
            QCOMPARE(told(), before);
            int older = 1;
            sql << "SELECT COUNT(*) FROM usage_sums WHERE begin_day < " + std::to_string(kToday - 33),
                soci::into(older);
            QCOMPARE(older, 0);
        });
    }

    /// A million sessions are not looked at one by one.
    void noQuery_ReadsATableWhole()
    {
        auto& filler = filled();
        (void)filler.closeDays(morningOf(kToday));
        filler.run([](broker::Connection& sql) {
            const bool isShared = sql.get_backend_name() == "postgresql";
            if (isShared) {
                // It reads small tables whole, whatever there is: it does not where it does not have to.
                sql << "SET LOCAL enable_seqscan = off";
            }
            auto asked = queries();
            UsageQuery ofSession;
            ofSession.to = ofSession.today = kToday;
            ofSession.session = "voice_7";
            asked.push_back(ofSession);
            for (const UsageQuery& query : asked) {
                for (const std::string& statement : statementsOf(sql, query)) {
                    if (statement.find("usage_closed") != std::string::npos
                        && statement.find("usage_days") == std::string::npos) {
                        continue;
                    }
                    const std::string plan = planOf(sql, statement);
                    const std::string whole = isShared ? "Seq Scan on usage_" : "SCAN usage_";
                    QVERIFY2(plan.find(whole) == std::string::npos, (statement + "\n" + plan).c_str());
                    // Of the sessions themselves one at most.
                    const bool isOfSession = statement.find("usage_sessions") != std::string::npos;
                    QCOMPARE(isOfSession, query.session.has_value());
                }
            }
        });
    }
};

QTEST_GUILESS_MAIN(TestUsageSums)
#include "test_usage_sums.moc"
