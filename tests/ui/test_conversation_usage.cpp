#include "tests/ui/conversation_world.h"

#include <QSignalSpy>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Activity;
using core::Milliseconds;
using core::Phase;
namespace notice = core::session_notice;

namespace {

using World = ConversationWorld;

core::openai::Usage usage(std::int64_t audioIn, std::int64_t cachedAudio, std::int64_t audioOut)
{
    core::openai::Usage used;
    used.inputDetails =
        core::openai::InputTokenDetails{cachedAudio, {10, audioIn, 0}, core::openai::TokenCounts{0, cachedAudio, 0}};
    used.outputDetails = core::openai::TokenCounts{5, audioOut, 0};
    return used;
}

} // namespace

/// What a conversation has come to, how long it has lasted, and how old its token is.
class TestConversationUsage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void transcription_IsCountedAndPriced();
    void transcription_OfUnknownPrice_MakesTheMoneyALowerBound();
    void usage_IsSummedAndPriced();
    void lastTurn_IsAllThatTheUserHasAskedFor();
    void lastTurn_WhenTyped_HasNoTranscription();
    void lastTurn_WithoutTheReplyThatItCutOff();
    void usage_OfAnUnknownModel_ShowsNoMoney();
    void modelThatIsShutDownSoon_IsToldUntilSomebodyHasReadIt();
    void settingsThatTheProviderHasChanged_AreToldUntilSomebodyHasReadIt();
    void modelOfThisComputer_IsShutDownByNobody();
    void usage_OfThisComputer_IsFree();
    void usage_WhenTheProfileChangesMeanwhile_IsStillPaidFor();
    void token_IsToldByItsAge();
    void token_ThatOpensNothingAnyMore_IsNotShown();
    void sessionTime_RunsFromLiveToTheEnd();
};

