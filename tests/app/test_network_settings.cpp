#include "app/platform/ca_file.h"
#include "app/platform/network_settings.h"
#include "app/platform/qt_http_client.h"
#include "app/platform/qt_websocket_transport.h"
#include "core/settings/proxy_address.h"
#include "tests/net/test_certificates.h"

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
#include <QWebSocket>
#include <QWebSocketServer>

#include <memory>
#include <optional>

using namespace vivavoce;
using namespace vivavoce::core;

namespace {

constexpr const char* kElsewhere = "elsewhere.example";
/// Of January 2020.
const QByteArray kRunOut("-----BEGIN CERTIFICATE-----\n"
                         "MIIBCzCBsgIBATAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdSdW4gb3V0MB4XDTIw\n"
                         "MDEwMTAwMDAwMFoXDTIwMDIwMTAwMDAwMFowEjEQMA4GA1UEAwwHUnVuIG91dDBZ\n"
                         "MBMGByqGSM49AgEGCCqGSM49AwEHA0IABEM+KalwNguxrHPGk5wBmwPYhJ3CEVjL\n"
                         "c56uWVBweP6XwdsSqsCsKqWtCDmFutzsMPATNFM6r9siiSX7dJMJ0jYwCgYIKoZI\n"
                         "zj0EAwIDSAAwRQIhANDgKVLLyL2fKdQE+GElrc/t3urb0OrjKh0r5ueFi3oZAiBl\n"
                         "42ZzbYwG4vDjsOi5Kz3+qrgysFzxl9ksmuXCy1lUQg==\n"
                         "-----END CERTIFICATE-----\n");

class RecordingListener final : public TransportListener {
public:
    void transportOpened() override { isOpen = true; }
    void textReceived(std::string_view message) override { texts.emplace_back(message); }
    void binaryReceived(std::string_view) override {}
    void pingAnswered(std::uint64_t) override {}
    void transportClosed(const TransportClose&) override {}
    void transportFailed(const Error& why) override { error = why; }

    bool isOpen = false;
    std::vector<std::string> texts;
    std::optional<Error> error;
};

/// Knows one place: whatever it is asked for, it connects to a port of this computer. HTTP CONNECT and SOCKS 5.
class TinyProxy {
public:
    explicit TinyProxy(quint16 destination, QByteArray refusal = {})
        : m_destination(destination), m_refusal(std::move(refusal))
    {
        QObject::connect(&m_server, &QTcpServer::newConnection, &m_server, [this] {
            QTcpSocket* client = m_server.nextPendingConnection();
            QObject::connect(client, &QTcpSocket::readyRead, client, [this, client] { read(client); });
        });
        m_server.listen(QHostAddress::LocalHost);
    }

    [[nodiscard]] std::string address(const char* scheme) const
    {
        return std::string(scheme) + "://127.0.0.1:" + std::to_string(m_server.serverPort());
    }
    /// What it was asked for.
    QStringList targets;

private:
    void read(QTcpSocket* client)
    {
        QByteArray& heard = m_heard[client];
        heard += client->readAll();
        if (heard.startsWith('\x05')) {
            readSocks(client, heard);
        } else if (heard.endsWith("\r\n\r\n")) {
            targets << QString::fromLatin1(heard.split(' ').value(1));
            if (!m_refusal.isEmpty()) {
                client->write(m_refusal);
                client->disconnectFromHost();
                return;
            }
            join(client, "HTTP/1.1 200 Connection established\r\n\r\n");
        }
    }

    /// RFC 1928: a greeting, then the request with the name of a host.
    void readSocks(QTcpSocket* client, QByteArray& heard)
    {
        if (!m_greeted.contains(client)) {
            m_greeted << client;
            heard.clear();
            client->write(QByteArray::fromHex("0500"));
            return;
        }
        const int length = static_cast<unsigned char>(heard.size() > 4 ? heard.at(4) : 0);
        if (heard.size() < 5 + length + 2) {
            return;
        }
        const int port =
            static_cast<unsigned char>(heard.at(5 + length)) * 256 + static_cast<unsigned char>(heard.at(6 + length));
        targets << QString::fromLatin1(heard.mid(5, length)) + QStringLiteral(":%1").arg(port);
        join(client, QByteArray::fromHex("05000001000000000000"));
    }

