#include "tests/broker/relay_harness.h"
#include "tests/net/raw_socket.h"

#include <QTest>

#include <thread>

using namespace std::chrono_literals;
using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr const char* kPath = "/api/voice/stream";

/// A post whose answer are events, read one by one.
class EventReader {
public:
    EventReader(const RelayWorld& world, const std::string& token, const std::string& body = "{}",
        const std::string& moreFields = {})
        : m_socket(static_cast<std::uint16_t>(QUrl(QString::fromStdString(world.operators.broker.url())).port()))
    {
        m_socket.send("POST /api/voice/stream HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nContent-Type: "
                      "application/json\r\nAuthorization: Bearer "
            + token + "\r\n" + moreFields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        m_head = m_socket.readUntil("\r\n\r\n");
    }
    [[nodiscard]] const std::string& head() const { return m_head; }
    /// Without its last, empty line; empty: the body has ended as it should.
    std::string next()
    {
        while (m_text.find("\n\n") == std::string::npos) {
            const auto size = std::stoul("0" + m_socket.readUntil("\r\n"), nullptr, 16);
            if (size == 0) {
                return {};
            }
            m_text += m_socket.readExactly(size);
            (void)m_socket.readExactly(2);
        }
        const std::size_t end = m_text.find("\n\n");
        std::string event = m_text.substr(0, end);
        m_text.erase(0, end + 2);
        if (event.starts_with("id: ")) {
            // "id: <stream>-7": the stream's name is another one each time.
            const std::size_t dash = event.rfind('-', event.find('\n'));
            m_stream = event.substr(4, dash - 4);
            event.erase(4, m_stream.size() + 1);
        }
        return event;
    }
    /// For who comes again after so many.
    [[nodiscard]] std::string lastSeen(int number) const
    {
        return "Last-Event-ID: " + m_stream + '-' + std::to_string(number) + "\r\n";
    }
    void close() { m_socket.close(); }

private:
    net::test::RawSocket m_socket;
    std::string m_head;
    std::string m_text;
    std::string m_stream;
};

std::string numbered(int number)
{
    return Json({{"number", number}, {"type", "session.updated"}}).dump();
}

std::string eventOf(int id, const std::string& data)
{
    return "id: " + std::to_string(id) + "\ndata: " + data;
}

struct World : RelayWorld {
    explicit World(const std::function<void(broker::Config&)>& change = {})
        : RelayWorld(change), session(RelayWorld::session()), token(session.token.reveal())
    {
    }
    [[nodiscard]] BrokerWorld::Answer post(const std::string& body, const core::HttpHeaders& headers = {})
    {
        return operators.as(token, "POST", kPath, body, headers);
    }
    core::broker::TokenResponse session;
    std::string token;
};

} // namespace

/// The relay for clients that have no WebSockets.
class TestPostedStream : public QObject {
    Q_OBJECT

private slots:
    void posts_AreOneStream_InOrder()
    {
        World world;
        const auto first = world.post(R"({"events": [{"type": "response.create"}], "audio": "AAAA"})");
        QCOMPARE(first.status, 202);
        QCOMPARE(first.body, std::string(R"({"accepted":2})"));
        const auto provider = world.upstream.next();
        for (int i = 0; i < 5; ++i) {
            QCOMPARE(world.post(Json({{"events", {{{"type", "x"}, {"number", i}}}}}).dump()).status, 202);
        }
        // The sound first, wherever it stands: what follows is about it.
        QCOMPARE(provider->next(), std::string(R"({"audio":"AAAA","type":"input_audio_buffer.append"})"));
        QCOMPARE(provider->next(), std::string(R"({"type": "response.create"})"));
        for (int i = 0; i < 5; ++i) {
            QCOMPARE(Json::parse(provider->next())["number"].get<int>(), i);
        }
        QCOMPARE(world.upstream.opened(), std::size_t{1});
    }

    /// Two readers are to see the same in it.
    void events_PassAsTheyAreWritten()
    {
        World world;
        const std::string event = R"({"type": "x", "big": 12345678901234567890123, "b": 1.10, "a": "\u00e9\/" })";
        QCOMPARE(world.post("{\"events\": [ " + event + " ]}").status, 202);
        QCOMPARE(world.upstream.next()->next(), event);
    }

