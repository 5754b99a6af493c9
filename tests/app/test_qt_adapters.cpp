#include "app/platform/interrupt_signal.h"
#include "app/platform/loopback.h"
#include "app/platform/qt_executor.h"
#include "app/platform/qt_http_client.h"
#include "app/platform/qt_websocket_transport.h"
#include "tests/net/test_certificates.h"

#include <QCryptographicHash>
#include <QFile>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslServer>
#include <QSslSocket>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QUrl>
#include <QWebSocket>
#include <QWebSocketServer>

#include <csignal>
#include <optional>

using namespace vivavoce;
using namespace vivavoce::core;

namespace {

class RecordingListener final : public TransportListener {
public:
    void transportOpened() override { isOpen = true; }
    void textReceived(std::string_view message) override { texts.emplace_back(message); }
    void binaryReceived(std::string_view message) override { binaries.emplace_back(message); }
    void pingAnswered(std::uint64_t ping) override
    {
        ++pongs;
        lastPong = ping;
    }
    void transportClosed(const TransportClose& how) override { close = how; }
    void transportFailed(const Error& why) override { error = why; }

    bool isOpen = false;
    int pongs = 0;
    std::uint64_t lastPong = 0;
    std::vector<std::string> texts;
    std::vector<std::string> binaries;
    std::optional<TransportClose> close;
    std::optional<Error> error;
};

QByteArray contentOf(const std::string& path)
{
    QFile file(QString::fromStdString(path));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QByteArray acceptance(const QByteArray& request)
{
    const QByteArray name("Sec-WebSocket-Key: ");
    const qsizetype begin = request.indexOf(name) + name.size();
    const QByteArray key = request.mid(begin, request.indexOf('\r', begin) - begin);
    const QByteArray accept =
        QCryptographicHash::hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", QCryptographicHash::Sha1).toBase64();
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept + "\r\n\r\n";
}

QByteArray pong(const QByteArray& payload)
{
    return QByteArray("\x8A") + static_cast<char>(payload.size()) + payload;
}

} // namespace

class QtAdaptersTest : public QObject {
    Q_OBJECT

    platform::QtExecutor m_executor;
    QTemporaryDir m_folder;
    /// Of this computer, as clients of this test trust it.
    QSslConfiguration m_tls;

private Q_SLOTS:
    void initTestCase()
    {
        const auto made = net::test::makeCertificates(m_folder.path().toStdString());
        m_tls = QSslConfiguration::defaultConfiguration();
        m_tls.setLocalCertificateChain(QSslCertificate::fromData(contentOf(made.forLocalhost.certificateChain)));
        const QByteArray key = contentOf(made.forLocalhost.privateKey);
        const QSslKey rsa(key, QSsl::Rsa);
        m_tls.setPrivateKey(rsa.isNull() ? QSslKey(key, QSsl::Ec) : rsa);
        QSslConfiguration clients = QSslConfiguration::defaultConfiguration();
        QVERIFY(clients.addCaCertificates(QString::fromStdString(made.caFile)));
        QSslConfiguration::setDefaultConfiguration(clients);
    }

    void loopback_IsTakenLiterally_data()
    {
        QTest::addColumn<QString>("url");
        QTest::addColumn<bool>("isLoopback");
        QTest::newRow("127.0.0.1") << QStringLiteral("http://127.0.0.1:80/") << true;
        QTest::newRow("127/8") << QStringLiteral("http://127.8.9.1/") << true;
        QTest::newRow("::1") << QStringLiteral("http://[::1]:80/") << true;
        QTest::newRow("localhost") << QStringLiteral("http://LocalHost/") << true;
        QTest::newRow("a name that begins so") << QStringLiteral("http://127.0.0.1.example/") << false;
        QTest::newRow("a name that ends so") << QStringLiteral("http://evil-localhost/") << false;
        QTest::newRow("any address") << QStringLiteral("http://0.0.0.0/") << false;
        QTest::newRow("user information") << QStringLiteral("http://127.0.0.1@broker.example/") << false;
    }
    void loopback_IsTakenLiterally()
    {
        QFETCH(QString, url);
        QFETCH(bool, isLoopback);
        QCOMPARE(platform::isLoopback(QUrl(url)), isLoopback);
    }

    void timer_ThatIsDestroyed_DoesNotFire()
    {
        int fired = 0;
        auto dropped = m_executor.after(Milliseconds{0}, [&] { fired += 100; });
        const auto kept = m_executor.after(Milliseconds{0}, [&] { ++fired; });
        dropped.reset();
        QTRY_COMPARE(fired, 1);
    }

