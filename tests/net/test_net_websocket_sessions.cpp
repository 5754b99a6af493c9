#include "tests/net/raw_socket.h"
#include "tests/net/test_server.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <QElapsedTimer>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::net;
using namespace vivavoce::net::test;
using namespace boost::asio::experimental::awaitable_operators;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

namespace {

using Kind = WebSocketMessage::Kind;

WebSocketRequest requestFor(const TestServer& server)
{
    WebSocketRequest request;
    request.url = server.socketUrl("/socket");
    return request;
}

/// Opens a session and runs `talk` with it.
std::string withSession(TestServer& server, std::function<Awaitable<std::string>(WebSocketSession&)> talk)
{
    const auto run = [&]() -> Awaitable<std::string> {
        auto session = co_await openWebSocket(requestFor(server));
        if (!session) {
            co_return "no session: " + session.error().detail;
        }
        co_return co_await talk(**session);
    };
    return server.loop().run(run());
}

/// How the server's side of a session ended.
struct Ending {
    std::shared_ptr<std::promise<WebSocketClose>> promise = std::make_shared<std::promise<WebSocketClose>>();
    std::future<WebSocketClose> future = promise->get_future();

    void addTo(Router& router)
    {
        addSocket(router, [promise = promise](WebSocketSession& session) -> Awaitable<> {
            while (true) {
                const auto message = co_await session.read();
                if (!message) {
                    promise->set_value(message.error());
                    co_return;
                }
            }
        });
    }
};

} // namespace

