#include "tests/broker/relay_harness.h"
#include "tests/net/raw_socket.h"

#include <QElapsedTimer>
#include <QTest>
#include <QUrl>

#include <thread>

using namespace std::chrono_literals;
using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;
using Kind = net::WebSocketMessage::Kind;

namespace {

/// Written with apostrophes for quotes.
std::string json(std::string text)
{
    std::replace(text.begin(), text.end(), '\'', '"');
    return text;
}

std::string numbered(const char* type, int number)
{
    return Json({{"type", type}, {"number", number}}).dump();
}

/// The broker looks at its streams more often than this.
constexpr qint64 kASecond = 1'000;

} // namespace

class TestRelayStream : public QObject {
    Q_OBJECT

private slots:
    void messages_PassWholeInOrderAndUnchanged_BothWays()
    {
        RelayWorld world;
        const auto session = world.session();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        QCOMPARE(world.upstream.request().headers.find("Authorization").value_or(""),
            std::string_view("Bearer provider-key-marker"));
        QCOMPARE(net::queryParameter(world.upstream.request().query, "model"), session.model);
        for (int i = 0; i < 300; ++i) {
            client->line().send(numbered("input_audio_buffer.commit", i));
            provider->send(numbered("response.done", i));
        }
        for (int i = 0; i < 300; ++i) {
            QCOMPARE(provider->next(), numbered("input_audio_buffer.commit", i));
            QCOMPARE(client->line().next(), numbered("response.done", i));
        }
        // As it was written, space by space and letter by letter; and what the provider sends in bytes stays bytes.
        const std::string odd = " { \"type\" : \"tomorrow\", \"x\" : \"\\u00e9 \xc3\xa9 \xf0\x9f\x8e\x99\" } ";
        client->line().send(odd);
        QCOMPARE(provider->next(), odd);
        provider->sendBinary(std::string("\x00\xff\x01", 3));
        const auto bytes = client->line().nextMessage();
        QVERIFY(bytes.kind == Kind::Binary);
        QCOMPARE(bytes.data, std::string("\x00\xff\x01", 3));
        // The largest that OpenAI takes, and a large answer.
        const std::string large =
            json("{'type':'conversation.item.create','x':'") + std::string(14 * 1024 * 1024, 'a') + "\"}";
        client->line().send(large);
        QVERIFY(provider->next() == large);
        provider->send(large);
        QVERIFY(client->line().next() == large);
    }

    void keyThatTheProviderQuotes_DoesNotReachTheClient()
    {
        RelayWorld world;
        const std::string key = BrokerWorld::kProviderKey;
        const std::string stars(key.size(), '*');
        {
            const auto client = world.open(world.session());
            const auto provider = world.upstream.next();
            const auto refusing = [](const std::string& with) {
                return json("{'type':'error','error':{'type':'x','code':'y','message':'Refused with Bearer ") + with
                    + json(". Bye.'}}");
            };
            provider->send(refusing(key));
            QCOMPARE(client->line().next(), refusing(stars));
            provider->sendBinary(refusing(key + key));
            QCOMPARE(client->line().next(), refusing(stars + stars));
            // As JSON may write it as well.
            const std::string escaped = "\\u0070" + key.substr(1, key.size() - 2) + "\\u0072";
            provider->send(refusing(escaped));
            QCOMPARE(client->line().next(), refusing(std::string(escaped.size(), '*')));
            // And the rest stays as it is.
            provider->send(refusing(key.substr(1)));
            QCOMPARE(client->line().next(), refusing(key.substr(1)));
            provider->close(1008, "not found for " + key);
            QCOMPARE(unsigned{client->line().end().code}, 1008U);
            QCOMPARE(client->line().end().reason, "not found for " + stars);
        }
        // A reason ends where a close frame does.
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        provider->send(numbered("session.created", 1));
        QVERIFY(!client->line().next().empty());
        provider->close(1011, "no such thing for " + key.substr(0, key.size() - 3));
        QCOMPARE(client->line().end().reason, "no such thing for " + std::string(key.size() - 3, '*'));
        const auto log = [&] { return world.operators.broker.log.text(); };
        QTRY_COMPARE(QString::fromStdString(log()).count(QStringLiteral("provider.quoted_key")), qsizetype{2});
        QVERIFY(log().find(key) == std::string::npos);
        const auto scrape = world.operators.as(world.operators.admin(), "GET", "/metrics").body;
        QVERIFY(scrape.find("vivavoce_provider_quoted_keys_total 2\n") != std::string::npos);
    }