    void interruptThatIsSentTwiceAtOnce_IsOne()
    {
#ifndef Q_OS_UNIX
        QSKIP("Ctrl-C ends the program at once here");
#endif
        int told = 0;
        const platform::InterruptSignal interrupted([&] { ++told; });
        QVERIFY(!platform::InterruptSignal::hasCome());
        // As `timeout` does: to the program, and to its group.
        std::raise(SIGINT);
        std::raise(SIGINT);
        std::raise(SIGTERM);
        QVERIFY(platform::InterruptSignal::hasCome());
        QTRY_COMPARE(told, 1);
        QCoreApplication::processEvents();
        QCOMPARE(told, 1);
    }

    void timer_MayDestroyItself()
    {
        bool fired = false;
        std::unique_ptr<Timer> timer;
        timer = m_executor.after(Milliseconds{0}, [&] {
            timer.reset();
            fired = true;
        });
        QTRY_VERIFY(fired);
    }

    void credential_ThatNoHeaderTakes_IsNotSent_data()
    {
        QTest::addColumn<QByteArray>("credential");
        QTest::newRow("a line end") << QByteArray("ek_1\n");
        QTest::newRow("a header of its own") << QByteArray("ek_1\r\nX-Evil: 1");
        QTest::newRow("a blank") << QByteArray("ek 1");
        QTest::newRow("no ASCII") << QByteArray("ek_\xc3\xa4");
        QTest::newRow("a zero") << QByteArray("ek\0", 3);
    }
    void credential_ThatNoHeaderTakes_IsNotSent()
    {
        QFETCH(QByteArray, credential);
        const auto secret = std::make_shared<const Secret>(credential.toStdString());
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        int connections = 0;
        QObject::connect(&server, &QTcpServer::newConnection, &server, [&] { ++connections; });
        const std::string place = "127.0.0.1:" + std::to_string(server.serverPort());

        platform::QtHttpClient http;
        HttpClient::Request message;
        message.url = "http://" + place + "/";
        message.bearer = secret;
        std::optional<ErrorCode> fault;
        const auto call = http.send(
            std::move(message), [&](const auto& result) { fault = result ? ErrorCode::Timeout : result.error().code; });
        QTRY_VERIFY(fault.has_value());
        QCOMPARE(*fault, ErrorCode::BadConfiguration);

        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener heard;
        TransportTarget target;
        target.url = "ws://" + place + "/";
        target.credential = secret;
        transport->open(target, heard);
        QTRY_VERIFY(heard.error.has_value());
        QCOMPARE(heard.error->code, ErrorCode::BadConfiguration);
        QCOMPARE(connections, 0);
    }

    void http_SendsTheBearerAndHandsOverEveryStatus()
    {
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        QByteArray request;
        connect(&server, &QTcpServer::newConnection, &server, [&] {
            QTcpSocket* socket = server.nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, socket, [&request, socket] {
                request += socket->readAll();
                if (request.endsWith("{}")) {
                    socket->write(
                        "HTTP/1.1 429 Too Many\r\nRetry-After: 5\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nno");
                }
            });
        });
        platform::QtHttpClient client;
        HttpClient::Request message;
        message.url = "http://127.0.0.1:" + std::to_string(server.serverPort()) + "/x";
        message.body = "{}";
        message.headers.add("Content-Type", "application/json");
        message.bearer = std::make_shared<const Secret>("ek_1");
        std::optional<Expected<HttpClient::Response, Error>> answer;
        const auto call = client.send(std::move(message), [&](auto result) { answer = std::move(result); });
        QTRY_VERIFY(answer.has_value());
        QVERIFY(answer->has_value());
        QCOMPARE((*answer)->status, 429);
        QCOMPARE((*answer)->body, std::string("no"));
        QCOMPARE(std::string((*answer)->headers.find("retry-after").value_or("")), std::string("5"));
        QVERIFY(request.contains("Authorization: Bearer ek_1\r\n"));
    }

    void http_CancelledCall_IsNotAnswered()
    {
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        platform::QtHttpClient client;
        HttpClient::Request message;
        message.url = "http://127.0.0.1:" + std::to_string(server.serverPort()) + "/";
        message.timeout = Milliseconds{1};
        bool wasAnswered = false;
        auto call = client.send(message, [&](const auto&) { wasAnswered = true; });
        call.reset();
        bool laterDone = false;
        const auto later = client.send(message, [&](const auto&) { laterDone = true; });
        QTRY_VERIFY(laterDone);
        QVERIFY(!wasAnswered);
    }

