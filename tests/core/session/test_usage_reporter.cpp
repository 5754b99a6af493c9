#include "core/base/json.h"
#include "core/session/usage_reporter.h"
#include "tests/support/fake_ports.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_executor.h"

#include <nlohmann/json.hpp>

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;
namespace notice = session_notice;

namespace {

notice::TokenChanged token(const std::string& session, bool isRelayed = false)
{
    notice::TokenChanged changed{TokenNews::Acquired, session};
    changed.isRelayed = isRelayed;
    return changed;
}

notice::ReplyUsage reply(const std::string& id, std::int64_t audioOut)
{
    notice::ReplyUsage told{id, {}};
    told.usage.totalTokens = told.usage.outputTokens = audioOut;
    told.usage.outputDetails = openai::TokenCounts{};
    told.usage.outputDetails->audio = audioOut;
    return told;
}

/// What a literal is, and somebody who is signed in where it is replaceable.
struct FakeCredential final : CredentialSource {
    CredentialPtr value = std::make_shared<const Secret>("credential");
    bool isReplaceable = false;

    void fetch(CredentialCallback done) override { done(value); }
    [[nodiscard]] bool replace(const CredentialPtr&) override { return isReplaceable; }
};

} // namespace

class UsageReporterTest : public QObject {
    Q_OBJECT

    struct World {
        ManualClock clock;
        ManualExecutor executor{clock};
        FakeHttpClient http;
        std::shared_ptr<FakeCredential> credential = std::make_shared<FakeCredential>();
        UsageReporter reporter{{http, clock, executor, "https://broker.example", credential, "scribe"}};

