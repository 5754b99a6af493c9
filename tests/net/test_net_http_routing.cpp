#include "tests/net/raw_socket.h"
#include "tests/net/test_server.h"

#include <QTest>

#include <memory>
#include <mutex>
#include <vector>

using namespace vivavoce;
using namespace vivavoce::net;
using namespace vivavoce::net::test;
using std::chrono_literals::operator""ms;

namespace {

/// Answers that no handler made.
struct Made {
    std::mutex mutex;
    std::vector<unsigned> statuses;
};

std::string value(const Answer& answer, std::string_view name)
{
    return std::string(answer.headers.find(name).value_or("-"));
}

Answer ask(RawSocket& socket, const std::string& line, const std::string& more = {}, bool hasBody = true)
{
    socket.send(line + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n");
    return socket.readAnswer(hasBody);
}

Answer ask(std::uint16_t port, const std::string& line, const std::string& more = {})
{
    RawSocket socket(port);
    return ask(socket, line, more);
}

} // namespace

class TestNetHttpRouting : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void request_ToAKnownRoute_ReachesItsHandler_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("seen");
        QTest::newRow("path") << QByteArray("GET /echo") << QByteArray("GET /echo? ");
        QTest::newRow("query") << QByteArray("GET /echo?a=1&b=%20") << QByteArray("GET /echo?a=1&b=%20 ");
        QTest::newRow("double slash") << QByteArray("GET //echo") << QByteArray("GET /echo? ");
        QTest::newRow("slashes in the query stay") << QByteArray("GET /echo?u=a//b") << QByteArray("GET /echo?u=a//b ");
        QTest::newRow("absolute form") << QByteArray("GET http://localhost/echo?x") << QByteArray("GET /echo?x ");
        QTest::newRow("absolute form, capitals")
            << QByteArray("GET HTTP://LOCALHOST/echo") << QByteArray("GET /echo? ");
    }
    void request_ToAKnownRoute_ReachesItsHandler()
    {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, seen);
        TestServer server(echoRouter());
        const Answer answer = ask(server.port(), line.toStdString());
        QCOMPARE(answer.status, 200U);
        QCOMPARE(answer.body, seen.toStdString());
    }

    void request_WithoutARoute_IsAnsweredInTheServersOwnFormat()
    {
        Router router = echoRouter();
        router.onUnrouted([](const HttpRequest&, unsigned status) { return HttpResponse::json(status, "{\"no\":1}"); });
        TestServer server(std::move(router));
        const Answer missing = ask(server.port(), "GET /nowhere");
        QCOMPARE(missing.status, 404U);
        QCOMPARE(missing.body, std::string("{\"no\":1}"));
        QCOMPARE(value(missing, "Content-Type"), std::string("application/json; charset=utf-8"));
        QCOMPARE(value(missing, "Allow"), std::string("-"));
    }

    void request_WithAnotherMethod_Is405WithWhatIsAllowed()
    {
        Router router = echoRouter();
        addEchoSocket(router);
        TestServer server(std::move(router));
        const Answer answer = ask(server.port(), "DELETE /echo");
        QCOMPARE(answer.status, 405U);
        QCOMPARE(value(answer, "Allow"), std::string("GET, POST"));
        QCOMPARE(value(ask(server.port(), "POST /socket", "Content-Length: 0\r\n"), "Allow"), std::string("GET"));
        QCOMPARE(ask(server.port(), "get /echo").status, 405U);
    }

    void get_OfAWebSocketRoute_Is426AndSaysWhatTo()
    {
        Router router;
        addEchoSocket(router);
        TestServer server(std::move(router));
        const Answer answer = ask(server.port(), "GET /socket");
        QCOMPARE(answer.status, 426U);
        QCOMPARE(value(answer, "Upgrade"), std::string("websocket"));
        QCOMPARE(value(answer, "Sec-WebSocket-Version"), std::string("13"));
        QVERIFY(value(answer, "Connection").find("Upgrade") != std::string::npos);
    }

    void head_AsRegistered_HasTheLengthAndNoBody()
    {
        Router router;
        addPlain(router, "HEAD", "/thing", [](const HttpRequest&) { return HttpResponse::json(200, "{\"a\":1}"); });
        addPlain(router, "GET", "/thing", [](const HttpRequest&) { return HttpResponse::json(200, "{\"a\":1}"); });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        const Answer head = ask(socket, "HEAD /thing", {}, false);
        QCOMPARE(head.status, 200U);
        QCOMPARE(value(head, "Content-Length"), std::string("7"));
        QCOMPARE(ask(socket, "GET /thing").body, std::string("{\"a\":1}"));
    }

    void response_WithoutContent_HasNoBodyOnTheWire()
    {
        Router router = echoRouter();
        addPlain(router, "OPTIONS", "/echo", [](const HttpRequest&) {
            HttpResponse response;
            response.status = 204;
            response.body = "must not be sent";
            return response;
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        const Answer preflight = ask(socket, "OPTIONS /echo");
        QCOMPARE(preflight.status, 204U);
        QCOMPARE(value(preflight, "Content-Length"), std::string("-"));
        QCOMPARE(ask(socket, "GET /echo").status, 200U);
    }

    void response_Always_HasADateAndNoServer()
    {
        TestServer server(echoRouter());
        const Answer answer = ask(server.port(), "GET /echo");
        QCOMPARE(value(answer, "Server"), std::string("-"));
        const std::string date = value(answer, "Date");
        QCOMPARE(date.size(), std::string("Sun, 06 Nov 1994 08:49:37 GMT").size());
        QVERIFY(date.ends_with(" GMT"));
    }

    void onResponse_RunsOverEveryAnswer_ErrorsIncluded()
    {
        Router router = echoRouter();
        addPlain(router, "GET", "/throws",
            [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("secret text"); });
        addPlain(router, "GET", "/unsendable", [](const HttpRequest&) {
            HttpResponse response;
            response.headers.set("X-Name", "a\r\nSet-Cookie: b");
            return response;
        });
        router.onResponse([](const HttpRequest& request, HttpResponse& response) {
            response.headers.set("X-Request-Id", request.id);
        });
        TestServer server(std::move(router));
        QCOMPARE(ask(server.port(), "GET /unsendable").status, 500U);
        for (const char* line :
            {"GET /echo", "GET /nowhere", "DELETE /echo", "GET /throws", "GET /a b", "GET /unsendable"}) {
            QVERIFY2(value(ask(server.port(), line), "X-Request-Id").size() >= 20, line);
        }
    }

    void handler_ThatThrows_Is500WithoutItsText()
    {
        Router router;
        addPlain(router, "GET", "/error",
            [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("secret text"); });
        addPlain(router, "GET", "/odd", [](const HttpRequest&) -> HttpResponse { throw 42; });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        const Answer answer = ask(socket, "GET /error");
        QCOMPARE(answer.status, 500U);
        QVERIFY(answer.body.find("secret") == std::string::npos);
        // The connection and the server go on.
        QCOMPARE(ask(socket, "GET /odd").status, 500U);
        QCOMPARE(ask(server.port(), "GET /odd").status, 500U);
    }

    void handler_ThatTakesTooLong_IsCancelledAndAnswered503()
    {
        ServerLimits limits;
        limits.handlerTimeout = 50ms;
        auto isCancelled = std::make_shared<std::promise<void>>();
        auto cancelled = isCancelled->get_future();
        Router router = echoRouter();
        router.add("GET", "/slow", [isCancelled](const HttpRequest&) -> Awaitable<HttpResponse> {
            try {
                co_await after(core::Milliseconds{60'000});
            } catch (const std::exception&) {
                isCancelled->set_value();
                throw;
            }
            co_return HttpResponse::json(200, "{}");
        });
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port());
        QCOMPARE(ask(socket, "GET /slow").status, 503U);
        Loop::finished(cancelled);
        QCOMPARE(ask(socket, "GET /echo").status, 200U);
    }

    /// Whoever counts answers counts one for a request, and none that nobody gets.
    void handler_ThatTakesTooLong_HasOneAnswer()
    {
        ServerLimits limits;
        limits.handlerTimeout = 50ms;
        const auto made = std::make_shared<Made>();
        Router router;
        router.add("GET", "/slow", [](const HttpRequest&) -> Awaitable<HttpResponse> {
            co_await after(core::Milliseconds{60'000});
            co_return HttpResponse::json(200, "{}");
        });
        router.addWebSocket(
            "/socket", [](const HttpRequest&) -> Awaitable<core::Expected<WebSocketAccept, HttpResponse>> {
                co_await after(core::Milliseconds{60'000});
                co_return core::Unexpected<HttpResponse>(HttpResponse::json(401, "{}"));
            });
        router.onUnrouted([made](const HttpRequest&, unsigned status) {
            const std::lock_guard lock(made->mutex);
            made->statuses.push_back(status);
            return HttpResponse::json(status, "{}");
        });
        TestServer server(std::move(router), limits);
        QCOMPARE(ask(server.port(), "GET /slow").status, 503U);
        QCOMPARE(RawSocket(server.port()).upgrade("/socket").status, 503U);
        const std::lock_guard lock(made->mutex);
        QVERIFY((made->statuses == std::vector<unsigned>{503, 503}));
    }

    void response_WithALineBreakInAField_IsNotSent()
    {
        Router router;
        addPlain(router, "GET", "/split", [](const HttpRequest& request) {
            HttpResponse response = HttpResponse::json(200, "{}");
            response.headers.set("X-Echo", queryParameter(request.query, "v"));
            return response;
        });
        TestServer server(std::move(router));
        QCOMPARE(value(ask(server.port(), "GET /split?v=good"), "X-Echo"), std::string("good"));
        const Answer answer = ask(server.port(), "GET /split?v=a%0D%0ASet-Cookie:%20b");
        QCOMPARE(answer.status, 500U);
        QCOMPARE(value(answer, "Set-Cookie"), std::string("-"));
    }

    void queryParameter_OfAQuery_IsDecoded()
    {
        QCOMPARE(queryParameter("model=gpt%2D1&x=", "model"), std::string("gpt-1"));
        QCOMPARE(queryParameter("model=a&model=b", "model"), std::string("a"));
        QCOMPARE(queryParameter("model=a", "other"), std::string());
        QCOMPARE(queryParameter("model=%zz", "model"), std::string());
        QCOMPARE(queryParameter("", "model"), std::string());
    }

    void peer_OfARequest_IsWhoAsks()
    {
        Router router;
        addPlain(router, "GET", "/who", [](const HttpRequest& request) {
            HttpResponse response;
            response.body = request.peer.address + (request.peer.isLoopback ? " loopback" : "")
                + (request.peer.isTls ? " tls" : "");
            return response;
        });
        TestServer server(std::move(router));
        QCOMPARE(ask(server.port(), "GET /who").body, std::string("127.0.0.1 loopback"));
    }
};

QTEST_GUILESS_MAIN(TestNetHttpRouting)
#include "test_net_http_routing.moc"
