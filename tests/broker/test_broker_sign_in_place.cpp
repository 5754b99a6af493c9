#include "core/sign_in/sign_in_place.h"
#include "tests/broker/operator_world.h"

#include <nlohmann/json.hpp>

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr const char* kPlace = "/.well-known/oauth-protected-resource";

} // namespace

class TestBrokerSignInPlace : public QObject {
    Q_OBJECT

private slots:
    void place_IsToldToAnybody_AndTheAppUnderstandsIt()
    {
        std::string issuer;
        OperatorWorld world([&](Config& config) {
            auto& first = config.issuers.front();
            issuer = first.url;
            first.appClientId = "vivavoce-app";
            first.audiences = {"vivavoce", "https://voice.example"};
            first.grants = {"voice:session"};
        });
        const auto answer = world.broker.send(world.broker.request("GET", kPlace, {}));
        QCOMPARE(answer.status, 200U);
        const auto body = core::parseJson(answer.body);
        const auto resource = body->at("resource").get<std::string>();
        QVERIFY(body->at("scopes_supported") == Json::array({"voice:mint", "voice:session"}));
        const auto place = core::readSignInPlace(resource, answer.body);
        QVERIFY(place.has_value());
        QCOMPARE(place->issuer, issuer);
        QCOMPARE(place->clientId, std::string("vivavoce-app"));
        // Only what this broker does not grant anyway: some issuers refuse scopes that they do not know.
        QCOMPARE(place->scope, std::string("voice:mint"));
        QCOMPARE(place->resource, std::string("https://voice.example"));
    }

    void unauthenticated_LearnsWhereThatIs()
    {
        OperatorWorld world([](Config& config) {
            config.issuers.front().appClientId = "vivavoce-app";
            config.publicUrl = "https://voice.example";
        });
        const auto refused = world.as("nonsense", "POST", "/api/voice-agent/token", "{}");
        QCOMPARE(refused.status, 401U);
        QCOMPARE(header(refused, "WWW-Authenticate"),
            std::string("Bearer realm=\"vivavoce\", error=\"invalid_token\", "
                        "resource_metadata=\"https://voice.example/.well-known/oauth-protected-resource\""));
    }

    void withoutAClientForApps_ThereIsNone()
    {
        OperatorWorld world;
        QCOMPARE(world.broker.send(world.broker.request("GET", kPlace, {})).status, 404U);
        const auto refused = world.as("nonsense", "POST", "/api/voice-agent/token", "{}");
        QVERIFY(header(refused, "WWW-Authenticate").find("resource_metadata") == std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestBrokerSignInPlace)
#include "test_broker_sign_in_place.moc"
