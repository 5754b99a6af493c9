#include "broker/http/sign_in_report.h"
#include "tests/broker/fake_audit_trail.h"
#include "tests/broker/operator_world.h"

#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr const char* kMint = "/api/voice-agent/token";

std::vector<core::Json> signIns(OperatorWorld& world, std::size_t atLeast)
{
    std::vector<core::Json> found;
    (void)QTest::qWaitFor([&] {
        found = world.allLines(0);
        found.erase(std::remove_if(found.begin(), found.end(),
                        [](const core::Json& line) { return line.at("event").get<std::string>() != "auth.sign_in"; }),
            found.end());
        return found.size() >= atLeast;
    });
    return found;
}

/// The report alone, with room for two credentials of each generation.
struct Report {
    std::size_t after(const std::string& credential)
    {
        broker::Client client;
        client.caller.subject = "u1";
        // What becomes of the line is seen there, too.
        const auto told = [&]() -> net::Awaitable<> {
            report.signedIn(client, credential, co_await boost::asio::this_coro::executor);
        };
        boost::asio::io_context io;
        boost::asio::co_spawn(io, told(), boost::asio::detached);
        io.run();
        return audit.records().size();
    }

    FakeAuditTrail audit;
    broker::TokenHasher hasher;
    CapturedLog log;
    broker::http::SignInReport report{{audit, hasher, log}, 2};
};

} // namespace

class TestBrokerSignIns : public QObject {
    Q_OBJECT

private slots:
    void token_ThatComesOften_IsOneSignIn()
    {
        OperatorWorld world;
        const std::string token = world.user("u1");
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(world.as(token, "GET", "/api/voice/session").status, 200U);
        }
        QCOMPARE(world.as(token, "POST", kMint, "{}").status, 200U);
        const auto told = world.allLines(3);
        const auto found = signIns(world, 1);
        QCOMPARE(found.size(), std::size_t(1));
        const core::Json& line = found.front();
        QCOMPARE(line.at("outcome").get<std::string>(), std::string("done"));
        QCOMPARE(line.at("why").get<std::string>(), std::string("issuer"));
        QCOMPARE(line.at("issuer").get<std::string>(), world.login.url());
        QCOMPARE(line.at("subject").get<std::string>(), std::string("u1"));
        QCOMPARE(line.at("peer").get<std::string>(), std::string("127.0.0.1"));
        QVERIFY(line.at("token").get<std::string>().starts_with("hmac-sha256:"));
        QVERIFY(line.dump().find(token) == std::string::npos);
        // What was done with it stands behind it.
        QVERIFY(line.at("seq") < told.back().at("seq"));
        const std::string request = line.at("request").get<std::string>();
        QCOMPARE(QByteArray::fromStdString(world.broker.log.text(broker::LogLevel::Info)).count("auth.signed_in"), 1);
        QVERIFY(world.broker.log.text().find(request) != std::string::npos);
    }

    void eachCredential_IsASignInOfItsOwn()
    {
        OperatorWorld world;
        (void)world.as(world.user("u1"), "GET", "/api/voice/session");
        (void)world.as(world.user("u2"), "GET", "/api/voice/session");
        (void)world.as(world.serviceKey(), "GET", "/api/voice/session");
        // It was good, though not for this.
        (void)world.as(world.login.token("u3", "nothing"), "POST", kMint, "{}");
        const auto found = signIns(world, 4);
        QCOMPARE(found.size(), std::size_t(4));
        QCOMPARE(found.at(1).at("subject").get<std::string>(), std::string("u2"));
        QCOMPARE(found.at(2).at("why").get<std::string>(), std::string("service_key"));
        QCOMPARE(found.at(2).at("subject").get<std::string>(), std::string("nightly"));
        QCOMPARE(found.at(3).at("subject").get<std::string>(), std::string("u3"));
    }

    void whoIsRefused_HasNotSignedIn()
    {
        OperatorWorld world;
        std::string forged = world.user("u1");
        forged.back() = forged.back() == 'A' ? 'B' : 'A';
        QCOMPARE(world.as(forged, "POST", kMint, "{}").status, 401U);
        QCOMPARE(world.as("nonsense", "POST", kMint, "{}").status, 401U);
        (void)world.lines(2);
        QCOMPARE(signIns(world, 0).size(), std::size_t(0));
        QVERIFY(world.broker.log.text().find("auth.signed_in") == std::string::npos);
    }

    void changedConfiguration_SignsNobodyInAnew()
    {
        OperatorWorld world;
        const std::string token = world.user("u1");
        (void)world.as(token, "GET", "/api/voice/session");
        QCOMPARE(signIns(world, 1).size(), std::size_t(1));
        QCOMPARE(world.broker.reload([](broker::Config& config) { config.tokenLife = std::chrono::seconds(30); }),
            std::string());
        QCOMPARE(world.as(token, "POST", kMint, "{}").status, 200U);
        (void)world.lines(1);
        QCOMPARE(signIns(world, 0).size(), std::size_t(1));
    }

    void embeddedCaller_SignsInNowhere()
    {
        BrokerWorld world;
        QCOMPARE(world.send(world.mintRequest()).status, 200U);
        QVERIFY(world.log.text().find("auth.signed_in") == std::string::npos);
    }

    void memory_IsBounded()
    {
        Report report;
        QCOMPARE(report.after("a"), std::size_t(1));
        QCOMPARE(report.after("b"), std::size_t(2));
        QCOMPARE(report.after("a"), std::size_t(2));
        QCOMPARE(report.after("c"), std::size_t(3));
        // Of the generation before; it is remembered for one more.
        QCOMPARE(report.after("a"), std::size_t(3));
        QCOMPARE(report.after("b"), std::size_t(3));
        QCOMPARE(report.after("a"), std::size_t(3));
        for (const char* other : {"d", "e", "f", "g"}) {
            (void)report.after(other);
        }
        QCOMPARE(report.after("a"), std::size_t(8));
    }

    void lineThatIsNotStored_IsToldWhenTheCredentialComesAgain()
    {
        Report report;
        report.audit.failWith(broker::AuditFailure::TimedOut, false);
        QCOMPARE(report.after("a"), std::size_t(0));
        report.audit.failWith(std::nullopt);
        QCOMPARE(report.after("a"), std::size_t(1));
        QCOMPARE(report.after("a"), std::size_t(1));
    }

    void auditThatIsAway_IsToldWhenItIsBack()
    {
        Report report;
        report.audit.failWith(broker::AuditFailure::Unwritable);
        QCOMPARE(report.after("a"), std::size_t(0));
        report.audit.failWith(std::nullopt);
        QCOMPARE(report.after("a"), std::size_t(1));
        QCOMPARE(report.after("a"), std::size_t(1));
    }
};

QTEST_GUILESS_MAIN(TestBrokerSignIns)
#include "test_broker_sign_ins.moc"
