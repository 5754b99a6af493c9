#include "broker/auth/json_web_token.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/hostile_tokens.h"
#include "tests/broker/test_secrets.h"
#include "tests/net/raw_socket.h"
#include "tests/net/test_server.h"

#include <boost/asio/ip/tcp.hpp>

#include <QTemporaryDir>
#include <QTest>

#include <atomic>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::broker::auth;
using namespace vivavoce::tests;
using core::Json;
namespace asio = boost::asio;

namespace {

/// Listens and serves nobody: whoever ever connected is still in its queue.
class Trap {
public:
    [[nodiscard]] std::string url() const
    {
        return "http://127.0.0.1:" + std::to_string(m_acceptor.local_endpoint().port());
    }
    [[nodiscard]] bool hasCaught()
    {
        m_acceptor.non_blocking(true);
        boost::system::error_code error;
        asio::ip::tcp::socket socket(m_io);
        m_acceptor.accept(socket, error);
        return error != asio::error::would_block;
    }

private:
    asio::io_context m_io;
    asio::ip::tcp::acceptor m_acceptor{m_io, {asio::ip::make_address("127.0.0.1"), 0}};
};

/// An issuer with an RSA key and one on a curve, which counts who asks it.
class LoginServer {
public:
    LoginServer()
    {
        net::Router router;
        net::test::addPlain(router, "GET", "/.well-known/openid-configuration", [this](const net::HttpRequest&) {
            ++asked;
            return net::HttpResponse::json(200, Json({{"issuer", url()}, {"jwks_uri", url() + "/keys"}}).dump());
        });
        net::test::addPlain(router, "GET", "/keys", [this](const net::HttpRequest&) {
            ++asked;
            return net::HttpResponse::json(
                200, Json({{"keys", Json::array({rsa.publicJwk("r"), curve.publicJwk()})}}).dump());
        });
        m_server = std::make_unique<net::test::TestServer>(std::move(router));
    }
    [[nodiscard]] std::string url() const { return m_server->url(""); }
    [[nodiscard]] Json claims() const
    {
        constexpr std::int64_t now = 1'800'000'000;
        return {{"iss", url()}, {"sub", "ada"}, {"aud", "vivavoce"}, {"iat", now}, {"exp", now + 600},
            {"scope", "voice:mint"}};
    }
    [[nodiscard]] std::string goodToken() const
    {
        const std::string text =
            encoded(Json({{"alg", "RS256"}, {"typ", "at+jwt"}, {"kid", "r"}}).dump()) + "." + encoded(claims().dump());
        return text + "." + rsa.sign(text);
    }

    RsaKey rsa;
    SigningKey curve = *SigningKey::generate(JoseAlgorithm::Es256);
    std::atomic<int> asked{0};

private:
    std::unique_ptr<net::test::TestServer> m_server;
};

struct World {
    World()
        : broker([this](Config& config) {
              config.isEmbedded = false;
              config.secret = core::Secret(kTestSecret);
              config.auditFolder = audit.path().toStdString();
              config.mintsPerMinute = 1000;
              IssuerSettings issuer;
              issuer.url = login.url();
              issuer.audiences = {"vivavoce"};
              config.issuers.push_back(std::move(issuer));
          })
    {
    }
    BrokerWorld::Answer mint(const std::string& token)
    {
        auto request = broker.request("POST", "/api/voice-agent/token", "{}");
        request.headers.add("Authorization", "Bearer " + token);
        return broker.send(std::move(request));
    }

    QTemporaryDir audit;
    LoginServer login;
    BrokerWorld broker;
};

} // namespace

class TestBrokerHostileTokens : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        m_trap = std::make_unique<Trap>();
        m_world = std::make_unique<World>();
        // What is refused below is refused for what is wrong with it, and not because nothing gets in.
        QCOMPARE(m_world->mint(m_world->login.goodToken()).status, 200U);
        const std::string other(m_world->login.curve.sign("at+jwt", m_world->login.claims()).reveal());
        QCOMPARE(m_world->mint(other).status, 200U);
    }
    void cleanupTestCase()
    {
        QCOMPARE(m_world->mint(m_world->login.goodToken()).status, 200U);
        QCOMPARE(m_world->broker.provider.requests().size(), std::size_t{3});
        QVERIFY(!m_trap->hasCaught());
        m_world.reset();
    }

    void mint_ByAHostileToken_IsRefusedWithoutAskingAnybody_data()
    {
        QTest::addColumn<std::string>("token");
        const auto& login = m_world->login;
        for (const HostileToken& hostile : hostileTokens({login.rsa, login.curve, login.claims(), m_trap->url()})) {
            QTest::addRow("%s", hostile.name) << hostile.token;
        }
    }
    void mint_ByAHostileToken_IsRefusedWithoutAskingAnybody()
    {
        QFETCH(std::string, token);
        const int asked = m_world->login.asked;
        const auto answer = m_world->mint(token);
        QCOMPARE(answer.status, 401U);
        QCOMPARE(codeOf(answer), std::string("invalid_token"));
        QVERIFY(header(answer, "WWW-Authenticate").starts_with("Bearer "));
        QVERIFY(header(answer, "WWW-Authenticate").find("error=\"invalid_token\"") != std::string::npos);
        // The answer tells nothing that would help the next attempt: it is the same for all.
        QCOMPARE(Json::parse(answer.body).value("title", std::string()), std::string("The credentials are not valid"));
        QCOMPARE(m_world->login.asked.load(), asked);
        QVERIFY(!m_trap->hasCaught());
    }

    void mint_ByATokenOfAMegabyte_IsRefusedBeforeItIsRead()
    {
        const std::string url = m_world->broker.url();
        net::test::RawSocket socket(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
        socket.send(
            "POST /api/voice-agent/token HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + std::string(1 << 20, 'A'));
        const auto answer = socket.readAnswer();
        QCOMPARE(answer.status, 431U);
        QVERIFY(answer.body.find("\"headers_too_large\"") != std::string::npos);
    }

    void read_ClaimsAHundredThousandDeep_AreMalformed()
    {
        // Longer than a token may be, and so refused by its length; what is shorter, by its depth.
        for (const std::size_t depth : {std::size_t{65}, std::size_t{2'900}, std::size_t{100'000}}) {
            const std::string deep = R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
            const auto read = readToken(encoded(R"({"alg":"RS256","kid":"r"})") + "." + encoded(deep) + ".AAAA");
            QVERIFY(!read && read.error() == JwtFault::Malformed);
            QVERIFY(!core::parseJson(deep));
        }
    }

private:
    std::unique_ptr<Trap> m_trap;
    std::unique_ptr<World> m_world;
};

QTEST_GUILESS_MAIN(TestBrokerHostileTokens)
#include "test_broker_hostile_tokens.moc"
