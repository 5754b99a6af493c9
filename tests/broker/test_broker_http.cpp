#include "core/protocol/broker/health.h"
#include "tests/broker/broker_harness.h"

#include <QTest>

#include <set>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr const char* kMint = "/api/voice-agent/token";
constexpr const char* kRefresh = "/api/voice-agent/refresh-token";

void compareSecurityHeaders(const net::ClientResponse& answer)
{
    QCOMPARE(header(answer, "Cache-Control"), std::string("no-store, max-age=0"));
    QCOMPARE(header(answer, "Content-Security-Policy"), std::string("default-src 'none'; frame-ancestors 'none'"));
    QCOMPARE(header(answer, "Cross-Origin-Embedder-Policy"), std::string("require-corp"));
    QCOMPARE(header(answer, "Cross-Origin-Opener-Policy"), std::string("same-origin"));
    QCOMPARE(header(answer, "Cross-Origin-Resource-Policy"), std::string("same-origin"));
    QCOMPARE(header(answer, "Referrer-Policy"), std::string("no-referrer"));
    QCOMPARE(header(answer, "X-Content-Type-Options"), std::string("nosniff"));
    QCOMPARE(header(answer, "X-DNS-Prefetch-Control"), std::string("off"));
    QCOMPARE(header(answer, "X-Frame-Options"), std::string("deny"));
    QCOMPARE(header(answer, "X-Permitted-Cross-Domain-Policies"), std::string("none"));
    QVERIFY(header(answer, "Permissions-Policy").find("microphone=()") != std::string::npos);
    QVERIFY(!header(answer, "X-Request-Id").empty());
    // Plain HTTP must not claim HSTS (RFC 6797 §7.2).
    for (const char* absent :
        {"Strict-Transport-Security", "Clear-Site-Data", "Server", "X-Powered-By", "X-XSS-Protection"}) {
        QCOMPARE(answer.headers.count(absent), std::size_t(0));
    }
}

} // namespace

class TestBrokerHttp : public QObject {
    Q_OBJECT

private slots:
    void everyAnswer_WhateverItsStatus_HasTheSecurityHeaders()
    {
        BrokerWorld world;
        std::set<std::string> ids;
        const auto check = [&](net::ClientRequest request, unsigned status) {
            const auto answer = world.send(std::move(request));
            QCOMPARE(answer.status, status);
            compareSecurityHeaders(answer);
            ids.insert(header(answer, "X-Request-Id"));
            const std::string type = header(answer, "Content-Type");
            QCOMPARE(type,
                std::string(
                    status == 200 ? "application/json; charset=utf-8" : "application/problem+json; charset=utf-8"));
        };
        check(world.request("GET", "/healthz"), 200);
        check(world.mintRequest(), 200);
        check(world.request("GET", "/nothing"), 404);
        check(world.request("GET", kMint), 405);
        check(world.mintRequest("{"), 400);
        check(world.request("POST", kMint, "{}"), 401);
        check(world.mintRequest(std::string(64 * 1024 + 1, ' ')), 413);
        auto type = world.mintRequest();
        type.headers.set("Content-Type", "text/plain");
        check(std::move(type), 415);
        auto hostless = world.request("GET", "/healthz");
        hostless.headers.add("Transfer-Encoding", "identity");
        hostless.headers.add("Host", "second.example");
        check(std::move(hostless), 400);
        QCOMPARE(ids.size(), std::size_t(9));
    }

    void wrongMethod_SaysWhichOnesAreAllowed()
    {
        BrokerWorld world;
        const auto answer = world.send(world.request("GET", kMint));
        QCOMPARE(codeOf(answer), std::string("method_not_allowed"));
        QCOMPARE(header(answer, "Allow"), std::string("POST, OPTIONS"));
    }

