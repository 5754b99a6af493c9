#include "tests/broker/operator_world.h"
#include "tests/broker/redis_server.h"

#include <QTest>

#include <map>

using namespace vivavoce;
using namespace vivavoce::tests;

/// Two brokers that belong together.
class TestBrokerSharedLimits : public QObject {
    Q_OBJECT

private slots:
    void manyAtOnce_AtTwoBrokersOnOneRedis_AreAdmittedAsAtOne()
    {
        if (!RedisServer::isInstalled()) {
            QSKIP("NOT TESTED: there is no redis-server here");
        }
        constexpr std::size_t kMany = 200;
        constexpr int kLimit = 10;
        RedisServer redis;
        QVERIFY(redis.start());
        OperatorWorld one([&](broker::Config& config) {
            config.redisUrl = core::Secret(redis.url());
            config.mintsPerMinute = kLimit;
            config.sessionsPerUser = config.maxSessions;
            config.violationsToBlock = 0;
        });
        // The same issuer vouches for the user there.
        OperatorWorld other([&](broker::Config& config) {
            config.redisUrl = core::Secret(redis.url());
            config.mintsPerMinute = kLimit;
            config.sessionsPerUser = config.maxSessions;
            config.violationsToBlock = 0;
            config.issuers.front().url = one.login.url();
        });
        std::vector<std::future<BrokerWorld::Answer>> answers;
        for (std::size_t i = 0; i < kMany; ++i) {
            OperatorWorld& world = i % 2 == 0 ? one : other;
            auto request = world.broker.request("POST", "/api/voice-agent/token", "{}");
            request.headers.add("Authorization", "Bearer " + one.user());
            answers.push_back(world.broker.begin(std::move(request)));
        }
        std::map<unsigned, int> counts;
        for (auto& answer : answers) {
            ++counts[BrokerWorld::wait(std::move(answer)).status];
        }
        QCOMPARE(counts, (std::map<unsigned, int>{{200, kLimit}, {429, static_cast<int>(kMany) - kLimit}}));
    }
};

QTEST_GUILESS_MAIN(TestBrokerSharedLimits)
#include "test_broker_shared_limits.moc"