    void tokenThatIsPinned_DoesNotReachTheClientEither()
    {
        RelayWorld world([](broker::Config& config) { config.geminiKey = core::Secret("gemini-key-marker"); });
        const auto client = world.open(world.session(json("{'provider':'gemini','voice':'Kore'}")));
        const auto provider = world.upstream.next();
        QCOMPARE(world.upstream.request().headers.find("Authorization").value_or(""),
            std::string_view("Token auth_tokens/pinned"));
        provider->close(1011, "auth_tokens/pinned and gemini-key-marker");
        QCOMPARE(client->line().end().reason, std::string(18, '*') + " and " + std::string(17, '*'));
    }

    void tooLongMessage_EndsTheStreamWith1009()
    {
        RelayWorld world;
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        client->line().send(json("{'type':'a','x':'") + std::string(15 * 1024 * 1024, 'a') + "\"}");
        QCOMPARE(unsigned{client->line().end().code}, 1009U);
        QCOMPARE(unsigned{provider->end().code}, 1009U);
        QCOMPARE(provider->pending(), std::size_t{0});
        // The client has not said so.
        const auto log = [&] { return world.operators.broker.log.text(); };
        QTRY_VERIFY(log().find("stream.closed") != std::string::npos);
        QVERIFY(log().find(R"("by":"broker","code":1009)") != std::string::npos);
    }

    void tooLongMessage_WhoseSenderStays_EndsTheProvidersSideAtOnce()
    {
        RelayWorld world;
        const auto session = world.session();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        client->line().send(json("{'type':'response.create'}"));
        QVERIFY(!provider->next().empty());
        // It reads one more, and then nothing: not that it was ended either.
        client->line().pause();
        provider->send(
            json("{'type':'response.created','event_id':'e','response':{'id':'r','object':'realtime.response',"
                 "'status':'in_progress','output':[]}}"));
        QVERIFY(!client->line().next().empty());
        QElapsedTimer elapsed;
        elapsed.start();
        client->line().send(std::string(std::size_t{15} * 1024 * 1024 + 1, 'x'));
        QVERIFY(provider->next().find("response.cancel") != std::string::npos);
        QCOMPARE(unsigned{provider->end().code}, 1009U);
        QVERIFY(elapsed.elapsed() < 3 * kASecond);
    }

