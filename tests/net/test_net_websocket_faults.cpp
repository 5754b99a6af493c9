#include "tests/net/raw_socket.h"
#include "tests/net/test_server.h"

#include <QElapsedTimer>
#include <QTest>

#include <future>

using namespace vivavoce;
using namespace vivavoce::net;
using namespace vivavoce::net::test;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

namespace {

QByteArray bytes(const std::string& text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

/// The rows of RFC 6455 §5 and §8.1 that end a connection, as sent by one side.
void addFaults(Masked masked)
{
    QTest::addColumn<QByteArray>("sent");
    QTest::addColumn<unsigned>("code");
    const auto row = [](const char* name, const std::string& sent, unsigned code) {
        QTest::newRow(name) << bytes(sent) << code;
    };
    row("masked wrongly", frameBytes(0x81, "hello", masked == Masked::Yes ? Masked::No : Masked::Yes), 1002);
    row("reserved bit 1", frameBytes(0xC1, "hello", masked), 1002);
    row("reserved bit 2", frameBytes(0xA1, "hello", masked), 1002);
    row("reserved bit 3", frameBytes(0x91, "hello", masked), 1002);
    row("unknown data opcode", frameBytes(0x83, "hello", masked), 1002);
    row("unknown control opcode", frameBytes(0x8B, "hello", masked), 1002);
    row("long ping", frameBytes(0x89, std::string(126, 'p'), masked), 1002);
    row("fragmented ping", frameBytes(0x09, "p", masked), 1002);
    row("continuation of nothing", frameBytes(0x80, "hello", masked), 1002);
    row("text within text", frameBytes(0x01, "a", masked) + frameBytes(0x81, "b", masked), 1002);
    row("close with half a code", frameBytes(0x88, "\x03", masked), 1002);
    row("close with a code that may not be sent", frameBytes(0x88, "\x03\xED", masked), 1002);
    row("close with a code that there is not", frameBytes(0x88, "\x13\x88", masked), 1002);
    row("close with the highest code", frameBytes(0x88, "\xFF\xFF", masked), 1002);
    row("bad UTF-8", frameBytes(0x81, "\xC3\x28", masked), 1007);
    row("surrogate", frameBytes(0x81, "\xED\xA0\x80", masked), 1007);
    row("overlong", frameBytes(0x81, "\xC0\xAF", masked), 1007);
    row("cut short", frameBytes(0x81, "caf\xC3", masked), 1007);
    row("bad UTF-8 over two frames", frameBytes(0x01, "caf\xC3", masked) + frameBytes(0x80, "(", masked), 1007);
}

} // namespace

class TestNetWebSocketFaults : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void server_OnAFaultyFrame_ClosesWithItsCode_data() { addFaults(Masked::Yes); }
    void server_OnAFaultyFrame_ClosesWithItsCode()
    {
        QFETCH(QByteArray, sent);
        QFETCH(unsigned, code);
        std::promise<unsigned> end;
        auto ended = end.get_future();
        Router router;
        addSocket(router, [&](WebSocketSession& session) -> Awaitable<> {
            const auto message = co_await session.read();
            end.set_value(message ? 0U : message.error().code);
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        QCOMPARE(socket.upgrade("/socket").status, 101U);
        socket.send(sent.toStdString());
        QCOMPARE(socket.readFrame().closeCode(), code);
        socket.close();
        QCOMPARE(Loop::finished(ended), code);
    }

    void client_OnAFaultyFrame_ClosesWithItsCode_data() { addFaults(Masked::No); }
    void client_OnAFaultyFrame_ClosesWithItsCode()
    {
        QFETCH(QByteArray, sent);
        QFETCH(unsigned, code);
        std::promise<unsigned> told;
        auto isTold = told.get_future();
        Loop loop;
        ScriptedPeer peer([&](RawSocket& socket) {
            const std::string head = socket.readUntil("\r\n\r\n");
            const std::string field = "Sec-WebSocket-Key: ";
            const std::size_t begin = head.find(field) + field.size();
            socket.send(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                + acceptKey(head.substr(begin, head.find("\r\n", begin) - begin)) + "\r\n\r\n" + sent.toStdString());
            told.set_value(socket.readFrame().closeCode());
            socket.close();
        });
        const auto listen = [&]() -> Awaitable<unsigned> {
            WebSocketRequest request;
            request.url = peer.url("ws");
            const auto session = co_await openWebSocket(std::move(request));
            if (!session) {
                co_return 1U;
            }
            const auto message = co_await (*session)->read();
            co_return message ? 0U : message.error().code;
        };
        QCOMPARE(loop.run(listen()), code);
        QCOMPARE(Loop::finished(isTold), code);
    }

    void server_OnAMessageTooBig_Says1009AndThePeerCanReadIt_data()
    {
        QTest::addColumn<int>("frames");
        QTest::newRow("one frame") << 1;
        QTest::newRow("many frames") << 40;
    }
    void server_OnAMessageTooBig_Says1009AndThePeerCanReadIt()
    {
        QFETCH(int, frames);
        constexpr std::size_t kAll = 20 * 1024 * 1024;
        std::promise<unsigned> end;
        auto ended = end.get_future();
        Router router;
        addSocket(router, [&](WebSocketSession& session) -> Awaitable<> {
            const auto message = co_await session.read();
            end.set_value(message ? 0U : message.error().code);
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        QCOMPARE(socket.upgrade("/socket").status, 101U);
        // The peer sends all of it before it looks for an answer.
        const std::string piece(kAll / static_cast<std::size_t>(frames), 'x');
        for (int i = 0; i < frames; ++i) {
            const unsigned opcode = i == 0 ? 0x02 : 0x00;
            socket.send(frameBytes(opcode | (i == frames - 1 ? 0x80U : 0U), piece));
        }
        const Frame farewell = socket.readFrame();
        QCOMPARE(farewell.closeCode(), 1009U);
        socket.send(frameBytes(0x88, farewell.payload));
        QCOMPARE(Loop::finished(ended), 1009U);
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{0}, 20'000);
    }

    /// Whoever reads hears of it while the peer is still being told.
    void server_OnAMessageTooBig_KnowsAtOnce()
    {
        std::promise<unsigned> end;
        auto ended = end.get_future();
        Router router;
        router.addWebSocket(
            "/socket", [&](const HttpRequest&) -> Awaitable<core::Expected<WebSocketAccept, HttpResponse>> {
                WebSocketAccept accept;
                accept.maxMessageBytes = 1000;
                accept.run = [&](WebSocketSession& session) -> Awaitable<> {
                    const auto message = co_await session.read();
                    end.set_value(message ? 0U : message.error().code);
                };
                co_return accept;
            });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        QElapsedTimer elapsed;
        elapsed.start();
        socket.send(frameBytes(0x82, std::string(1001, 'x')));
        // It answers nothing, and keeps the connection.
        QCOMPARE(Loop::finished(ended), 1009U);
        QVERIFY(elapsed.elapsed() < 2'000);
        QCOMPARE(socket.readFrame().closeCode(), 1009U);
    }

    void message_ThatDoesNotEnd_IsGivenUp_data()
    {
        QTest::addColumn<QByteArray>("sent");
        QTest::newRow("frames") << bytes(frameBytes(0x01, "{"));
        QTest::newRow("one frame") << bytes(frameBytes(0x82, std::string(1000, 'x')).substr(0, 900));
    }
    void message_ThatDoesNotEnd_IsGivenUp()
    {
        QFETCH(QByteArray, sent);
        std::promise<unsigned> end;
        auto ended = end.get_future();
        Router router;
        addSocket(router, [&](WebSocketSession& session) -> Awaitable<> {
            const auto message = co_await session.read();
            end.set_value(message ? 0U : message.error().code);
        });
        ServerLimits limits;
        limits.webSocketMessageTime = 300ms;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        socket.send(sent.toStdString());
        QCOMPARE(socket.readFrame().closeCode(), 1008U);
        QCOMPARE(Loop::finished(ended), 1008U);
    }

    void longMessages_ThatFillTheRoomOfAll_AreGivenUp()
    {
        Router router;
        addEchoSocket(router, 8'000'000);
        ServerLimits limits;
        limits.webSocketRoomBytes = 1'000'000;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        socket.send(frameBytes(0x02, std::string(4'000'000, 'x')));
        QCOMPARE(socket.readFrame().closeCode(), 4013U);
        // Whoever wants less gets it.
        RawSocket other(server.port());
        other.upgrade("/socket");
        other.send(frameBytes(0x82, std::string(200'000, 'x')));
        QCOMPARE(other.readFrame().payload.size(), std::size_t{200'000});
    }

    void pings_WithoutEnd_EndTheSession()
    {
        Router router;
        addEchoSocket(router, 1000);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        std::string flood;
        for (int i = 0; i < 300; ++i) {
            flood += frameBytes(0x89, "p");
        }
        socket.send(flood);
        Frame frame = socket.readFrame();
        while (frame.opcode == 0xA) {
            frame = socket.readFrame();
        }
        QCOMPARE(frame.closeCode(), 1008U);
    }

    void lengthThatNobodySends_IsRefusedAtItsHeader_data()
    {
        QTest::addColumn<QByteArray>("header");
        QTest::newRow("highest bit") << QByteArray("\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x02\x03\x04", 14);
        QTest::newRow("2^40") << QByteArray("\x82\xFF\x00\x00\x01\x00\x00\x00\x00\x00\x01\x02\x03\x04", 14);
    }
    void lengthThatNobodySends_IsRefusedAtItsHeader()
    {
        QFETCH(QByteArray, header);
        Router router;
        addEchoSocket(router, 1000);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        socket.send(header.toStdString());
        QCOMPARE(socket.readFrame().closeCode(), 1009U);
    }

    void message_AtTheLimit_IsTakenAndOneByteMoreIsNot()
    {
        Router router;
        addEchoSocket(router, 1000);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        socket.send(frameBytes(0x82, std::string(1000, 'x')));
        QCOMPARE(socket.readFrame().payload.size(), std::size_t{1000});
        socket.send(frameBytes(0x82, std::string(1001, 'x')));
        QCOMPARE(socket.readFrame().closeCode(), 1009U);
    }

    void client_OnAMessageTooBig_Ends1009AndTheServerLearnsIt()
    {
        std::promise<unsigned> end;
        auto ended = end.get_future();
        Router router;
        addSocket(router, [&](WebSocketSession& session) -> Awaitable<> {
            co_await session.send(std::string(2'000'000, 'x'));
            const auto message = co_await session.read();
            end.set_value(message ? 0U : message.error().code);
        });
        TestServer server(std::move(router));
        const auto listen = [&]() -> Awaitable<unsigned> {
            WebSocketRequest request;
            request.url = server.socketUrl("/socket");
            request.maxMessageBytes = 100'000;
            const auto session = co_await openWebSocket(std::move(request));
            const auto message = co_await (*session)->read();
            co_return message ? 0U : message.error().code;
        };
        QCOMPARE(server.loop().run(listen()), 1009U);
        QCOMPARE(Loop::finished(ended), 1009U);
    }

    void peer_ThatDeclaresMuchAndSendsNothing_CostsNothing()
    {
        Router router;
        addEchoSocket(router, std::size_t{1} << 40U);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        // 2^39 bytes are told; memory for them would not be there.
        socket.send(std::string("\x82\xFF\x00\x00\x00\x80\x00\x00\x00\x00\x01\x02\x03\x04"
                                "abc",
            17));
        socket.send(frameBytes(0x88, "\x03\xE8"));
        socket.close();
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{0}, 20'000);
    }
};

QTEST_GUILESS_MAIN(TestNetWebSocketFaults)
#include "test_net_websocket_faults.moc"
