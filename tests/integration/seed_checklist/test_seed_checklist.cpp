#include "broker/store/connection.h"
#include "broker/store/database.h"
#include "tests/broker/relay_harness.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <regex>
#include <thread>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;
using core::Milliseconds;

namespace {

constexpr const char* kMint = "/api/voice-agent/token";
constexpr const char* kStart = "/api/voice/session";

std::string said(const char* type, const Json& more = Json::object())
{
    Json made{{"type", type}};
    made.update(more);
    return made.dump();
}

std::string textOf(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What a provider's key looks like, wherever somebody may have left one.
bool holdsKey(const std::string& text)
{
    static const std::regex key("sk-(proj-)?[A-Za-z0-9]{20,}|AIza[A-Za-z0-9_-]{30,}");
    return std::regex_search(text, key);
}

} // namespace

/// What the tests of the two services that this product replaces asked of them, one by one.
class TestSeedChecklist : public QObject {
    Q_OBJECT

private slots:
    void noKeyIsInAnyFileOfTheClient()
    {
        QVERIFY(holdsKey("const key = 'sk-proj-" + std::string(24, 'a') + "';"));
        const std::filesystem::path root = qEnvironmentVariable("VV_SOURCE_DIR").toStdString();
        int files = 0;
        for (const char* const folder : {"app", "ui", "core", "audio", "resources"}) {
            for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
                if (entry.is_regular_file()) {
                    ++files;
                    QVERIFY2(!holdsKey(textOf(entry.path())), entry.path().c_str());
                }
            }
        }
        QVERIFY(files > 100);
    }

    void noKeyIsInAnyAnswer()
    {
        OperatorWorld world;
        for (const char* const path : {kMint, kStart, "/api/voice-agent/health", "/openapi.json"}) {
            const bool isPost = path == kMint || path == kStart;
            const auto answer = world.as(world.user(), isPost ? "POST" : "GET", path, isPost ? "{}" : "");
            QCOMPARE(answer.status, 200);
            QVERIFY2(answer.body.find(BrokerWorld::kProviderKey) == std::string::npos, path);
        }
    }

    void withoutCredential_401()
    {
        OperatorWorld world;
        for (const char* const path : {kMint, kStart}) {
            auto request = world.broker.request("POST", path, "{}");
            request.headers.set("Authorization", "");
            QCOMPARE(world.broker.send(std::move(request)).status, 401);
        }
    }

    void withAWrongToken_401()
    {
        OperatorWorld world;
        QCOMPARE(world.as("not.a.token", "POST", kMint, "{}").status, 401);
        QCOMPARE(world.as(world.user() + "x", "POST", kStart, "{}").status, 401);
        RelayWorld relay;
        QCOMPARE(StreamClient(relay.streamRequest("not.a.token")).status(), 401);
        QCOMPARE(StreamClient(relay.streamRequest("")).status(), 401);
    }

