#include "agent/realtime/client_limits.h"
#include "agent/realtime/realtime_server.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "net/http_client.h"
#include "net/io_threads.h"
#include "net/server.h"
#include "net/websocket_client.h"
#include "tests/agent/realtime/session_harness.h"
#include "tests/agent/realtime/speech_fakes.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <nlohmann/json.hpp>

#include <QtTest>

#include <future>
#include <thread>

using namespace vivavoce;
using namespace vivavoce::tests;
using agent::realtime::RealtimeServer;
using core::Json;

namespace {

constexpr const char* kCredential = "sk-test-credential";

/// A whole server on loopback with fakes behind it.
class Running {
public:
    explicit Running(std::string_view credential = kCredential, std::size_t maxSessions = 8,
        core::Milliseconds maxDuration = agent::realtime::RealtimeSession::kMaxDuration)
    {
        brains.reply = [](const agent::BrainRequest&, agent::BrainSink& sink, std::stop_token) {
            sink.onText("It is noon.");
        };
        agent::realtime::RealtimeServerConfig config;
        config.credential = core::Secret(credential);
        config.maxSessions = maxSessions;
        config.maxDuration = maxDuration;
        agent::realtime::SpeechParts parts{
            workers, recognisers, voice, brains, clock, [] { return std::make_unique<LoudnessDetector>(); }};
        realtime = std::make_shared<RealtimeServer>(std::move(config), std::move(parts));
        server = std::move(*net::Server::create(threads.executors(), {}, realtime->routes()));
        server->start();
        threads.start();
    }

