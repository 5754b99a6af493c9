#include "tests/broker/operator_world.h"
#include "tests/broker/postgres_server.h"

#include <QTest>

#include <algorithm>
#include <map>
#include <sstream>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr const char* kMint = "/api/voice-agent/token";

/// The log's lines of one event.
std::vector<std::string> linesOf(const CapturedLog& log, const std::string& event)
{
    std::vector<std::string> found;
    std::istringstream lines(log.text());
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(event + " ")) {
            found.push_back(line.substr(event.size() + 1));
        }
    }
    return found;
}

} // namespace

/// What should not fail, and does: it is told of, and the rest goes on.
class TestBrokerFailures : public QObject {
    Q_OBJECT

private slots:
    void handler_ThatThrows_LeavesATraceWithoutWhatItThrew()
    {
        BrokerWorld world;
        world.log.failOnceAt("session.opened");
        const auto answer = world.send(world.mintRequest());
        QCOMPARE(answer.status, 500U);
        QCOMPARE(codeOf(answer), std::string("internal"));
        QVERIFY(!header(answer, "X-Content-Type-Options").empty());
        const auto told = linesOf(world.log, "http.failed");
        QCOMPARE(told.size(), std::size_t{1});
        const Json line = Json::parse(told.front());
        QCOMPARE(line.at("request").get<std::string>(), header(answer, "X-Request-Id"));
        QCOMPARE(line.at("path").get<std::string>(), std::string(kMint));
        QCOMPARE(line.at("category").get<std::string>(), std::string("exception"));
        QVERIFY(world.log.text().find("a secret in") == std::string::npos);
        QVERIFY(!world.mint().sessionId.empty());
    }

    void upgrade_ThatThrows_LeavesATraceToo()
    {
        BrokerWorld world;
        world.log.failOnceAt("auth.refused");
        auto request = world.request("GET", "/api/voice/stream");
        for (const auto& [name, value] : std::vector<std::pair<const char*, const char*>>{{"Connection", "Upgrade"},
                 {"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"},
                 {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}, {"Authorization", "Bearer wrong"}}) {
            request.headers.add(name, value);
        }
        QCOMPARE(codeOf(world.send(std::move(request))), std::string("internal"));
        QCOMPARE(linesOf(world.log, "http.failed").size(), std::size_t{1});
    }

    void task_ThatThrows_GoesOnWithItsNextTurn()
    {
        OperatorWorld world;
        const auto refuse = [&] {
            for (int i = 0; i < 2; ++i) {
                QCOMPARE(world.as("wrong", "POST", kMint, "{}").status, 401U);
            }
        };
        refuse();
        // The next one to write that is the sweep, which tells of the sum.
        world.broker.log.failOnceAt("auth.refused");
        world.broker.clock.advance(std::chrono::seconds(61));
        QTRY_COMPARE(linesOf(world.broker.log, "task.failed"), std::vector<std::string>{R"({"task":"sweep"})"});
        refuse();
        const std::size_t before = linesOf(world.broker.log, "auth.refused").size();
        world.broker.clock.advance(std::chrono::seconds(61));
        QTRY_COMPARE(linesOf(world.broker.log, "auth.refused").size(), before + 1);
    }

    void mint_ThatTheRegistryRefuses_HasALineThatSaysSo()
    {
        OperatorWorld world;
        world.broker.provider.answerWith(
            net::HttpResponse::json(200, R"({"value":"ek_twice","expires_at":1800000600})"));
        QCOMPARE(world.as(world.user(), "POST", kMint, "{}").status, 200U);
        QCOMPARE(codeOf(world.as(world.user(), "POST", kMint, "{}")), std::string("provider_malformed"));
        const auto lines = world.lines(3);
        QCOMPARE(lines.size(), std::size_t{3});
        QCOMPARE(lines[1].at("outcome").get<std::string>(), std::string("done"));
        QCOMPARE(lines[2].at("event").get<std::string>(), std::string("token.mint"));
        QCOMPARE(lines[2].at("outcome").get<std::string>(), std::string("failed"));
        QCOMPARE(lines[2].at("why").get<std::string>(), std::string("provider_malformed"));
        QVERIFY(lines[2].at("session") == lines[1].at("session"));
    }

    void refresh_ThatTheRegistryRefuses_HasALineThatSaysSo()
    {
        OperatorWorld world;
        const auto session = tokenOf(world.as(world.user(), "POST", kMint, "{}"));
        world.broker.provider.answerWith(net::HttpResponse::json(
            200, R"({"value":")" + std::string(session.token.reveal()) + R"(","expires_at":1800000600})"));
        QCOMPARE(codeOf(world.broker.send(world.broker.refreshRequest(session.token.reveal()))),
            std::string("invalid_token"));
        const auto lines = world.lines(3);
        const auto failed = std::find_if(lines.begin(), lines.end(),
            [](const Json& line) { return line.at("event") == "token.refresh" && line.at("outcome") == "failed"; });
        QVERIFY(failed != lines.end());
        QCOMPARE(failed->at("session").get<std::string>(), session.sessionId);
    }

    void strangers_OverTheLimit_LeaveTheDatabaseToOthers()
    {
        if (const QString missing = PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(QStringLiteral("NOT TESTED: ") + missing));
        }
        PostgresServer postgres;
        QVERIFY(postgres.start());
        BrokerWorld world([&](broker::Config& config) {
            config.databaseUrl = core::Secret(postgres.url());
            config.strangersPerMinute = 1;
        });
        QCOMPARE(world.send(world.refreshRequest("ek_wrong")).status, 401U);
        postgres.freeze();
        std::vector<std::future<BrokerWorld::Answer>> answers;
        for (int i = 0; i < 10; ++i) {
            answers.push_back(world.begin(world.refreshRequest("ek_wrong")));
        }
        std::map<unsigned, int> counts;
        for (auto& answer : answers) {
            ++counts[BrokerWorld::wait(std::move(answer)).status];
        }
        postgres.thaw();
        // Two were looked up, in vain; the others had their answer without the database.
        QCOMPARE(counts, (std::map<unsigned, int>{{429, 8}, {503, 2}}));
    }
};

QTEST_GUILESS_MAIN(TestBrokerFailures)
#include "test_broker_failures.moc"