    void answerAsEvents_IsOnlyForWhoWantsIt_data()
    {
        QTest::addColumn<QByteArray>("accept");
        QTest::addColumn<int>("status");
        QTest::newRow("anything") << QByteArray("*/*") << 202;
        QTest::newRow("with no weight") << QByteArray("text/event-stream;q=0, application/json") << 202;
        QTest::newRow("with no weight, written out")
            << QByteArray("application/json, text/event-stream; Q=0.000") << 202;
    }
    void answerAsEvents_IsOnlyForWhoWantsIt()
    {
        QFETCH(QByteArray, accept);
        QFETCH(int, status);
        World world;
        QCOMPARE(world.post(R"({"events": [{"type": "x"}]})", {{"Accept", accept.toStdString()}}).status, status);
        const EventReader events(world, world.token);
        QVERIFY(events.head().find("text/event-stream") != std::string::npos);
    }

    void firstPosts_ThatComeTogether_AreOneStream()
    {
        World world;
        std::vector<std::thread> clients;
        std::atomic<int> accepted{0};
        for (int i = 0; i < 8; ++i) {
            clients.emplace_back([&] {
                net::test::RawSocket socket(
                    static_cast<std::uint16_t>(QUrl(QString::fromStdString(world.operators.broker.url())).port()));
                const std::string body = R"({"events": [{"type": "x"}]})";
                socket.send("POST /api/voice/stream HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                            "Authorization: Bearer "
                    + world.token + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
                accepted += socket.readAnswer().status == 202 ? 1 : 0;
            });
        }
        for (std::thread& client : clients) {
            client.join();
        }
        QCOMPARE(accepted.load(), 8);
        const auto provider = world.upstream.next();
        for (int i = 0; i < 8; ++i) {
            QCOMPARE(provider->next(), std::string(R"({"type": "x"})"));
        }
        QCOMPARE(world.upstream.opened(), std::size_t{1});
    }

    void whatTheProviderSays_ComesAsNumberedEvents_WhileItIsSaid()
    {
        World world;
        EventReader events(world, world.token, R"({"events": [{"type": "x"}]})");
        QVERIFY2(events.head().starts_with("HTTP/1.1 200 "), events.head().c_str());
        QVERIFY(events.head().find("Content-Type: text/event-stream\r\n") != std::string::npos);
        QVERIFY(events.head().find("Cache-Control: no-store, ") != std::string::npos);
        const auto provider = world.upstream.next();
        (void)provider->next();
        for (int i = 1; i <= 3; ++i) {
            provider->send(numbered(i));
            QCOMPARE(events.next(), eventOf(i, numbered(i)));
        }
        // What has lines is still one event.
        provider->send("{\"type\":\n\"x\"}");
        QCOMPARE(events.next(), std::string("id: 4\ndata: {\"type\":\ndata: \"x\"}"));
    }

    void whoComesAgain_MissesNothing()
    {
        World world;
        EventReader first(world, world.token);
        const auto provider = world.upstream.next();
        for (int i = 1; i <= 3; ++i) {
            provider->send(numbered(i));
            QCOMPARE(first.next(), eventOf(i, numbered(i)));
        }
        first.close();
        provider->send(numbered(4));
        EventReader again(world, world.token, "{}", first.lastSeen(1));
        for (int i = 2; i <= 4; ++i) {
            QCOMPARE(again.next(), eventOf(i, numbered(i)));
        }
        // Without a number: from what nobody has fetched. The former listener hears no more.
        EventReader later(world, world.token);
        QCOMPARE(again.next(), std::string());
        provider->send(numbered(5));
        QCOMPARE(later.next(), eventOf(5, numbered(5)));
    }

    void whatThePolicyForbids_GoesNowhere_AndIsToldAsAnEvent()
    {
        World world;
        EventReader events(
            world, world.token, R"({"events": [{"type": "session.update", "session": {"model": "other"}}]})");
        const auto provider = world.upstream.next();
        const std::string told = events.next();
        QVERIFY2(told.find(R"("type":"error")") != std::string::npos, told.c_str());
        QVERIFY2(told.find("session.model") != std::string::npos, told.c_str());
        QCOMPARE(provider->pending(), std::size_t{0});
    }

    void theEnd_IsTheLastEvent_AndTheNextPostBeginsAnew()
    {
        World world;
        EventReader events(world, world.token);
        world.upstream.next()->close(4123, "enough");
        QCOMPARE(events.next(), std::string("id: 1\nevent: close\ndata: {\"code\":4123,\"reason\":\"enough\"}"));
        QCOMPARE(events.next(), std::string());
        QCOMPARE(world.post(R"({"events": [{"type": "x"}]})").status, 202);
        QCOMPARE(world.upstream.next()->next(), std::string(R"({"type": "x"})"));
    }

    void theEnd_IsThereForWhoComesAgain()
    {
        World world;
        (void)world.post(R"({"events": [{"type": "x"}]})");
        const auto provider = world.upstream.next();
        (void)provider->next();
        provider->send(numbered(1));
        provider->close(4123, "enough");
        (void)provider->end();
        EventReader events(world, world.token, "{}", "Last-Event-ID: of-another-stream-0\r\n");
        QCOMPARE(events.next(), eventOf(1, numbered(1)));
        QVERIFY(events.next().find("event: close") != std::string::npos);
    }

    /// A new stream counts from one again, and what it says is not taken for what was heard before.
    void whoComesAgainFromTheStreamBefore_MissesNothingOfThisOne()
    {
        World world;
        EventReader former(world, world.token);
        const auto formerProvider = world.upstream.next();
        for (int i = 1; i <= 3; ++i) {
            formerProvider->send(numbered(i));
            QCOMPARE(former.next(), eventOf(i, numbered(i)));
        }
        formerProvider->close(4123, "enough");
        QVERIFY(former.next().find("event: close") != std::string::npos);
        QCOMPARE(world.post(R"({"events": [{"type": "x"}]})").status, 202);
        const auto provider = world.upstream.next();
        (void)provider->next();
        for (int i = 1; i <= 3; ++i) {
            provider->send(numbered(10 + i));
        }
        EventReader again(world, world.token, "{}", former.lastSeen(3));
        for (int i = 1; i <= 3; ++i) {
            QCOMPARE(again.next(), eventOf(i, numbered(10 + i)));
        }
    }

    void sessionThatIsEnded_EndsIt()
    {
        World world;
        EventReader events(world, world.token);
        const auto provider = world.upstream.next();
        QCOMPARE(world.operators.as(world.operators.user(), "DELETE", "/api/voice/session/" + world.session.sessionId)
                     .status,
            200);
        QVERIFY(events.next().find(R"({"code":4403,"reason":"session_ended"})") != std::string::npos);
        (void)provider->end();
        QCOMPARE(world.post("{}").status, 401);
    }

    void webSocketOfTheSameSession_TakesItsPlace()
    {
        World world;
        EventReader events(world, world.token);
        const auto former = world.upstream.next();
        const auto client = world.open(world.session);
        QVERIFY(events.next().find("4409") != std::string::npos);
        (void)former->end();
        const auto provider = world.upstream.next();
        provider->send(numbered(1));
        QCOMPARE(client->line().next(), numbered(1));
    }

    void brokerThatGoes_SaysSo()
    {
        World world;
        EventReader events(world, world.token);
        const auto provider = world.upstream.next();
        world.operators.broker.drain();
        QVERIFY(events.next().find(R"({"code":1001,)") != std::string::npos);
        QCOMPARE(events.next(), std::string());
        QCOMPARE(unsigned{provider->end().code}, 1001U);
    }

    void soundThatIsPosted_IsInTheLedger()
    {
        World world;
        // Half a second at 24 kHz.
        QCOMPARE(world.post(Json({{"audio", std::string(32'000, 'A')}}).dump()).status, 202);
        const auto provider = world.upstream.next();
        (void)provider->next();
        provider->close(1000, "");
        (void)provider->end();
        const auto usage = [&] {
            return Json::parse(world.operators.as(world.operators.user(), "GET", "/api/voice/usage").body);
        };
        QTRY_COMPARE(usage()["audioMinutesIn"].get<double>(), 0.5 / 60);
    }

    void floods_AreRefused()
    {
        World world([](broker::Config& config) { config.relayMessagesPerMinute = 4; });
        // Each post costs one, and each message.
        QCOMPARE(world.post(R"({"events": [{"type": "x"}]})").status, 202);
        (void)world.upstream.next()->next();
        QCOMPARE(world.post("{}").status, 202);
        QCOMPARE(world.post("{}").status, 202);
        const auto refused = world.post("{}");
        QCOMPARE(refused.status, 429);
        QCOMPARE(Json::parse(refused.body)["code"].get<std::string>(), std::string("rate_limited"));
    }

    void floods_AreRefusedWithoutAskingAnybody()
    {
        World world([](broker::Config& config) {
            config.relayMessagesPerMinute = 4;
            config.othersPerMinute = 2;
        });
        for (int i = 0; i < 4; ++i) {
            QCOMPARE(world.post("{}").status, 202);
        }
        for (int i = 0; i < 2; ++i) {
            const auto refused = world.post("{}");
            QCOMPARE(refused.status, 429);
            QCOMPARE(header(refused, "RateLimit-Policy"), std::string());
        }
        QCOMPARE(header(world.post("{}"), "RateLimit-Policy"), std::string("\"credential\";q=2;w=60"));
    }

    void badRequests_AreRefused_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("code");
        const auto row = [](const char* name, const char* body, const char* field, const char* value, int status,
                             const char* code) {
            QTest::newRow(name) << QByteArray(body) << QByteArray(field) << QByteArray(value) << status
                                << QByteArray(code);
        };
        row("no JSON", "x", "", "", 400, "invalid_body");
        row("a list", "[]", "", "", 400, "invalid_body");
        row("another field", R"({"sound": "AAAA"})", "", "", 400, "invalid_body");
        row("twice the same", R"({"audio": "AAAA", "audio": "AAAA"})", "", "", 400, "invalid_body");
        row("no base64", R"({"audio": "A"})", "", "", 400, "invalid_body");
        row("no sound", R"({"audio": ""})", "", "", 400, "invalid_body");
        row("events of another kind", R"({"events": ["x"]})", "", "", 400, "invalid_body");
        row("an event without a type", R"({"events": [{}]})", "", "", 400, "invalid_body");
        row("a name twice in an event", R"({"events": [{"type": "x", "a": 1, "a": 2}]})", "", "", 400, "invalid_body");
        row("an escaped name in an event", R"({"events": [{"type": "x", "\u0061": 1}]})", "", "", 400, "invalid_body");
        row("something behind it", "{} {}", "", "", 400, "invalid_body");
        row("no list of events", R"({"events": {}})", "", "", 400, "invalid_body");
        row("another type", "{}", "Content-Type", "text/plain", 415, "unsupported_media_type");
        row("no id", "{}", "Last-Event-ID", "1x", 400, "bad_request");
        row("no number", "{}", "Last-Event-ID", "a-1x", 400, "bad_request");
        row("a number alone", "{}", "Last-Event-ID", "1", 400, "bad_request");
        row("a negative number", "{}", "Last-Event-ID", "-1", 400, "bad_request");
        row("no token of ours", "{}", "Authorization", "Bearer abc", 401, "invalid_token");
        row("no token", "{}", "Authorization", "Basic abc", 401, "invalid_token");
    }
    void badRequests_AreRefused()
    {
        QFETCH(QByteArray, body);
        QFETCH(QByteArray, field);
        QFETCH(QByteArray, value);
        QFETCH(int, status);
        QFETCH(QByteArray, code);
        World world;
        core::HttpHeaders headers;
        if (!field.isEmpty()) {
            headers.set(field.toStdString(), value.toStdString());
        }
        const auto answer = world.post(body.toStdString(), headers);
        QCOMPARE(answer.status, status);
        QCOMPARE(Json::parse(answer.body)["code"].get<std::string>(), code.toStdString());
        QCOMPARE(world.upstream.opened(), std::size_t{0});
    }
};

QTEST_GUILESS_MAIN(TestPostedStream)
#include "test_posted_stream.moc"