    void join(QTcpSocket* client, const QByteArray& welcome)
    {
        client->disconnect();
        auto* server = new QTcpSocket(client);
        QObject::connect(server, &QTcpSocket::connected, client, [client, welcome] { client->write(welcome); });
        QObject::connect(
            server, &QTcpSocket::readyRead, client, [client, server] { client->write(server->readAll()); });
        QObject::connect(
            client, &QTcpSocket::readyRead, server, [client, server] { server->write(client->readAll()); });
        QObject::connect(server, &QTcpSocket::disconnected, client, &QTcpSocket::disconnectFromHost);
        server->connectToHost(QHostAddress::LocalHost, m_destination);
    }

    QTcpServer m_server;
    quint16 m_destination;
    QByteArray m_refusal;
    QHash<QTcpSocket*, QByteArray> m_heard;
    QList<QTcpSocket*> m_greeted;
};

QSslConfiguration serverOf(const net::TlsFiles& files)
{
    const auto contentOf = [](const std::string& path) {
        QFile file(QString::fromStdString(path));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    };
    QSslConfiguration tls = QSslConfiguration::defaultConfiguration();
    tls.setLocalCertificateChain(QSslCertificate::fromData(contentOf(files.certificateChain)));
    const QByteArray key = contentOf(files.privateKey);
    const QSslKey rsa(key, QSsl::Rsa);
    tls.setPrivateKey(rsa.isNull() ? QSslKey(key, QSsl::Ec) : rsa);
    return tls;
}

/// Says "here" to whoever asks, over TLS.
class HttpsServer {
public:
    explicit HttpsServer(const net::TlsFiles& files)
    {
        m_server.setSslConfiguration(serverOf(files));
        QObject::connect(&m_server, &QTcpServer::pendingConnectionAvailable, &m_server, [this] {
            QTcpSocket* socket = m_server.nextPendingConnection();
            QObject::connect(socket, &QTcpSocket::readyRead, socket, [socket] {
                if (socket->readAll().contains("\r\n\r\n")) {
                    socket->write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere");
                }
            });
        });
        m_server.listen(QHostAddress::LocalHost);
    }
    [[nodiscard]] quint16 port() const { return m_server.serverPort(); }

private:
    QSslServer m_server;
};

using Answer = std::optional<Expected<HttpClient::Response, Error>>;

void ask(platform::QtHttpClient& client, const std::string& url, Answer& answer)
{
    HttpClient::Request request;
    request.url = url;
    request.timeout = Milliseconds{5'000};
    const auto call = client.send(std::move(request), [&](auto result) { answer = std::move(result); });
    QTRY_VERIFY_WITH_TIMEOUT(answer.has_value(), 6'000);
}

void ask(const std::string& url, Answer& answer)
{
    platform::QtHttpClient client;
    ask(client, url, answer);
}

/// Of a connection that does not come about.
Error errorOfSocket(const std::string& url)
{
    platform::QtWebSocketFactory factory;
    const auto transport = factory.create();
    RecordingListener listener;
    TransportTarget target;
    target.url = url;
    transport->open(target, listener);
    const bool isOver = QTest::qWaitFor([&] { return listener.error || listener.isOpen; });
    return isOver ? listener.error.value_or(Error{ErrorCode::Internal, "it is open", std::nullopt, "open"})
                  : Error{ErrorCode::Timeout, "nothing", std::nullopt, "nothing"};
}

NetworkChoice through(const std::string& proxy, const std::string& caFile = {})
{
    return {ProxyChoice::Own, proxy, caFile};
}

} // namespace

/// Over real sockets: proxies, and authorities of one's own.
class NetworkSettingsTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    net::test::TestCertificates m_made;

private Q_SLOTS:
    void initTestCase() { m_made = net::test::makeCertificates(m_folder.path().toStdString()); }
    void init()
    {
        for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
            qunsetenv(name);
        }
        QVERIFY(platform::useNetwork({}).has_value());
    }