void TestConversationUsage::transcription_IsCountedAndPriced()
{
    World world;
    world.conversation.tell(token(core::TokenNews::Acquired));
    world.conversation.tell(
        notice::TranscriptionUsage{"u1", core::openai::TranscriptionDuration{30}, "gpt-live-transcribe"});
    world.conversation.tell(notice::ReplyUsage{"r1", usage(1'000, 0, 0)});
    world.conversation.tellActivity(Activity::HearingUser);
    world.conversation.tell(
        notice::TranscriptionUsage{"u2", core::openai::TranscriptionDuration{90}, "gpt-live-transcribe"});
    QCOMPARE(world.model.turnUsage()->transcription(), QStringLiteral("90 s"));
    QCOMPARE(world.model.sessionUsage()->transcription(), QStringLiteral("120 s"));
    // 1,000 × $32 + 10 × $4 + 5 × $24, for a million each, and two minutes of $0.017.
    QCOMPARE(world.model.sessionUsage()->money(), QStringLiteral("≈ $0.066"));
    world.model.start();
    QCOMPARE(world.model.sessionUsage()->transcription(), QString());
}

void TestConversationUsage::transcription_OfUnknownPrice_MakesTheMoneyALowerBound()
{
    World world;
    world.conversation.tell(token(core::TokenNews::Acquired));
    world.conversation.tell(notice::ReplyUsage{"r1", usage(1'000, 0, 0)});
    world.conversation.tell(
        notice::TranscriptionUsage{"u1", core::openai::TranscriptionTokens{100, 20, 120, {}}, "gpt-transcribe"});
    QCOMPARE(world.model.sessionUsage()->transcription(), QStringLiteral("120"));
    QCOMPARE(world.model.sessionUsage()->money(), QStringLiteral("≥ $0.032"));
}

void TestConversationUsage::usage_IsSummedAndPriced()
{
    World world;
    world.conversation.tell(token(core::TokenNews::Acquired));
    world.conversation.tell(notice::ReplyUsage{"r1", usage(1'000, 400, 200)});
    world.conversation.tellActivity(Activity::HearingUser);
    world.conversation.tell(notice::ReplyUsage{"r2", usage(500, 500, 100)});
    QCOMPARE(world.model.turnUsage()->tally().audioIn, 0);
    QCOMPARE(world.model.turnUsage()->tally().cachedAudioIn, 500);
    QCOMPARE(world.model.sessionUsage()->tally().audioIn, 600);
    QCOMPARE(world.model.sessionUsage()->tally().cachedIn(), 900);
    QCOMPARE(world.model.sessionUsage()->tally().audioOut, 300);
    // 600 × $32 + 900 × $0.40 + 20 × $4 + 300 × $64 + 10 × $24, for a million each.
    QCOMPARE(world.model.sessionUsage()->money(), QStringLiteral("≈ $0.039"));
}

void TestConversationUsage::lastTurn_IsAllThatTheUserHasAskedFor()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellActivity(Activity::HearingUser);
    world.conversation.tell(
        notice::TranscriptionUsage{"u1", core::openai::TranscriptionDuration{3}, "gpt-live-transcribe"});
    // A pause, and no answer yet.
    world.conversation.tellActivity(Activity::Thinking);
    world.conversation.tellActivity(Activity::HearingUser);
    world.conversation.tell(
        notice::TranscriptionUsage{"u2", core::openai::TranscriptionDuration{4}, "gpt-live-transcribe"});
    // The reply that calls a function, and the one to its result.
    world.conversation.tell(notice::ReplyUsage{"r1", usage(100, 0, 0)});
    world.conversation.tell(notice::ToolCalled{{"c1", "look_up", "{}"}});
    world.conversation.tell(notice::ToolDone{{"c1", "look_up", "{}"}, std::string("{}")});
    world.conversation.tell(notice::ReplyStarted{"r2"});
    world.conversation.tell(notice::ReplyUsage{"r2", usage(150, 0, 70)});
    QCOMPARE(world.model.turnUsage()->tally().audioIn, 250);
    QCOMPARE(world.model.turnUsage()->tally().audioOut, 70);
    QCOMPARE(world.model.turnUsage()->transcription(), QStringLiteral("7 s"));
    world.conversation.tellActivity(Activity::HearingUser);
    QVERIFY(world.model.turnUsage()->isEmpty());
    QCOMPARE(world.model.sessionUsage()->tally().audioIn, 250);
}

void TestConversationUsage::lastTurn_WhenTyped_HasNoTranscription()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellActivity(Activity::HearingUser);
    world.conversation.tell(
        notice::TranscriptionUsage{"u1", core::openai::TranscriptionDuration{3}, "gpt-live-transcribe"});
    world.conversation.tell(notice::ReplyUsage{"r1", usage(100, 0, 50)});
    world.model.say(QStringLiteral("and in writing"));
    world.conversation.tell(notice::ReplyUsage{"r2", usage(120, 0, 60)});
    QCOMPARE(world.model.turnUsage()->transcription(), QString());
    QCOMPARE(world.model.turnUsage()->tally().audioIn, 120);
    QCOMPARE(world.model.sessionUsage()->transcription(), QStringLiteral("3 s"));
}

void TestConversationUsage::lastTurn_WithoutTheReplyThatItCutOff()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellActivity(Activity::HearingUser);
    world.conversation.tell(notice::ReplyStarted{"r1"});
    world.conversation.tellActivity(Activity::HearingUser);
    world.conversation.tell(notice::ReplyUsage{"r1", usage(100, 0, 50)});
    world.conversation.tell(notice::ReplyStarted{"r2"});
    world.conversation.tell(notice::ReplyUsage{"r2", usage(120, 0, 60)});
    QCOMPARE(world.model.turnUsage()->tally().audioIn, 120);
    QCOMPARE(world.model.sessionUsage()->tally().audioIn, 220);
}

void TestConversationUsage::usage_OfAnUnknownModel_ShowsNoMoney()
{
    World world;
    world.conversation.tell(token(core::TokenNews::Acquired, "somebody-elses-model"));
    world.conversation.tell(notice::ReplyUsage{"r1", usage(1'000, 0, 200)});
    QCOMPARE(world.model.sessionUsage()->money(), QString());
    QVERIFY(world.model.sessionUsage()->isPriceUnknown());
    world.conversation.tell(token(core::TokenNews::Acquired));
    QVERIFY(!world.model.sessionUsage()->isPriceUnknown());
}

void TestConversationUsage::modelThatIsShutDownSoon_IsToldUntilSomebodyHasReadIt()
{
    World world;
    world.conversation.tell(token(core::TokenNews::Acquired));
    QVERIFY(!world.model.modelNote()->isShown());
    world.conversation.tell(token(core::TokenNews::Acquired, "gpt-realtime"));
    QVERIFY(world.model.modelNote()->isShown());
    // The clock stands at 2027-01-15.
    QVERIFY(world.model.modelNote()->text().contains(QStringLiteral("2027-01-20, in 5 days")));
    world.model.modelNote()->dismiss();
    QVERIFY(!world.model.modelNote()->isShown());
    world.conversation.tell(token(core::TokenNews::Refreshed, "gpt-realtime"));
    QVERIFY(!world.model.modelNote()->isShown());
    world.conversation.tell(token(core::TokenNews::Acquired, "gpt-realtime-mini"));
    QVERIFY(world.model.modelNote()->isShown());
    world.clock.jumpWall(-std::chrono::hours{86 * 24});
    world.conversation.tell(token(core::TokenNews::Refreshed, "gpt-realtime-mini"));
    QVERIFY(!world.model.modelNote()->isShown());
}

void TestConversationUsage::settingsThatTheProviderHasChanged_AreToldUntilSomebodyHasReadIt()
{
    World world;
    world.conversation.tell(notice::SettingDiffers{"voice", "marin", "alloy"});
    QVERIFY(world.model.modelNote()->isShown());
    QVERIFY(world.model.modelNote()->text().contains(QStringLiteral("the voice alloy, and not with marin")));
    QVERIFY(!world.model.hasError());
    // Beside what is to be said of the model.
    world.conversation.tell(token(core::TokenNews::Acquired, "gpt-realtime"));
    QVERIFY(world.model.modelNote()->text().contains(QStringLiteral("2027-01-20, in 5 days")));
    QVERIFY(world.model.modelNote()->text().contains(QStringLiteral("alloy")));
    world.model.modelNote()->dismiss();
    QVERIFY(!world.model.modelNote()->isShown());
}

void TestConversationUsage::modelOfThisComputer_IsShutDownByNobody()
{
    World world;
    world.change([](core::Settings& wanted) { wanted.profile = core::Profile::ThisComputer; });
    world.conversation.tell(token(core::TokenNews::Acquired, "gpt-realtime"));
    QVERIFY(!world.model.modelNote()->isShown());
    QVERIFY(!world.model.sessionUsage()->isPriceUnknown());
}

void TestConversationUsage::usage_OfThisComputer_IsFree()
{
    World world;
    world.change([](core::Settings& wanted) { wanted.profile = core::Profile::ThisComputer; });
    world.conversation.tell(token(core::TokenNews::Acquired));
    QCOMPARE(world.model.sessionUsage()->money(), QStringLiteral("Free"));
}

void TestConversationUsage::usage_WhenTheProfileChangesMeanwhile_IsStillPaidFor()
{
    World world;
    const auto setProfile = [&world](core::Profile profile) {
        core::Settings wanted = world.settings.current();
        wanted.profile = profile;
        QVERIFY(world.settings.change(wanted).has_value());
    };
    setProfile(core::Profile::Broker);
    world.conversation.tellPhase(Phase::FetchingToken);
    world.conversation.tell(token(core::TokenNews::Acquired));
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tell(notice::ReplyUsage{"r1", usage(1'000, 0, 200)});
    setProfile(core::Profile::ThisComputer);
    world.conversation.tell(token(core::TokenNews::Refreshed));
    QVERIFY(world.model.sessionUsage()->money().startsWith(QStringLiteral("≈ $")));
    // The next conversation is where the settings say.
    world.conversation.tell(notice::Ended{});
    world.conversation.tellPhase(Phase::FetchingToken);
    world.conversation.tell(token(core::TokenNews::Acquired));
    QCOMPARE(world.model.sessionUsage()->money(), QStringLiteral("Free"));
}

void TestConversationUsage::token_IsToldByItsAge()
{
    World world;
    QVERIFY(!world.model.hasToken());
    world.conversation.tell(token(core::TokenNews::Acquired));
    QCOMPARE(world.model.secondsToRenewal(), 24);
    QCOMPARE(world.model.tokenLifetime(), 60);
    world.clock.advance(Milliseconds{10'000});
    QCOMPARE(world.model.secondsToRenewal(), 14);
    world.conversation.tell(token(core::TokenNews::Refreshed));
    QCOMPARE(world.model.secondsToRenewal(), 24);
    QCOMPARE(world.model.tokenRenewals(), 1);
    world.conversation.tell(token(core::TokenNews::Failed));
    QCOMPARE(world.model.tokenRenewals(), 1);
    const QSignalSpy changes(&world.model, &ui::ConversationViewModel::tokenChanged);
    world.conversation.tell(notice::Ended{});
    QVERIFY(!world.model.hasToken());
    QVERIFY(!changes.isEmpty());
}

void TestConversationUsage::token_ThatOpensNothingAnyMore_IsNotShown()
{
    World world;
    for (const core::TokenNews end : {core::TokenNews::Expired, core::TokenNews::Revoked}) {
        world.conversation.tell(token(core::TokenNews::Acquired));
        world.conversation.tell(token(core::TokenNews::Refreshed));
        const int renewals = world.model.tokenRenewals();
        const QSignalSpy changes(&world.model, &ui::ConversationViewModel::tokenChanged);
        world.conversation.tell(token(end));
        QVERIFY(!world.model.hasToken());
        QCOMPARE(changes.count(), 1);
        QCOMPARE(world.model.tokenRenewals(), renewals);
    }
}

void TestConversationUsage::sessionTime_RunsFromLiveToTheEnd()
{
    World world;
    world.conversation.tellPhase(Phase::Connecting);
    world.clock.advance(Milliseconds{5'000});
    world.conversation.tellPhase(Phase::Live);
    world.clock.advance(Milliseconds{65'000});
    QCOMPARE(world.model.sessionTime(), QStringLiteral("1:05"));
    world.conversation.tellPhase(Phase::Closing);
    QCOMPARE(world.model.sessionTime(), QStringLiteral("1:05"));
    world.conversation.tell(notice::Ended{});
    world.clock.advance(Milliseconds{65'000});
    QCOMPARE(world.model.sessionTime(), QStringLiteral("1:05"));
}

QTEST_GUILESS_MAIN(TestConversationUsage)
#include "test_conversation_usage.moc"