    ~Running()
    {
        voice.isHeld = false;
        run([this]() -> net::Awaitable<> { co_await server->drain(core::Milliseconds{2'000}); });
        threads.stop();
        threads.join();
        workers.stop();
    }

    /// Runs a coroutine on the server's threads; false after a deadline.
    template <typename Work>
    bool run(Work work)
    {
        const auto done = std::make_shared<std::promise<void>>();
        auto future = done->get_future();
        // The closure must outlive the coroutine that it made.
        const auto kept = std::make_shared<Work>(std::move(work));
        boost::asio::co_spawn(
            threads.executor(), [kept]() -> net::Awaitable<> { co_await (*kept)(); },
            [done, kept](const std::exception_ptr&) { done->set_value(); });
        return future.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    }

    [[nodiscard]] std::string wsUrl(const std::string& query) const
    {
        return "ws" + server->url().substr(4) + "/v1/realtime" + query;
    }

    bool emptied()
    {
        for (int i = 0; i < 2'000 && realtime->sessions() > 0; ++i) {
            QTest::qWait(1);
        }
        return realtime->sessions() == 0;
    }

    core::SystemClock clock;
    FakeRecogniserPool recognisers;
    FakeVoice voice;
    FakeBrains brains;
    agent::realtime::SpeechWorkers workers{8};
    net::IoThreads threads{2};
    std::shared_ptr<RealtimeServer> realtime;
    std::unique_ptr<net::Server> server;
};

/// How a connection went: the events until the wanted one or the end, and the end.
struct Told {
    std::vector<Json> events;
    std::optional<net::WebSocketClose> close;
    int httpStatus = 0;

    [[nodiscard]] std::string firstCode() const
    {
        return !events.empty() && events.front().contains("error") ? events.front().at("error").value("code", "")
                                                                   : std::string();
    }
};

net::WebSocketRequest request(const Running& running, const std::string& query, const std::string& bearer)
{
    net::WebSocketRequest dial;
    dial.url = running.wsUrl(query);
    if (!bearer.empty()) {
        dial.headers.add("Authorization", "Bearer " + bearer);
    }
    return dial;
}

/// Dials, sends, and reads until `last` has come or the connection has ended.
net::Awaitable<Told> talk(net::WebSocketRequest dial, std::vector<std::string> send, std::string last)
{
    Told told;
    auto socket = co_await net::openWebSocket(std::move(dial));
    if (!socket) {
        told.httpStatus = std::atoi(socket.error().foreignCode.c_str());
        co_return told;
    }
    bool isSent = false;
    for (;;) {
        auto message = co_await (*socket)->read();
        if (!message) {
            told.close = message.error();
            co_return told;
        }
        told.events.push_back(core::parseJson(message->data).value());
        const Json type = told.events.back().at("type");
        if (type == "session.created" && !std::exchange(isSent, true)) {
            for (std::string& text : send) {
                co_await (*socket)->send(std::move(text));
            }
        }
        if (type == last) {
            co_await (*socket)->close(1000, "done");
            co_return told;
        }
    }
}

Told talkOn(Running& running, net::WebSocketRequest dial, std::vector<std::string> send = {},
    const std::string& last = "session.created")
{
    Told told;
    running.run([&]() -> net::Awaitable<> { told = co_await talk(std::move(dial), std::move(send), last); });
    return told;
}

net::ClientResponse mint(Running& running, const std::string& bearer, const std::string& body)
{
    net::ClientResponse answer;
    running.run([&]() -> net::Awaitable<> {
        net::ClientRequest ask;
        ask.method = "POST";
        ask.url = running.server->url() + "/v1/realtime/client_secrets";
        if (!bearer.empty()) {
            ask.headers.add("Authorization", "Bearer " + bearer);
        }
        ask.headers.add("Content-Type", "application/json");
        ask.body = body;
        auto response = co_await net::sendRequest(std::move(ask));
        answer = response ? std::move(*response) : net::ClientResponse{};
    });
    return answer;
}

} // namespace

class TestRealtimeServer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void mint_WithTheCredential_GivesASecretThatOpensASession()
    {
        Running running;
        const auto answer = mint(running, kCredential,
            R"({"expires_after":{"anchor":"created_at","seconds":60},"session":{"type":"realtime","model":"gpt-realtime-2.1","instructions":"be kind"}})");
        QCOMPARE(answer.status, 200U);
        const Json json = core::parseJson(answer.body).value();
        const std::string value = json.at("value").get<std::string>();
        QVERIFY(value.starts_with("ek_"));
        const auto now =
            std::chrono::duration_cast<std::chrono::seconds>(running.clock.wallNow().time_since_epoch()).count();
        QVERIFY(std::abs(json.at("expires_at").get<long long>() - now - 60) <= 2);
        QCOMPARE(json.at("session").at("instructions"), Json("be kind"));

        const Told told = talkOn(running, request(running, "?model=gpt-realtime", value));
        QCOMPARE(told.events.size(), std::size_t{1});
        QCOMPARE(told.events.front().at("session").at("instructions"), Json("be kind"));
        QCOMPARE(told.events.front().at("session").at("model"), Json("gpt-realtime"));
        const Told unnamed = talkOn(running, request(running, "", value));
        QCOMPARE(unnamed.events.front().at("session").at("model"), Json("gpt-realtime-2.1"));
    }

    void mint_Refused_AnswersLikeThePublicApi_data()
    {
        QTest::addColumn<QString>("bearer");
        QTest::addColumn<QString>("body");
        QTest::addColumn<unsigned>("status");
        QTest::addColumn<QString>("code");
        QTest::newRow("no bearer") << ""
                                   << "{}" << 401U << "invalid_api_key";
        QTest::newRow("wrong bearer") << "sk-wrong"
                                      << "{}" << 401U << "invalid_api_key";
        QTest::newRow("made-up secret") << "ek_123"
                                        << "{}" << 401U << "invalid_api_key";
        QTest::newRow("not JSON") << kCredential << "{" << 400U << "invalid_json";
        QTest::newRow("too short") << kCredential << R"({"expires_after":{"seconds":9}})" << 400U << "invalid_value";
        QTest::newRow("too long") << kCredential << R"({"expires_after":{"seconds":7201}})" << 400U << "invalid_value";
        QTest::newRow("no type") << kCredential << R"({"session":{"model":"gpt-realtime"}})" << 400U
                                 << "missing_required_parameter";
        QTest::newRow("beta") << kCredential << R"({"model":"gpt-realtime"})" << 400U << "unknown_parameter";
    }

    void mint_Refused_AnswersLikeThePublicApi()
    {
        QFETCH(QString, bearer);
        QFETCH(QString, body);
        QFETCH(unsigned, status);
        QFETCH(QString, code);
        Running running;
        const auto answer = mint(running, bearer.toStdString(), body.toStdString());
        QCOMPARE(answer.status, status);
        const Json error = core::parseJson(answer.body).value().at("error");
        QCOMPARE(error.at("code"), Json(code.toStdString()));
        QCOMPARE(error.at("type"), Json("invalid_request_error"));
    }

    void connect_WithoutRight_IsToldAfterTheHandshake_data()
    {
        QTest::addColumn<QString>("query");
        QTest::addColumn<QString>("bearer");
        QTest::addColumn<int>("close");
        QTest::addColumn<QString>("code");
        QTest::newRow("no bearer") << "?model=gpt-realtime"
                                   << "" << 3000 << "invalid_api_key";
        QTest::newRow("wrong bearer") << "?model=gpt-realtime"
                                      << "sk-wrong" << 3000 << "invalid_api_key";
        QTest::newRow("made-up secret") << "?model=gpt-realtime"
                                        << "ek_123" << 3000 << "invalid_api_key";
        QTest::newRow("no model") << "" << kCredential << 4000 << "missing_model";
        QTest::newRow("bad model") << "?model=a%20b" << kCredential << 4000 << "invalid_model";
        QTest::newRow("unknown model") << "?model=gpt-5" << kCredential << 4004 << "model_not_found";
    }

    void connect_WithoutRight_IsToldAfterTheHandshake()
    {
        QFETCH(QString, query);
        QFETCH(QString, bearer);
        QFETCH(int, close);
        QFETCH(QString, code);
        Running running;
        const Told told = talkOn(running, request(running, query.toStdString(), bearer.toStdString()));
        QCOMPARE(told.events.size(), std::size_t{1});
        QCOMPARE(QString::fromStdString(told.firstCode()), code);
        QVERIFY(told.close.has_value());
        QCOMPARE(int{told.close->code}, close);
        QCOMPARE(QString::fromStdString(told.close->reason), "invalid_request_error." + code);
    }

    void connect_AsABrowser_UsesSubprotocols()
    {
        Running running;
        const Json minted = core::parseJson(mint(running, kCredential, "{}").body).value();
        auto dial = request(running, "?model=gpt-realtime", "");
        dial.subprotocols = {"realtime", "openai-insecure-api-key." + minted.at("value").get<std::string>()};
        QCOMPARE(talkOn(running, dial).events.front().at("type"), Json("session.created"));
    }

    void connect_InTheBetaShape_IsRefused()
    {
        Running running;
        auto dial = request(running, "?model=gpt-realtime", kCredential);
        dial.headers.add("OpenAI-Beta", "realtime=v1");
        QCOMPARE(talkOn(running, dial).firstCode(), std::string("beta_api_shape_disabled"));
    }

    void withoutCredential_AnyBearerFromHere_ButNoForeignPage()
    {
        Running running("");
        QCOMPARE(talkOn(running, request(running, "?model=gpt-realtime", "whatever")).events.front().at("type"),
            Json("session.created"));
        QCOMPARE(
            talkOn(running, request(running, "?model=gpt-realtime", "")).firstCode(), std::string("invalid_api_key"));
        auto page = request(running, "?model=gpt-realtime", "whatever");
        page.headers.add("Origin", "https://evil.example");
        QCOMPARE(talkOn(running, page).firstCode(), std::string("invalid_api_key"));
        auto local = request(running, "?model=gpt-realtime", "whatever");
        local.headers.add("Origin", "http://localhost:3000");
        QCOMPARE(talkOn(running, local).events.front().at("type"), Json("session.created"));
    }

    void conversation_OverTheWire_IsAnswered()
    {
        Running running;
        std::vector<std::string> send;
        for (const bool isLoud : {true, false}) {
            send.push_back(Json{{"type", "input_audio_buffer.append"}, {"audio", base64Audio(700, isLoud)}}.dump());
        }
        const Told told = talkOn(running, request(running, "?model=gpt-realtime", kCredential), send, "response.done");
        QVERIFY(!told.close.has_value());
        QCOMPARE(told.events.back().at("response").at("status"), Json("completed"));
        QVERIFY(running.emptied());
    }

    void sessionsBeyondTheLimit_AreTurnedAway()
    {
        Running running(kCredential, 1);
        bool isHeld = false;
        Told second;
        running.run([&]() -> net::Awaitable<> {
            auto first = co_await net::openWebSocket(request(running, "?model=gpt-realtime", kCredential));
            isHeld = first && co_await (*first)->read();
            auto dial = request(running, "?model=gpt-realtime", kCredential);
            std::vector<std::string> nothing;
            std::string last = "session.created";
            second = co_await talk(std::move(dial), std::move(nothing), std::move(last));
            co_await (*first)->close(1000, "");
        });
        QVERIFY(isHeld);
        QCOMPARE(second.firstCode(), std::string("session_limit_reached"));
        QCOMPARE(int{second.close->code}, 1013);
        QVERIFY(running.emptied());
        QCOMPARE(talkOn(running, request(running, "?model=gpt-realtime", kCredential)).events.front().at("type"),
            Json("session.created"));
    }

    void tooLongAMessage_EndsTheSession()
    {
        Running running;
        const std::string huge =
            Json{{"type", "input_audio_buffer.append"}, {"audio", std::string(20'000'000, 'A')}}.dump();
        const Told told = talkOn(running, request(running, "?model=gpt-realtime", kCredential), {huge}, "never");
        QVERIFY(told.close.has_value());
        // The server says 1009 at the frame's head; a client that is still sending may find the connection reset before it reads that.
        QVERIFY2(told.close->code == 1009 || told.close->code == 1006, qPrintable(QString::number(told.close->code)));
        QCOMPARE(told.events.size(), std::size_t{1});
        QVERIFY(running.emptied());
    }

    void longestAppend_IsTaken()
    {
        Running running;
        const std::string longest = Json{{"type", "input_audio_buffer.append"},
            {"audio",
                std::string(agent::realtime::kMaxAppendBytes / 3 * 4,
                    'A')}}.dump();
        const Told told = talkOn(running, request(running, "?model=gpt-realtime", kCredential),
            {longest, R"({"type":"input_audio_buffer.clear"})"}, "input_audio_buffer.cleared");
        QVERIFY(!told.close.has_value());
        QCOMPARE(told.events.back().at("type"), Json("input_audio_buffer.cleared"));
    }

    void session_AtItsMaximum_EndsWith1001()
    {
        Running running(kCredential, 8, core::Milliseconds{50});
        const Told told = talkOn(running, request(running, "?model=gpt-realtime", kCredential), {}, "never");
        QCOMPARE(told.events.back().at("error").at("code"), Json("session_expired"));
        QCOMPARE(int{told.close->code}, 1001);
    }

    void disconnect_InTheMiddleOfAReply_FreesEverything()
    {
        Running running;
        running.voice.isHeld = true;
        const Told told = talkOn(running, request(running, "?model=gpt-realtime", kCredential),
            {R"({"type":"response.create"})"}, "response.output_audio.delta");
        QVERIFY(!told.events.empty());
        QVERIFY(running.emptied());
        QCOMPARE(running.recognisers.lent.load(), 0);
    }

    void drain_ClosesSessionsWith1001()
    {
        Running running;
        Told told;
        running.run([&]() -> net::Awaitable<> {
            auto socket = co_await net::openWebSocket(request(running, "?model=gpt-realtime", kCredential));
            (void)co_await (*socket)->read();
            boost::asio::co_spawn(
                running.threads.executor(), running.server->drain(core::Milliseconds{2'000}), boost::asio::detached);
            auto end = co_await (*socket)->read();
            told.close = end ? net::WebSocketClose{} : end.error();
        });
        QCOMPARE(int{told.close->code}, 1001);
        QVERIFY(running.emptied());
    }
};

QTEST_GUILESS_MAIN(TestRealtimeServer)
#include "test_realtime_server.moc"
