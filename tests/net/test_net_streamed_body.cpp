#include "net/timer.h"
#include "tests/net/raw_socket.h"
#include "tests/net/test_server.h"

#include <QTest>

#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>

using namespace vivavoce;
using net::test::RawSocket;
using net::test::TestServer;

namespace {

/// Becomes true when whoever holds it is gone.
struct Leaving {
    explicit Leaving(std::atomic<bool>& told) : hasLeft(told) {}
    ~Leaving() { hasLeft = true; }
    Leaving(const Leaving&) = delete;
    Leaving& operator=(const Leaving&) = delete;
    std::atomic<bool>& hasLeft;
};

net::HttpResponse streaming(std::function<net::Awaitable<>(net::BodyWriter&)> make)
{
    net::HttpResponse response;
    response.headers.set("Content-Type", "text/event-stream");
    response.stream = std::move(make);
    return response;
}

/// Writes for ever.
net::Awaitable<> pour(net::BodyWriter& body)
{
    bool goesOn = true;
    while (goesOn) {
        goesOn = co_await body.write(std::string(64 * 1024, 'x'));
    }
}

std::string get(const std::string& path, const std::string& version = "1.1")
{
    return "GET " + path + " HTTP/" + version + "\r\nHost: a\r\n\r\n";
}

} // namespace

/// Bodies that are made while they are sent.
class StreamedBodyTest : public QObject {
    Q_OBJECT

    std::atomic<bool> m_hasLeft{false};
    std::atomic<bool> m_hasHeard{false};
    std::unique_ptr<TestServer> m_server;

private slots:
    void init()
    {
        m_hasLeft = false;
        m_hasHeard = false;
        net::Router router;
        const auto add = [&](const char* path, std::function<net::Awaitable<>(net::BodyWriter&)> make) {
            router.add("GET", path,
                [make](const net::HttpRequest&) -> net::Awaitable<net::HttpResponse> { co_return streaming(make); });
        };
        add("/two", [](net::BodyWriter& body) -> net::Awaitable<> {
            (void)co_await body.write("one ");
            (void)co_await body.write("");
            (void)co_await body.write("two");
        });
        add("/wait", [this](net::BodyWriter& body) -> net::Awaitable<> {
            const Leaving leaving(m_hasLeft);
            (void)co_await body.write("begun");
            m_hasHeard = true;
            net::Timer never(co_await boost::asio::this_coro::executor, std::chrono::steady_clock::time_point::max());
            co_await never.async_wait(net::useAwaitable);
        });
        add("/pour", [this](net::BodyWriter& body) -> net::Awaitable<> {
            const Leaving leaving(m_hasLeft);
            co_await pour(body);
        });
        add("/fail", [](net::BodyWriter& body) -> net::Awaitable<> {
            (void)co_await body.write("begun");
            throw std::runtime_error("a secret in an exception");
        });
        net::ServerLimits limits;
        limits.bodyTimeout = core::Milliseconds{300};
        m_server = std::make_unique<TestServer>(std::move(router), limits);
    }

    void body_ComesInItsParts_AndTheConnectionGoesOn()
    {
        RawSocket client(m_server->port());
        for (int i = 0; i < 2; ++i) {
            client.send(get("/two"));
            const std::string head = client.readUntil("\r\n\r\n");
            QVERIFY2(head.starts_with("HTTP/1.1 200 "), head.c_str());
            QVERIFY(head.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
            QVERIFY(head.find("Content-Length") == std::string::npos);
            QCOMPARE(client.readUntil("0\r\n\r\n"), std::string("4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"));
        }
    }

    void body_ForOneWhoKnowsNoChunks_EndsWithTheConnection()
    {
        RawSocket client(m_server->port());
        client.send(get("/two", "1.0"));
        const std::string answer = client.readToEnd();
        QVERIFY(answer.find("Transfer-Encoding") == std::string::npos);
        QVERIFY2(answer.ends_with("\r\n\r\none two"), answer.c_str());
    }

    void reader_WhoHangsUp_EndsTheMakingOfIt()
    {
        RawSocket client(m_server->port());
        client.send(get("/wait"));
        (void)client.readUntil("begun");
        QTRY_VERIFY(m_hasHeard);
        QVERIFY(!m_hasLeft);
        client.close();
        QTRY_VERIFY(m_hasLeft);
    }

    void reader_WhoSendsMore_IsStillWrittenTo()
    {
        RawSocket client(m_server->port());
        client.send(get("/wait") + get("/two"));
        (void)client.readUntil("begun");
        QTRY_VERIFY(m_hasHeard);
        QVERIFY(!m_hasLeft);
    }

    void reader_WhoDoesNotRead_IsGivenUp()
    {
        RawSocket client(m_server->port(), 4096);
        client.send(get("/pour"));
        QTRY_VERIFY(m_hasLeft);
    }

    void body_ThatCouldNotBeMade_IsKnownToBeCutOff()
    {
        RawSocket client(m_server->port());
        client.send(get("/fail"));
        const std::string answer = client.readToEnd();
        QVERIFY2(answer.ends_with("5\r\nbegun\r\n"), answer.c_str());
        QVERIFY(answer.find("secret") == std::string::npos);
    }

    void server_ThatGoes_WaitsUntilItsDeadline()
    {
        RawSocket client(m_server->port());
        client.send(get("/wait"));
        (void)client.readUntil("begun");
        m_server->loop().run(m_server->server().drain(core::Milliseconds{200}));
        QVERIFY(client.isClosedByPeer());
        QVERIFY(m_hasLeft);
    }
};

QTEST_APPLESS_MAIN(StreamedBodyTest)
#include "test_net_streamed_body.moc"
