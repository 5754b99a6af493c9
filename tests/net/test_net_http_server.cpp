#include "net/timer.h"
#include "tests/net/net_harness.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Milliseconds;

namespace {

net::Awaitable<net::HttpResponse> echo(const net::HttpRequest& request)
{
    co_return net::HttpResponse::json(200, request.method + " " + request.path + " " + request.body);
}

net::Awaitable<net::HttpResponse> fail(const net::HttpRequest&)
{
    throw std::runtime_error("a secret in an exception");
    co_return net::HttpResponse();
}

net::Awaitable<net::HttpResponse> never(const net::HttpRequest&)
{
    net::Timer timer(co_await boost::asio::this_coro::executor, std::chrono::hours(1));
    co_await timer.async_wait(net::useAwaitable);
    co_return net::HttpResponse();
}

net::Router router()
{
    net::Router routes;
    routes.add("GET", "/echo", echo);
    routes.add("POST", "/echo", echo);
    routes.add("GET", "/fail", fail);
    routes.add("GET", "/never", never);
    return routes;
}

net::ServerConfig impatient()
{
    net::ServerConfig config;
    config.limits.headerTimeout = Milliseconds{200};
    config.limits.bodyTimeout = Milliseconds{200};
    config.limits.idleTimeout = Milliseconds{200};
    config.limits.handlerTimeout = Milliseconds{200};
    config.limits.maxHeaderBytes = 2048;
    config.limits.maxTargetBytes = 256;
    config.limits.maxBodyBytes = 1000;
    return config;
}

std::string get(const std::string& target, const std::string& fields = {})
{
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n";
}

} // namespace

class HttpServerTest : public QObject {
    Q_OBJECT

    NetThread m_thread;
    std::unique_ptr<net::Server> m_server;

    std::string answerTo(const std::string& bytes) const
    {
        RawClient client(m_server->port());
        client.send(bytes);
        return client.readToEnd();
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_server = serve(m_thread, router(), impatient());
        QVERIFY(m_server != nullptr);
    }
    void cleanupTestCase()
    {
        const auto drain = [this]() -> net::Awaitable<bool> {
            co_await m_server->drain(Milliseconds{1000});
            co_return true;
        };
        QVERIFY(m_thread.run(drain()).has_value());
    }

    void request_IsAnsweredWithItsStatus_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("status");
        const auto row = [](const char* name, const std::string& bytes, int status) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << status;
        };
        row("found", get("/echo?x=1"), 200);
        row("folded slashes", get("//echo"), 200);
        row("not found", get("/nothing"), 404);
        row("another method", "DELETE /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405);
        row("handler that throws", get("/fail"), 500);
        row("handler that never answers", get("/never"), 503);
        row("no Host", "GET /echo HTTP/1.1\r\n\r\n", 400);
        row("smuggled length",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
        row("long target", get("/" + std::string(300, 'x')), 414);
        row("long header", get("/echo", "X: " + std::string(3000, 'x') + "\r\n"), 431);
        row("announced body too long", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 413);
        row("chunked body too long",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n600\r\n" + std::string(0x600, 'x')
                + "\r\n0\r\n\r\n",
            413);
        row("header that stops", "GET /echo HTTP/1.1\r\nHost: a", 408);
        row("body that stops", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", 408);
        row("bad length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400);
        row("upgrade where there is none",
            get("/echo",
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            400);
    }
    void request_IsAnsweredWithItsStatus()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(int, status);
        const std::string answer = answerTo(bytes.toStdString());
        QCOMPARE(statusOf(answer), status);
        QVERIFY(answer.find("Server:") == std::string::npos);
        QVERIFY(answer.find("a secret") == std::string::npos);
    }

    void methodNotAllowed_NamesThoseThatAre()
    {
        const std::string answer = answerTo("PUT /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        QVERIFY(answer.find("Allow: GET, POST\r\n") != std::string::npos);
    }

    void idleConnection_IsClosedWithoutAWord() { QCOMPARE(answerTo({}), std::string()); }

    void twoRequestsAtOnce_AreAnsweredInOrder()
    {
        const std::string answer = answerTo("GET /echo?1 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/nothing"));
        QCOMPARE(statusOf(answer), 200);
        const std::size_t second = answer.find("HTTP/1.1", 10);
        QVERIFY(second != std::string::npos);
        QCOMPARE(statusOf(answer.substr(second)), 404);
    }

    void expectContinue_IsInvited()
    {
        const std::string answer = answerTo(
            "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
        QVERIFY(answer.rfind("HTTP/1.1 100", 0) == 0);
        QVERIFY(answer.find("POST /echo hi") != std::string::npos);
    }

    void connectionsOfOneAddress_AreCapped()
    {
        net::ServerConfig config = impatient();
        config.limits.maxConnectionsPerAddress = 2;
        config.limits.idleTimeout = Milliseconds{5000};
        config.limits.headerTimeout = Milliseconds{5000};
        const auto server = serve(m_thread, router(), config);
        RawClient first(server->port());
        first.send("GET /echo HTTP/1.1\r\n");
        RawClient second(server->port());
        second.send("GET /echo HTTP/1.1\r\n");
        QTRY_COMPARE(server->connections(), std::size_t{2});
        RawClient third(server->port());
        third.send(get("/echo"));
        QCOMPARE(third.readToEnd(), std::string());
        first.send("Host: a\r\nConnection: close\r\n\r\n");
        QCOMPARE(statusOf(first.readToEnd()), 200);
    }

    void portInUse_IsNamedSo()
    {
        net::ServerConfig config;
        config.port = m_server->port();
        const auto second = net::Server::create({m_thread.io().get_executor()}, config, {});
        QVERIFY(!second.has_value());
        QCOMPARE(second.error().code, core::ErrorCode::AlreadyRunning);
    }

    void badSettings_AreNamed()
    {
        net::ServerConfig config;
        config.address = "nowhere";
        QCOMPARE(net::Server::create({m_thread.io().get_executor()}, config, {}).error().code,
            core::ErrorCode::BadConfiguration);
        config.address = "127.0.0.1";
        config.tls = {"/no/such/file.pem", "/no/such/key.pem"};
        QCOMPARE(net::Server::create({m_thread.io().get_executor()}, config, {}).error().code,
            core::ErrorCode::BadConfiguration);
    }

    void drain_LetsARequestFinishAndRefusesNewOnes()
    {
        std::promise<void> started;
        net::Router routes;
        routes.add("GET", "/slow", [&started](const net::HttpRequest&) -> net::Awaitable<net::HttpResponse> {
            started.set_value();
            net::Timer timer(co_await boost::asio::this_coro::executor, std::chrono::milliseconds(150));
            co_await timer.async_wait(net::useAwaitable);
            co_return net::HttpResponse::json(200, "{}");
        });
        net::ServerConfig config;
        const auto server = serve(m_thread, std::move(routes), config);
        RawClient client(server->port());
        client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
        QVERIFY(started.get_future().wait_for(std::chrono::seconds(5)) == std::future_status::ready);
        const auto drain = [&]() -> net::Awaitable<bool> {
            co_await server->drain(Milliseconds{3000});
            co_return true;
        };
        QVERIFY(m_thread.run(drain()).has_value());
        const std::string answer = client.readToEnd();
        QCOMPARE(statusOf(answer), 200);
        QVERIFY(answer.find("Connection: close") != std::string::npos);
        QCOMPARE(server->connections(), std::size_t{0});
        QVERIFY_THROWS_EXCEPTION(boost::system::system_error, RawClient(server->port()));
    }
};

QTEST_GUILESS_MAIN(HttpServerTest)
#include "test_net_http_server.moc"