    void proxy_CarriesBothKindsOfConnection_data()
    {
        QTest::addColumn<QString>("scheme");
        QTest::newRow("CONNECT") << QStringLiteral("http");
        QTest::newRow("SOCKS 5") << QStringLiteral("socks5");
    }
    void proxy_CarriesBothKindsOfConnection()
    {
        QFETCH(const QString, scheme);
        const HttpsServer server(m_made.forElsewhere);
        TinyProxy proxy(server.port());
        QVERIFY(platform::useNetwork(through(proxy.address(qPrintable(scheme)), m_made.caFile)).has_value());
        Answer answer;
        ask(std::string("https://") + kElsewhere + "/x", answer);
        QVERIFY2(answer->has_value(), answer->has_value() ? "" : answer->error().detail.c_str());
        QCOMPARE((*answer)->body, std::string("here"));
        QCOMPARE(proxy.targets, QStringList{QStringLiteral("elsewhere.example:443")});

        QWebSocketServer provider(QStringLiteral("s"), QWebSocketServer::SecureMode);
        provider.setSslConfiguration(serverOf(m_made.forElsewhere));
        QVERIFY(provider.listen(QHostAddress::LocalHost));
        std::unique_ptr<QWebSocket> peer;
        connect(&provider, &QWebSocketServer::newConnection, &provider, [&] {
            peer.reset(provider.nextPendingConnection());
            peer->sendTextMessage(QStringLiteral("hello"));
        });
        TinyProxy other(provider.serverPort());
        QVERIFY(platform::useNetwork(through(other.address(qPrintable(scheme)), m_made.caFile)).has_value());
        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        TransportTarget target;
        target.url = std::string("wss://") + kElsewhere + "/v1/realtime";
        transport->open(target, listener);
        QTRY_VERIFY2(!listener.texts.empty(), listener.error ? listener.error->detail.c_str() : "");
        QCOMPARE(listener.texts.at(0), std::string("hello"));
        QCOMPARE(other.targets, QStringList{QStringLiteral("elsewhere.example:443")});
    }

    void thisComputer_IsReachedDirectly()
    {
        const HttpsServer server(m_made.forLocalhost);
        TinyProxy proxy(server.port());
        QVERIFY(platform::useNetwork(through(proxy.address("http"), m_made.caFile)).has_value());
        for (const char* host : {"localhost", "127.0.0.1"}) {
            Answer answer;
            ask(std::string("https://") + host + ":" + std::to_string(server.port()) + "/", answer);
            QVERIFY2(answer->has_value(), answer->has_value() ? "" : answer->error().detail.c_str());
        }
        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        QWebSocketServer provider(QStringLiteral("s"), QWebSocketServer::NonSecureMode);
        QVERIFY2(provider.listen(QHostAddress::LocalHost), "what listens has no use for a proxy");
        TransportTarget target;
        target.url = "ws://127.0.0.1:" + std::to_string(provider.serverPort()) + "/";
        transport->open(target, listener);
        QTRY_VERIFY(listener.isOpen);
        QVERIFY(proxy.targets.isEmpty());
    }