    void noCredential_OrAWrongOne_Is401_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("authorization");
        QTest::addColumn<QByteArray>("code");
        for (const char* path : {kMint, kRefresh}) {
            const auto row = [&](const char* name, const char* authorization, const char* code) {
                QTest::addRow("%s, %s", path, name)
                    << QByteArray(path) << QByteArray(authorization) << QByteArray(code);
            };
            row("none", "", "unauthenticated");
            row("empty", "Bearer ", "invalid_token");
            row("wrong", "Bearer wrong", "invalid_token");
            row("prefix of the right one", "Bearer credential-marke", "invalid_token");
            row("right one and more", "Bearer credential-markerx", "invalid_token");
            row("two words", "Bearer credential-marker x", "invalid_token");
            row("basic", "Basic credential-marker", "invalid_token");
            row("no scheme", "credential-marker", "invalid_token");
        }
        QTest::newRow("the app's credential is no token")
            << QByteArray(kRefresh) << QByteArray("Bearer credential-marker") << QByteArray("invalid_token");
    }
    void noCredential_OrAWrongOne_Is401()
    {
        QFETCH(QByteArray, path);
        QFETCH(QByteArray, authorization);
        QFETCH(QByteArray, code);
        BrokerWorld world;
        auto request = world.request("POST", path.toStdString(), "{}");
        if (!authorization.isEmpty()) {
            request.headers.add("Authorization", authorization.toStdString());
        }
        const auto answer = world.send(std::move(request));
        QCOMPARE(answer.status, 401U);
        QCOMPARE(codeOf(answer), code.toStdString());
        const std::string challenge = header(answer, "WWW-Authenticate");
        QVERIFY(challenge.starts_with("Bearer "));
        QCOMPARE(challenge.find("error=\"invalid_token\"") != std::string::npos, code == "invalid_token");
        QCOMPARE(world.provider.requests().size(), std::size_t(0));
    }

    void twoAuthorizations_AreRefused()
    {
        BrokerWorld world;
        auto request = world.mintRequest();
        request.headers.add("Authorization", "Bearer other");
        QCOMPARE(world.send(std::move(request)).status, 401U);
    }

    void schemeInAnyCase_IsTaken()
    {
        BrokerWorld world;
        auto request = world.request("POST", kMint, "{}");
        request.headers.add("Authorization", "bEARER credential-marker");
        QCOMPARE(world.send(std::move(request)).status, 200U);
    }

    void mint_ByATokenOfASession_IsRefused()
    {
        BrokerWorld world;
        (void)world.mint();
        auto request = world.request("POST", kMint, "{}");
        request.headers.add("Authorization", "Bearer ek_marker_1");
        QCOMPARE(world.send(std::move(request)).status, 401U);
    }

    void badBody_IsRefusedByField_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("named");
        const auto row = [](const char* name, const QByteArray& body, const char* named) {
            QTest::newRow(name) << body << QByteArray(named);
        };
        row("empty", "", "the body");
        row("not JSON", "{", "the body");
        row("a list", "[]", "the body");
        row("two values", "{}{}", "the body");
        row("duplicate key", R"({"model":"a","model":"b"})", "the body");
        row("bad UTF-8", "{\"model\":\"\xff\"}", "the body");
        row("unknown field", R"({"apiKey":"x"})", "apiKey");
        row("wrong type", R"({"model":7})", "model");
        row("control character", R"({"model":"a\u0001"})", "model");
        row("too long", "{\"voice\":\"" + QByteArray(200, 'x') + "\"}", "voice");
        row("session id a list", R"({"resumeSessionId":[]})", "resumeSessionId");
    }
    void badBody_IsRefusedByField()
    {
        QFETCH(QByteArray, body);
        QFETCH(QByteArray, named);
        BrokerWorld world;
        const auto answer = world.send(world.mintRequest(body.toStdString()));
        QCOMPARE(answer.status, 400U);
        QCOMPARE(codeOf(answer), std::string("invalid_body"));
        const auto detail = QByteArray::fromStdString(core::broker::decodeProblem(answer.body)->detail);
        QVERIFY2(detail.startsWith(named), detail.constData());
        QCOMPARE(world.provider.requests().size(), std::size_t(0));
    }

    void contentType_OnlyJsonInUtf8_IsTaken_data()
    {
        QTest::addColumn<QByteArray>("type");
        QTest::addColumn<uint>("status");
        const auto row = [](const char* type, uint status) { QTest::newRow(type) << QByteArray(type) << status; };
        row("application/json", 200);
        row("Application/JSON; Charset=UTF-8", 200);
        row("application/json;charset=\"utf-8\"", 200);
        row("application/json; charset=latin1", 415);
        row("application/json; charset=utf-8; x=y", 415);
        row("application/jsonx", 415);
        row("application/problem+json", 415);
        row("text/plain", 415);
        row("", 415);
    }
    void contentType_OnlyJsonInUtf8_IsTaken()
    {
        QFETCH(QByteArray, type);
        QFETCH(uint, status);
        BrokerWorld world;
        auto request = world.mintRequest();
        request.headers.set("Content-Type", type.toStdString());
        QCOMPARE(world.send(std::move(request)).status, status);
        auto refresh = world.refreshRequest("ek_marker_1");
        refresh.headers.set("Content-Type", type.toStdString());
        QCOMPARE(world.send(std::move(refresh)).status, status == 200 ? 200U : 415U);
    }

    /// What believes itself a repetition is none without it, and would end the session.
    void idempotencyKey_WithoutAClientInstance_IsRefused_AndHarmsNothing()
    {
        BrokerWorld world;
        const auto token = world.mint();
        auto refresh = world.refreshRequest(token.token.reveal(), "key");
        refresh.body = "{}";
        const auto answer = world.send(std::move(refresh));
        QCOMPARE(answer.status, 400U);
        QCOMPARE(codeOf(answer), std::string("invalid_idempotency_key"));
        QCOMPARE(world.send(world.refreshRequest(token.token.reveal(), "key")).status, 200U);
    }

    void projectWithoutAName_IsRefused()
    {
        BrokerWorld world;
        const auto answer = world.send(world.mintRequest(R"({"projectId":""})"));
        QCOMPARE(answer.status, 400U);
        QCOMPARE(codeOf(answer), std::string("invalid_body"));
    }

    void contentType_SaidTwice_IsRefused()
    {
        BrokerWorld world;
        auto request = world.mintRequest();
        request.headers.add("Content-Type", "application/json");
        const auto answer = world.send(std::move(request));
        QCOMPARE(answer.status, 400U);
        QCOMPARE(codeOf(answer), std::string("bad_request"));
    }

    void body_ThatIsEncoded_IsRefused()
    {
        BrokerWorld world;
        for (const char* const encoding : {"gzip", "identity, gzip", "identity"}) {
            auto request = world.mintRequest();
            request.headers.add("Content-Encoding", encoding);
            const auto answer = world.send(std::move(request));
            const bool isPlain = std::string_view(encoding) == "identity";
            QCOMPARE(answer.status, isPlain ? 200U : 415U);
            QVERIFY(isPlain || codeOf(answer) == "unsupported_media_type");
        }
    }

    void otherProvider_IsUnknown()
    {
        BrokerWorld world;
        const auto answer = world.send(world.mintRequest(R"({"provider":"gemini"})"));
        QCOMPARE(answer.status, 422U);
        QCOMPARE(codeOf(answer), std::string("unknown_provider"));
    }

    void idempotencyKey_NotAcceptable_IsRefusedBeforeTheTokenIsSpent_data()
    {
        QTest::addColumn<QByteArray>("key");
        QTest::newRow("too long") << QByteArray(129, 'x');
        QTest::newRow("a space") << QByteArray("a b");
        QTest::newRow("not ASCII") << QByteArray("\xc3\xa9");
    }
    void idempotencyKey_NotAcceptable_IsRefusedBeforeTheTokenIsSpent()
    {
        QFETCH(QByteArray, key);
        BrokerWorld world;
        (void)world.mint();
        const auto answer = world.send(world.refreshRequest("ek_marker_1", key.toStdString()));
        QCOMPARE(answer.status, 400U);
        QCOMPARE(codeOf(answer), std::string("invalid_idempotency_key"));
        QCOMPARE(world.send(world.refreshRequest("ek_marker_1")).status, 200U);
    }

    void health_ForAnyone_TellsOnlyTheStatus()
    {
        BrokerWorld world;
        for (const char* path : {"/api/voice-agent/health", "/healthz", "/readyz"}) {
            QCOMPARE(world.send(world.request("GET", path)).body, std::string("{\"status\":\"ok\"}"));
        }
        auto wrong = world.request("GET", "/api/voice-agent/health");
        wrong.headers.add("Authorization", "Bearer wrong");
        QCOMPARE(world.send(std::move(wrong)).body, std::string("{\"status\":\"ok\"}"));
    }

    void health_AskedByHead_IsAsLongAsItWouldBe()
    {
        BrokerWorld world;
        for (const char* path : {"/healthz", "/readyz"}) {
            const auto answer = world.send(world.request("HEAD", path));
            QCOMPARE(answer.status, 200U);
            QCOMPARE(answer.body, std::string());
            QCOMPARE(header(answer, "Content-Length"), std::string("15"));
        }
    }

    void health_WithTheCredential_CountsWhatHappened()
    {
        BrokerWorld world;
        const auto ask = [&] {
            auto request = world.request("GET", "/api/voice-agent/health");
            request.headers.add("Authorization", "Bearer credential-marker");
            return core::broker::decodeHealth(world.send(std::move(request)).body).value();
        };
        QCOMPARE(ask().detail->services.at("provider"), std::string("unknown"));
        (void)world.mint();
        (void)world.mint();
        (void)world.send(world.refreshRequest("ek_marker_1"));
        const auto good = ask();
        QCOMPARE(good.detail->metrics.totalRequests, std::int64_t(4));
        QCOMPARE(good.detail->metrics.activeSessions, std::int64_t(2));
        QCOMPARE(good.detail->metrics.totalRefreshes, std::int64_t(1));
        QCOMPARE(good.detail->metrics.errorRate, 0.0);
        QCOMPARE(good.detail->services.at("provider"), std::string("ok"));
        QVERIFY(good.detail->resources.connections >= 1);
        world.provider.answerWith(net::HttpResponse::json(500, "{}"));
        (void)world.send(world.mintRequest());
        const auto bad = ask();
        QCOMPARE(bad.status, std::string("degraded"));
        QCOMPARE(bad.detail->services.at("provider"), std::string("failing"));
        QCOMPARE(bad.detail->metrics.errorRate, 1.0 / 6.0);
        // Liveness follows no dependency.
        QCOMPARE(world.send(world.request("GET", "/healthz")).body, std::string("{\"status\":\"ok\"}"));
        world.clock.advance(std::chrono::seconds(61));
        QCOMPARE(ask().detail->metrics.activeSessions, std::int64_t(0));
    }

    void doubleSlashes_AreFolded()
    {
        BrokerWorld world;
        QCOMPARE(world.send(world.request("GET", "//api//voice-agent/health")).status, 200U);
    }

    void drain_RequestUnderWay_IsAnswered()
    {
        BrokerWorld world;
        world.provider.hold();
        auto answer = world.begin(world.mintRequest());
        QTRY_COMPARE(world.provider.requests().size(), std::size_t(1));
        auto drained = std::async(std::launch::async, [&] { world.drain(); });
        world.provider.release();
        QCOMPARE(BrokerWorld::wait(std::move(answer)).status, 200U);
        QVERIFY(drained.wait_for(std::chrono::seconds(8)) == std::future_status::ready);
    }
};

QTEST_GUILESS_MAIN(TestBrokerHttp)
#include "test_broker_http.moc"
