#include "core/protocol/broker/health.h"

#include <QTest>

using namespace vivavoce::core;

class TestBrokerHealth : public QObject {
    Q_OBJECT

private slots:
    void health_WithDetail_SurvivesTheWire()
    {
        broker::Health health;
        health.status = "degraded";
        health.detail = broker::HealthDetail{{{"provider", "failing"}}, {7, 3, 2, 0.25, 12.5}, {60, 1 << 20, 4}};
        const auto back = broker::decodeHealth(broker::encode(health));
        QVERIFY(back.has_value() && back->detail.has_value());
        QCOMPARE(back->status, std::string("degraded"));
        QCOMPARE(back->detail->services.at("provider"), std::string("failing"));
        QCOMPARE(back->detail->metrics.totalRequests, std::int64_t(7));
        QCOMPARE(back->detail->metrics.activeSessions, std::int64_t(3));
        QCOMPARE(back->detail->metrics.totalRefreshes, std::int64_t(2));
        QCOMPARE(back->detail->metrics.errorRate, 0.25);
        QCOMPARE(back->detail->metrics.averageResponseTime, 12.5);
        QCOMPARE(back->detail->resources.uptimeSeconds, std::int64_t(60));
        QCOMPARE(back->detail->resources.memoryBytes.value_or(0), std::int64_t(1 << 20));
        QCOMPARE(back->detail->resources.connections, std::int64_t(4));
    }

    void health_WithoutDetail_TellsOnlyTheStatus()
    {
        QCOMPARE(broker::encode(broker::Health{}), std::string("{\"status\":\"ok\"}"));
        const auto back = broker::decodeHealth("{\"status\":\"ok\",\"later\":1}");
        QVERIFY(back.has_value() && !back->detail.has_value());
    }

    void decode_HostileText_NamesTheField_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("field");
        QTest::newRow("not JSON") << QByteArray("{") << QByteArray("the body");
        QTest::newRow("a list") << QByteArray("[]") << QByteArray("the body");
        QTest::newRow("no status") << QByteArray("{}") << QByteArray("status");
        QTest::newRow("services missing")
            << QByteArray(R"({"status":"ok","metrics":{},"resources":{}})") << QByteArray("services");
        QTest::newRow("service not an object")
            << QByteArray(R"({"status":"ok","services":{"a":1},"metrics":{},"resources":{}})")
            << QByteArray("services");
        QTest::newRow("metric a text") << QByteArray(
            R"({"status":"ok","services":{},"metrics":{"totalRequests":"1"},"resources":{}})")
                                       << QByteArray("metrics");
    }
    void decode_HostileText_NamesTheField()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, field);
        const auto result = broker::decodeHealth(text.toStdString());
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().code, ErrorCode::BrokerMalformed);
        QVERIFY(QByteArray::fromStdString(result.error().detail).startsWith(field));
    }
};

QTEST_GUILESS_MAIN(TestBrokerHealth)
#include "test_broker_health.moc"