    void proxy_ThatRefuses_IsNamed_data()
    {
        QTest::addColumn<QByteArray>("refusal");
        QTest::addColumn<QString>("fault");
        QTest::newRow("asks for a password") << QByteArray(
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
            "Content-Length: 0\r\n\r\n") << QStringLiteral("proxy.password");
        QTest::newRow("forbids") << QByteArray("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                                 << QStringLiteral("proxy.refused");
        QTest::newRow("speaks nonsense") << QByteArray("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                                         << QStringLiteral("proxy.refused");
        QTest::newRow("is not there") << QByteArray() << QStringLiteral("proxy.unreachable");
    }
    void proxy_ThatRefuses_IsNamed()
    {
        QFETCH(const QByteArray, refusal);
        QFETCH(const QString, fault);
        auto proxy = std::make_unique<TinyProxy>(quint16{0}, refusal);
        QVERIFY(platform::useNetwork(through(proxy->address("http"))).has_value());
        if (refusal.isEmpty()) {
            proxy.reset();
        }
        Answer answer;
        ask(std::string("https://") + kElsewhere + "/", answer);
        QVERIFY(!answer->has_value());
        QCOMPARE(answer->error().code, ErrorCode::BrokerUnreachable);
        const auto isNamed = [](const Error& error) {
            return QString::fromStdString(error.detail).contains(QStringLiteral("proxy"), Qt::CaseInsensitive);
        };
        QVERIFY2(isNamed(answer->error()), answer->error().detail.c_str());
        QCOMPARE(QString::fromStdString(answer->error().foreignCode), fault);

        platform::QtWebSocketFactory factory;
        const auto transport = factory.create();
        RecordingListener listener;
        TransportTarget target;
        target.url = std::string("wss://") + kElsewhere + "/";
        transport->open(target, listener);
        QTRY_VERIFY(listener.error.has_value());
        QCOMPARE(listener.error->code, ErrorCode::ProviderUnreachable);
        // Qt's own words for that are the same wherever it is asked for.
        const bool isPassword = listener.error->detail == "Authentication required";
        QVERIFY2(isPassword == refusal.contains(" 407 ") && (isPassword || isNamed(*listener.error)),
            listener.error->detail.c_str());
        QCOMPARE(QString::fromStdString(listener.error->foreignCode), fault);
    }

    void proxy_WhoseNameNobodyKnows_IsToldFromABrokerThatIsNotFound()
    {
        QVERIFY(platform::useNetwork(through("http://proxy.invalid:3128")).has_value());
        const auto faultAt = [](const std::string& url) {
            Answer answer;
            ask(url, answer);
            return answer && !answer->has_value() ? answer->error().foreignCode : "an answer";
        };
        QCOMPARE(faultAt(std::string("https://") + kElsewhere + "/"), std::string("proxy.not_found"));
        QCOMPARE(errorOfSocket(std::string("wss://") + kElsewhere + "/").foreignCode, std::string("proxy.not_found"));
        QVERIFY(platform::useNetwork({ProxyChoice::None, {}, {}}).has_value());
        QCOMPARE(faultAt("https://proxy.invalid/"), std::string());
    }

    void certificate_IsToldApart_data()
    {
        QTest::addColumn<bool>("isTrusted");
        QTest::addColumn<bool>("isElsewhere");
        QTest::addColumn<QString>("fault");
        QTest::newRow("of a stranger") << false << false << QStringLiteral("certificate.untrusted");
        QTest::newRow("of a stranger, for another host") << false << true << QStringLiteral("certificate.untrusted");
        QTest::newRow("for another host") << true << true << QStringLiteral("certificate.elsewhere");
    }
    void certificate_IsToldApart()
    {
        QFETCH(const bool, isTrusted);
        QFETCH(const bool, isElsewhere);
        QFETCH(const QString, fault);
        const HttpsServer server(isElsewhere ? m_made.forElsewhere : m_made.forLocalhost);
        QVERIFY(platform::useNetwork({ProxyChoice::None, {}, isTrusted ? m_made.caFile : std::string()}).has_value());
        const std::string place = "localhost:" + std::to_string(server.port()) + "/";
        Answer answer;
        ask("https://" + place, answer);
        QVERIFY(!answer->has_value());
        QCOMPARE(answer->error().code, ErrorCode::BrokerUnreachable);
        QCOMPARE(QString::fromStdString(answer->error().foreignCode), fault);
        QCOMPARE(QString::fromStdString(errorOfSocket("wss://" + place).foreignCode), fault);
    }

    void environment_NamesTheProxyAndWhoNeedsNone()
    {
        const HttpsServer server(m_made.forElsewhere);
        TinyProxy proxy(server.port());
        qputenv("HTTPS_PROXY", QByteArray::fromStdString(proxy.address("http")));
        QVERIFY(platform::useNetwork({ProxyChoice::System, {}, m_made.caFile}).has_value());
        Answer answer;
        ask(std::string("https://") + kElsewhere + "/", answer);
        QVERIFY(answer->has_value());
        QCOMPARE(proxy.targets.size(), 1);
        // Nobody answers to that name.
        qputenv("NO_PROXY", "intern.example, .invalid");
        QVERIFY(platform::useNetwork({ProxyChoice::System, {}, m_made.caFile}).has_value());
        Answer direct;
        ask("https://voice.invalid/", direct);
        QVERIFY(!direct->has_value());
        QCOMPARE(proxy.targets.size(), 1);
        QVERIFY(platform::useNetwork({ProxyChoice::None, {}, m_made.caFile}).has_value());
        Answer unproxied;
        ask("https://other.invalid/", unproxied);
        QVERIFY(!unproxied->has_value());
        QCOMPARE(proxy.targets.size(), 1);
    }

    void authority_IsTrustedAsLongAsItIsChosen()
    {
        const HttpsServer server(m_made.forLocalhost);
        const std::string url = "https://localhost:" + std::to_string(server.port()) + "/";
        Answer before;
        ask(url, before);
        QVERIFY(!before->has_value());
        QVERIFY(platform::useNetwork({ProxyChoice::None, {}, m_made.caFile}).has_value());
        Answer chosen;
        ask(url, chosen);
        QVERIFY(chosen->has_value());
        QVERIFY(platform::useNetwork({}).has_value());
        Answer after;
        ask(url, after);
        QVERIFY(!after->has_value());
    }

    void authority_CountsForTheNextRequestOfTheSameProgram()
    {
        const HttpsServer server(m_made.forLocalhost);
        const std::string url = "https://localhost:" + std::to_string(server.port()) + "/";
        platform::QtHttpClient client;
        Answer before;
        ask(client, url, before);
        QVERIFY(!before->has_value());
        QVERIFY(platform::useNetwork({ProxyChoice::None, {}, m_made.caFile}).has_value());
        Answer chosen;
        ask(client, url, chosen);
        QVERIFY2(chosen->has_value(), chosen->has_value() ? "" : chosen->error().detail.c_str());
        QVERIFY(platform::useNetwork({}).has_value());
        Answer after;
        ask(client, url, after);
        QVERIFY(!after->has_value());
    }

    void file_OfAuthorities_IsJudged()
    {
        const auto written = [this](const char* name, const QByteArray& text) {
            QFile file(m_folder.filePath(QString::fromLatin1(name)));
            return file.open(QIODevice::WriteOnly) && file.write(text) == text.size() ? file.fileName().toStdString()
                                                                                      : std::string();
        };
        QVERIFY(!platform::checkCaFile(m_made.caFile).has_value());
        QCOMPARE(platform::checkCaFile("/nowhere/ca.pem"), std::optional(CaFileFault::Unreadable));
        QCOMPARE(platform::checkCaFile("/dev/zero"), std::optional(CaFileFault::Unreadable));
        QCOMPARE(platform::checkCaFile(m_folder.path().toStdString()), std::optional(CaFileFault::Unreadable));
        QCOMPARE(platform::checkCaFile(written("empty.pem", "\n\n")), std::optional(CaFileFault::Empty));
        QCOMPARE(platform::checkCaFile(written("text.pem", "dear reader")), std::optional(CaFileFault::NotPem));
        QCOMPARE(platform::checkCaFile(m_made.forLocalhost.privateKey), std::optional(CaFileFault::NotPem));
        QCOMPARE(platform::checkCaFile(written("old.pem", kRunOut)), std::optional(CaFileFault::Expired));
        QFile good(QString::fromStdString(m_made.caFile));
        QVERIFY(good.open(QIODevice::ReadOnly));
        QVERIFY(!platform::checkCaFile(written("both.pem", kRunOut + good.readAll())).has_value());
    }

    void choice_ThatCannotBeFollowed_SaysWhyAndHoldsNothing_data()
    {
        QTest::addColumn<QString>("proxy");
        QTest::addColumn<QString>("caFile");
        QTest::addColumn<QString>("word");
        QTest::newRow("no such file") << QStringLiteral("http://127.0.0.1:9") << QStringLiteral("/nowhere/ca.pem")
                                      << QStringLiteral("/nowhere/ca.pem");
        QTest::newRow("no certificates") << QStringLiteral("http://127.0.0.1:9") << QStringLiteral("/dev/null")
                                         << QStringLiteral("/dev/null");
        QTest::newRow("no proxy") << QStringLiteral("ftp://127.0.0.1:9") << QString() << QStringLiteral("socks5://");
        QTest::newRow("a password") << QStringLiteral("http://me:open-sesame@127.0.0.1:9") << QString()
                                    << QStringLiteral("not supported");
    }
    void choice_ThatCannotBeFollowed_SaysWhyAndHoldsNothing()
    {
        QFETCH(const QString, proxy);
        QFETCH(const QString, caFile);
        QFETCH(const QString, word);
        const HttpsServer server(m_made.forElsewhere);
        TinyProxy good(server.port());
        QVERIFY(platform::useNetwork(through(good.address("http"), m_made.caFile)).has_value());
        const auto used = platform::useNetwork(through(proxy.toStdString(), caFile.toStdString()));
        QVERIFY(!used.has_value());
        QCOMPARE(used.error().code, ErrorCode::BadConfiguration);
        QCOMPARE(used.error().foreignCode, std::string(caFile.isEmpty() ? "network.proxy" : "network.ca_file"));
        const QString detail = QString::fromStdString(used.error().detail);
        QVERIFY2(detail.contains(word), qPrintable(detail));
        QVERIFY(!detail.contains(QStringLiteral("sesame")));
        Answer answer;
        ask(std::string("https://") + kElsewhere + "/", answer);
        QVERIFY(answer->has_value());
    }

    void address_IsReadAsPeopleWriteIt_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("read");
        QTest::newRow("http") << QStringLiteral("http://proxy.example:3128")
                              << QStringLiteral("http proxy.example 3128");
        QTest::newRow("slash") << QStringLiteral("http://proxy.example:3128/")
                               << QStringLiteral("http proxy.example 3128");
        QTest::newRow("bare") << QStringLiteral("proxy.example:3128") << QStringLiteral("http proxy.example 3128");
        QTest::newRow("socks5") << QStringLiteral("socks5://10.0.0.1:1080") << QStringLiteral("socks 10.0.0.1 1080");
        QTest::newRow("socks5h") << QStringLiteral("socks5h://[fe80::1]:1080") << QStringLiteral("socks fe80::1 1080");
        QTest::newRow("empty") << QString() << QStringLiteral("no address");
        QTest::newRow("no port") << QStringLiteral("http://proxy.example") << QStringLiteral("no address");
        QTest::newRow("port 0") << QStringLiteral("http://proxy.example:0") << QStringLiteral("no address");
        QTest::newRow("port too big") << QStringLiteral("http://proxy.example:65536") << QStringLiteral("no address");
        QTest::newRow("path") << QStringLiteral("http://proxy.example/a:1") << QStringLiteral("no address");
        QTest::newRow("colons without brackets") << QStringLiteral("http://fe80::1:80") << QStringLiteral("no address");
        QTest::newRow("no host") << QStringLiteral("http://:80") << QStringLiteral("no address");
        QTest::newRow("https") << QStringLiteral("https://proxy.example:443") << QStringLiteral("no address");
        QTest::newRow("password") << QStringLiteral("http://a:b@proxy.example:80") << QStringLiteral("credentials");
    }
    void address_IsReadAsPeopleWriteIt()
    {
        QFETCH(const QString, typed);
        QFETCH(const QString, read);
        const auto found = proxyAddress(typed.toStdString());
        const QString told = found ? QStringLiteral("%1 %2 %3")
                                         .arg(found->isSocks ? QStringLiteral("socks") : QStringLiteral("http"),
                                             QString::fromStdString(found->host))
                                         .arg(found->port)
            : found.error() == ProxyFault::HasCredentials ? QStringLiteral("credentials")
                                                          : QStringLiteral("no address");
        QCOMPARE(told, read);
    }
};

QTEST_GUILESS_MAIN(NetworkSettingsTest)
#include "test_network_settings.moc"