    void whatIsSaidBeforeTheProviderIsThere_WaitsInOrder()
    {
        RelayWorld world;
        world.upstream.hold();
        const auto client = world.open(world.session());
        for (int i = 0; i < 20; ++i) {
            client->line().send(numbered("input_audio_buffer.commit", i));
        }
        QTRY_COMPARE_WITH_TIMEOUT(client->line().taken(), std::size_t{20}, 10'000);
        world.upstream.release();
        const auto provider = world.upstream.next();
        for (int i = 0; i < 20; ++i) {
            QCOMPARE(provider->next(), numbered("input_audio_buffer.commit", i));
        }
    }

    void eitherEnd_TellsTheOtherWhy()
    {
        RelayWorld world;
        {
            const auto client = world.open(world.session());
            const auto provider = world.upstream.next();
            client->line().close(4123, "enough");
            QCOMPARE(unsigned{provider->end().code}, 4123U);
            QCOMPARE(provider->end().reason, std::string("enough"));
        }
        {
            const auto client = world.open(world.session());
            const auto provider = world.upstream.next();
            provider->send(numbered("error", 1));
            provider->close(1001, "session_expired");
            QCOMPARE(client->line().next(), numbered("error", 1));
            QCOMPARE(unsigned{client->line().end().code}, 1001U);
            QCOMPARE(client->line().end().reason, std::string("session_expired"));
        }
        {
            const auto client = world.open(world.session());
            world.upstream.next()->close(1011, "keepalive ping timeout");
            QCOMPARE(unsigned{client->line().end().code}, 1011U);
            QCOMPARE(client->line().end().reason, std::string("keepalive ping timeout"));
        }
        {
            // Without a word: the provider's session costs money, and must not go on.
            const auto client = world.open(world.session());
            const auto provider = world.upstream.next();
            QElapsedTimer elapsed;
            elapsed.start();
            client->drop();
            (void)provider->end();
            QVERIFY(elapsed.elapsed() < 2 * kASecond);
        }
        QTRY_VERIFY(world.operators.broker.log.text().find("\"by\":\"provider\"") != std::string::npos);
    }

    void hangingUp_EndsTheSession_ALostConnectionDoesNot()
    {
        RelayWorld world([](broker::Config& config) { config.sessionsPerUser = 1; });
        const auto session = world.session();
        {
            const auto client = world.open(session);
            (void)world.upstream.next();
            client->drop();
        }
        const auto live = [&] {
            const auto answer = world.operators.as(world.operators.user(), "GET", "/api/voice/session");
            return Json::parse(answer.body)["sessions"].size();
        };
        {
            // The same token opens it again.
            const auto client = world.open(session);
            const auto provider = world.upstream.next();
            QCOMPARE(live(), std::size_t{1});
            client->line().close(1001, "");
            (void)provider->end();
        }
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        QCOMPARE(live(), std::size_t{1});
        client->line().close(1000, "");
        (void)provider->end();
        QTRY_COMPARE(live(), std::size_t{0});
        QCOMPARE(StreamClient(world.streamRequest(session.token.reveal())).status(), 401);
        auto lines = world.operators.lines(3);
        const auto isRevocation = [](const Json& line) { return line.at("event") == "session.revoke"; };
        QCOMPARE(std::count_if(lines.begin(), lines.end(), isRevocation), std::ptrdiff_t{1});
        const Json line = *std::find_if(lines.begin(), lines.end(), isRevocation);
        QCOMPARE(line.at("session").get<std::string>(), session.sessionId);
        QCOMPARE(line.at("subject").get<std::string>(), std::string("u1"));
        QCOMPARE(line.at("outcome").get<std::string>(), std::string("done"));
        QCOMPARE(line.at("why").get<std::string>(), std::string("hung_up"));
        QVERIFY(!line.at("request").get<std::string>().empty());
        // Its place is free at once.
        (void)world.session();
    }

    void providerThatIsLost_IsToldAsSomethingThatMayPass()
    {
        RelayWorld world;
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        QElapsedTimer elapsed;
        elapsed.start();
        world.upstream.crash();
        QCOMPARE(unsigned{client->line().end().code}, 4013U);
        QCOMPARE(client->line().end().reason, std::string("provider_lost"));
        QVERIFY(elapsed.elapsed() < 2 * kASecond);
    }

    void providerThatCannotBeReached_IsToldInTime_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<uint>("code");
        QTest::addColumn<QByteArray>("reason");
        QTest::newRow("nobody there") << QByteArray("-") << 4013U << QByteArray("provider_unreachable");
        QTest::newRow("silent") << QByteArray() << 4013U << QByteArray("provider_timeout");
        QTest::newRow("refuses our key") << QByteArray("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
                                         << 1011U << QByteArray("provider_refused");
        QTest::newRow("forbids it") << QByteArray("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") << 1011U
                                    << QByteArray("provider_refused");
        QTest::newRow("has moved") << QByteArray("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") << 1011U
                                   << QByteArray("provider_rejected");
        QTest::newRow("has enough of us") << QByteArray("HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n") << 4013U
                                          << QByteArray("provider_rate_limited");
        QTest::newRow("has a fault") << QByteArray("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n") << 4013U
                                     << QByteArray("provider_failed");
        QTest::newRow("is busy") << QByteArray("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") << 4013U
                                 << QByteArray("provider_failed");
        QTest::newRow("no HTTP") << QByteArray("hello\r\n\r\n") << 1011U << QByteArray("provider_malformed");
    }

    void providerThatCannotBeReached_IsToldInTime()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(uint, code);
        QFETCH(QByteArray, reason);
        NetThreads threads;
        const RawProvider raw(threads, bytes.toStdString());
        RelayWorld world(
            [&](broker::Config& config) { config.providerUrl = bytes == "-" ? "http://127.0.0.1:1" : raw.url(); });
        const auto session = world.session();
        QElapsedTimer elapsed;
        elapsed.start();
        const auto client = world.open(session);
        QCOMPARE(unsigned{client->line().end().code}, code);
        QCOMPARE(client->line().end().reason, reason.toStdString());
        QVERIFY(elapsed.elapsed() < 4 * kASecond);
        threads.stop();
    }