class TestNetWebSocketSessions : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void echo_OfMessages_KeepsKindContentAndOrder()
    {
        Router router;
        addEchoSocket(router);
        TestServer server(std::move(router));
        const std::string result = withSession(server, [](WebSocketSession& session) -> Awaitable<std::string> {
            std::vector<WebSocketMessage> sent;
            for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U, 1'000'000U}) {
                sent.push_back({Kind::Text, std::string(size, 't')});
                sent.push_back({Kind::Binary, std::string(size, '\xFF')});
            }
            for (const WebSocketMessage& message : sent) {
                const bool isText = message.kind == Kind::Text;
                bool isSent = false;
                if (isText) {
                    isSent = co_await session.send(message.data);
                } else {
                    isSent = co_await session.sendBinary(message.data);
                }
                if (!isSent) {
                    co_return "not sent";
                }
                const auto back = co_await session.read();
                if (!back || back->kind != message.kind || back->data != message.data) {
                    co_return "another message came back";
                }
            }
            co_return "good";
        });
        QCOMPARE(result, std::string("good"));
    }

    void message_OnTheWire_IsOneFrame()
    {
        Router router;
        addSocket(
            router, [](WebSocketSession& session) -> Awaitable<> { co_await session.send(std::string(300'000, 'a')); });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        QCOMPARE(socket.upgrade("/socket", "Sec-WebSocket-Extensions: permessage-deflate\r\n")
                     .headers.count("Sec-WebSocket-Extensions"),
            std::size_t{0});
        const Frame frame = socket.readFrame();
        QVERIFY(frame.isFinal);
        QCOMPARE(frame.payload.size(), std::size_t{300'000});
    }

    void message_InFragments_IsReadWhole()
    {
        Router router;
        addEchoSocket(router);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        QCOMPARE(socket.upgrade("/socket").status, 101U);
        // A character is split between two frames, and a ping comes between them.
        socket.send(frameBytes(0x01, "caf\xC3") + frameBytes(0x89, "p") + frameBytes(0x80, "\xA9"));
        const Frame pong = socket.readFrame();
        QCOMPARE(pong.opcode, 10U);
        QCOMPARE(pong.payload, std::string("p"));
        const Frame frame = socket.readFrame();
        QCOMPARE(frame.opcode, 1U);
        QCOMPARE(frame.payload, std::string("caf\xC3\xA9"));
    }

    void upgrade_ThatIsNotRight_IsAnsweredInHttp_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<unsigned>("status");
        const QByteArray up = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
        const QByteArray version = "Sec-WebSocket-Version: 13\r\n";
        const QByteArray key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        QTest::newRow("good") << up + version + key << 101U;
        QTest::newRow("lists and capitals")
            << "Connection: keep-alive, UPGRADE\r\nUpgrade: h2c, WebSocket\r\n" + version + key << 101U;
        QTest::newRow("old version") << up + "Sec-WebSocket-Version: 8\r\n" + key << 426U;
        QTest::newRow("no version") << up + key << 426U;
        QTest::newRow("no key") << up + version << 400U;
        QTest::newRow("short key") << up + version + "Sec-WebSocket-Key: dGhl\r\n" << 400U;
        QTest::newRow("long key") << up + version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n" << 400U;
        QTest::newRow("key not base64") << up + version + "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==\r\n" << 400U;
        QTest::newRow("two keys") << up + version + key + key << 400U;
        QTest::newRow("no connection field") << "Upgrade: websocket\r\n" + version + key << 400U;
        QTest::newRow("with a body") << up + version + key + "Content-Length: 1\r\n" << 400U;
    }
    void upgrade_ThatIsNotRight_IsAnsweredInHttp()
    {
        QFETCH(QByteArray, fields);
        QFETCH(unsigned, status);
        Router router;
        addEchoSocket(router);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        const std::string body = fields.contains("Content-Length") ? "x" : "";
        socket.send("GET /socket HTTP/1.1\r\nHost: localhost\r\n" + fields.toStdString() + "\r\n" + body);
        const Answer answer = socket.readAnswer();
        QCOMPARE(answer.status, status);
        // Beast adds its name and version to a 101 unless the field is there.
        QCOMPARE(std::string(answer.headers.find("Server").value_or("")), std::string(status == 101 ? "vivavoce" : ""));
        if (status == 426) {
            QCOMPARE(std::string(answer.headers.find("Sec-WebSocket-Version").value_or("-")), std::string("13"));
        }
    }

    void upgrade_HasWhatEveryAnswerHas()
    {
        Router router;
        addEchoSocket(router);
        router.onResponse([](const HttpRequest& request, HttpResponse& response) {
            response.headers.set("X-Request-Id", request.id);
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        const Answer answer = socket.upgrade("/socket", "Sec-WebSocket-Protocol: one\r\n");
        QCOMPARE(answer.status, 101U);
        QVERIFY(!answer.headers.find("X-Request-Id").value_or("").empty());
        QCOMPARE(answer.headers.count("Upgrade"), std::size_t{1});
        socket.send(frameBytes(0x81, "hello"));
        QCOMPARE(socket.readFrame().payload, std::string("hello"));
    }

    void upgrade_WithFramesSentTooEarly_Is400()
    {
        Router router;
        addEchoSocket(router);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.send(
            "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            + frameBytes(0x81, "early"));
        QCOMPARE(socket.readAnswer().status, 400U);
    }

    void upgrade_ThatIsUnwelcome_GetsTheAnswerOfItsHandler()
    {
        Router router;
        router.addWebSocket(
            "/socket", [](const HttpRequest& request) -> Awaitable<core::Expected<WebSocketAccept, HttpResponse>> {
                if (request.query == "throw") {
                    throw std::runtime_error("secret text");
                }
                if (request.query == "wait") {
                    co_await after(60s);
                }
                co_return core::Unexpected<HttpResponse>(HttpResponse::json(401, "{\"why\":1}"));
            });
        ServerLimits limits;
        limits.handlerTimeout = 60ms;
        TestServer server(std::move(router), limits);
        const auto statusOf = [&](const char* path) { return RawSocket(server.port()).upgrade(path).status; };
        QCOMPARE(RawSocket(server.port()).upgrade("/socket").body, std::string("{\"why\":1}"));
        QCOMPARE(statusOf("/socket"), 401U);
        QCOMPARE(statusOf("/socket?throw"), 500U);
        QCOMPARE(statusOf("/socket?wait"), 503U);
        QCOMPARE(statusOf("/nowhere"), 404U);
    }

    void subprotocol_IsOneOfThoseOffered()
    {
        Router router;
        router.addWebSocket(
            "/socket", [](const HttpRequest& request) -> Awaitable<core::Expected<WebSocketAccept, HttpResponse>> {
                WebSocketAccept accept;
                accept.subprotocol = request.headers.find("X-Choose").value_or("");
                accept.run = [](WebSocketSession& session) -> Awaitable<> { co_await session.read(); };
                co_return accept;
            });
        TestServer server(std::move(router));
        const auto openWith = [&](const char* chosen) {
            WebSocketRequest request = requestFor(server);
            request.subprotocols = {"realtime", "other.v1"};
            request.headers.add("X-Choose", chosen);
            const auto session = server.loop().run(openWebSocket(std::move(request)));
            return session ? std::string("open") : std::string(core::codeText(session.error().code));
        };
        QCOMPARE(openWith("realtime"), std::string("open"));
        QCOMPARE(openWith(""), std::string("open"));
        QCOMPARE(openWith("unasked"), std::string(core::codeText(core::ErrorCode::ProviderMalformed)));
        QCOMPARE(openWith("no token"), std::string(core::codeText(core::ErrorCode::ProviderFailed)));
    }

    void close_FromThePeer_ArrivesWithCodeAndReason_data()
    {
        QTest::addColumn<QByteArray>("payload");
        QTest::addColumn<unsigned>("code");
        QTest::addColumn<QByteArray>("reason");
        QTest::newRow("normal") << QByteArray("\x03\xE8"
                                              "bye")
                                << 1000U << QByteArray("bye");
        QTest::newRow("own") << QByteArray("\x0F\xA1") << 4001U << QByteArray();
        QTest::newRow("without a code") << QByteArray() << 1005U << QByteArray();
    }
    void close_FromThePeer_ArrivesWithCodeAndReason()
    {
        QFETCH(QByteArray, payload);
        QFETCH(unsigned, code);
        QFETCH(QByteArray, reason);
        Ending ending;
        Router router;
        ending.addTo(router);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        socket.send(frameBytes(0x88, payload.toStdString()));
        const WebSocketClose end = Loop::finished(ending.future);
        QCOMPARE(unsigned{end.code}, code);
        QCOMPARE(end.reason, reason.toStdString());
        QCOMPARE(socket.readFrame().opcode, 8U);
        QVERIFY(socket.isClosedByPeer());
    }

    void close_WithoutAFrame_Is1006()
    {
        Ending ending;
        Router router;
        ending.addTo(router);
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        socket.close();
        QCOMPARE(unsigned{Loop::finished(ending.future).code}, 1006U);
    }

    void close_OfOurs_ComesAfterWhatIsQueued_data()
    {
        QTest::addColumn<unsigned>("code");
        QTest::addColumn<unsigned>("onTheWire");
        QTest::newRow("own") << 4100U << 4100U;
        QTest::newRow("policy") << 1008U << 1008U;
        QTest::newRow("no code to send") << 1005U << 0U;
        QTest::newRow("not to be sent") << 1006U << 1011U;
        QTest::newRow("nonsense") << 7U << 1011U;
    }
    void close_OfOurs_ComesAfterWhatIsQueued()
    {
        QFETCH(unsigned, code);
        QFETCH(unsigned, onTheWire);
        Router router;
        addSocket(router, [code](WebSocketSession& session) -> Awaitable<> {
            co_await session.send("one");
            co_await session.send("two");
            // Too long for a control frame, and with a character across the edge.
            co_await session.close(static_cast<std::uint16_t>(code), std::string(122, 'r') + "\xC3\xA9", 10s);
            const bool isSent = co_await session.send("after the end");
            if (isSent) {
                throw std::logic_error("a closed session still takes messages");
            }
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        QCOMPARE(socket.readFrame().payload, std::string("one"));
        QCOMPARE(socket.readFrame().payload, std::string("two"));
        const Frame farewell = socket.readFrame();
        QCOMPARE(farewell.opcode, 8U);
        QCOMPARE(farewell.closeCode(), onTheWire);
        QCOMPARE(farewell.payload.size(), onTheWire == 0 ? std::size_t{0} : std::size_t{124});
        socket.send(frameBytes(0x88, farewell.payload));
        QVERIFY(socket.isClosedByPeer());
    }

    /// A client that answers "going away" with a goodbye of its own has not hung up.
    void close_OfOurs_IsHowItEnded_WhateverThePeerAnswers()
    {
        Ending ending;
        Router router;
        addSocket(router, [promise = ending.promise](WebSocketSession& session) -> Awaitable<> {
            const auto readOne = [&]() -> Awaitable<> {
                const auto message = co_await session.read();
                promise->set_value(message ? WebSocketClose{1, {}} : message.error());
            };
            co_await (readOne() && session.close(1001, "going away", 10s));
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        QCOMPARE(socket.readFrame().closeCode(), 1001U);
        socket.send(frameBytes(0x88, "\x03\xE8"));
        socket.close();
        const WebSocketClose end = Loop::finished(ending.future);
        QCOMPARE(unsigned{end.code}, 1001U);
        QCOMPARE(end.reason, std::string("going away"));
    }

    /// The last words and why they are the last ones, to a client that takes twice the patience to hear them.
    void close_OnASlowLine_WaitsForWhatIsQueued()
    {
        constexpr int kPieces = 40;
        constexpr std::size_t kPiece = 64 * 1024;
        Router router;
        addSocket(router, [](WebSocketSession& session) -> Awaitable<> {
            for (int i = 0; i < kPieces; ++i) {
                co_await session.send(std::string(kPiece, 'x'));
            }
            co_await session.close(4402, "budget_exhausted", 1s);
        });
        ServerLimits limits;
        limits.webSocketQueueBytes = (kPieces + 1) * kPiece;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port(), 16 * 1024);
        socket.upgrade("/socket");
        Loop pace;
        for (int i = 0; i < kPieces; ++i) {
            QCOMPARE(socket.readFrame().payload.size(), kPiece);
            pace.run(after(50ms));
        }
        QCOMPARE(socket.readFrame().closeCode(), 4402U);
    }

    /// However long it was given before.
    void close_WithoutPatience_EndsTheFarewellThatIsUnderWay()
    {
        auto done = std::make_shared<std::promise<void>>();
        auto isDone = done->get_future();
        Router router;
        addSocket(router, [done](WebSocketSession& session) -> Awaitable<> {
            co_await session.send(std::string(8 * 1024 * 1024, 'x'));
            co_await (session.close(4403, "session_ended", 60s) || after(50ms));
            co_await session.close(4403, "session_ended", 0ms);
            done->set_value();
        });
        ServerLimits limits;
        limits.webSocketQueueBytes = 16 * 1024 * 1024;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port(), 16 * 1024);
        socket.upgrade("/socket");
        Loop::finished(isDone);
    }

    void close_WhileSomebodyWaitsToSend_LetsThemGo()
    {
        auto done = std::make_shared<std::promise<void>>();
        auto isDone = done->get_future();
        Router router;
        addSocket(router, [done](WebSocketSession& session) -> Awaitable<> {
            const auto flood = [&]() -> Awaitable<> {
                bool isTaken = true;
                while (isTaken) {
                    isTaken = co_await session.send(std::string(256 * 1024, 'x'));
                }
                done->set_value();
            };
            const auto close = [&]() -> Awaitable<> {
                co_await after(200ms);
                co_await session.close(4000, "enough", 60s);
            };
            co_await (flood() && close());
        });
        ServerLimits limits;
        limits.webSocketQueueBytes = 1024;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port(), 16 * 1024);
        socket.upgrade("/socket");
        Loop::finished(isDone);
    }

    void close_WhenThePeerDoesNotAnswer_EndsWithItsPatience()
    {
        auto done = std::make_shared<std::promise<void>>();
        auto isDone = done->get_future();
        Router router;
        addSocket(router, [done](WebSocketSession& session) -> Awaitable<> {
            co_await session.close(1000, "bye", 80ms);
            done->set_value();
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        Loop::finished(isDone);
        QCOMPARE(socket.readFrame().closeCode(), 1000U);
        QVERIFY(socket.isClosedByPeer());
    }

    void close_WhoseWaitIsCancelled_StillSaysFarewell()
    {
        Router router;
        addSocket(router, [](WebSocketSession& session) -> Awaitable<> {
            co_await (session.close(4000, "enough", 10s) || after(1ms));
            co_await session.read();
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        QCOMPARE(socket.readFrame().closeCode(), 4000U);
    }

    void handler_ThatReturns_ClosesWith1000_AndOneThatThrowsWith1011()
    {
        for (const bool isThrowing : {false, true}) {
            Router router;
            addSocket(router, [isThrowing](WebSocketSession&) -> Awaitable<> {
                if (isThrowing) {
                    throw std::runtime_error("secret text");
                }
                co_return;
            });
            TestServer server(std::move(router));
            RawSocket socket(server.port());
            socket.upgrade("/socket");
            const Frame farewell = socket.readFrame();
            QCOMPARE(farewell.closeCode(), isThrowing ? 1011U : 1000U);
            QVERIFY(farewell.payload.find("secret") == std::string::npos);
        }
    }

    void send_ToAReaderThatStops_WaitsWithABoundedQueueAndLosesNothing()
    {
        constexpr std::size_t kPiece = 64 * 1024;
        std::atomic<int> sent{0};
        std::atomic<std::size_t> most{0};
        auto stalled = std::make_shared<std::promise<void>>();
        auto isStalled = stalled->get_future();
        Router router;
        addSocket(router, [&, stalled](WebSocketSession& session) -> Awaitable<> {
            bool hasStalled = false;
            while (!hasStalled) {
                std::string piece = std::to_string(sent++) + ":";
                piece.resize(kPiece, 'x');
                // Cancelling the wait of a send takes back nothing.
                const auto result = co_await (session.send(std::move(piece)) || after(250ms));
                most = std::max(most.load(), session.queuedBytes());
                hasStalled = result.index() == 1;
            }
            stalled->set_value();
            co_await session.send("last");
        });
        ServerLimits limits;
        limits.webSocketQueueBytes = 256 * 1024;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port(), 16 * 1024);
        socket.upgrade("/socket");
        Loop::finished(isStalled);
        QVERIFY(most > limits.webSocketQueueBytes);
        QVERIFY(most <= limits.webSocketQueueBytes + kPiece);
        for (int i = 0; i < sent; ++i) {
            const Frame frame = socket.readFrame();
            QCOMPARE(frame.payload.substr(0, frame.payload.find(':')), std::to_string(i));
        }
        QCOMPARE(socket.readFrame().payload, std::string("last"));
    }

    void send_FromManyAtOnce_LeavesWhole()
    {
        Router router;
        addSocket(router, [](WebSocketSession& session) -> Awaitable<> {
            const auto sendFifty = [&](char letter) -> Awaitable<> {
                for (int i = 0; i < 50; ++i) {
                    co_await session.send(std::string(5'000, letter));
                }
            };
            co_await (sendFifty('a') && sendFifty('b') && sendFifty('c'));
        });
        TestServer server(std::move(router));
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        for (int i = 0; i < 150; ++i) {
            const Frame frame = socket.readFrame();
            QCOMPARE(frame.payload, std::string(5'000, frame.payload.empty() ? '?' : frame.payload.front()));
        }
        QCOMPARE(socket.readFrame().closeCode(), 1000U);
    }

    void peer_ThatIsDead_IsFoundByItsSilence()
    {
        Ending ending;
        Router router;
        ending.addTo(router);
        ServerLimits limits;
        limits.webSocketSilence = 200ms;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        QElapsedTimer elapsed;
        elapsed.start();
        QCOMPARE(socket.readFrame().opcode, 9U);
        QCOMPARE(unsigned{Loop::finished(ending.future).code}, 1006U);
        // Not long after two intervals.
        QVERIFY(elapsed.elapsed() < 4'000);
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{0}, 20'000);
    }

    void peer_ThatAnswersPings_LivesOn()
    {
        Ending ending;
        Router router;
        ending.addTo(router);
        ServerLimits limits;
        limits.webSocketSilence = 400ms;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port());
        socket.upgrade("/socket");
        for (int i = 0; i < 6; ++i) {
            const Frame ping = socket.readFrame();
            QCOMPARE(ping.opcode, 9U);
            socket.send(frameBytes(0x8A, ping.payload));
        }
        socket.send(frameBytes(0x88, "\x03\xE8"));
        QCOMPARE(unsigned{Loop::finished(ending.future).code}, 1000U);
    }

    /// Pings wait behind what is being written, and so their answers do not come.
    void peer_AtTheEndOfASlowLine_LivesOnWhileItTakes()
    {
        constexpr std::size_t kAll = 8 * 1024 * 1024;
        Ending ending;
        Router router;
        addSocket(router, [&ending](WebSocketSession& session) -> Awaitable<> {
            const auto listen = [&]() -> Awaitable<> {
                const auto message = co_await session.read();
                ending.promise->set_value(message ? WebSocketClose{0, {}} : message.error());
            };
            co_await (listen() && session.send(std::string(kAll, 'x')));
        });
        ServerLimits limits;
        limits.webSocketSilence = 800ms;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port(), 16 * 1024);
        socket.upgrade("/socket");
        Loop pace;
        constexpr std::size_t kPiece = 128 * 1024;
        for (int i = 0; i < 24; ++i) {
            QCOMPARE(socket.readExactly(kPiece).size(), kPiece);
            pace.run(after(100ms));
        }
        constexpr std::size_t kHeader = 10;
        QCOMPARE(socket.readExactly(kAll + kHeader - 24 * kPiece).size(), kAll + kHeader - 24 * kPiece);
        socket.send(frameBytes(0x88, "\x03\xE8"));
        QCOMPARE(unsigned{Loop::finished(ending.future).code}, 1000U);
    }

    /// Its silences are asked about by a ping that waits behind what it does not read: one, however often.
    void peer_ThatTalksAndDoesNotRead_IsAskedByOnePingAtATime()
    {
        std::atomic<int> heard{0};
        auto done = std::make_shared<std::promise<unsigned>>();
        auto end = done->get_future();
        Router router;
        addSocket(router, [&heard, done](WebSocketSession& session) -> Awaitable<> {
            const auto listen = [&]() -> Awaitable<> {
                bool goesOn = true;
                while (goesOn) {
                    const auto message = co_await session.read();
                    goesOn = message.has_value();
                    heard += goesOn ? 1 : 0;
                    if (!goesOn) {
                        done->set_value(message.error().code);
                    }
                }
            };
            co_await (listen() && session.send(std::string(16 * 1024 * 1024, 'x')));
        });
        ServerLimits limits;
        limits.webSocketSilence = 1600ms;
        TestServer server(std::move(router), limits);
        RawSocket socket(server.port(), 16 * 1024);
        socket.upgrade("/socket");
        Loop pace;
        // Past the half of the silence each time, and before the end of it.
        for (int i = 0; i < 3; ++i) {
            pace.run(after(1100ms));
            QVERIFY(socket.send(frameBytes(0x81, "still here")));
            QTRY_COMPARE(heard.load(), i + 1);
        }
        QCOMPARE(socket.readFrame().payload.size(), std::size_t{16 * 1024 * 1024});
        socket.send(frameBytes(0x88, "\x03\xE8"));
        QCOMPARE(Loop::finished(end), 1000U);
        QTRY_COMPARE_WITH_TIMEOUT(server.server().connections(), std::size_t{0}, 20'000);
    }

    void session_DestroyedByItsOwner_DropsTheConnection()
    {
        Ending ending;
        Router router;
        ending.addTo(router);
        TestServer server(std::move(router));
        withSession(server, [](WebSocketSession&) -> Awaitable<std::string> { co_return ""; });
        QCOMPARE(unsigned{Loop::finished(ending.future).code}, 1006U);
    }

    void read_AfterTheEnd_SaysTheSameAgain()
    {
        Router router;
        addSocket(router, [](WebSocketSession& session) -> Awaitable<> { co_await session.close(4321, "over", 10s); });
        TestServer server(std::move(router));
        const std::string result = withSession(server, [](WebSocketSession& session) -> Awaitable<std::string> {
            std::string said;
            for (int i = 0; i < 3; ++i) {
                const auto end = co_await session.read();
                said += end ? "message " : std::to_string(end.error().code) + end.error().reason + " ";
            }
            const bool isSent = co_await session.send("x");
            co_return said + (isSent ? "sent" : "not sent");
        });
        QCOMPARE(result, std::string("4321over 4321over 4321over not sent"));
    }
};

QTEST_GUILESS_MAIN(TestNetWebSocketSessions)
#include "test_net_websocket_sessions.moc"
