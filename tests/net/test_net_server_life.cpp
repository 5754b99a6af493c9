#include "net/internal/http_session.h"
#include "tests/net/raw_socket.h"
#include "tests/net/test_certificates.h"
#include "tests/net/test_server.h"

#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <map>
#include <mutex>
#include <thread>

using namespace vivavoce;
using namespace vivavoce::net;
using namespace vivavoce::net::test;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

namespace {

const std::string kGet = "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n";

core::ErrorCode creationError(Loop& loop, ServerConfig config)
{
    const auto server = Server::create({loop.executor()}, std::move(config), Router());
    return server ? core::ErrorCode::Internal : server.error().code;
}

/// A route that says when it has begun, and then takes `time`.
struct Slow {
    std::shared_ptr<std::promise<void>> begun = std::make_shared<std::promise<void>>();
    std::future<void> hasBegun = begun->get_future();

    void addTo(Router& router, core::Milliseconds time)
    {
        router.add("GET", "/slow", [begun = begun, time](const HttpRequest&) -> Awaitable<HttpResponse> {
            begun->set_value();
            co_await after(time);
            co_return HttpResponse::json(200, "{}");
        });
    }
};

} // namespace

class TestNetServerLife : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    TestCertificates m_certificates;

private Q_SLOTS:
    void network_OfAnIPv6Address_IsItsFirstHalf()
    {
        const auto networkOfText = [](const char* text) { return networkOf(asio::ip::make_address(text)).to_string(); };
        QCOMPARE(networkOfText("2001:db8:1:2:3:4:5:6"), std::string("2001:db8:1:2::"));
        QCOMPARE(networkOfText("2001:db8:1:2::9"), networkOfText("2001:db8:1:2:3:4:5:6"));
        QVERIFY(networkOfText("2001:db8:1:3::9") != networkOfText("2001:db8:1:2::9"));
        QCOMPARE(networkOfText("192.0.2.7"), std::string("192.0.2.7"));
        QCOMPARE(networkOfText("::ffff:192.0.2.7"), std::string("192.0.2.7"));
    }

    void initTestCase() { m_certificates = makeCertificates(m_folder.path().toStdString()); }

    /// As clients do it: a short request, then the stream that lasts.
    void streams_ThatEachFollowAShortRequest_AreNotAllOnOneThread()
    {
        constexpr int kStreams = 8;
        std::mutex mutex;
        std::map<std::thread::id, int> perThread;
        Router router = echoRouter();
        addSocket(router, [&](WebSocketSession& session) -> Awaitable<> {
            {
                const std::lock_guard lock(mutex);
                ++perThread[std::this_thread::get_id()];
            }
            co_await session.read();
        });
        TestServer server(std::move(router));
        Loop clients;
        std::vector<std::unique_ptr<WebSocketSession>> streams;
        for (int i = 0; i < kStreams; ++i) {
            ClientRequest request;
            request.url = server.url("/echo");
            QVERIFY(clients.run(sendRequest(std::move(request))));
            WebSocketRequest dial;
            dial.url = server.socketUrl("/socket");
            auto opened = clients.run(openWebSocket(std::move(dial)));
            QVERIFY(opened);
            streams.push_back(std::move(*opened));
        }
        QTRY_COMPARE(server.server().connections(), std::size_t{kStreams});
        const std::lock_guard lock(mutex);
        QCOMPARE(perThread.size(), std::size_t{2});
        for (const auto& [thread, count] : perThread) {
            QVERIFY2(count >= 2, "nearly all on the other one");
        }
    }

    void create_OnAPortInUse_IsAlreadyRunning()
    {
        TestServer server(echoRouter());
        ServerConfig config;
        config.port = server.port();
        QCOMPARE(creationError(server.loop(), config), core::ErrorCode::AlreadyRunning);
    }

    void create_WithABadAddress_IsBadConfiguration()
    {
        Loop loop;
        ServerConfig config;
        for (const char* address : {"", "localhost", "127.0.0.256", "192.0.2.1", "127.0.0.1:80"}) {
            config.address = address;
            QCOMPARE(creationError(loop, config), core::ErrorCode::BadConfiguration);
        }
    }

    void create_WithFilesThatDoNotFit_IsBadConfiguration_data()
    {
        QTest::addColumn<QString>("certificate");
        QTest::addColumn<QString>("key");
        const QString good = QString::fromStdString(m_certificates.forLocalhost.certificateChain);
        const QString goodKey = QString::fromStdString(m_certificates.forLocalhost.privateKey);
        const QString garbage = m_folder.filePath("garbage.pem");
        QFile file(garbage);
        QVERIFY(file.open(QIODevice::WriteOnly)
            && file.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") > 0);
        QTest::newRow("no certificate") << m_folder.filePath("nothing.pem") << goodKey;
        QTest::newRow("no key") << good << m_folder.filePath("nothing.key");
        QTest::newRow("certificate only") << good << QString();
        QTest::newRow("key only") << QString() << goodKey;
        QTest::newRow("garbage") << garbage << goodKey;
        QTest::newRow("key for a certificate") << goodKey << good;
        QTest::newRow("key of another") << good << QString::fromStdString(m_certificates.forElsewhere.privateKey);
    }
    void create_WithFilesThatDoNotFit_IsBadConfiguration()
    {
        QFETCH(QString, certificate);
        QFETCH(QString, key);
        Loop loop;
        ServerConfig config;
        config.tls = {certificate.toStdString(), key.toStdString()};
        QCOMPARE(creationError(loop, config), core::ErrorCode::BadConfiguration);
    }

    void url_OfAServer_SaysWhereItIs()
    {
        TestServer plain(echoRouter());
        QCOMPARE(plain.url(""), "http://127.0.0.1:" + std::to_string(plain.port()));
        TestServer secure(echoRouter(), {}, m_certificates.forLocalhost);
        QCOMPARE(secure.url(""), "https://127.0.0.1:" + std::to_string(secure.port()));
    }

    void connection_OverTheCapOfItsAddress_IsClosedAndALaterOneServed()
    {
        ServerLimits limits;
        limits.maxConnectionsPerAddress = 3;
        TestServer server(echoRouter(), limits);
        RawSocket one(server.port());
        RawSocket two(server.port());
        RawSocket three(server.port());
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{3}, 20'000);
        RawSocket tooMany(server.port());
        QCOMPARE(tooMany.readToEnd(), std::string());
        QVERIFY(tooMany.isClosedByPeer());
        // Those that are in are none the worse for it.
        one.send(kGet);
        QCOMPARE(one.readAnswer().status, 200U);
        two.close();
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{2}, 20'000);
        RawSocket later(server.port());
        later.send(kGet);
        QCOMPARE(later.readAnswer().status, 200U);
    }

    void connections_OfAProxy_AreBoundByTheCapOfAllAlone()
    {
        ServerLimits limits;
        limits.maxConnectionsPerAddress = 1;
        limits.maxConnections = 3;
        limits.uncappedAddresses = {"127.0.0.1"};
        TestServer server(echoRouter(), limits);
        RawSocket one(server.port());
        RawSocket two(server.port());
        RawSocket three(server.port());
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{3}, 20'000);
        RawSocket tooMany(server.port());
        QVERIFY(tooMany.isClosedByPeer());
    }

    void connection_OverTheCapOfAll_IsClosed()
    {
        ServerLimits limits;
        limits.maxConnections = 1;
        TestServer server(echoRouter(), limits);
        RawSocket one(server.port());
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{1}, 20'000);
        RawSocket tooMany(server.port());
        QVERIFY(tooMany.isClosedByPeer());
    }

    void replace_WithARequestUnderWay_LetsItEndAsItBegan()
    {
        // What the old routes own goes with the last request that they answer, and not before.
        auto owned = std::make_shared<int>(1);
        const std::weak_ptr<int> alive = owned;
        Router old;
        Slow slow;
        auto release = std::make_shared<std::atomic<bool>>(false);
        old.add("GET", "/slow", [owned, begun = slow.begun, release](const HttpRequest&) -> Awaitable<HttpResponse> {
            begun->set_value();
            while (!*release) {
                co_await after(1ms);
            }
            co_return HttpResponse::json(200, R"("old")");
        });
        owned.reset();
        TestServer server(std::move(old));
        RawSocket waiting(server.port());
        waiting.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
        QCOMPARE(slow.hasBegun.wait_for(kTestPatience), std::future_status::ready);
        QVERIFY(server.server().replace(echoRouter(), {}, {}));
        RawSocket other(server.port());
        other.send(kGet);
        QCOMPARE(other.readAnswer().status, 200U);
        QVERIFY(!alive.expired());
        *release = true;
        QCOMPARE(waiting.readAnswer().body, std::string(R"("old")"));
        // The same connection has the new routes from its next request on.
        waiting.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
        QCOMPARE(waiting.readAnswer().status, 404U);
        QTRY_VERIFY_WITH_TIMEOUT(alive.expired(), 20'000);
    }

    void replace_ThatDoesNotDo_ChangesNothing()
    {
        TestServer plain(echoRouter());
        const auto secured = plain.server().replace(Router(), m_certificates.forLocalhost, {});
        QVERIFY(!secured.has_value() && secured.error().code == core::ErrorCode::BadConfiguration);
        TestServer secure(echoRouter(), {}, m_certificates.forLocalhost);
        for (const TlsFiles& files : {TlsFiles{}, TlsFiles{m_certificates.forLocalhost.certificateChain, "/nothing"}}) {
            const auto replaced = secure.server().replace(Router(), files, {});
            QVERIFY(!replaced.has_value() && replaced.error().code == core::ErrorCode::BadConfiguration);
        }
        RawSocket socket(plain.port());
        socket.send(kGet);
        QCOMPARE(socket.readAnswer().status, 200U);
        ClientRequest request;
        request.url = secure.url("/echo");
        request.trust.extraCaFile = m_certificates.caFile;
        const auto answer = secure.loop().run(sendRequest(std::move(request)));
        QVERIFY(answer && answer->status == 200);
    }

    void replace_WithAnotherCertificate_GreetsNewConnectionsWithIt()
    {
        TestServer server(echoRouter(), {}, m_certificates.selfSigned);
        const auto ask = [&] {
            ClientRequest request;
            request.url = server.url("/echo");
            request.trust.extraCaFile = m_certificates.caFile;
            return server.loop().run(sendRequest(std::move(request))).has_value();
        };
        QVERIFY(!ask());
        QVERIFY(server.server().replace(echoRouter(), m_certificates.forLocalhost, {}));
        QVERIFY(ask());
    }

    void drain_WithIdleConnections_ClosesThemAtOnce()
    {
        TestServer server(echoRouter());
        RawSocket fresh(server.port());
        RawSocket used(server.port());
        used.send(kGet);
        QCOMPARE(used.readAnswer().status, 200U);
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{2}, 20'000);
        QElapsedTimer elapsed;
        elapsed.start();
        server.loop().run(server.server().drain(15s));
        QVERIFY(elapsed.elapsed() < 10'000);
        QCOMPARE(server.server().connections(), std::size_t{0});
        QVERIFY(fresh.isClosedByPeer());
        QVERIFY(used.isClosedByPeer());
    }

    void drain_WithARequestUnderWay_LetsItFinish()
    {
        Slow slow;
        Router router;
        slow.addTo(router, 150ms);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Loop::finished(slow.hasBegun);
        server.loop().run(server.server().drain(15s));
        const Answer answer = socket.readAnswer();
        QCOMPARE(answer.status, 200U);
        QCOMPARE(std::string(answer.headers.find("Connection").value_or("-")), std::string("close"));
        QVERIFY(socket.isClosedByPeer());
    }

    void drain_AtItsDeadline_DropsWhatIsLeft()
    {
        Slow slow;
        Router router;
        slow.addTo(router, 60s);
        ServerLimits limits;
        limits.handlerTimeout = 60s;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port());
        socket.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
        RawSocket halfSaid(server.port());
        halfSaid.send("GET /slow HT");
        Loop::finished(slow.hasBegun);
        QElapsedTimer elapsed;
        elapsed.start();
        server.loop().run(server.server().drain(100ms));
        QVERIFY(elapsed.elapsed() >= 95);
        QVERIFY(elapsed.elapsed() < 5'000);
        QCOMPARE(server.server().connections(), std::size_t{0});
        QVERIFY(socket.isClosedByPeer());
        QVERIFY(halfSaid.isClosedByPeer());
    }

    void drain_WithAWebSocket_Tells1001AndAwaitsItsHandler()
    {
        auto end = std::make_shared<std::promise<unsigned>>();
        auto ended = end->get_future();
        Router router;
        addSocket(router, [end](WebSocketSession& session) -> Awaitable<> {
            const auto message = co_await session.read();
            end->set_value(message ? 0U : message.error().code);
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        QCOMPARE(socket.upgrade("/socket").status, 101U);
        Frame farewell;
        std::thread peer([&] {
            farewell = socket.readFrame();
            socket.send(frameBytes(0x88, farewell.payload));
        });
        server.loop().run(server.server().drain(15s));
        peer.join();
        QCOMPARE(farewell.closeCode(), 1001U);
        QCOMPARE(Loop::finished(ended), 1001U);
        QCOMPARE(server.server().connections(), std::size_t{0});
    }

    void drain_WithAHandlerThatIsNotReading_StillTells1001()
    {
        Router router;
        addSocket(router, [](WebSocketSession& session) -> Awaitable<> {
            // Comes to an end only by seeing that nothing can be sent any more.
            bool isSent = true;
            while (isSent) {
                co_await after(5ms);
                isSent = co_await session.send("tick");
            }
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        QCOMPARE(socket.upgrade("/socket").status, 101U);
        Frame frame;
        std::thread peer([&] {
            do {
                frame = socket.readFrame();
            } while (frame.opcode == 1);
            socket.send(frameBytes(0x88, frame.payload));
        });
        server.loop().run(server.server().drain(15s));
        peer.join();
        QCOMPARE(frame.closeCode(), 1001U);
    }

    void drain_WithAPeerThatDoesNotAnswer_IsOverSoon()
    {
        Router router;
        addEchoSocket(router);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        QCOMPARE(socket.upgrade("/socket").status, 101U);
        QElapsedTimer elapsed;
        elapsed.start();
        server.loop().run(server.server().drain(15s));
        QVERIFY(elapsed.elapsed() < 8'000);
        QCOMPARE(socket.readFrame().closeCode(), 1001U);
        QVERIFY(socket.isClosedByPeer());
    }

    void connect_AfterADrain_IsRefused()
    {
        TestServer server(echoRouter());
        server.loop().run(server.server().drain(1s));
        RawSocket late(server.port());
        QVERIFY(!late.isConnected());
    }

    void destroy_WithoutADrain_DropsEverybody()
    {
        Slow slow;
        Router router;
        slow.addTo(router, 60s);
        addEchoSocket(router);
        TestServer server(std::move(router));
        RawSocket idle(server.port());
        RawSocket asking(server.port());
        asking.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
        RawSocket talking(server.port());
        QCOMPARE(talking.upgrade("/socket").status, 101U);
        Loop::finished(slow.hasBegun);
        server.destroy();
        QVERIFY(idle.isClosedByPeer());
        QVERIFY(asking.isClosedByPeer());
        QVERIFY(talking.isClosedByPeer());
    }
};

QTEST_GUILESS_MAIN(TestNetServerLife)
#include "test_net_server_life.moc"
