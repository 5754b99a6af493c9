#include "net/websocket_client.h"
#include "tests/net/net_harness.h"

#include <QTest>

#include <atomic>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Milliseconds;

namespace {

net::Awaitable<> echoAll(net::WebSocketSession& session)
{
    while (true) {
        auto message = co_await session.read();
        if (!message) {
            co_return;
        }
        const bool isText = message->kind == net::WebSocketMessage::Kind::Text;
        bool isSent = false;
        if (isText) {
            isSent = co_await session.send(std::move(message->data));
        } else {
            isSent = co_await session.sendBinary(std::move(message->data));
        }
        if (!isSent) {
            co_return;
        }
    }
}

net::UpgradeHandler accepting(std::function<net::Awaitable<>(net::WebSocketSession&)> run, std::size_t most = 1 << 20)
{
    return [run = std::move(run), most](
               const net::HttpRequest&) -> net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> {
        net::WebSocketAccept accept;
        accept.maxMessageBytes = most;
        accept.run = run;
        co_return accept;
    };
}

std::string wsUrl(const net::Server& server, const std::string& path)
{
    return "ws" + server.url().substr(4) + path;
}

net::WebSocketRequest request(std::string url)
{
    net::WebSocketRequest result;
    result.url = std::move(url);
    return result;
}

/// A handshake by hand, so that frames can be sent that no library would.
constexpr const char* kHandshake = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The close code of the close frame at the end of raw bytes; 0 for none.
int closeCodeOf(const std::string& bytes)
{
    const std::size_t frame = bytes.rfind('\x88');
    if (frame == std::string::npos || bytes.size() < frame + 4) {
        return 0;
    }
    return static_cast<unsigned char>(bytes[frame + 2]) * 256 + static_cast<unsigned char>(bytes[frame + 3]);
}

} // namespace

class WebSocketTest : public QObject {
    Q_OBJECT

    NetThread m_thread;
    std::unique_ptr<net::Server> m_server;

private Q_SLOTS:
    void initTestCase()
    {
        net::Router routes;
        routes.addWebSocket("/echo", accepting(echoAll, 1000));
        routes.addWebSocket("/large", accepting(echoAll, 32 << 20));
        routes.addWebSocket("/refused",
            [](const net::HttpRequest&) -> net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> {
                co_return core::Unexpected<net::HttpResponse>(net::HttpResponse::json(401, "{}"));
            });
        m_server = serve(m_thread, std::move(routes));
        QVERIFY(m_server != nullptr);
    }

    void messages_ComeBackWholeAndInOrder()
    {
        const auto talk = [this]() -> net::Awaitable<std::string> {
            auto wanted = request(wsUrl(*m_server, "/large"));
            auto opened = co_await net::openWebSocket(std::move(wanted));
            if (!opened) {
                co_return opened.error().detail;
            }
            net::WebSocketSession& session = **opened;
            const std::string large(8 << 20, 'x');
            co_await session.send("one");
            co_await session.sendBinary(std::string("\0\xFF", 2));
            co_await session.send(large);
            auto first = co_await session.read();
            auto second = co_await session.read();
            auto third = co_await session.read();
            const bool isRight = first && first->data == "one" && second
                && second->kind == net::WebSocketMessage::Kind::Binary && second->data == std::string("\0\xFF", 2)
                && third && third->data == large;
            co_await session.close(1000, "bye");
            co_return isRight ? "right" : "wrong";
        };
        QCOMPARE(m_thread.run(talk()).value_or("late"), std::string("right"));
        QTRY_COMPARE(m_server->connections(), std::size_t{0});
    }

    void refusal_BringsItsStatus()
    {
        const auto dial = [this]() -> net::Awaitable<core::Error> {
            auto wanted = request(wsUrl(*m_server, "/refused"));
            auto opened = co_await net::openWebSocket(std::move(wanted));
            co_return opened ? core::Error{} : opened.error();
        };
        const auto error = m_thread.run(dial());
        QVERIFY(error.has_value());
        QCOMPARE(error->code, core::ErrorCode::ProviderRefused);
        QCOMPARE(error->foreignCode, std::string("401"));
    }

    void badFrames_EndWithTheirCode_data()
    {
        QTest::addColumn<QByteArray>("frame");
        QTest::addColumn<int>("code");
        QTest::newRow("unmasked") << QByteArray("\x81\x02hi") << 1002;
        QTest::newRow("reserved bit") << QByteArray("\xC1\x82\0\0\0\0hi", 8) << 1002;
        QTest::newRow("unknown opcode") << QByteArray("\x83\x82\0\0\0\0hi", 8) << 1002;
        QTest::newRow("fragmented ping") << QByteArray("\x09\x80\0\0\0\0", 6) << 1002;
        QTest::newRow("not UTF-8") << QByteArray("\x81\x82\0\0\0\0\xC3\x28", 8) << 1007;
        QTest::newRow("too long") << QByteArray("\x81\xFE\x04\x00\0\0\0\0", 8) + QByteArray(1024, 'x') << 1009;
    }
    void badFrames_EndWithTheirCode()
    {
        QFETCH(QByteArray, frame);
        QFETCH(int, code);
        RawClient client(m_server->port());
        client.send(kHandshake);
        QCOMPARE(statusOf(client.readHead()), 101);
        client.send(frame.toStdString());
        QCOMPARE(closeCodeOf(client.readToEnd(std::chrono::seconds(1))), code);
    }