    void whoHasNoGoodToken_GetsNoStream_data()
    {
        QTest::addColumn<QString>("who");
        QTest::addColumn<int>("status");
        QTest::newRow("nobody") << "nobody" << 401;
        QTest::newRow("garbage") << "garbage" << 401;
        QTest::newRow("the user's own token") << "user" << 401;
        QTest::newRow("a provider's token") << "direct" << 401;
        QTest::newRow("another broker's token") << "foreign" << 401;
        QTest::newRow("a superseded token") << "superseded" << 401;
        QTest::newRow("of a session that was ended") << "ended" << 401;
        QTest::newRow("an old one") << "expired" << 401;
        QTest::newRow("a page that is not listed") << "page" << 403;
    }

    void whoHasNoGoodToken_GetsNoStream()
    {
        QFETCH(QString, who);
        QFETCH(int, status);
        RelayWorld world;
        RelayWorld other;
        const auto session = world.session();
        QVERIFY(!session.sessionId.empty());
        std::string token(session.token.reveal());
        auto& broker = world.operators.broker;
        if (who == "nobody") {
            token.clear();
        } else if (who == "garbage") {
            token = "garbage";
        } else if (who == "user") {
            token = world.operators.user();
        } else if (who == "direct") {
            token = tokenOf(world.operators.as(world.operators.user(), "POST", "/api/voice-agent/token", "{}"))
                        .token.reveal();
            QVERIFY(!token.empty());
        } else if (who == "foreign") {
            token = other.session().token.reveal();
        } else if (who == "superseded") {
            QCOMPARE(broker.send(broker.refreshRequest(token)).status, 200U);
        } else if (who == "ended") {
            QCOMPARE(
                world.operators.as(world.operators.user(), "DELETE", "/api/voice/session/" + session.sessionId).status,
                200U);
        } else if (who == "expired") {
            broker.clock.advance(16min);
        }
        auto request = world.streamRequest(token);
        if (who == "page") {
            request.headers.add("Origin", "https://evil.example");
        }
        const StreamClient client(std::move(request));
        QCOMPARE(client.status(), status);
        QCOMPARE(world.upstream.opened(), std::size_t{0});
    }

    void page_ThatIsListed_BringsItsTokenAsASubprotocol()
    {
        RelayWorld world([](broker::Config& config) { config.allowedOrigins = {"https://app.example"}; });
        auto request = world.streamRequest({});
        const auto session = world.session();
        request.headers.add("Origin", "https://app.example");
        request.subprotocols = {"bearer." + std::string(session.token.reveal()), "realtime"};
        StreamClient client(std::move(request));
        QCOMPARE(client.status(), 101);
        client.line().send(numbered("input_audio_buffer.commit", 1));
        QCOMPARE(world.upstream.next()->next(), numbered("input_audio_buffer.commit", 1));
        QVERIFY(world.operators.broker.log.text().find(session.token.reveal()) == std::string::npos);
        auto two = world.streamRequest({});
        two.headers.add("Origin", "https://app.example");
        const std::string token = "bearer." + std::string(session.token.reveal());
        two.subprotocols = {token, "realtime", token};
        QCOMPARE(StreamClient(std::move(two)).status(), 401);
    }

    void forbiddenMessages_NeverArrive()
    {
        RelayWorld world([](broker::Config& config) {
            config.policy.instructions = "Be kind.";
            config.policy.voices = std::vector<std::string>{"marin"};
        });
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        // What is pinned is the token's, which was minted for it.
        QCOMPARE(
            world.upstream.request().headers.find("Authorization").value_or(""), std::string_view("Bearer ek_pinned"));
        client->line().send(json("{'type':'session.update','event_id':'e1','session':{'instructions':'Be rude.'}}"));
        client->line().send(json("{'type':'session.update','session':{'model':'dear'}}"));
        client->line().send(numbered("input_audio_buffer.commit", 1));
        QCOMPARE(provider->next(), numbered("input_audio_buffer.commit", 1));
        const Json refused = Json::parse(client->line().next());
        QCOMPARE(refused.at("type").get<std::string>(), std::string("error"));
        QCOMPARE(refused.at("error").at("code").get<std::string>(), std::string("locked_by_policy"));
        QCOMPARE(refused.at("error").at("param").get<std::string>(), std::string("session.instructions"));
        QCOMPARE(refused.at("error").at("event_id").get<std::string>(), std::string("e1"));
        QVERIFY(Json::parse(client->line().next()).at("error").at("event_id").is_null());
        client->line().send(json("{'type':'a','ty\\u0070e':'session.update'}"));
        QCOMPARE(unsigned{client->line().end().code}, 1008U);
        QCOMPARE(client->line().end().reason, std::string("escaped_name"));
        QCOMPARE(unsigned{provider->end().code}, 1000U);
        QCOMPARE(provider->pending(), std::size_t{0});
    }

