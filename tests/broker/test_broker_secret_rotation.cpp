#include "tests/broker/broker_harness.h"

#include <QTemporaryDir>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr const char* kOld = "b2xkLXNlY3JldC1vZi10aGlzLXRlc3Qtd2l0aC0zMi1ieXRlcw";
constexpr const char* kNew = "bmV3LXNlY3JldC1vZi10aGlzLXRlc3Qtd2l0aC0zMi1ieXRlcw";

} // namespace

/// A broker on a database that outlives it.
class TestBrokerSecretRotation : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<BrokerWorld> m_world;

    /// As after a restart.
    void start(const char* secret, const char* previous)
    {
        m_world.reset();
        m_world = std::make_unique<BrokerWorld>([=, this](broker::Config& config) {
            config.databaseUrl =
                core::Secret("sqlite://" + m_folder->filePath(QStringLiteral("broker.db")).toStdString());
            config.secret = core::Secret(secret);
            config.previousSecret = core::Secret(previous);
        });
    }
    void startWithTheNewOne(const char* previous = kOld)
    {
        start(kNew, previous);
        // Its own counter would begin again with a token that is known.
        m_world->provider.answerWith(
            net::HttpResponse::json(200, R"({"value":"ek_of_the_new_one","expires_at":1800000600})"));
    }
    [[nodiscard]] net::ClientResponse refresh(const core::Secret& token, const std::string& key = {})
    {
        return m_world->send(m_world->refreshRequest(token.reveal(), key));
    }
    [[nodiscard]] net::ClientResponse post(const char* path, std::string body, std::string_view bearer)
    {
        auto request = m_world->request("POST", path, std::move(body));
        request.headers.add("Authorization", "Bearer " + std::string(bearer));
        return m_world->send(std::move(request));
    }

private slots:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void cleanup() { m_world.reset(); }

    void session_FromBefore_GoesOn_AndItsSpentTokenIsKnown()
    {
        start(kOld, "");
        const auto before = m_world->mint();
        startWithTheNewOne();
        const auto renewed = tokenOf(refresh(before.token));
        QCOMPARE(renewed.sessionId, before.sessionId);
        QCOMPARE(codeOf(refresh(before.token)), std::string("token_reused"));
        QCOMPARE(codeOf(refresh(renewed.token)), std::string("invalid_token"));
    }

    void repetition_OfARefreshFromBefore_GetsTheSameSuccessor()
    {
        start(kOld, "");
        const auto before = m_world->mint(R"({"clientInstance":"one"})");
        const auto renewed = tokenOf(refresh(before.token, "a-key"));
        QVERIFY(!renewed.sessionId.empty());
        startWithTheNewOne();
        const auto again = tokenOf(refresh(before.token, "a-key"));
        QCOMPARE(std::string(again.token.reveal()), std::string(renewed.token.reveal()));
    }

    void relayedSession_FromBefore_IsLetIn()
    {
        start(kOld, "");
        const auto before = tokenOf(post("/api/voice/session", "{}", BrokerWorld::kCredential));
        QCOMPARE(before.transport, std::string("relay"));
        startWithTheNewOne();
        QCOMPARE(post("/api/voice/stream", "{}", before.token.reveal()).status, 202U);
        QCOMPARE(tokenOf(refresh(before.token)).sessionId, before.sessionId);
    }

    void session_FromBefore_IsUnknown_OnceThePreviousSecretIsForgotten()
    {
        start(kOld, "");
        const auto before = m_world->mint();
        startWithTheNewOne("");
        QCOMPARE(codeOf(refresh(before.token)), std::string("invalid_token"));
        QCOMPARE(
            m_world->reload([](broker::Config& config) { config.previousSecret = core::Secret(kOld); }), std::string());
        QCOMPARE(tokenOf(refresh(before.token)).sessionId, before.sessionId);
    }
};

QTEST_GUILESS_MAIN(TestBrokerSecretRotation)
#include "test_broker_secret_rotation.moc"