    void framesBeforeTheHandshakeIsDone_AreRefused()
    {
        // RFC 6455 §4.1: a client waits for the answer.
        RawClient client(m_server->port());
        client.send(std::string(kHandshake) + std::string("\x81\x82\0\0\0\0hi", 8));
        QCOMPARE(statusOf(client.readToEnd()), 400);
    }

    void badHandshake_IsRefused_data()
    {
        QTest::addColumn<QByteArray>("from");
        QTest::addColumn<QByteArray>("to");
        QTest::addColumn<int>("status");
        QTest::newRow("old version") << QByteArray("Version: 13") << QByteArray("Version: 8") << 426;
        QTest::newRow("short key") << QByteArray("dGhlIHNhbXBsZSBub25jZQ==") << QByteArray("dGhl") << 400;
        QTest::newRow("no key") << QByteArray("Sec-WebSocket-Key") << QByteArray("X-Key") << 400;
        QTest::newRow("no such place") << QByteArray("/echo") << QByteArray("/nowhere") << 404;
    }
    void badHandshake_IsRefused()
    {
        QFETCH(QByteArray, from);
        QFETCH(QByteArray, to);
        QFETCH(int, status);
        RawClient client(m_server->port());
        client.send(QByteArray(kHandshake).replace(from, to).toStdString());
        const std::string answer = client.readToEnd();
        QCOMPARE(statusOf(answer), status);
        QCOMPARE(answer.find("Sec-WebSocket-Version: 13") != std::string::npos, status == 426);
    }

    void readerThatStops_HoldsTheSenderBack()
    {
        std::atomic<std::size_t> sent = 0;
        std::atomic<std::size_t> mostQueued = 0;
        net::Router routes;
        routes.addWebSocket("/flood", accepting([&](net::WebSocketSession& session) -> net::Awaitable<> {
            for (int i = 0; i < 4000; ++i) {
                const bool isSent = co_await session.send(std::string(64 * 1024, 'x'));
                if (!isSent) {
                    co_return;
                }
                sent += 64 * 1024;
                mostQueued = std::max<std::size_t>(mostQueued, session.queuedBytes());
            }
        }));
        net::ServerConfig config;
        config.limits.webSocketQueueBytes = 128 * 1024;
        const auto server = serve(m_thread, std::move(routes), config);
        RawClient client(server->port());
        std::string handshake(kHandshake);
        client.send(handshake.replace(handshake.find("/echo"), 5, "/flood"));
        // It goes on until the buffers of both systems are full, and then it stands still.
        std::size_t before = 0;
        QTRY_VERIFY_WITH_TIMEOUT((std::exchange(before, sent.load()) == sent.load()) && sent > 0, 10'000);
        QVERIFY(sent < 64U * 1024 * 1024);
        QVERIFY(mostQueued <= 192 * 1024);
        client.socket().close();
        QTRY_COMPARE(server->connections(), std::size_t{0});
    }

    void peerThatSaysNothing_IsGivenUp()
    {
        net::Router routes;
        std::atomic<int> code = 0;
        routes.addWebSocket("/echo", accepting([&](net::WebSocketSession& session) -> net::Awaitable<> {
            const auto message = co_await session.read();
            code = message ? 1 : message.error().code;
        }));
        net::ServerConfig config;
        config.limits.webSocketSilence = Milliseconds{200};
        const auto server = serve(m_thread, std::move(routes), config);
        RawClient client(server->port());
        client.send(kHandshake);
        QTRY_COMPARE(code.load(), 1006);
        QTRY_COMPARE(server->connections(), std::size_t{0});
    }

    void drain_TellsThatTheServerGoes()
    {
        net::Router routes;
        routes.addWebSocket("/echo", accepting(echoAll));
        const auto server = serve(m_thread, std::move(routes));
        const auto talk = [&]() -> net::Awaitable<int> {
            auto wanted = request(wsUrl(*server, "/echo"));
            auto opened = co_await net::openWebSocket(std::move(wanted));
            if (!opened) {
                co_return 0;
            }
            co_await (*opened)->send("hello");
            co_await (*opened)->read();
            boost::asio::co_spawn(
                co_await boost::asio::this_coro::executor, server->drain(Milliseconds{3000}), boost::asio::detached);
            const auto end = co_await (*opened)->read();
            co_return end ? 1 : end.error().code;
        };
        QCOMPARE(m_thread.run(talk()).value_or(-1), 1001);
        QTRY_COMPARE(server->connections(), std::size_t{0});
    }
};

QTEST_GUILESS_MAIN(WebSocketTest)
#include "test_net_websocket.moc"