    void http_AnswerWithoutEnd_IsCutAtItsLimit()
    {
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        connect(&server, &QTcpServer::newConnection, &server, [&] {
            QTcpSocket* socket = server.nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, socket, [socket] {
                socket->readAll();
                socket->write("HTTP/1.1 200 OK\r\n\r\n" + QByteArray(100'000, 'x'));
            });
        });
        platform::QtHttpClient client;
        HttpClient::Request message;
        message.url = "http://127.0.0.1:" + std::to_string(server.serverPort()) + "/";
        message.maxBodyBytes = 1000;
        std::optional<Expected<HttpClient::Response, Error>> answer;
        const auto call = client.send(std::move(message), [&](auto result) { answer = std::move(result); });
        QTRY_VERIFY(answer.has_value());
        QCOMPARE(answer->error().code, ErrorCode::BrokerMalformed);
    }

    void webSocket_CarriesTextBothWaysAndTheCloseCode()
    {
        QWebSocketServer server(QStringLiteral("s"), QWebSocketServer::NonSecureMode);
        QVERIFY(server.listen(QHostAddress::LocalHost));
        QByteArray authorization;
        std::unique_ptr<QWebSocket> peer;
        connect(&server, &QWebSocketServer::newConnection, &server, [&] {
            peer.reset(server.nextPendingConnection());
            authorization = peer->request().rawHeader("Authorization");
            connect(peer.get(), &QWebSocket::textMessageReceived, peer.get(), [&](const QString& text) {
                peer->sendTextMessage(text + QStringLiteral(" é"));
                peer->close(QWebSocketProtocol::CloseCodePolicyViolated, QStringLiteral("why"));
            });
        });
        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        TransportTarget target;
        target.url = "ws://127.0.0.1:" + std::to_string(server.serverPort()) + "/v1/realtime?model=m";
        target.credential = std::make_shared<const Secret>("ek_1");
        transport->open(target, listener);
        QTRY_VERIFY(listener.isOpen);
        transport->send("hello");
        QTRY_VERIFY(listener.close.has_value());
        QCOMPARE(authorization, QByteArray("Bearer ek_1"));
        QCOMPARE(listener.texts.at(0), std::string("hello \xC3\xA9"));
        QCOMPARE(int(listener.close->code), 1008);
        QCOMPARE(listener.close->reason, std::string("why"));
        QVERIFY(!listener.error.has_value());
    }

    void webSocket_OverTlsToAPeerThatStopsReading_CountsWhatIsOnItsWay()
    {
        QSslServer server;
        server.setSslConfiguration(m_tls);
        QVERIFY(server.listen(QHostAddress::LocalHost));
        QSslSocket* peer = nullptr;
        connect(&server, &QTcpServer::pendingConnectionAvailable, &server, [&] {
            auto* socket = qobject_cast<QSslSocket*>(server.nextPendingConnection());
            connect(socket, &QSslSocket::readyRead, socket, [socket, &peer] {
                const QByteArray request = socket->readAll();
                if (request.contains("\r\n\r\n")) {
                    socket->disconnect();
                    socket->setReadBufferSize(1);
                    socket->write(acceptance(request));
                    peer = socket;
                }
            });
        });
        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        TransportTarget target;
        target.url = "wss://localhost:" + std::to_string(server.serverPort()) + "/";
        transport->open(target, listener);
        QTRY_VERIFY2(listener.isOpen, listener.error ? listener.error->detail.c_str() : "");
        transport->ping();
        // From here on it is known to answer them.
        peer->write(pong("1"));
        QTRY_COMPARE(listener.pongs, 1);
        const std::string message(10'000, 'x');
        for (int i = 0; i < 200; ++i) {
            transport->send(message);
            // What TLS has taken is not where the other side has it.
            QCoreApplication::processEvents();
        }
        transport->ping();
        for (int i = 0; i < 100; ++i) {
            QCoreApplication::processEvents();
        }
        QCOMPARE(transport->bufferedBytes(), std::size_t{2'000'000});
        QCOMPARE(listener.pongs, 1);
    }

    void webSocket_ToAPeerThatAnswersNoPings_CountsWhatHasNotLeft()
    {
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        QTcpSocket* peer = nullptr;
        connect(&server, &QTcpServer::newConnection, &server, [&] {
            peer = server.nextPendingConnection();
            connect(peer, &QTcpSocket::readyRead, peer, [socket = peer] {
                const QByteArray request = socket->readAll();
                if (request.startsWith("GET ")) {
                    socket->write(acceptance(request));
                }
            });
        });
        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        TransportTarget target;
        target.url = "ws://127.0.0.1:" + std::to_string(server.serverPort()) + "/";
        transport->open(target, listener);
        QTRY_VERIFY(listener.isOpen);
        transport->send(std::string(100'000, 'x'));
        for (int i = 0; i < 100; ++i) {
            transport->ping();
        }
        QTRY_COMPARE(transport->bufferedBytes(), std::size_t{0});
        // The oldest are forgotten, an answer to the others counts.
        peer->write(pong("1") + pong("90"));
        QTRY_COMPARE(listener.pongs, 1);
        QCOMPARE(listener.lastPong, std::uint64_t{90});
    }

    void webSocket_OverTls_KnowsWhatTheOtherSideHas()
    {
        QWebSocketServer server(QStringLiteral("s"), QWebSocketServer::SecureMode);
        server.setSslConfiguration(m_tls);
        QVERIFY(server.listen(QHostAddress::LocalHost));
        std::unique_ptr<QWebSocket> peer;
        qsizetype received = 0;
        connect(&server, &QWebSocketServer::newConnection, &server, [&] {
            peer.reset(server.nextPendingConnection());
            connect(peer.get(), &QWebSocket::textMessageReceived, peer.get(),
                [&](const QString& text) { received += text.size(); });
        });
        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        TransportTarget target;
        target.url = "wss://localhost:" + std::to_string(server.serverPort()) + "/";
        transport->ping();
        transport->open(target, listener);
        QTRY_VERIFY2(listener.isOpen, listener.error ? listener.error->detail.c_str() : "");
        transport->send(std::string(50'000, 'x'));
        transport->ping();
        transport->send(std::string(100, 'x'));
        QTRY_COMPARE(listener.pongs, 1);
        // What came behind the ping is not acknowledged by it.
        QCOMPARE(transport->bufferedBytes(), std::size_t{100});
        transport->ping();
        QTRY_COMPARE(transport->bufferedBytes(), std::size_t{0});
        QCOMPARE(received, qsizetype{50'100});
    }

    void webSocket_BadTargets_AreNamed_data()
    {
        QTest::addColumn<QString>("url");
        QTest::addColumn<int>("code");
        QTest::newRow("plain to elsewhere") << QStringLiteral("ws://provider.example/") << int(ErrorCode::InsecureUrl);
        QTest::newRow("http") << QStringLiteral("http://127.0.0.1/") << int(ErrorCode::BadConfiguration);
        QTest::newRow("nothing") << QString() << int(ErrorCode::BadConfiguration);
    }
    void webSocket_BadTargets_AreNamed()
    {
        QFETCH(QString, url);
        QFETCH(int, code);
        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        TransportTarget target;
        target.url = url.toStdString();
        transport->open(target, listener);
        QVERIFY(!listener.error.has_value());
        QTRY_VERIFY(listener.error.has_value());
        QCOMPARE(int(listener.error->code), code);
    }

    void webSocket_CloseCodesThatQtDoesNotKnow_AskForPatience_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<int>("expected");
        QTest::newRow("starts anew") << 1012 << 1013;
        QTest::newRow("busy") << 1013 << 1013;
        QTest::newRow("a gateway's") << 1014 << 1013;
        QTest::newRow("the broker's") << 4013 << 4013;
        QTest::newRow("a fault of the protocol") << 1002 << 1002;
    }
    void webSocket_CloseCodesThatQtDoesNotKnow_AskForPatience()
    {
        QFETCH(int, code);
        QFETCH(int, expected);
        QWebSocketServer server(QStringLiteral("s"), QWebSocketServer::NonSecureMode);
        QVERIFY(server.listen(QHostAddress::LocalHost));
        std::unique_ptr<QWebSocket> peer;
        connect(&server, &QWebSocketServer::newConnection, &server, [&] {
            peer.reset(server.nextPendingConnection());
            peer->close(static_cast<QWebSocketProtocol::CloseCode>(code), QStringLiteral("why"));
        });
        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        TransportTarget target;
        target.url = "ws://127.0.0.1:" + std::to_string(server.serverPort()) + "/";
        transport->open(target, listener);
        QTRY_VERIFY(listener.close.has_value());
        QCOMPARE(int(listener.close->code), expected);
        QVERIFY2(listener.close->reason.find("Invalid") == std::string::npos, listener.close->reason.c_str());
    }

    void webSocket_HandshakeThatIsNeverAnswered_TimesOut()
    {
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        TransportTarget target;
        target.url = "ws://127.0.0.1:" + std::to_string(server.serverPort()) + "/";
        target.timeout = Milliseconds{50};
        transport->open(target, listener);
        QTRY_VERIFY(listener.error.has_value());
        QCOMPARE(listener.error->code, ErrorCode::Timeout);
    }
};

QTEST_GUILESS_MAIN(QtAdaptersTest)
#include "test_qt_adapters.moc"
