#include "broker/store/connection.h"
#include "broker/usage/live_usage.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/postgres_server.h"

#include <QElapsedTimer>
#include <QTest>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::usage::LiveQuery;
using broker::usage::LiveUsageBook;

namespace {

constexpr int kMany = 100'000;

std::string idOf(int number)
{
    return "voice_" + std::to_string(1'800'000'000 + number) + "_abcdefghijklmnopqrstuv";
}

/// So many live sessions of a hundred callers in ten projects, each with a row of the ledger.
void fill(broker::Connection& sql, long long now, int sessions)
{
    const std::string numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < "
        + std::to_string(sessions - 1) + ") ";
    const std::string who =
        "'voice_' || (1800000000 + i) || '_abcdefghijklmnopqrstuv', 'relay', '2:0::u' || (i % 100), "
        "'', 'u', 'p' || (i % 10), ";
    const std::string at = std::to_string(now);
    sql << numbers
            + "INSERT INTO sessions (id, transport, caller, issuer, subject, project, client_instance, model, started_at, "
              "token, expires_at, renewals, claim, claim_until, claim_request, repeat_of, repeat_request, repeat_until, "
              "repeat_sealed) SELECT "
            + who + "'', 'm', " + at + ", 't' || i, " + std::to_string(now + 900'000)
            + ", 0, '', 0, '', '', '', 0, '' FROM n";
    sql << numbers
            + "INSERT INTO usage_sessions (id, transport, caller, issuer, subject, project, provider, model, started_at, "
              "last_seen, reason, is_final, is_reported, is_holding, hold, connected_ms, audio_in_ms, audio_out_ms, turns, "
              "tool_calls, text_in, cached_text_in, text_out, audio_in, cached_audio_in, audio_out, image_in, "
              "cached_image_in, transcribed_ms, transcription_tokens, nano_dollars, unpriced, ended_at) SELECT "
            + who + "'openai', 'm', " + at + ", " + at
            + ", '', 0, 0, 1, 0, 60000, 0, 0, 1, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, i, 0, 0 FROM n";
}

} // namespace

/// What admins look at stays fast however much there is.
class TestLiveUsage : public QObject {
    Q_OBJECT

    std::unique_ptr<PostgresServer> m_server;

    std::unique_ptr<broker::Database> open(bool isShared, CapturedLog& log)
    {
        broker::Database::Settings settings;
        settings.url = core::Secret(isShared ? m_server->url() : "sqlite://:memory:");
        settings.deadline = core::Milliseconds(120'000);
        return std::move(broker::Database::open(std::move(settings), log).value());
    }

private slots:
    void initTestCase()
    {
        if (PostgresServer::missing().isEmpty()) {
            m_server = std::make_unique<PostgresServer>();
            QVERIFY(m_server->start());
        }
    }

    void pages_AreFast_WithAHundredThousandSessions_data()
    {
        QTest::addColumn<bool>("isShared");
        QTest::newRow("SQLite") << false;
        if (m_server != nullptr) {
            QTest::newRow("PostgreSQL") << true;
        } else {
            qWarning("not tried on PostgreSQL: %s", qPrintable(PostgresServer::missing()));
        }
    }
    void pages_AreFast_WithAHundredThousandSessions()
    {
        QFETCH(bool, isShared);
        NetThreads threads;
        SharedClock clock;
        CapturedLog log;
        const auto database = open(isShared, log);
        const long long now = std::chrono::floor<core::Milliseconds>(clock.wallNow()).time_since_epoch().count();
        const std::function<int(broker::Connection&)> work = [&](broker::Connection& sql) {
            fill(sql, now, kMany);
            return 0;
        };
        QVERIFY(finish(threads, database->run<int>(work)));
        const LiveUsageBook book(*database, clock);
        const auto page = [&](LiveQuery query) {
            QElapsedTimer timer;
            timer.start();
            auto found = finish(threads, book.live(std::move(query)));
            if (!found) {
                qFatal("the page does not come");
            }
            qInfo("%zu rows in %lld ms", found->size(), static_cast<long long>(timer.elapsed()));
            return std::move(*found);
        };
        const auto first = page({});
        QCOMPARE(first.size(), std::size_t{100});
        QCOMPARE(first.front().sessionId, idOf(kMany - 1));
        QCOMPARE(first.front().provider, std::string("openai"));
        QCOMPARE(first.front().amounts[broker::usage::Measure::NanoDollars], std::int64_t{kMany - 1});
        QCOMPARE(first.front().amounts[broker::usage::Measure::AudioIn], std::int64_t{7});
        // Where the page ended, the next one begins.
        LiveQuery next;
        next.before = first.back().sessionId;
        QCOMPARE(page(next).front().sessionId, idOf(kMany - 101));
        LiveQuery last;
        last.before = idOf(3);
        QCOMPARE(page(last).size(), std::size_t{3});
        LiveQuery mine;
        mine.caller = "2:0::u7";
        mine.most = 1'000;
        QCOMPARE(page(mine).size(), std::size_t{1'000});
        LiveQuery ours;
        ours.project = "p3";
        ours.before = idOf(50'000);
        QCOMPARE(page(ours).front().sessionId, idOf(49'993));
        ours.caller = "2:0::u3";
        QCOMPARE(page(ours).front().sessionId, idOf(49'903));
        // Nobody waits for a sort of all of them.
        const std::function<std::string(broker::Connection&)> explain = [&](broker::Connection& sql) {
            std::string plan;
            for (const LiveQuery& query : {LiveQuery(), next, mine}) {
                std::string statement = LiveUsageBook::pageStatement(query, clock.wallNow());
                for (const auto& [name, value] :
                    {std::pair(":before", "'voice_1800050000'"), std::pair(":caller", "'2:0::u7'")}) {
                    if (const auto at = statement.find(name); at != std::string::npos) {
                        statement.replace(at, std::string(name).size(), value);
                    }
                }
                const std::string verb = isShared ? "EXPLAIN " : "EXPLAIN QUERY PLAN ";
                soci::rowset<soci::row> lines = (sql.prepare << verb + statement);
                for (const soci::row& line : lines) {
                    plan += line.get<std::string>(isShared ? 0 : 3) + "\n";
                }
            }
            return plan;
        };
        const auto plan = finish(threads, database->run<std::string>(explain));
        QVERIFY(plan);
        QVERIFY2(plan->find("TEMP B-TREE") == std::string::npos, plan->c_str());
        QVERIFY2(plan->find("SCAN s\n") == std::string::npos, plan->c_str());
        if (isShared) {
            QVERIFY2(plan->find("Seq Scan on sessions") == std::string::npos, plan->c_str());
        }
        // Ten times what it takes here, for slower machines.
        QElapsedTimer timer;
        timer.start();
        (void)page({});
        QVERIFY2(timer.elapsed() < 500, qPrintable(QString::number(timer.elapsed())));
    }

    void sessionsWithoutALiveToken_AreNotThere()
    {
        NetThreads threads;
        SharedClock clock;
        CapturedLog log;
        const auto database = open(false, log);
        const long long now = std::chrono::floor<core::Milliseconds>(clock.wallNow()).time_since_epoch().count();
        const std::function<int(broker::Connection&)> work = [&](broker::Connection& sql) {
            fill(sql, now, 10);
            sql << "UPDATE sessions SET expires_at = " + std::to_string(now) + " WHERE project <> 'p4'";
            sql << "DELETE FROM usage_sessions WHERE project = 'p4'";
            return 0;
        };
        QVERIFY(finish(threads, database->run<int>(work)));
        const LiveUsageBook book(*database, clock);
        const auto live = finish(threads, book.live({}));
        QVERIFY(live);
        // One that the ledger does not know is there all the same.
        QCOMPARE(live->size(), std::size_t{1});
        QCOMPARE(live->front().project, std::string("p4"));
        QCOMPARE(live->front().provider, std::string());
    }

    void spent_IsOfTodayAndOfThisMonth_ThroughTheRelayOnly()
    {
        NetThreads threads;
        SharedClock clock;
        CapturedLog log;
        const auto database = open(false, log);
        const std::int64_t today = std::chrono::floor<std::chrono::days>(clock.wallNow()).time_since_epoch().count();
        const std::function<int(broker::Connection&)> work = [&](broker::Connection& sql) {
            const auto put = [&](long long day, const std::string& caller, const std::string& project,
                                 const std::string& transport, long long money) {
                sql << "INSERT INTO usage_days (day, caller, issuer, subject, project, provider, model, transport, "
                       "sessions, connected_ms, audio_in_ms, audio_out_ms, turns, tool_calls, text_in, cached_text_in, "
                       "text_out, audio_in, cached_audio_in, audio_out, image_in, cached_image_in, transcribed_ms, "
                       "transcription_tokens, nano_dollars, unpriced) VALUES (:day, :caller, 'i', 's', :project, 'o', 'm', "
                       ":transport, 1, 60000, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, :money, 0)",
                    soci::use(day), soci::use(caller), soci::use(project), soci::use(transport), soci::use(money);
            };
            put(today, "u1", "choir", "relay", 5);
            put(today, "u2", "choir", "relay", 7);
            put(today, "u1", "choir", "direct", 1'000);
            put(today - 1, "u1", "choir", "relay", 11);
            put(today - 100, "u1", "choir", "relay", 100);
            put(today, "u1", "", "relay", 1);
            put(today, "u1", "band", "relay", 2);
            return 0;
        };
        QVERIFY(finish(threads, database->run<int>(work)));
        const LiveUsageBook book(*database, clock);
        const auto projects = finish(threads, book.ofProjects("", 100));
        QVERIFY(projects);
        QCOMPARE(projects->size(), std::size_t{2});
        QCOMPARE(projects->front().who, std::string("band"));
        const auto& choir = projects->back();
        QCOMPARE(choir.dayNanoDollars, std::int64_t{12});
        QCOMPARE(choir.dayMs, std::int64_t{120'000});
        QCOMPARE(choir.monthNanoDollars, std::int64_t{23});
        QCOMPARE(finish(threads, book.ofProjects("band", 100))->size(), std::size_t{1});
        QCOMPARE(finish(threads, book.ofProjects("", 1))->size(), std::size_t{1});
        const auto callers = finish(threads, book.ofCallers("", 100));
        QCOMPARE(callers->size(), std::size_t{2});
        QCOMPARE(callers->front().dayNanoDollars, std::int64_t{8});
        QCOMPARE(callers->front().subject, std::string("s"));
        const auto these = finish(threads, book.ofThese({"nobody", "choir"}));
        QCOMPARE(these->size(), std::size_t{1});
        QCOMPARE(these->front().monthMs, std::int64_t{180'000});
    }
};

QTEST_GUILESS_MAIN(TestLiveUsage)
#include "test_live_usage.moc"