    void eleventhRequestInAMinute_429_AndOneMoreAfterIt()
    {
        OperatorWorld world([](broker::Config& config) { config.sessionsPerUser = 1'000; });
        for (int i = 0; i < 10; ++i) {
            QCOMPARE(world.as(world.user(), "POST", kMint, "{}").status, 200);
        }
        const auto eleventh = world.as(world.user(), "POST", kMint, "{}");
        QCOMPARE(eleventh.status, 429);
        QCOMPARE(codeOf(eleventh), std::string("rate_limited"));
        QCOMPARE(world.as(world.user("u2"), "POST", kMint, "{}").status, 200);
        world.broker.clock.advance(Milliseconds(60'000));
        QCOMPARE(world.as(world.user(), "POST", kMint, "{}").status, 200);
    }

    void tokenOfSixteenMinutesAgo_IsRefused()
    {
        RelayWorld world;
        const auto session = world.session();
        world.operators.broker.clock.advance(std::chrono::minutes(14));
        {
            const auto client = world.open(session);
        }
        world.operators.broker.clock.advance(std::chrono::minutes(2));
        QCOMPARE(StreamClient(world.streamRequest(session.token.reveal())).status(), 401);
        const auto refresh =
            world.operators.as(std::string(session.token.reveal()), "POST", "/api/voice-agent/refresh-token", "{}");
        QCOMPARE(refresh.status, 401);
        QCOMPARE(codeOf(refresh), std::string("token_expired"));
    }

    void session_IsCreated_Streams_CallsATool_AndClosesCleanly_WithItsFiguresSaved()
    {
        RelayWorld world;
        const auto session = world.session(R"({"clientInstance":"c1"})");
        QVERIFY(session.sessionId.starts_with("voice_"));
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        const std::string sound = said("input_audio_buffer.append", {{"audio", std::string(6'400, 'A')}});
        client->line().send(sound);
        QCOMPARE(provider->next(), sound);
        const std::string call = said("response.done",
            {{"response",
                {{"id", "r1"}, {"status", "completed"},
                    {"output",
                        Json::array({{{"type", "function_call"}, {"id", "i1"}, {"call_id", "c1"}, {"name", "lights"},
                            {"arguments", "{}"}, {"status", "completed"}}})}}}});
        provider->send(call);
        QCOMPARE(client->line().next(), call);
        const std::string result = said("conversation.item.create",
            {{"item", {{"type", "function_call_output"}, {"call_id", "c1"}, {"output", "on"}}}});
        client->line().send(result);
        QCOMPARE(provider->next(), result);
        client->line().close(1000, "");
        QCOMPARE(unsigned{provider->end().code}, 1000U);
        const auto usage = [&] {
            return Json::parse(world.operators.as(world.operators.user(), "GET", "/api/voice/usage").body);
        };
        QTRY_COMPARE(usage()["audioMinutesIn"].get<double>(), 0.1 / 60);
        QCOMPARE(usage()["toolCallsTotal"].get<int>(), 1);
        QCOMPARE(usage()["totalSessions"].get<int>(), 1);
    }

    void sessionThatIsAbandoned_IsCleanedUp()
    {
        RelayWorld world;
        (void)world.session();
        const auto activeAfter = [&](std::int64_t seconds) {
            constexpr std::int64_t kBegin = 1'800'000'000;
            const std::string admin = world.operators.login.token(
                "root", "voice:admin", Json({{"iat", kBegin + seconds}, {"exp", kBegin + seconds + 600}}));
            const auto answer = world.operators.as(admin, "GET", "/api/voice-agent/health");
            return Json::parse(answer.body)["metrics"]["activeSessions"].get<int>();
        };
        QCOMPARE(activeAfter(0), 1);
        world.operators.broker.clock.advance(std::chrono::seconds(899));
        QCOMPARE(activeAfter(899), 1);
        world.operators.broker.clock.advance(std::chrono::seconds(1));
        QCOMPARE(activeAfter(900), 0);
    }

    /// Nobody has seen its end: the reaper writes it down, once the session can be resumed no more.
    void sessionThatIsAbandoned_IsClosedInTheLedger()
    {
        const QTemporaryDir folder;
        const std::string url = "sqlite://" + folder.path().toStdString() + "/broker.db";
        RelayWorld world([&](broker::Config& config) { config.databaseUrl = core::Secret(url); });
        (void)world.session();
        CapturedLog log;
        broker::Database::Settings settings;
        settings.url = core::Secret(url);
        const auto database = broker::Database::open(std::move(settings), log);
        QVERIFY(database.has_value());
        const auto ending = [&] {
            const auto told = std::make_shared<std::promise<std::string>>();
            auto ended = told->get_future();
            (*database)->post([told](broker::Connection& sql) {
                std::string reason;
                int hasEnded = 0;
                sql << "SELECT reason, ended_at > 0 FROM usage_sessions", soci::into(reason), soci::into(hasEnded);
                told->set_value(hasEnded != 0 ? "ended: " + reason : "goes on");
            });
            return net::test::Loop::finished(ended);
        };
        QCOMPARE(ending(), std::string("goes on"));
        world.operators.broker.clock.advance(std::chrono::minutes(15 + 59));
        QCOMPARE(ending(), std::string("goes on"));
        world.operators.broker.clock.advance(std::chrono::minutes(2));
        QTRY_COMPARE_WITH_TIMEOUT(ending(), std::string("ended: expired"), 20'000);
    }

    void preflight_IsAnsweredForAListedOrigin_AndForNoOther()
    {
        OperatorWorld world([](broker::Config& config) { config.allowedOrigins = {"https://app.example"}; });
        const auto ask = [&](const char* origin) {
            auto request = world.broker.request("OPTIONS", kMint);
            request.headers.set("Authorization", "");
            request.headers.set("Origin", origin);
            request.headers.set("Access-Control-Request-Method", "POST");
            return world.broker.send(std::move(request));
        };
        const auto welcome = ask("https://app.example");
        QCOMPARE(header(welcome, "Access-Control-Allow-Origin"), std::string("https://app.example"));
        QVERIFY(header(welcome, "Access-Control-Allow-Methods").find("POST") != std::string::npos);
        QCOMPARE(header(welcome, "Access-Control-Max-Age"), std::string("86400"));
        QCOMPARE(header(ask("https://other.example"), "Access-Control-Allow-Origin"), std::string());
    }

    void refresh_GivesAnotherToken_AndTheOldOneOpensNothing()
    {
        RelayWorld world;
        const auto session = world.session();
        const std::string old(session.token.reveal());
        const auto answer = world.operators.as(old, "POST", "/api/voice-agent/refresh-token", "{}");
        QCOMPARE(answer.status, 200);
        const auto next = tokenOf(answer);
        QCOMPARE(next.sessionId, session.sessionId);
        QVERIFY(!next.token.equals(old));
        QCOMPARE(StreamClient(world.streamRequest(old)).status(), 401);
        (void)world.open(next);
    }

    void providerThatComesBack_IsMintedAtAgain()
    {
        OperatorWorld world;
        world.broker.provider.answerWith(net::HttpResponse::json(500, "{}"));
        QCOMPARE(world.as(world.user(), "POST", kMint, "{}").status, 502);
        world.broker.provider.answerWith(std::nullopt);
        QCOMPARE(world.as(world.user(), "POST", kMint, "{}").status, 200);
    }

    void providerThatIsLost_EndsTheStreamRetryably_AndTheSessionGoesOnWhenItIsBack()
    {
        ScriptedUpstream provided;
        std::string where = provided.url();
        RelayWorld world([&](broker::Config& config) { config.providerUrl = where; });
        const auto session = world.session();
        const auto client = world.open(session);
        (void)provided.next();
        provided.crash();
        QCOMPARE(unsigned{client->line().end().code}, 4013U);
        QCOMPARE(client->line().end().reason, std::string("provider_lost"));
        const auto early = world.open(session);
        QCOMPARE(unsigned{early->line().end().code}, 4013U);
        ScriptedUpstream back;
        where = back.url();
        QCOMPARE(world.operators.broker.reload([](broker::Config&) {}), std::string());
        const auto again = world.open(session);
        const auto provider = back.next();
        again->line().send(said("input_audio_buffer.commit"));
        QCOMPARE(provider->next(), said("input_audio_buffer.commit"));
        provider->send(said("response.created"));
        QCOMPARE(again->line().next(), said("response.created"));
    }

    void manyUsersAtOnce_EachMintWithinTheirOwnLimit()
    {
        constexpr int kUsers = 10;
        constexpr int kLimit = 10;
        OperatorWorld world([](broker::Config& config) { config.sessionsPerUser = 1'000; });
        const auto mintAs = [&](int user) {
            auto request = world.broker.request("POST", kMint, "{}");
            request.headers.set("Authorization", "Bearer " + world.user("user" + std::to_string(user)));
            return world.broker.begin(std::move(request));
        };
        std::vector<std::future<BrokerWorld::Answer>> answers;
        for (int i = 0; i < kUsers * kLimit; ++i) {
            answers.push_back(mintAs(i % kUsers));
        }
        for (auto& answer : answers) {
            QCOMPARE(BrokerWorld::wait(std::move(answer)).status, 200U);
        }
        for (int user = 0; user < kUsers; ++user) {
            QCOMPARE(codeOf(BrokerWorld::wait(mintAs(user))), std::string("rate_limited"));
        }
    }

    void manyUsersAtOnce_EachTalkToTheirOwn_data()
    {
        QTest::addColumn<int>("users");
        QTest::newRow("ten") << 10;
        QTest::newRow("a hundred") << 100;
    }
    void manyUsersAtOnce_EachTalkToTheirOwn()
    {
        QFETCH(int, users);
        RelayWorld world;
        struct Pair {
            std::unique_ptr<StreamClient> client;
            std::shared_ptr<Line> provider;
        };
        std::vector<Pair> pairs;
        for (int i = 0; i < users; ++i) {
            auto client = world.open(world.session("{}", "user" + std::to_string(i)));
            auto provider = world.upstream.next();
            pairs.push_back({std::move(client), std::move(provider)});
        }
        for (int i = 0; i < users; ++i) {
            pairs[static_cast<std::size_t>(i)].client->line().send(said("input_audio_buffer.commit", {{"n", i}}));
        }
        for (int i = 0; i < users; ++i) {
            auto& pair = pairs[static_cast<std::size_t>(i)];
            QCOMPARE(pair.provider->next(), said("input_audio_buffer.commit", {{"n", i}}));
            pair.provider->send(said("response.created", {{"n", i}}));
        }
        for (int i = 0; i < users; ++i) {
            QCOMPARE(pairs[static_cast<std::size_t>(i)].client->line().next(), said("response.created", {{"n", i}}));
        }
        // Each user's limit is their own.
        for (int i = 1; i < 5; ++i) {
            (void)world.session("{}", "user0");
        }
        const auto sixth = world.operators.as(world.operators.user("user0"), "POST", kStart, "{}");
        QCOMPARE(codeOf(sixth), std::string("too_many_sessions"));
        (void)world.session("{}", "user1");
    }
};

QTEST_GUILESS_MAIN(TestSeedChecklist)
#include "test_seed_checklist.moc"
