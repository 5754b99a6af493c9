#include "app/platform/qt_executor.h"
#include "app/platform/qt_websocket_transport.h"
#include "core/session/session_runner.h"
#include "tests/app/gemini_server.h"
#include "tests/app/gemini_talk.h"
#include "tests/support/fake_ports.h"

#include <QTest>

#include <memory>
#include <vector>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

/// A token of its own for everybody who asks.
class FreshTokens final : public TokenSource {
public:
    FreshTokens(std::string url, Executor& executor, const Clock& clock)
        : m_url(std::move(url)), m_executor(executor), m_clock(clock)
    {
    }

    void fetch(const TokenQuery&, TokenCallback done) override
    {
        auto token = std::make_shared<AccessToken>(*makeToken(
            m_clock.now(), Milliseconds{60'000}, "voice_1_abc", "auth_tokens/marker_" + std::to_string(++m_count)));
        token->url = m_url;
        token->auth = AuthStyle::Token;
        token->dialect = "gemini";
        token->provider = "gemini";
        token->model = "gemini-3.8-live";
        m_executor.post([token, done = std::move(done)] { done(token); });
    }

private:
    const std::string m_url;
    Executor& m_executor;
    const Clock& m_clock;
    int m_count = 0;
};

struct World {
    SystemClock clock;
    platform::QtExecutor executor;
    GeminiServer server{GeminiServer::kForTokens};
    FreshTokens source{server.url(), executor, clock};
    CachingTokenSource tokens{source, clock, executor};
    platform::QtWebSocketFactory transports;
    FakeVoiceIo voice;
    FakeToolRunner tools;
    ProblemListener observer;
    SessionRunner runner{{tokens, transports, voice, tools, clock, executor, observer, geminiOptions()}};

    void hears(int milliseconds) { capture(voice, milliseconds); }
    [[nodiscard]] bool isLive() const { return runner.state().phase == Phase::Live; }
    [[nodiscard]] std::vector<std::string> log() const { return linesOf(runner); }
};

using Lines = std::vector<std::string>;

} // namespace

class GeminiConversationTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void conversation_SpokenTypedInterruptedAndWithAFunction_GoesOnAfterGoAway()
    {
        World world;
        world.runner.start();
        QTRY_VERIFY(world.isLive());

        // Spoken
        world.hears(400);
        QTRY_COMPARE(world.server.last().session().soundBytes, std::size_t{400 * 48});
        world.server.last().userWords("Hello");
        world.server.last().reply("Hi.");
        QTRY_VERIFY((world.log() == Lines{"Hello", "Hi."}));
        QTRY_COMPARE(world.voice.played.size(), std::size_t{960});
        world.voice.played.clear();
        world.voice.listener->playbackDrained();

        // Typed, and interrupted
        world.runner.say("Tell me a story");
        QTRY_VERIFY(world.server.last().session().texts == Lines{"Tell me a story"});
        world.server.last().sound(Milliseconds{100});
        world.server.last().words("Once");
        QTRY_COMPARE(world.voice.played.size(), std::size_t{2'400});
        world.hears(200);
        world.server.last().interrupt();
        world.server.last().sound(Milliseconds{100});
        world.server.last().turnComplete();
        QTRY_COMPARE(world.voice.interrupts, 1);
        QTRY_COMPARE(world.runner.state().activity, Activity::HearingUser);
        world.server.last().userWords("The weather?");

        // A function
        world.server.last().call("call_1", "get_weather", "{}");
        QTRY_COMPARE(world.tools.calls.size(), std::size_t{1});
        world.tools.open[0](std::string(R"({"sky":"blue"})"));
        QTRY_COMPARE(world.server.last().session().answers.size(), std::size_t{1});
        QVERIFY(world.voice.played.empty());
        world.server.last().reply("Blue.");
        QTRY_COMPARE(world.log().back(), std::string("Blue."));
        world.voice.listener->playbackDrained();

        // The connection nears its end.
        const std::string handle = world.server.last().handle();
        world.server.last().goAway(Milliseconds{50'000});
        QTRY_COMPARE(world.server.connections(), std::size_t{2});
        QTRY_VERIFY(world.server.last().isSetUp());
        QTRY_VERIFY(world.isLive());
        QCOMPARE(*world.server.last().session().setup.sessionResumption->handle, handle);
        world.runner.say("Still there?");
        QTRY_VERIFY((world.server.last().session().texts == Lines{"Tell me a story", "Still there?"}));
        world.server.last().reply("Yes.");
        QTRY_VERIFY((world.log()
            == Lines{"Hello", "Hi.", "Tell me a story", "Once", "The weather?", "Blue.", "Still there?", "Yes."}));
        QVERIFY(world.observer.problems.empty());
        QVERIFY(!world.server.last().isOver());
    }

    void connection_ThatIsLost_IsFollowedByOneThatKnowsWhatWasSaid()
    {
        World world;
        world.runner.start();
        QTRY_VERIFY(world.isLive());
        world.runner.say("Hello");
        QTRY_VERIFY(!world.server.last().session().texts.empty());
        world.server.last().reply("Hi.");
        QTRY_COMPARE(world.log().size(), std::size_t{2});
        world.server.last().hangUp(1011, "Deadline expired");
        QTRY_COMPARE(world.server.connections(), std::size_t{2});
        QTRY_VERIFY(world.isLive());
        world.runner.say("And?");
        QTRY_VERIFY(world.server.last().session().texts == Lines{"And?"});
        QCOMPARE(world.server.last().session().history.size(), std::size_t{2});
        QCOMPARE(world.observer.problems.size(), std::size_t{1});
        QVERIFY(world.observer.problems[0].detail.find("Deadline expired") != std::string::npos);
    }

    void model_ThatIsNotThere_EndsItWithTheReason()
    {
        World world;
        world.server.standIn.model = "models/other";
        world.runner.start();
        QTRY_COMPARE(world.runner.state().phase, Phase::Ended);
        QCOMPARE(world.runner.state().failure->code, ErrorCode::ChoiceRefused);
        QVERIFY(world.runner.state().failure->detail.find("gemini-3.8-live is not found") != std::string::npos);
        QVERIFY(world.runner.state().failure->detail.find("marker") == std::string::npos);
    }
};

QTEST_GUILESS_MAIN(GeminiConversationTest)
#include "test_gemini_conversation.moc"
