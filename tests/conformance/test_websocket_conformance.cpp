#include "net/websocket_client.h"
#include "tests/conformance/websocket_rows.h"
#include "tests/net/test_server.h"

#include <QTest>

#include <future>

using namespace vivavoce;
using namespace vivavoce::net;
using namespace vivavoce::net::test;

namespace {

constexpr std::size_t kLargest = 32 * 1024 * 1024;

Awaitable<> echoAll(WebSocketSession& session)
{
    bool goesOn = true;
    while (goesOn) {
        auto message = co_await session.read();
        if (!message) {
            co_return;
        }
        if (message->kind == WebSocketMessage::Kind::Text) {
            goesOn = co_await session.send(std::move(message->data));
        } else {
            goesOn = co_await session.sendBinary(std::move(message->data));
        }
    }
}

/// The answer that a server gives to a handshake.
void welcome(RawSocket& socket)
{
    const std::string head = socket.readUntil("\r\n\r\n");
    const std::string field = "Sec-WebSocket-Key: ";
    const std::size_t begin = head.find(field) + field.size();
    socket.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + acceptKey(head.substr(begin, head.find("\r\n", begin) - begin)) + "\r\n\r\n");
}

void addRows(const std::vector<Row>& rows)
{
    QTest::addColumn<std::size_t>("row");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        QTest::newRow(rows[i].name.c_str()) << i;
    }
}

/// A conversation with a bit of everything.
Row mixedRow(Masked masked)
{
    return {"",
        frameBytes(0x01, "\xCE\xBA", masked) + frameBytes(0x89, "ping", masked)
            + frameBytes(0x80, "\xE1\xBD\xB9", masked) + frameBytes(0x82, std::string(126, '\xFF'), masked)
            + frameBytes(0x8A, "", masked) + frameBytes(0x81, "", masked),
        {Frame{true, 1, "\xCE\xBA\xE1\xBD\xB9"}, Frame{true, 2, std::string(126, '\xFF')}, Frame{true, 1, ""}},
        {"ping"}, 0};
}

} // namespace

/// RFC 6455 against a server and a client of net/ that send every message back. The other end is raw bytes.
class TestWebSocketConformance : public QObject {
    Q_OBJECT

    std::unique_ptr<TestServer> m_server;
    const std::vector<Row> m_toServer = conformanceRows(Masked::Yes);
    const std::vector<Row> m_toClient = conformanceRows(Masked::No);

    /// What the server makes of a row.
    std::string differenceAtServer(const Row& row, bool isChopped = false)
    {
        RawSocket socket(m_server->port());
        if (socket.upgrade("/socket").status != 101) {
            return "no handshake";
        }
        return differenceOf(row, socket, Masked::Yes, isChopped);
    }
    static std::string differenceAtClient(const Row& row, bool isChopped = false)
    {
        std::promise<std::string> difference;
        auto found = difference.get_future();
        Loop loop;
        ScriptedPeer peer([&](RawSocket& socket) {
            welcome(socket);
            difference.set_value(differenceOf(row, socket, Masked::No, isChopped));
            socket.close();
        });
        const auto listen = [&]() -> Awaitable<bool> {
            WebSocketRequest request;
            request.url = peer.url("ws");
            request.maxMessageBytes = kLargest;
            const auto session = co_await openWebSocket(std::move(request));
            if (!session) {
                co_return false;
            }
            co_await echoAll(**session);
            co_return true;
        };
        const bool hasOpened = loop.run(listen());
        return hasOpened ? Loop::finished(found) : "no handshake";
    }

private Q_SLOTS:
    void initTestCase()
    {
        Router router;
        addSocket(router, echoAll, kLargest);
        m_server = std::make_unique<TestServer>(std::move(router));
    }

    void server_DoesAsTheRfcSays_data() { addRows(m_toServer); }
    void server_DoesAsTheRfcSays()
    {
        QFETCH(std::size_t, row);
        const std::string difference = differenceAtServer(m_toServer[row]);
        QVERIFY2(difference.empty(), difference.c_str());
    }

    void client_DoesAsTheRfcSays_data() { addRows(m_toClient); }
    void client_DoesAsTheRfcSays()
    {
        QFETCH(std::size_t, row);
        const std::string difference = differenceAtClient(m_toClient[row]);
        QVERIFY2(difference.empty(), difference.c_str());
    }

    void bytesThatComeOneByOne_AreTheSameConversation()
    {
        QCOMPARE(differenceAtServer(mixedRow(Masked::Yes), true), std::string());
        QCOMPARE(differenceAtClient(mixedRow(Masked::No), true), std::string());
    }

    void bytesThatAreCutAnywhere_AreTheSameConversation()
    {
        const Row row = mixedRow(Masked::Yes);
        for (std::size_t at = 1; at < row.sent.size(); ++at) {
            RawSocket socket(m_server->port());
            QCOMPARE(socket.upgrade("/socket").status, 101U);
            socket.send(std::string_view(row.sent).substr(0, at));
            Row rest = row;
            rest.sent.erase(0, at);
            QCOMPARE(differenceOf(rest, socket, Masked::Yes), std::string());
        }
    }

    void largeMessages_ComeBack()
    {
        const std::string large(16 * 1024 * 1024, 'x');
        for (const Masked masked : {Masked::Yes, Masked::No}) {
            const Row row{"", frameBytes(0x81, large, masked), {Frame{true, 1, large}}, {}, 0};
            QCOMPARE(masked == Masked::Yes ? differenceAtServer(row) : differenceAtClient(row), std::string());
        }
    }

    void server_IsTheOneThatHangsUp()
    {
        // §7.1.1: the server closes the connection first, and the client waits for it.
        RawSocket socket(m_server->port());
        QCOMPARE(socket.upgrade("/socket").status, 101U);
        socket.send(frameBytes(0x88, "\x03\xE8"));
        QCOMPARE(socket.readFrame().closeCode(), 1000U);
        QVERIFY(socket.isClosedByPeer());
        QTRY_COMPARE_WITH_TIMEOUT(m_server->server().connections(), std::size_t{0}, 20'000);
    }
};

QTEST_GUILESS_MAIN(TestWebSocketConformance)
#include "test_websocket_conformance.moc"
