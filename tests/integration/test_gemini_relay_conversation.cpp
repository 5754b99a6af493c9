#include "app/platform/qt_executor.h"
#include "app/platform/qt_http_client.h"
#include "app/platform/qt_websocket_transport.h"
#include "core/session/session_runner.h"
#include "core/token/broker_token_source.h"
#include "core/token/caching_token_source.h"
#include "tests/app/gemini_server.h"
#include "tests/app/gemini_talk.h"
#include "tests/broker/operator_world.h"
#include "tests/support/fake_ports.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <cstdlib>
#include <memory>
#include <vector>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

using Lines = std::vector<std::string>;

/// Under a budget, and so everybody goes through the relay.
void underABudget(vivavoce::broker::Config& config, const GeminiServer& server)
{
    config.geminiUrl = "http://" + server.host();
    config.geminiKey = Secret(GeminiServer::kForTheKey.shown);
    config.pricesFile = std::string(std::getenv("VV_SOURCE_DIR")) + "/resources/prices/prices.json";
    config.holdCents = 100;
    config.policy.budgets.userDay.nanoDollars = 5'000'000'000;
}

struct World {
    explicit World(const std::vector<std::string>& allowed)
        : broker([this, allowed](vivavoce::broker::Config& config) {
              underABudget(config, server);
              config.policy.tools = allowed;
          })
    {
    }
    [[nodiscard]] bool isLive() const { return runner.state().phase == Phase::Live; }
    [[nodiscard]] std::vector<std::string> log() const { return linesOf(runner); }
    [[nodiscard]] Json usage() { return Json::parse(broker.as(broker.user(), "GET", "/api/voice/usage").body); }
    /// Tokens that were asked for.
    [[nodiscard]] std::size_t tokensAskedFor() const
    {
        const std::string log = broker.broker.log.text();
        std::size_t count = 0;
        for (std::size_t at = log.find("/api/voice-agent/"); at != std::string::npos;
             at = log.find("/api/voice-agent/", at + 1)) {
            ++count;
        }
        return count;
    }
    void hears(int milliseconds) { capture(voice, milliseconds); }

    SystemClock clock;
    platform::QtExecutor executor;
    GeminiServer server{GeminiServer::kForTheKey};
    OperatorWorld broker;
    platform::QtHttpClient http;
    BrokerTokenSource source{{http, clock, broker.broker.url(),
        std::make_shared<LiteralCredential>(std::make_shared<const Secret>(broker.user())),
        BrokerWishes{"gemini", {}, {}, {}}, "instance_1"}};
    CachingTokenSource tokens{source, clock, executor};
    platform::QtWebSocketFactory transports;
    FakeVoiceIo voice;
    FakeToolRunner tools;
    ProblemListener observer;
    SessionRunner runner{{tokens, transports, voice, tools, clock, executor, observer, geminiOptions()}};
};

} // namespace

class GeminiRelayConversationTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void conversation_GoesThroughTheRelay_OverTwoConnections_AndIsMetered()
    {
        World world({"get_weather"});
        world.runner.start();
        QTRY_VERIFY(world.isLive());
        QVERIFY(world.runner.state().isRelayed);

        // Spoken, and answered
        world.hears(400);
        QTRY_COMPARE(world.server.last().session().soundBytes, std::size_t{400 * 48});
        world.server.last().userWords("Hello");
        world.server.last().reply("Hi.");
        QTRY_VERIFY((world.log() == Lines{"Hello", "Hi."}));
        world.voice.listener->playbackDrained();

        // Typed over a reply, which is interrupted
        world.runner.say("Tell me a story");
        QTRY_VERIFY(world.server.last().session().texts == Lines{"Tell me a story"});
        world.server.last().sound(Milliseconds{100});
        world.server.last().words("Once");
        QTRY_COMPARE(world.log().back(), std::string("Once"));
        world.runner.say("The weather?");
        QTRY_COMPARE(world.server.last().session().texts.size(), std::size_t{2});
        world.server.last().interrupt();
        world.server.last().usage(10, 0, 5);
        world.server.last().turnComplete();

        // A function
        world.server.last().call("call_1", "get_weather", "{}");
        QTRY_COMPARE(world.tools.calls.size(), std::size_t{1});
        world.tools.open[0](std::string(R"({"sky":"blue"})"));
        QTRY_COMPARE(world.server.last().session().answers.size(), std::size_t{1});
        world.server.last().reply("Blue.");
        QTRY_COMPARE(world.log().back(), std::string("Blue."));
        world.voice.listener->playbackDrained();

        // The provider's connection nears its end; the broker's token is as good for the next one.
        const std::string handle = world.server.last().handle();
        world.server.last().goAway(Milliseconds{50'000});
        QTRY_COMPARE(world.server.connections(), std::size_t{2});
        QTRY_VERIFY(world.server.last().isSetUp());
        QTRY_VERIFY(world.isLive());
        QCOMPARE(*world.server.last().session().setup.sessionResumption->handle, handle);
        world.runner.say("Still there?");
        QTRY_COMPARE(world.server.last().session().texts.back(), std::string("Still there?"));
        world.server.last().reply("Yes.");
        QTRY_COMPARE(world.log().back(), std::string("Yes."));
        QVERIFY(world.observer.problems.empty());
        QCOMPARE(world.tokensAskedFor(), std::size_t{1});

        const Json usage = world.usage();
        QCOMPARE(usage["totalSessions"].get<int>(), 1);
        QCOMPARE(usage["toolCallsTotal"].get<int>(), 1);
        QCOMPARE(usage["turns"].get<int>(), 4);
        QCOMPARE(usage["tokens"]["audioOut"].get<int>(), 95);
        QCOMPARE(usage["tokens"]["audioIn"].get<int>(), 60);
        QVERIFY(world.broker.broker.log.text().find("marker") == std::string::npos);
    }

    void setupThatIsLocked_EndsIt_AsAMatterOfSettings()
    {
        World world({"pay"});
        world.runner.start();
        QTRY_COMPARE(world.runner.state().phase, Phase::Ended);
        QCOMPARE(world.runner.state().failure->code, ErrorCode::BadConfiguration);
        QVERIFY(world.runner.state().failure->detail.find("locked_by_policy setup.tools") != std::string::npos);
    }

    void budgetThatIsSpent_EndsIt()
    {
        World world({"get_weather"});
        world.runner.start();
        QTRY_VERIFY(world.isLive());
        world.runner.say("Hello");
        QTRY_COMPARE(world.server.last().session().texts.size(), std::size_t{1});
        world.server.last().usage(0, 0, 400'000);
        QTRY_COMPARE(world.runner.state().phase, Phase::Ended);
        QCOMPARE(world.runner.state().failure->code, ErrorCode::BudgetExhausted);
    }
};

QTEST_GUILESS_MAIN(GeminiRelayConversationTest)
#include "test_gemini_relay_conversation.moc"