    void hostileClient_OverTheWire_NothingForbiddenArrives_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("reason");
        const auto row = [](const char* name, const std::string& bytes, const char* reason) {
            QTest::newRow(name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size())) << QByteArray(reason);
        };
        const std::string update = json("{'type':'session.update','session':{'instructions':'Be rude.'}}");
        row("type twice",
            net::test::frameBytes(0x81, json("{'type':'input_audio_buffer.commit','type':'session.update'}")),
            "duplicate_name");
        row("an escaped type", net::test::frameBytes(0x81, json("{'type':'session\\u002eupdate','session':{}}")),
            "escaped_name");
        row("an escaped type in fragments",
            net::test::frameBytes(0x01, json("{'type':'session\\u0")) + net::test::frameBytes(0x00, "02eup")
                + net::test::frameBytes(0x80, json("date','session':{}}")),
            "escaped_name");
        row("bytes", net::test::frameBytes(0x82, update), "unexpected_binary");
        row("no JSON", net::test::frameBytes(0x81, update.substr(1)), "invalid_json");
        row("what is locked, in fragments",
            net::test::frameBytes(0x01, update.substr(0, 20)) + net::test::frameBytes(0x89, "p")
                + net::test::frameBytes(0x80, update.substr(20)),
            "");
        row("what is locked", net::test::frameBytes(0x81, update), "");
    }
    void hostileClient_OverTheWire_NothingForbiddenArrives()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, reason);
        RelayWorld world([](broker::Config& config) { config.policy.instructions = "Be kind."; });
        const auto session = world.session();
        net::test::RawSocket socket(
            static_cast<std::uint16_t>(QUrl(QString::fromStdString(world.operators.broker.url())).port()));
        const auto answer = socket.upgrade(
            "/api/voice/stream", "Authorization: Bearer " + std::string(session.token.reveal()) + "\r\n");
        QCOMPARE(answer.status, 101U);
        const auto provider = world.upstream.next();
        socket.send(bytes.toStdString());
        socket.send(net::test::frameBytes(0x81, numbered("input_audio_buffer.commit", 1)));
        const auto nextFrame = [&] {
            // Pings, and what answers one, are between connections.
            auto frame = socket.readFrame();
            while (frame.opcode == 9 || frame.opcode == 10) {
                frame = socket.readFrame();
            }
            return frame;
        };
        const auto told = nextFrame();
        if (reason.isEmpty()) {
            QCOMPARE(
                Json::parse(told.payload).at("error").at("code").get<std::string>(), std::string("locked_by_policy"));
            QCOMPARE(provider->next(), numbered("input_audio_buffer.commit", 1));
        } else {
            QCOMPARE(told.closeCode(), 1008U);
            QCOMPARE(told.payload.substr(2), reason.toStdString());
            socket.send(net::test::frameBytes(0x88, told.payload));
            (void)provider->end();
        }
        QCOMPARE(provider->pending(), std::size_t{0});
    }

    /// As browsers and SDKs do that answer every farewell with their own.
    void clientThatAnswersGoingAwayWithAGoodbye_HasNotHungUp()
    {
        RelayWorld world;
        const auto session = world.session();
        net::test::RawSocket socket(
            static_cast<std::uint16_t>(QUrl(QString::fromStdString(world.operators.broker.url())).port()));
        QCOMPARE(
            socket.upgrade("/api/voice/stream", "Authorization: Bearer " + std::string(session.token.reveal()) + "\r\n")
                .status,
            101U);
        const auto provider = world.upstream.next();
        std::thread draining([&] { world.operators.broker.drain(); });
        QCOMPARE(socket.readFrame().closeCode(), 1001U);
        socket.send(net::test::frameBytes(0x88, "\x03\xE8"));
        draining.join();
        QCOMPARE(unsigned{provider->end().code}, 1001U);
        const std::string log = world.operators.broker.log.text();
        QVERIFY2(log.find(R"("code":1001)") != std::string::npos, log.c_str());
    }

    void floods_AreRefused()
    {
        RelayWorld world([](broker::Config& config) { config.relayMessagesPerMinute = 50; });
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        for (int i = 0; i < 51; ++i) {
            client->line().send(numbered("input_audio_buffer.commit", i));
        }
        QCOMPARE(unsigned{client->line().end().code}, 1008U);
        QCOMPARE(client->line().end().reason, std::string("rate_limited"));
        (void)provider->end();
        QCOMPARE(provider->pending(), std::size_t{50});
    }

    void comingAgain_MakesNobodysAllowanceWhole()
    {
        RelayWorld world([](broker::Config& config) {
            config.relayMessagesPerMinute = 50;
            config.refreshesPerMinute = 3;
        });
        const auto session = world.session();
        for (const auto& [said, passed] : {std::pair{30, 30}, std::pair{21, 20}}) {
            const auto client = world.open(session);
            const auto provider = world.upstream.next();
            for (int i = 0; i < said; ++i) {
                client->line().send(numbered("input_audio_buffer.commit", i));
            }
            for (int i = 0; i < passed; ++i) {
                (void)provider->next();
            }
            if (passed < said) {
                QCOMPARE(client->line().end().reason, std::string("rate_limited"));
            }
        }
        const auto third = world.open(session);
        // And coming is counted.
        const StreamClient fourth(world.streamRequest(session.token.reveal()));
        QCOMPARE(fourth.status(), 429);
    }

    void sessionsByPolicy_GoThroughTheRelay()
    {
        RelayWorld world([](broker::Config& config) { config.policy.isRelayed = true; });
        auto& broker = world.operators.broker;
        const std::string user = world.operators.user();
        const auto session = tokenOf(world.operators.as(user, "POST", "/api/voice-agent/token", "{}"));
        QCOMPARE(session.transport, std::string("relay"));
        QVERIFY(session.connect.url.ends_with("/api/voice/stream"));
        const auto client = world.open(session);
        client->line().send(numbered("input_audio_buffer.commit", 1));
        QCOMPARE(world.upstream.next()->next(), numbered("input_audio_buffer.commit", 1));
        const auto second = tokenOf(broker.send(broker.refreshRequest(session.token.reveal())));
        QCOMPARE(second.transport, std::string("relay"));
        const Json resume{{"resumeSessionId", session.sessionId}};
        const auto third = tokenOf(world.operators.as(user, "POST", "/api/voice-agent/token", resume.dump()));
        QCOMPARE(third.sessionId, session.sessionId);
        QCOMPARE(third.transport, std::string("relay"));
    }

    void directSession_WhereThePolicyHasChanged_IsRenewedNoMore_data()
    {
        QTest::addColumn<bool>("isBudget");
        QTest::newRow("relay") << false;
        // What the broker does not see it cannot bound.
        QTest::newRow("a budget") << true;
    }
    void directSession_WhereThePolicyHasChanged_IsRenewedNoMore()
    {
        QFETCH(bool, isBudget);
        RelayWorld world;
        auto& broker = world.operators.broker;
        const auto direct = tokenOf(world.operators.as(world.operators.user(), "POST", "/api/voice-agent/token", "{}"));
        QCOMPARE(direct.transport, std::string("direct"));
        const auto narrow = [isBudget](broker::Config& config) {
            config.policy.isRelayed = !isBudget;
            if (isBudget) {
                config.policy.budgets.userMonth.connected = 600min;
            }
        };
        QCOMPARE(broker.reload(narrow), std::string());
        QCOMPARE(codeOf(broker.send(broker.refreshRequest(direct.token.reveal()))), std::string("not_allowed"));
        const Json resume{{"resumeSessionId", direct.sessionId}};
        const auto resumed =
            world.operators.as(world.operators.user(), "POST", "/api/voice-agent/token", resume.dump());
        QCOMPARE(codeOf(resumed), std::string("not_allowed"));
    }

    void modelThatIsForbiddenSince_IsNotOpenedAgain()
    {
        RelayWorld world;
        auto& broker = world.operators.broker;
        const auto session = world.session();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        const auto forbid = [](broker::Config& config) { config.policy.models = std::vector<std::string>{"another"}; };
        QCOMPARE(broker.reload(forbid), std::string());
        QCOMPARE(StreamClient(world.streamRequest(session.token.reveal())).status(), 403);
        // What is open goes on.
        client->line().send(numbered("input_audio_buffer.commit", 1));
        QCOMPARE(provider->next(), numbered("input_audio_buffer.commit", 1));
        QCOMPARE(world.upstream.opened(), std::size_t{1});
    }

    void formatOfTheSound_IsTheProviders()
    {
        RelayWorld world([](broker::Config& config) { config.relayAudioPerMinute = 90s; });
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        // Nothing that a provider may say of itself harms anybody.
        for (const char* odd : {"{'type':'session.updated','session':{'audio':[{'input':1}]}}",
                 "{'type':'session.created','session':5}", "[]", "4", "no JSON"}) {
            provider->send(json(odd));
            QCOMPARE(client->line().next(), json(odd));
        }
        provider->send(
            json("{'type':'session.updated','session':{'audio':{'input':{'format':{'type':'audio/pcmu'}}}}}"));
        (void)client->line().next();
        // A minute at eight bytes a millisecond; ten seconds at 48.
        const std::string minute =
            json("{'type':'input_audio_buffer.append','audio':'") + std::string(640'000, 'A') + "\"}";
        client->line().send(minute);
        (void)provider->next();
        client->line().send(minute);
        QCOMPARE(client->line().end().reason, std::string("rate_limited"));
    }

    void soundFasterThanTimePasses_IsRefused()
    {
        RelayWorld world([](broker::Config& config) { config.relayAudioPerMinute = 90s; });
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        // Ten seconds at a time.
        const std::string tenSeconds =
            json("{'type':'input_audio_buffer.append','audio':'") + std::string(640'000, 'A') + "\"}";
        for (int i = 0; i < 9; ++i) {
            client->line().send(tenSeconds);
            (void)provider->next();
        }
        world.operators.broker.clock.advance(61s);
        for (int i = 0; i < 9; ++i) {
            client->line().send(tenSeconds);
            (void)provider->next();
        }
        client->line().send(tenSeconds);
        QCOMPARE(client->line().end().reason, std::string("rate_limited"));
    }

    void sessionThatIsEnded_EndsItsStreamWithinASecond_data()
    {
        QTest::addColumn<QString>("by");
        QTest::newRow("its user") << "user";
        QTest::newRow("an admin") << "admin";
        QTest::newRow("an admin, all of the user's") << "all";
    }

    void sessionThatIsEnded_EndsItsStreamWithinASecond()
    {
        QFETCH(QString, by);
        RelayWorld world;
        const auto session = world.session();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        const auto other = world.open(world.session("{}", "u2"));
        const std::string path = "/api/voice/session/" + session.sessionId;
        QElapsedTimer elapsed;
        elapsed.start();
        if (by == "all") {
            broker::auth::Caller caller;
            caller.issuer = world.operators.login.url();
            caller.subject = "u1";
            const Json body{{"user", caller.key()}};
            QCOMPARE(
                world.operators.as(world.operators.admin(), "POST", "/api/admin/sessions/revoke", body.dump()).status,
                200U);
        } else {
            const std::string who = by == "user" ? world.operators.user() : world.operators.admin();
            QCOMPARE(world.operators.as(who, "DELETE", path).status, 200U);
        }
        QCOMPARE(unsigned{client->line().end().code}, 4403U);
        QCOMPARE(client->line().end().reason, std::string("session_ended"));
        (void)provider->end();
        QVERIFY2(elapsed.elapsed() < 2 * kASecond, "the broker looks every 400 ms");
        other->line().send(numbered("input_audio_buffer.commit", 1));
        QCOMPARE(world.upstream.next()->next(), numbered("input_audio_buffer.commit", 1));
    }

    void token_ThatRunsOut_EndsTheStream_UnlessRefreshed()
    {
        RelayWorld world([](broker::Config& config) {
            config.relayTokenLife = 5min;
            config.longestRelay = 15min;
        });
        auto& broker = world.operators.broker;
        const auto session = world.session();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        const auto lapsing = world.open(world.session("{}", "u2"));
        broker.clock.advance(4min);
        const auto second = tokenOf(broker.send(broker.refreshRequest(session.token.reveal())));
        QVERIFY(!second.sessionId.empty());
        broker.clock.advance(2min);
        QCOMPARE(unsigned{lapsing->line().end().code}, 4401U);
        QCOMPARE(lapsing->line().end().reason, std::string("token_expired"));
        client->line().send(numbered("input_audio_buffer.commit", 1));
        QCOMPARE(provider->next(), numbered("input_audio_buffer.commit", 1));
        broker.clock.advance(2min);
        const auto third = tokenOf(broker.send(broker.refreshRequest(second.token.reveal())));
        QVERIFY(!third.sessionId.empty());
        broker.clock.advance(4min);
        const auto fourth = tokenOf(broker.send(broker.refreshRequest(third.token.reveal())));
        QVERIFY(!fourth.sessionId.empty());
        // The absolute end stands, however often it is refreshed.
        broker.clock.advance(4min);
        QCOMPARE(unsigned{client->line().end().code}, 4408U);
        QCOMPARE(client->line().end().reason, std::string("session_too_long"));
    }

    void session_AtItsLongest_EndsForThat_ThoughItsTokenSaysWholeSeconds()
    {
        RelayWorld world([](broker::Config& config) { config.longestRelay = 5min; });
        auto& clock = world.operators.broker.clock;
        const auto whole = std::chrono::floor<std::chrono::seconds>(clock.wallNow());
        clock.advance(std::chrono::duration_cast<core::Milliseconds>(whole + 1500ms - clock.wallNow()));
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        clock.advance(5min - 400ms);
        QCOMPARE(unsigned{client->line().end().code}, 4408U);
        QCOMPARE(client->line().end().reason, std::string("session_too_long"));
        (void)provider->end();
    }

    void clientThatComesAgain_TakesThePlaceOfItsFormerSelf()
    {
        RelayWorld world;
        const auto session = world.session();
        const auto first = world.open(session);
        const auto lost = world.upstream.next();
        const auto second = world.open(session);
        QCOMPARE(unsigned{first->line().end().code}, 4409U);
        (void)lost->end();
        second->line().send(numbered("input_audio_buffer.commit", 1));
        QCOMPARE(world.upstream.next()->next(), numbered("input_audio_buffer.commit", 1));
    }

    /// Of two that it has there would be none.
    void clientThatComesAgain_WhereTheProviderDoesNot_KeepsItsFormerSelf()
    {
        RelayWorld world;
        const auto session = world.session();
        const auto first = world.open(session);
        const auto provider = world.upstream.next();
        provider->send(numbered("x", 1));
        QCOMPARE(first->line().next(), numbered("x", 1));
        world.upstream.hold();
        const auto second = world.open(session);
        QCOMPARE(second->line().end().reason, std::string("provider_timeout"));
        provider->send(numbered("x", 2));
        QCOMPARE(first->line().next(), numbered("x", 2));
        world.upstream.release();
    }

    void modelThatIsNamedTwice_IsRefused()
    {
        RelayWorld world;
        const auto session = world.session();
        for (const char* const query : {"?model=gpt-realtime-2.1&model=dear", "?model=gpt-realtime-2.1&mod%65l=dear",
                 "?model=gpt-realtime-2.1&model="}) {
            auto request = world.streamRequest(session.token.reveal());
            request.url += query;
            QVERIFY2(StreamClient(std::move(request)).status() == 400, query);
        }
    }

    /// The session's token is good, and what is asked for with it is not.
    void requestsForAStream_ThatAreRefused_AreBoundedByTheirToken()
    {
        RelayWorld world([](broker::Config& config) { config.othersPerMinute = 3; });
        const auto session = world.session();
        const auto status = [&](const char* query) {
            auto request = world.streamRequest(session.token.reveal());
            request.url += query;
            return StreamClient(std::move(request)).status();
        };
        // What a bucket counts is not counted by token.
        for (int i = 0; i < 5; ++i) {
            QCOMPARE(status(""), 101);
        }
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(status("?model=dear"), 403);
        }
        QCOMPARE(status("?model=dear"), 429);
        QCOMPARE(status(""), 429);
        // Another one is another matter.
        QCOMPARE(StreamClient(world.streamRequest(world.session("{}", "u2").token.reveal())).status(), 101);
    }

    void clientThatStopsReading_StopsTheProvider_AndCostsLittle()
    {
        RelayWorld world;
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        client->line().pause();
        client->line().send(numbered("input_audio_buffer.commit", 0));
        (void)provider->next();
        // 64 MiB, of which only what queues and the kernel hold is taken.
        const std::string large(256 * 1024, 'x');
        for (int i = 0; i < 256; ++i) {
            provider->send(large);
        }
        // Whoever reads nothing answers no pings either: it is given up, and the provider's session with it.
        (void)provider->end();
        QVERIFY2(provider->taken() < 64, qPrintable(QString::number(provider->taken())));
    }

    void goingDown_TellsBothSides()
    {
        RelayWorld world;
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        world.operators.broker.drain();
        QCOMPARE(unsigned{client->line().end().code}, 1001U);
        (void)provider->end();
    }
};

QTEST_GUILESS_MAIN(TestRelayStream)
#include "test_relay_stream.moc"
