#include "tests/net/raw_socket.h"
#include "tests/net/test_server.h"

#include <QElapsedTimer>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::net;
using namespace vivavoce::net::test;
using std::chrono_literals::operator""ms;

namespace {

const std::string kGet = "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n";

ServerLimits small()
{
    ServerLimits limits;
    limits.maxHeaderBytes = 2048;
    limits.maxTargetBytes = 512;
    limits.maxBodyBytes = 1000;
    return limits;
}

std::string post(const std::string& fields, const std::string& body)
{
    return "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
}

QByteArray bytes(const std::string& text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

} // namespace

class TestNetRequestsOnTheWire : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void request_ThatIsAmbiguousOrBroken_Is400AndTheEnd_data()
    {
        QTest::addColumn<QByteArray>("request");
        const auto row = [](const char* name, const std::string& request) { QTest::newRow(name) << bytes(request); };
        const std::string smuggled = "GET /echo?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
        row("CL.TE", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled));
        row("TE.CL",
            post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "5c\r\n" + smuggled + "\r\n0\r\n\r\n"));
        row("TE.TE", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n" + smuggled));
        row("TE unknown", post("Transfer-Encoding: xchunked\r\n", smuggled));
        row("TE with a vertical tab",
            post("Transfer-Encoding: \x0B"
                 "chunked\r\n",
                "0\r\n\r\n" + smuggled));
        row("TE with a space before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + smuggled));
        row("TE in a folded line", post("X: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled));
        row("TE after a bare LF", post("X: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled));
        row("TE after a bare CR", post("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled));
        row("two lengths", post("Content-Length: 0\r\nContent-Length: 44\r\n", smuggled));
        row("list of lengths", post("Content-Length: 0, 44\r\n", smuggled));
        row("signed length", post("Content-Length: +4\r\n", "abcd"));
        row("no host", "GET /echo HTTP/1.1\r\n\r\n");
        row("two hosts", "GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
        row("bare LFs", "GET /echo HTTP/1.1\nHost: localhost\n\n");
        row("NUL", std::string("GET /echo HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n", 45));
        row("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        row("TLS", "\x16\x03\x01\x02");
        row("chunk size no number", post("Transfer-Encoding: chunked\r\n", "zz\r\nabc\r\n0\r\n\r\n"));
        row("chunk size negative", post("Transfer-Encoding: chunked\r\n", "-1\r\nabc\r\n0\r\n\r\n"));
        row("chunk longer than told", post("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n0\r\n\r\n"));
    }
    void request_ThatIsAmbiguousOrBroken_Is400AndTheEnd()
    {
        QFETCH(QByteArray, request);
        TestServer server(echoRouter());
        RawSocket socket(server.port());
        socket.send(request.toStdString());
        const Answer answer = socket.readAnswer();
        QCOMPARE(answer.status, 400U);
        QCOMPARE(std::string(answer.headers.find("Connection").value_or("-")), std::string("close"));
        // Nothing behind it was taken for a request.
        QCOMPARE(socket.readToEnd(), std::string());
    }

    void request_OverALimit_IsToldWhich_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<unsigned>("status");
        const auto row = [](const char* name, const std::string& request, unsigned status) {
            QTest::newRow(name) << bytes(request) << status;
        };
        row("target", "GET /echo?" + std::string(600, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414);
        row("target without end", "GET /" + std::string(4000, 'a'), 414);
        row("fields", "GET /echo HTTP/1.1\r\nHost: a\r\nX: " + std::string(2100, 'a') + "\r\n\r\n", 431);
        row("fields without end", "GET /echo HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'a'), 431);
        row("many fields",
            "GET /echo HTTP/1.1\r\nHost: a\r\n" + QByteArray("X: y\r\n").repeated(1000).toStdString() + "\r\n", 431);
        row("body by its length", post("Content-Length: 1001\r\n", ""), 413);
        row("body by a huge length", post("Content-Length: 999999999999999999\r\n", ""), 413);
        row("body by its chunks",
            post("Transfer-Encoding: chunked\r\n", "3e9\r\n" + std::string(1001, 'a') + "\r\n0\r\n\r\n"), 413);
        row("chunk by its size", post("Transfer-Encoding: chunked\r\n", "fffffff\r\n"), 413);
        row("expectation", post("Expect: 200-ok\r\nContent-Length: 3\r\n", "abc"), 417);
    }
    void request_OverALimit_IsToldWhich()
    {
        QFETCH(QByteArray, request);
        QFETCH(unsigned, status);
        TestServer server(echoRouter(), small());
        RawSocket socket(server.port());
        socket.send(request.toStdString());
        QCOMPARE(socket.readAnswer().status, status);
        QVERIFY(socket.isClosedByPeer());
    }

    void request_AtALimit_IsServed()
    {
        TestServer server(echoRouter(), small());
        RawSocket socket(server.port());
        socket.send(post("Content-Length: 1000\r\n", std::string(1000, 'b')));
        QCOMPARE(socket.readAnswer().body, "POST /echo? " + std::string(1000, 'b'));
        socket.send("GET /echo?" + std::string(500, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n");
        QCOMPARE(socket.readAnswer().status, 200U);
    }

    void body_FarOverTheLimit_StillLetsTheSenderReadWhy()
    {
        TestServer server(echoRouter(), small());
        RawSocket socket(server.port());
        socket.send(post("Content-Length: 3000000\r\n", std::string(3'000'000, 'c')));
        QCOMPARE(socket.readAnswer().status, 413U);
    }

    void request_ThatComesTooSlowly_Is408_data()
    {
        QTest::addColumn<QByteArray>("beginning");
        QTest::newRow("first byte") << QByteArray("G");
        QTest::newRow("request line") << QByteArray("GET /echo HTTP/1.1\r\n");
        QTest::newRow("fields") << QByteArray("GET /echo HTTP/1.1\r\nHost: localhost\r\nX: ");
        QTest::newRow("body") << QByteArray("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
        QTest::newRow("chunk") << QByteArray(
            "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    }
    void request_ThatComesTooSlowly_Is408()
    {
        QFETCH(QByteArray, beginning);
        ServerLimits limits;
        limits.headerTimeout = 60ms;
        limits.bodyTimeout = 60ms;
        TestServer server(echoRouter(), limits);
        RawSocket socket(server.port());
        socket.send(beginning.toStdString());
        QCOMPARE(socket.readAnswer().status, 408U);
        QVERIFY(socket.isClosedByPeer());
    }

    void header_InDrips_DoesNotMoveItsDeadline()
    {
        ServerLimits limits;
        limits.headerTimeout = 150ms;
        TestServer server(echoRouter(), limits);
        RawSocket socket(server.port());
        QElapsedTimer elapsed;
        elapsed.start();
        // Each byte is in time for itself; the peer goes on until it is told to stop.
        socket.send("GET /echo HTTP/1.1\r\nHost: localhost\r\nX: ");
        while (socket.send("a") && elapsed.elapsed() < 20'000) {
            std::this_thread::yield();
        }
        QVERIFY(elapsed.elapsed() < 10'000);
    }

    void connection_ThatSaysNothing_IsClosedWithoutAWord()
    {
        ServerLimits limits;
        limits.idleTimeout = 60ms;
        TestServer server(echoRouter(), limits);
        RawSocket fresh(server.port());
        QCOMPARE(fresh.readToEnd(), std::string());
        QVERIFY(fresh.isClosedByPeer());
        RawSocket used(server.port());
        used.send(kGet);
        QCOMPARE(used.readAnswer().status, 200U);
        QCOMPARE(used.readToEnd(), std::string());
        QVERIFY(used.isClosedByPeer());
    }

    void connection_KeptAlive_ServesOneAfterAnother()
    {
        TestServer server(echoRouter());
        RawSocket socket(server.port());
        for (int i = 0; i < 20; ++i) {
            socket.send(post("Content-Length: 3\r\n", "abc"));
            QCOMPARE(socket.readAnswer().body, std::string("POST /echo? abc"));
        }
        QCOMPARE(server.server().connections(), std::size_t{1});
    }

    void requests_Pipelined_AreAnsweredInOrder()
    {
        TestServer server(echoRouter());
        RawSocket socket(server.port());
        std::string all;
        for (int i = 0; i < 30; ++i) {
            const std::string body = std::to_string(i);
            all += i % 3 == 0 ? post("Content-Length: " + std::to_string(body.size()) + "\r\n", body)
                : i % 3 == 1
                ? post("Transfer-Encoding: chunked\r\n", std::to_string(body.size()) + "\r\n" + body + "\r\n0\r\n\r\n")
                : "GET /echo?" + body + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
        }
        socket.send(all);
        for (int i = 0; i < 30; ++i) {
            const std::string text = std::to_string(i);
            QCOMPARE(socket.readAnswer().body, i % 3 == 2 ? "GET /echo?" + text + " " : "POST /echo? " + text);
        }
    }

    void connection_WithoutKeepAlive_EndsAfterTheAnswer_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<bool>("isKept");
        QTest::newRow("close") << QByteArray("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") << false;
        QTest::newRow("1.0") << QByteArray("GET /echo HTTP/1.0\r\nHost: a\r\n\r\n") << false;
        QTest::newRow("1.0 keep-alive") << QByteArray("GET /echo HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
                                        << true;
    }
    void connection_WithoutKeepAlive_EndsAfterTheAnswer()
    {
        QFETCH(QByteArray, request);
        QFETCH(bool, isKept);
        TestServer server(echoRouter());
        RawSocket socket(server.port());
        socket.send(request.toStdString());
        QCOMPARE(socket.readAnswer().status, 200U);
        if (isKept) {
            socket.send(kGet);
            QCOMPARE(socket.readAnswer().status, 200U);
        } else {
            QVERIFY(socket.isClosedByPeer());
        }
    }

    void request_AfterAnEmptyLine_IsServed()
    {
        TestServer server(echoRouter());
        RawSocket socket(server.port());
        socket.send("\r\n" + kGet + "\r\n" + kGet);
        QCOMPARE(socket.readAnswer().status, 200U);
        QCOMPARE(socket.readAnswer().status, 200U);
    }

    void expect_Continue_IsAskedForABodyThatWillDo()
    {
        TestServer server(echoRouter(), small());
        RawSocket socket(server.port());
        socket.send(post("Expect: 100-continue\r\nContent-Length: 3\r\n", ""));
        QCOMPARE(socket.readUntil("\r\n\r\n"), std::string("HTTP/1.1 100 Continue\r\n\r\n"));
        socket.send("abc");
        QCOMPARE(socket.readAnswer().body, std::string("POST /echo? abc"));
        socket.send("GET /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
        QCOMPARE(socket.readAnswer().status, 200U);
        socket.send(post("Expect: 100-continue\r\nContent-Length: 3000\r\n", ""));
        QCOMPARE(socket.readAnswer().status, 413U);
    }

    void trailers_OfAChunkedBody_AreNoHeaders()
    {
        Router router;
        addPlain(router, "POST", "/fields", [](const HttpRequest& request) {
            HttpResponse response;
            response.body = request.headers.find("Authorization").has_value() ? "seen" : "unseen";
            return response;
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.send(
            "POST /fields HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nAuthorization: Bearer x\r\n\r\n");
        QCOMPARE(socket.readAnswer().body, std::string("unseen"));
    }

    void peer_ThatGoesInTheMiddle_LeavesNothingBehind_data()
    {
        QTest::addColumn<QByteArray>("beginning");
        QTest::newRow("nothing said") << QByteArray();
        QTest::newRow("header") << QByteArray("GET /echo HTT");
        QTest::newRow("body") << QByteArray("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    }
    void peer_ThatGoesInTheMiddle_LeavesNothingBehind()
    {
        QFETCH(QByteArray, beginning);
        TestServer server(echoRouter());
        RawSocket socket(server.port());
        socket.send(beginning.toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{1}, 20'000);
        socket.close();
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{0}, 20'000);
    }
};

QTEST_GUILESS_MAIN(TestNetRequestsOnTheWire)
#include "test_net_requests_on_the_wire.moc"
