#include "net/http_client.h"
#include "net/timer.h"
#include "tests/net/net_harness.h"
#include "tests/net/test_certificates.h"

#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::ErrorCode;
using core::Milliseconds;
using Result = core::Expected<net::ClientResponse, core::Error>;

class HttpClientTest : public QObject {
    Q_OBJECT

    NetThread m_thread;
    QTemporaryDir m_folder;
    net::test::TestCertificates m_certificates = net::test::makeCertificates(m_folder.path().toStdString());

    Result send(net::ClientRequest request)
    {
        const auto task = [](net::ClientRequest wanted) -> net::Awaitable<Result> {
            co_return co_await net::sendRequest(std::move(wanted));
        };
        auto result = m_thread.run(task(std::move(request)));
        return result ? std::move(*result) : core::fail(ErrorCode::Internal, "the test's own time is up");
    }

    static net::ClientRequest to(std::string url)
    {
        net::ClientRequest request;
        request.url = std::move(url);
        request.timeout = Milliseconds{3000};
        return request;
    }

    /// One connection, answered with these bytes and then closed.
    std::uint16_t serveRaw(std::string answer)
    {
        auto acceptor = std::make_shared<boost::asio::ip::tcp::acceptor>(
            m_thread.io(), boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
        const std::uint16_t port = acceptor->local_endpoint().port();
        boost::asio::co_spawn(
            m_thread.io(),
            [acceptor, bytes = std::move(answer)]() -> net::Awaitable<> {
                auto socket = co_await acceptor->async_accept(net::useAwaitable);
                std::array<char, 4096> request{};
                co_await socket.async_read_some(boost::asio::buffer(request), net::useAwaitable);
                co_await boost::asio::async_write(socket, boost::asio::buffer(bytes), net::useAwaitable);
            },
            boost::asio::detached);
        return port;
    }

    static std::string local(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port) + "/"; }

private Q_SLOTS:
    void answer_ComesWithStatusFieldsAndBody()
    {
        const auto port = serveRaw("HTTP/1.1 429 Slow Down\r\nRetry-After: 3\r\nContent-Length: 5\r\n\r\nhello");
        const Result result = send(to(local(port)));
        QVERIFY(result.has_value());
        QCOMPARE(result->status, 429U);
        QCOMPARE(result->body, std::string("hello"));
        QCOMPARE(std::string(result->headers.find("retry-after").value_or("")), std::string("3"));
    }

    void badAnswer_IsNamed_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("code");
        QTest::newRow("not HTTP") << QByteArray("220 mail.example ESMTP\r\n\r\n") << int(ErrorCode::ProviderMalformed);
        QTest::newRow("nothing") << QByteArray() << int(ErrorCode::ProviderUnreachable);
        QTest::newRow("broken off") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc")
                                    << int(ErrorCode::ProviderUnreachable);
        QTest::newRow("too long") << "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + QByteArray(5000, 'x')
                                  << int(ErrorCode::ProviderMessageTooBig);
        QTest::newRow("endless header") << "HTTP/1.1 200 OK\r\nX: " + QByteArray(40'000, 'x')
                                        << int(ErrorCode::ProviderMessageTooBig);
    }
    void badAnswer_IsNamed()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(int, code);
        net::ClientRequest request = to(local(serveRaw(bytes.toStdString())));
        request.maxBodyBytes = 1000;
        const Result result = send(std::move(request));
        QVERIFY(!result.has_value());
        QCOMPARE(int(result.error().code), code);
    }

    void answerThatIsTooLong_StillHasItsStatus()
    {
        const QByteArray chunk = "3e8\r\n" + QByteArray(1'000, 'x') + "\r\n";
        for (const QByteArray& rest : {QByteArray("Content-Length: 5000\r\n\r\n"),
                 QByteArray("Transfer-Encoding: chunked\r\n\r\n") + chunk + chunk + "0\r\n\r\n"}) {
            net::ClientRequest request = to(local(serveRaw(("HTTP/1.1 500 No\r\n" + rest).toStdString())));
            request.maxBodyBytes = 1000;
            const Result result = send(std::move(request));
            QVERIFY(!result.has_value());
            QCOMPARE(result.error().code, ErrorCode::ProviderMessageTooBig);
            QCOMPARE(result.error().foreignCode, std::string("500"));
        }
        // A head that never ends says nothing, whatever it began with.
        const auto endless = send(to(local(serveRaw("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x')))));
        QVERIFY(!endless.has_value());
        QCOMPARE(endless.error().foreignCode, std::string());
    }

    void serverThatIsSilent_TimesOut()
    {
        QTcpServer silent;
        QVERIFY(silent.listen(QHostAddress::LocalHost));
        net::ClientRequest request = to(local(silent.serverPort()));
        request.timeout = Milliseconds{100};
        QCOMPARE(send(std::move(request)).error().code, ErrorCode::Timeout);
    }

    void nobodyThere_IsUnreachable()
    {
        QTcpServer freed;
        QVERIFY(freed.listen(QHostAddress::LocalHost));
        const quint16 port = freed.serverPort();
        freed.close();
        QCOMPARE(send(to(local(port))).error().code, ErrorCode::ProviderUnreachable);
    }

    void stream_StopsWhenItIsToldTo()
    {
        const auto port =
            serveRaw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n");
        std::string seen;
        const auto task = [&]() -> net::Awaitable<Result> {
            auto request = to(local(port));
            std::function<bool(std::string_view)> take = [&](std::string_view piece) {
                seen += piece;
                return seen.find("second") == std::string::npos;
            };
            co_return co_await net::streamRequest(std::move(request), std::move(take));
        };
        const auto result = m_thread.run(task());
        QVERIFY(result && result->has_value());
        QCOMPARE(seen, std::string("firstsecond"));
    }

    void tls_TrustsOnlyWhatItIsTold_data()
    {
        QTest::addColumn<bool>("isForThisHost");
        QTest::addColumn<bool>("hasCa");
        QTest::addColumn<bool>("isTrusted");
        QTest::newRow("right host, known authority") << true << true << true;
        QTest::newRow("unknown authority") << true << false << false;
        QTest::newRow("another host") << false << true << false;
    }
    void tls_TrustsOnlyWhatItIsTold()
    {
        QFETCH(bool, isForThisHost);
        QFETCH(bool, hasCa);
        QFETCH(bool, isTrusted);
        net::Router routes;
        routes.add("GET", "/", [](const net::HttpRequest& request) -> net::Awaitable<net::HttpResponse> {
            co_return net::HttpResponse::json(200, request.peer.isTls ? "secure" : "plain");
        });
        net::ServerConfig config;
        config.tls = isForThisHost ? m_certificates.forLocalhost : m_certificates.forElsewhere;
        const auto server = serve(m_thread, std::move(routes), config);
        QVERIFY(server != nullptr);
        net::ClientRequest request = to("https://localhost:" + std::to_string(server->port()) + "/");
        request.trust.extraCaFile = hasCa ? m_certificates.caFile : std::string();
        const Result result = send(std::move(request));
        QCOMPARE(result.has_value(), isTrusted);
        if (isTrusted) {
            QCOMPARE(result->body, std::string("secure"));
        } else {
            QCOMPARE(result.error().code, ErrorCode::ProviderUnreachable);
        }
    }
};

QTEST_GUILESS_MAIN(HttpClientTest)
#include "test_net_http_client.moc"
