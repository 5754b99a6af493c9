#include "broker/fault.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/mint_check.h"

#include <QTest>

#include <limits>
#include <set>

using namespace vivavoce;
using namespace vivavoce::tests;

class TestBrokerProviderFaults : public QObject {
    Q_OBJECT

private slots:
    /// Else none of the other tests here shows that requests are as the provider wants them.
    void standIn_RefusesWhatTheProviderRefuses_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<uint>("status");
        const auto row = [](const char* name, const char* body, uint status) {
            QTest::newRow(name) << QByteArray(body) << status;
        };
        row("ours", R"({"expires_after":{"anchor":"created_at","seconds":60},"session":{"type":"realtime"}})", 0);
        row("nothing", "{}", 0);
        row("life inside the session", R"({"session":{"type":"realtime","expires_after":{"seconds":60}}})", 400);
        row("life too short", R"({"expires_after":{"seconds":9}})", 400);
        row("life in text", R"({"expires_after":{"seconds":"60"}})", 400);
        row("no type", R"({"session":{"model":"gpt-realtime"}})", 400);
        row("voice of the beta", R"({"session":{"type":"realtime","voice":"marin"}})", 400);
        row("modalities of the beta", R"({"session":{"type":"realtime","modalities":["audio"]}})", 400);
        row("not JSON", "{", 400);
    }

    void standIn_RefusesWhatTheProviderRefuses()
    {
        QFETCH(QByteArray, body);
        QFETCH(uint, status);
        net::HttpRequest request;
        request.headers.add("Authorization", "Bearer key");
        request.headers.add("Content-Type", "application/json");
        request.body = body.toStdString();
        const auto refusal = refusalOfMint(request);
        QCOMPARE(refusal ? refusal->status : 0, status);
        request.headers = {};
        QCOMPARE(refusalOfMint(request).value().status, 401U);
    }

    void answerOfTheProvider_IsToldAsOurs_data()
    {
        QTest::addColumn<uint>("theirs");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<uint>("ours");
        QTest::addColumn<QByteArray>("code");
        const auto row = [](const char* name, uint theirs, const char* body, uint ours, const char* code) {
            QTest::newRow(name) << theirs << QByteArray(body) << ours << QByteArray(code);
        };
        row("401", 401, R"({"error":{"message":"marker"}})", 502, "provider_refused");
        row("403", 403, "marker", 502, "provider_refused");
        row("400", 400, R"({"error":{"message":"marker"}})", 422, "provider_rejected");
        row("429", 429, "{}", 429, "provider_rate_limited");
        row("429, no money", 429, R"({"error":{"code":"insufficient_quota"}})", 502, "provider_quota");
        row("429, odd error", 429, R"({"error":{"code":7}})", 429, "provider_rate_limited");
        row("500", 500, "marker", 502, "provider_failed");
        row("503", 503, "", 502, "provider_failed");
        row("429, no credit", 429, R"({"error":{"code":"credit_balance_exhausted"}})", 502, "provider_quota");
        row("402", 402, "marker", 502, "provider_quota");
        row("404", 404, "marker", 422, "provider_rejected");
        row("405", 405, "marker", 422, "provider_rejected");
        row("redirect", 302, "", 502, "provider_malformed");
        row("204", 204, "", 502, "provider_malformed");
        row("not JSON", 200, "<html>marker", 502, "provider_malformed");
        row("a list", 200, "[]", 502, "provider_malformed");
        row("no value", 200, R"({"expires_at":1800000060})", 502, "provider_malformed");
        row("value a number", 200, R"({"value":1,"expires_at":1800000060})", 502, "provider_malformed");
        row("value empty", 200, R"({"value":"","expires_at":1800000060})", 502, "provider_malformed");
        row("value with a line's end", 200, R"({"value":"ek_marker\r\nX-A: b","expires_at":1800000060})", 502,
            "provider_malformed");
        row("no expiry", 200, R"({"value":"ek_marker"})", 502, "provider_malformed");
    }
    void answerOfTheProvider_IsToldAsOurs()
    {
        QFETCH(uint, theirs);
        QFETCH(QByteArray, body);
        QFETCH(uint, ours);
        QFETCH(QByteArray, code);
        BrokerWorld world;
        world.provider.answerWith(net::HttpResponse::json(theirs, body.toStdString()));
        const auto answer = world.send(world.mintRequest());
        QCOMPARE(answer.status, ours);
        QCOMPARE(codeOf(answer), code.toStdString());
        QVERIFY2(answer.body.find("marker") == std::string::npos, answer.body.c_str());
        QCOMPARE(header(answer, "Retry-After"), std::string());
        // The next one is fine again: nothing is left of the fault.
        world.provider.answerWith(std::nullopt);
        QCOMPARE(world.send(world.mintRequest()).status, 200U);
    }

    void retryAfterOfTheProvider_IsPassedOnWhereItMakesSense_data()
    {
        QTest::addColumn<QByteArray>("theirs");
        QTest::addColumn<QByteArray>("ours");
        QTest::newRow("seconds") << QByteArray("17") << QByteArray("17");
        QTest::newRow("zero") << QByteArray("0") << QByteArray("1");
        QTest::newRow("a year") << QByteArray("31536000") << QByteArray("3600");
        QTest::newRow("nonsense") << QByteArray("soon") << QByteArray();
        QTest::newRow("negative") << QByteArray("-1") << QByteArray();
        QTest::newRow("enormous") << QByteArray("99999999999999999999") << QByteArray();
    }
    void retryAfterOfTheProvider_IsPassedOnWhereItMakesSense()
    {
        QFETCH(QByteArray, theirs);
        QFETCH(QByteArray, ours);
        BrokerWorld world;
        auto response = net::HttpResponse::json(429, "{}");
        response.headers.set("Retry-After", theirs.toStdString());
        world.provider.answerWith(response);
        const auto answer = world.send(world.mintRequest());
        QCOMPARE(answer.status, 429U);
        QCOMPARE(header(answer, "Retry-After"), ours.toStdString());
        // Of what does not pass by waiting nobody is told to wait.
        for (const unsigned status : {401U, 402U, 404U, 429U}) {
            auto final = net::HttpResponse::json(status, R"({"error":{"code":"insufficient_quota"}})");
            final.headers.set("Retry-After", theirs.toStdString());
            world.provider.answerWith(final);
            QCOMPARE(header(world.send(world.mintRequest()), "Retry-After"), std::string());
        }
    }

    void expiryOfTheProvider_OnlyShortensOurs_data()
    {
        QTest::addColumn<qint64>("expiresAt");
        QTest::addColumn<qint64>("life");
        QTest::addColumn<QByteArray>("logged");
        QTest::newRow("shorter") << qint64(1'800'000'040) << qint64(40) << QByteArray();
        QTest::newRow("longer") << qint64(1'800'000'600) << qint64(60) << QByteArray();
        QTest::newRow("its clock is behind") << qint64(1'799'990'000) << qint64(60) << QByteArray("10000");
        QTest::newRow("end of time") << std::numeric_limits<qint64>::max() << qint64(60) << QByteArray();
        QTest::newRow("beginning of time")
            << std::numeric_limits<qint64>::min() << qint64(60) << QByteArray("1800000000");
    }
    void expiryOfTheProvider_OnlyShortensOurs()
    {
        QFETCH(qint64, expiresAt);
        QFETCH(qint64, life);
        QFETCH(QByteArray, logged);
        BrokerWorld world;
        world.provider.answerWith(
            net::HttpResponse::json(200, R"({"value":"ek_1","expires_at":)" + std::to_string(expiresAt) + "}"));
        const auto minted = world.mint();
        QCOMPARE(minted.expiresIn, life);
        QVERIFY(minted.expiresAt == world.clock.wallNow() + std::chrono::seconds(life));
        const std::string log = world.log.text();
        QCOMPARE(log.find("provider.clock_differs") != std::string::npos, !logged.isEmpty());
        QVERIFY(log.find(logged.isEmpty() ? "" : "\"overForSeconds\":" + logged.toStdString()) != std::string::npos);
    }

    void sameTokenTwice_IsRefused()
    {
        BrokerWorld world;
        world.provider.answerWith(net::HttpResponse::json(200, R"({"value":"ek_1","expires_at":1800000060})"));
        QCOMPARE(world.send(world.mintRequest()).status, 200U);
        QCOMPARE(codeOf(world.send(world.mintRequest())), std::string("provider_malformed"));
        QCOMPARE(world.send(world.refreshRequest("ek_1")).status, 401U);
    }

    void brokenConnection_IsTyped_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<uint>("status");
        QTest::addColumn<QByteArray>("code");
        QTest::newRow("closes mid-answer") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"value\":")
                                           << 503U << QByteArray("provider_unreachable");
        QTest::newRow("closes mid-header")
            << QByteArray("HTTP/1.1 200 OK\r\nContent-") << 503U << QByteArray("provider_unreachable");
        QTest::newRow("not HTTP") << QByteArray("220 smtp.example ESMTP\r\n\r\n") << 502U
                                  << QByteArray("provider_malformed");
        QTest::newRow("too much") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n{") << 502U
                                  << QByteArray("provider_malformed");
        QTest::newRow("silence") << QByteArray() << 504U << QByteArray("provider_timeout");
    }
    void brokenConnection_IsTyped()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(uint, status);
        QFETCH(QByteArray, code);
        NetThreads threads;
        const RawProvider raw(threads, bytes.toStdString());
        BrokerWorld world([](broker::Config& config) { config.providerTimeout = core::Milliseconds{200}; }, raw.url());
        const auto answer = world.send(world.mintRequest());
        QCOMPARE(answer.status, status);
        QCOMPARE(codeOf(answer), code.toStdString());
    }

    void nobodyListens_IsUnreachable()
    {
        BrokerWorld world({}, "http://127.0.0.1:1");
        const auto answer = world.send(world.mintRequest());
        QCOMPARE(answer.status, 503U);
        QCOMPARE(codeOf(answer), std::string("provider_unreachable"));
    }

    void table_EveryCode_HasItsOwnTextAndAnHttpStatus()
    {
        std::set<std::string_view> texts;
        for (int i = 0; i <= static_cast<int>(broker::FaultCode::ProviderTimeout); ++i) {
            const auto code = static_cast<broker::FaultCode>(i);
            const auto& row = broker::faultRow(code);
            QVERIFY(row.code == code && row.status >= 400 && row.status < 600);
            QVERIFY(texts.insert(row.text).second);
        }
    }
};

QTEST_GUILESS_MAIN(TestBrokerProviderFaults)
#include "test_broker_provider_faults.moc"
