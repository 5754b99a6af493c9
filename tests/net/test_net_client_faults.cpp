#include "tests/net/raw_socket.h"
#include "tests/net/test_server.h"

#include <QElapsedTimer>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::net;
using namespace vivavoce::net::test;
using core::ErrorCode;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

namespace {

ClientRequest requestFor(std::string url)
{
    ClientRequest request;
    request.url = std::move(url);
    return request;
}

/// What the client makes of `bytes` and the end of the connection.
core::Expected<ClientResponse, core::Error> answerOf(
    const std::string& bytes, std::string method = "GET", std::size_t maxBodyBytes = 1 << 20)
{
    ScriptedPeer peer([&](RawSocket& socket) {
        socket.readUntil("\r\n\r\n");
        socket.send(bytes);
        socket.close();
    });
    Loop loop;
    ClientRequest request = requestFor(peer.url("http"));
    request.method = std::move(method);
    request.maxBodyBytes = maxBodyBytes;
    request.timeout = 15s;
    return loop.run(sendRequest(std::move(request)));
}

} // namespace

Q_DECLARE_METATYPE(vivavoce::core::ErrorCode)

class TestNetClientFaults : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void request_OnTheWire_IsWhatWasAskedFor()
    {
        std::string head;
        std::string body;
        ScriptedPeer peer([&](RawSocket& socket) {
            head = socket.readUntil("\r\n\r\n");
            body = socket.readExactly(4);
            socket.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\nX-One: 2\r\n\r\nok");
        });
        Loop loop;
        ClientRequest request = requestFor(peer.url("http", "/a/b?c=d%20e"));
        request.method = "POST";
        request.body = "body";
        request.headers.add("Authorization", "Bearer t");
        const auto response = loop.run(sendRequest(std::move(request)));
        QVERIFY(response.has_value());
        QCOMPARE(response->status, 200U);
        QCOMPARE(response->body, std::string("ok"));
        QCOMPARE(response->headers.count("x-one"), std::size_t{2});
        QVERIFY(head.starts_with("POST /a/b?c=d%20e HTTP/1.1\r\n"));
        QVERIFY(head.find("Host: 127.0.0.1:" + std::to_string(peer.port()) + "\r\n") != std::string::npos);
        QVERIFY(head.find("Content-Length: 4\r\n") != std::string::npos);
        QVERIFY(head.find("Authorization: Bearer t\r\n") != std::string::npos);
        QCOMPARE(body, std::string("body"));
    }

    void answer_InAnyGoodShape_IsRead_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<unsigned>("status");
        QTest::newRow("chunked") << QByteArray(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
                                 << QByteArray("abc") << 200U;
        QTest::newRow("until the end") << QByteArray("HTTP/1.1 200 OK\r\n\r\nabc") << QByteArray("abc") << 200U;
        QTest::newRow("empty") << QByteArray("HTTP/1.1 204 No Content\r\n\r\n") << QByteArray() << 204U;
        QTest::newRow("after early ones") << QByteArray(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
                                          << QByteArray("a") << 200U;
        QTest::newRow("error with a body")
            << QByteArray("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno") << QByteArray("no")
            << 429U;
        QTest::newRow("redirect") << QByteArray(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
                                  << QByteArray() << 302U;
    }
    void answer_InAnyGoodShape_IsRead()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, body);
        QFETCH(unsigned, status);
        const auto response = answerOf(bytes.toStdString());
        QVERIFY2(response.has_value(), response ? "" : response.error().detail.c_str());
        QCOMPARE(response->status, status);
        QCOMPARE(response->body, body.toStdString());
    }

    void answer_ToHead_HasNoBodyToWaitFor()
    {
        const auto response = answerOf("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", "HEAD");
        QVERIFY(response.has_value());
        QCOMPARE(response->body, std::string());
    }

    void answer_ThatIsNone_HasItsError_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<ErrorCode>("code");
        const auto row = [](const char* name, const std::string& bytes, ErrorCode code) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << code;
        };
        row("garbage", "\x01\x02 what?\r\n\r\n", ErrorCode::ProviderMalformed);
        row("another protocol", "SSH-2.0-OpenSSH_9.2\r\n", ErrorCode::ProviderMalformed);
        row("bad status", "HTTP/1.1 2xx OK\r\n\r\n", ErrorCode::ProviderMalformed);
        row("bad length", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", ErrorCode::ProviderMalformed);
        row("bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ErrorCode::ProviderMalformed);
        QString interim = QStringLiteral("HTTP/1.1 100 Continue\r\n\r\n").repeated(50);
        row("only early ones", interim.toStdString(), ErrorCode::ProviderMalformed);
        row("nothing", "", ErrorCode::ProviderUnreachable);
        row("half a head", "HTTP/1.1 200 OK\r\nContent-", ErrorCode::ProviderUnreachable);
        row("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", ErrorCode::ProviderUnreachable);
        row("half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
            ErrorCode::ProviderUnreachable);
        row("long head", "HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n",
            ErrorCode::ProviderMessageTooBig);
        row("long body told", "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", ErrorCode::ProviderMessageTooBig);
        row("long body untold", "HTTP/1.1 200 OK\r\n\r\n" + std::string(1'100'000, 'x'),
            ErrorCode::ProviderMessageTooBig);
    }
    void answer_ThatIsNone_HasItsError()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(ErrorCode, code);
        const auto response = answerOf(bytes.toStdString());
        QVERIFY(!response.has_value());
        QCOMPARE(response.error().code, code);
    }

    void request_ThatMustNotLeave_IsRefusedHere_data()
    {
        QTest::addColumn<QByteArray>("url");
        QTest::addColumn<ErrorCode>("code");
        QTest::newRow("plain to a name") << QByteArray("http://example.com/") << ErrorCode::InsecureUrl;
        QTest::newRow("plain to an address") << QByteArray("http://192.0.2.1/") << ErrorCode::InsecureUrl;
        QTest::newRow("plain to a name that begins well")
            << QByteArray("http://localhost.example.com/") << ErrorCode::InsecureUrl;
        QTest::newRow("plain to an address of all") << QByteArray("http://0.0.0.0/") << ErrorCode::InsecureUrl;
        QTest::newRow("user information")
            << QByteArray("https://user:secret@example.com/") << ErrorCode::BadConfiguration;
        QTest::newRow("another scheme") << QByteArray("file:///etc/passwd") << ErrorCode::BadConfiguration;
        QTest::newRow("socket scheme") << QByteArray("ws://localhost/") << ErrorCode::BadConfiguration;
        QTest::newRow("no host") << QByteArray("https:///x") << ErrorCode::BadConfiguration;
        QTest::newRow("no URL") << QByteArray("localhost:8080") << ErrorCode::BadConfiguration;
        QTest::newRow("line break") << QByteArray("https://example.com/\r\nX: y") << ErrorCode::BadConfiguration;
    }
    void request_ThatMustNotLeave_IsRefusedHere()
    {
        QFETCH(QByteArray, url);
        QFETCH(ErrorCode, code);
        Loop loop;
        const auto response = loop.run(sendRequest(requestFor(url.toStdString())));
        QVERIFY(!response.has_value());
        QCOMPARE(response.error().code, code);
        QVERIFY(response.error().detail.find("secret") == std::string::npos);
    }

    void request_WithALineBreakInAField_IsRefusedWithoutTellingIt()
    {
        Loop loop;
        ClientRequest request = requestFor("http://127.0.0.1:1/");
        request.headers.add("Authorization", "Bearer sk-secret\r\nX-Other: y");
        const auto response = loop.run(sendRequest(std::move(request)));
        QVERIFY(!response.has_value());
        QCOMPARE(response.error().code, ErrorCode::BadConfiguration);
        QVERIFY(response.error().detail.find("sk-secret") == std::string::npos);
    }

    void request_ToNobody_IsUnreachable()
    {
        std::uint16_t port = 0;
        {
            TestServer server(echoRouter());
            port = server.port();
        }
        Loop loop;
        for (const char* host : {"127.0.0.1", "localhost"}) {
            const auto response =
                loop.run(sendRequest(requestFor("http://" + std::string(host) + ":" + std::to_string(port))));
            QVERIFY(!response.has_value());
            QCOMPARE(response.error().code, ErrorCode::ProviderUnreachable);
        }
    }

    void request_ToTheNameOfThisComputer_ArrivesWithoutANameServer()
    {
        TestServer server(echoRouter());
        const auto response =
            server.loop().run(sendRequest(requestFor("http://LocalHost:" + std::to_string(server.port()) + "/echo")));
        QVERIFY(response.has_value());
        QCOMPARE(response->status, 200U);
    }

    void request_ThatIsNotAnswered_TimesOut_data()
    {
        QTest::addColumn<QByteArray>("beginning");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("head") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n");
        QTest::newRow("body") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    }
    void request_ThatIsNotAnswered_TimesOut()
    {
        QFETCH(QByteArray, beginning);
        ScriptedPeer peer([&](RawSocket& socket) {
            socket.readUntil("\r\n\r\n");
            socket.send(beginning.toStdString());
            // The client gives up and closes.
            socket.readToEnd();
        });
        Loop loop;
        ClientRequest request = requestFor(peer.url("http", "/?secret=1"));
        request.timeout = 100ms;
        QElapsedTimer elapsed;
        elapsed.start();
        const auto response = loop.run(sendRequest(std::move(request)));
        QVERIFY(elapsed.elapsed() < 5'000);
        QVERIFY(!response.has_value());
        QCOMPARE(response.error().code, ErrorCode::Timeout);
        QVERIFY(response.error().detail.find("secret") == std::string::npos);
    }

    void stream_HandsOverPiecesAsTheyCome()
    {
        std::promise<void> firstSeen;
        auto seen = firstSeen.get_future();
        ScriptedPeer peer([&](RawSocket& socket) {
            socket.readUntil("\r\n\r\n");
            socket.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
            Loop::finished(seen);
            socket.send("9\r\ndata: 2\n\n\r\n0\r\n\r\n");
        });
        Loop loop;
        std::string all;
        const auto response = loop.run(streamRequest(requestFor(peer.url("http")), [&](std::string_view piece) {
            if (all.empty()) {
                firstSeen.set_value();
            }
            all += piece;
            return true;
        }));
        QVERIFY(response.has_value());
        QCOMPARE(all, std::string("data: 1\n\ndata: 2\n\n"));
        QCOMPARE(response->body, std::string());
    }

    void stream_ThatIsToldToStop_EndsAtOnce()
    {
        bool isClosed = false;
        {
            ScriptedPeer peer([&](RawSocket& socket) {
                socket.readUntil("\r\n\r\n");
                socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
                isClosed = socket.isClosedByPeer();
            });
            Loop loop;
            int pieces = 0;
            const auto response =
                loop.run(streamRequest(requestFor(peer.url("http")), [&](std::string_view) { return ++pieces < 1; }));
            QVERIFY(response.has_value());
            QCOMPARE(response->status, 200U);
            QCOMPARE(pieces, 1);
        }
        QVERIFY(isClosed);
    }

    void stream_OfAnError_BringsItsBodyInstead()
    {
        ScriptedPeer peer([](RawSocket& socket) {
            socket.readUntil("\r\n\r\n");
            socket.send("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
        });
        Loop loop;
        bool isCalled = false;
        const auto response =
            loop.run(streamRequest(requestFor(peer.url("http")), [&](std::string_view) { return isCalled = true; }));
        QVERIFY(response.has_value());
        QCOMPARE(response->status, 401U);
        QCOMPARE(response->body, std::string("no"));
        QVERIFY(!isCalled);
    }

    void openWebSocket_ThatFails_HasItsError_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<ErrorCode>("code");
        QTest::addColumn<QByteArray>("foreign");
        const char* const welcome = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
        QTest::newRow("refused") << QByteArray("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
                                 << ErrorCode::ProviderRefused << QByteArray("403");
        QTest::newRow("not upgraded") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                                      << ErrorCode::ProviderMalformed << QByteArray("200");
        QTest::newRow("unknown to it") << QByteArray("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
                                       << ErrorCode::ProviderRefused << QByteArray("401");
        QTest::newRow("a bad request") << QByteArray("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
                                       << ErrorCode::ChoiceRefused << QByteArray("400");
        QTest::newRow("another place") << QByteArray("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
                                       << ErrorCode::ChoiceRefused << QByteArray("404");
        QTest::newRow("another protocol") << QByteArray("HTTP/1.1 426 No\r\nContent-Length: 0\r\n\r\n")
                                          << ErrorCode::ChoiceRefused << QByteArray("426");
        QTest::newRow("not paid for") << QByteArray("HTTP/1.1 402 No\r\nContent-Length: 0\r\n\r\n")
                                      << ErrorCode::ProviderQuota << QByteArray("402");
        QTest::newRow("gone elsewhere") << QByteArray("HTTP/1.1 302 No\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
                                        << ErrorCode::ProviderMalformed << QByteArray("302");
        QTest::newRow("too many") << QByteArray("HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n")
                                  << ErrorCode::RateLimited << QByteArray("429");
        QTest::newRow("its fault") << QByteArray("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
                                   << ErrorCode::ProviderFailed << QByteArray("500");
        QTest::newRow("away") << QByteArray("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") << ErrorCode::ProviderFailed
                              << QByteArray("503");
        QTest::newRow("garbage") << QByteArray("\x01\x02 what?\r\n\r\n") << ErrorCode::ProviderMalformed
                                 << QByteArray();
        QTest::newRow("closed") << QByteArray() << ErrorCode::ProviderUnreachable << QByteArray();
        QTest::newRow("wrong accept") << QByteArray(welcome)
                + "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
                                      << ErrorCode::ProviderMalformed << QByteArray();
        QTest::newRow("no accept") << QByteArray(welcome) + "\r\n" << ErrorCode::ProviderMalformed << QByteArray();
    }
    void openWebSocket_ThatFails_HasItsError()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(ErrorCode, code);
        QFETCH(QByteArray, foreign);
        ScriptedPeer peer([&](RawSocket& socket) {
            socket.readUntil("\r\n\r\n");
            socket.send(bytes.toStdString());
            socket.close();
        });
        Loop loop;
        WebSocketRequest request;
        request.url = peer.url("ws");
        const auto session = loop.run(openWebSocket(std::move(request)));
        QVERIFY(!session.has_value());
        QVERIFY2(session.error().code == code, session.error().detail.c_str());
        QCOMPARE(session.error().foreignCode, foreign.toStdString());
    }

    void openWebSocket_ToASilentServer_TimesOut()
    {
        ScriptedPeer peer([](RawSocket& socket) { socket.readToEnd(); });
        Loop loop;
        WebSocketRequest request;
        request.url = peer.url("ws");
        request.timeout = 100ms;
        const auto session = loop.run(openWebSocket(std::move(request)));
        QVERIFY(!session.has_value());
        QCOMPARE(session.error().code, ErrorCode::Timeout);
    }

    void openWebSocket_PlainToElsewhere_IsInsecure()
    {
        Loop loop;
        WebSocketRequest request;
        request.url = "ws://example.com/";
        QCOMPARE(loop.run(openWebSocket(std::move(request))).error().code, ErrorCode::InsecureUrl);
    }
};

QTEST_GUILESS_MAIN(TestNetClientFaults)
#include "test_net_client_faults.moc"