        void live(const std::string& session = "voice_1", bool isRelayed = false)
        {
            reporter.told(token(session, isRelayed));
            reporter.told(notice::PhaseChanged{Phase::Live});
        }
        /// Of the oldest report that was not answered.
        [[nodiscard]] Json report() const { return *parseJson(http.sent.front().request.body); }
        [[nodiscard]] std::vector<std::string> responses() const
        {
            std::vector<std::string> ids;
            const Json told = report();
            for (const Json& event : told["events"]) {
                ids.push_back(event["response"]["id"].get<std::string>());
            }
            return ids;
        }
        void answer(int status = 200) { http.answer(status, "{}"); }
    };
    using Ids = std::vector<std::string>;

private Q_SLOTS:
    void reply_IsTold_AndNotWhatWasSaid()
    {
        World world;
        world.live();
        world.clock.advance(Milliseconds{2'500});
        world.reporter.told(notice::ToolCalled{});
        world.reporter.told(reply("r1", 77));
        QCOMPARE(world.http.sent.size(), std::size_t{1});
        const auto& request = world.http.sent.front().request;
        QCOMPARE(request.url, std::string("https://broker.example/api/voice/usage"));
        QCOMPARE(request.bearer->reveal(), std::string_view("credential"));
        const Json report = world.report();
        QCOMPARE(report["sessionId"].get<std::string>(), std::string("voice_1"));
        QCOMPARE(report["connectedMs"].get<int>(), 2'500);
        QCOMPARE(report["toolCalls"].get<int>(), 1);
        QCOMPARE(report["transcriptionModel"].get<std::string>(), std::string("scribe"));
        QCOMPARE(report["events"].size(), std::size_t{1});
        const Json& event = report["events"][0];
        QCOMPARE(event["type"].get<std::string>(), std::string("response.done"));
        QCOMPARE(event["response"]["usage"]["output_token_details"]["audio_tokens"].get<int>(), 77);
    }

    void transcript_IsToldWithoutItsWords()
    {
        World world;
        world.live();
        world.reporter.told(notice::TranscriptionUsage{"i1", openai::TranscriptionDuration{2.5}});
        const Json event = world.report()["events"][0];
        QCOMPARE(event["item_id"].get<std::string>(), std::string("i1"));
        QCOMPARE(event["transcript"].get<std::string>(), std::string());
        QCOMPARE(event["usage"]["seconds"].get<double>(), 2.5);
    }

    void relayedSession_IsTheBrokersOwnToKnow()
    {
        World world;
        world.live("voice_1", true);
        world.reporter.told(reply("r1", 1));
        world.reporter.told(notice::PhaseChanged{Phase::Ended});
        QVERIFY(world.http.sent.empty());
        QVERIFY(world.reporter.isDone());
    }

    void oneReportAtATime_AndNothingIsForgottenMeanwhile()
    {
        World world;
        world.live();
        world.reporter.told(reply("r1", 1));
        world.reporter.told(reply("r2", 1));
        world.reporter.told(notice::ToolCalled{});
        QCOMPARE(world.http.sent.size(), std::size_t{1});
        world.answer();
        QCOMPARE(world.responses(), Ids({"r2"}));
        QCOMPARE(world.report()["toolCalls"].get<int>(), 1);
        world.answer();
        QVERIFY(world.http.sent.empty());
        QVERIFY(world.reporter.isDone());
    }

    void manyReplies_ComeInReportsOfSixteen()
    {
        World world;
        world.live();
        for (int i = 0; i < 20; ++i) {
            world.reporter.told(reply("r" + std::to_string(i), 1));
        }
        world.answer();
        QCOMPARE(world.responses().size(), std::size_t{16});
        world.answer();
        QCOMPARE(world.responses(), Ids({"r17", "r18", "r19"}));
    }

    void brokerThatIsAway_IsToldLater_data()
    {
        QTest::addColumn<int>("status");
        QTest::newRow("unreachable") << 0;
        QTest::newRow("going down") << 503;
        QTest::newRow("too often") << 429;
        QTest::newRow("the sign-in has run out") << 401;
        QTest::newRow("the sign-in has run out, twice") << 4012;
    }
    void brokerThatIsAway_IsToldLater()
    {
        QFETCH(int, status);
        World world;
        world.credential->isReplaceable = true;
        world.live();
        world.reporter.told(reply("r1", 1));
        if (status == 4012) {
            world.answer(401);
            world.executor.advance(Milliseconds{15'000});
            status = 401;
        }
        if (status == 0) {
            world.http.answer(Unexpected<Error>(Error{ErrorCode::BrokerUnreachable, "away", std::nullopt, {}}));
        } else {
            world.answer(status);
        }
        QVERIFY(!world.reporter.isDone());
        world.executor.advance(Milliseconds{14'999});
        QVERIFY(world.http.sent.empty());
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.responses(), Ids({"r1"}));
    }

    /// Asking with the same again would be refused again, for as long as the session lasts.
    void credentialThatIsRefused_IsNotShownAgain()
    {
        World world;
        world.live();
        world.reporter.told(reply("r1", 1));
        world.answer(401);
        QVERIFY(world.reporter.isDone());
        world.executor.advance(Milliseconds{120'000});
        world.reporter.told(reply("r2", 1));
        QVERIFY(world.http.sent.empty());
        QVERIFY(world.reporter.isDone());
        // Somebody signs in.
        world.credential->value = std::make_shared<const Secret>("another");
        world.reporter.told(reply("r3", 1));
        QCOMPARE(world.responses(), Ids({"r1", "r2", "r3"}));
    }

    void brokerThatRefuses_IsNotAskedAgain()
    {
        World world;
        world.live();
        world.reporter.told(reply("r1", 1));
        world.answer(404);
        QVERIFY(world.http.sent.empty());
        QVERIFY(world.reporter.isDone());
        world.reporter.told(reply("r2", 1));
        QCOMPARE(world.responses(), Ids({"r2"}));
    }

    void timeThatPasses_IsToldEveryMinute_AndAtTheEnd()
    {
        World world;
        world.live();
        world.executor.advance(Milliseconds{60'000});
        QCOMPARE(world.report()["connectedMs"].get<int>(), 60'000);
        QVERIFY(world.report()["events"].empty());
        world.answer();
        world.executor.advance(Milliseconds{10'000});
        world.reporter.told(notice::PhaseChanged{Phase::Waiting});
        QCOMPARE(world.report()["connectedMs"].get<int>(), 70'000);
        world.answer();
        // Nobody is connected meanwhile.
        world.executor.advance(Milliseconds{100'000});
        QVERIFY(world.http.sent.empty());
        world.reporter.told(notice::PhaseChanged{Phase::Live});
        world.executor.advance(Milliseconds{5'000});
        world.reporter.told(notice::PhaseChanged{Phase::Ended});
        QCOMPARE(world.report()["connectedMs"].get<int>(), 75'000);
    }

    void endWhileAReportIsOnItsWay_IsToldAfterIt()
    {
        World world;
        world.live();
        world.reporter.told(reply("r1", 1));
        world.clock.advance(Milliseconds{3'000});
        world.reporter.told(notice::PhaseChanged{Phase::Ended});
        world.answer();
        QCOMPARE(world.report()["connectedMs"].get<int>(), 3'000);
        world.answer();
        QVERIFY(world.reporter.isDone());
    }

    void nextSession_HasItsOwnCount()
    {
        World world;
        world.live("voice_1");
        world.clock.advance(Milliseconds{3'000});
        world.reporter.told(notice::PhaseChanged{Phase::Waiting});
        world.answer();
        world.live("voice_2");
        world.clock.advance(Milliseconds{1'000});
        world.reporter.told(reply("r1", 1));
        QCOMPARE(world.report()["sessionId"].get<std::string>(), std::string("voice_2"));
        QCOMPARE(world.report()["connectedMs"].get<int>(), 1'000);
    }
};

QTEST_APPLESS_MAIN(UsageReporterTest)
#include "test_usage_reporter.moc"
