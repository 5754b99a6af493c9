#include "tests/ui/conversation_world.h"

#include <QSignalSpy>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Activity;
using core::ErrorCode;
using core::Milliseconds;
using core::Phase;
using ui::Voice;
namespace notice = core::session_notice;

namespace {

using World = ConversationWorld;

} // namespace

class TestConversationViewModel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void missingMicrophone_IsSaidUntilThereIsOne();
    void missingDevices_AreSaidTogether();
    void error_WhenTheAgentChanges_IsGone();
    void error_OfTheProject_IsGoneOnceAnotherIsNamed();
    void project_IsThatOfTheRunningConversation();
    void error_WhenAnythingElseChanges_Stays();
    void missedRenewal_IsToldUntilOneSucceeds();
    void silence_IsToldUntilTheNextAnswer_data();
    void silence_IsToldUntilTheNextAnswer();
    void problemAroundIt_DoesNotFailAConversation();
    void recordingAndWordsThatFail_AreBothTold();
    void whatWasSaid_CanBeExported_AsFarAsItWasHeard();
    void states_AreToldInTheirWords_data();
    void states_AreToldInTheirWords();
    void waiting_CountsDown();
    void connectingAgain_IsNotCalledTheFirstTime();
    void tool_IsCalledByItsName();
    void ended_WithAnError_ShowsSentenceActionAndCode();
    void retry_AfterAnError_StartsClean();
    void mute_ReachesTheSoundAndTheWords();
    void pushToTalk_IsMutedUntilHeld();
    void pushToTalk_WhileSpeaking_Interrupts();
    void talkMode_WhenChanged_IsFollowedAtOnce();
    void talkMode_WhenChangedWhileMuted_StillTalksWhileHeld();
    void levels_AreReadOnlyWhileLive();
    void levels_OfASilencedMicrophone_MoveNothing_data();
    void levels_OfASilencedMicrophone_MoveNothing();
    void quietConnection_IsToldInWords();
    void quietAgent_OfThisComputer_IsNotTheNetworksFault();
    void lostSpeech_IsToldForAWhile();
    void momentLost_IsToldWhereSomebodySpoke();
    void speechLostAtTheEnd_IsToldAfterIt();
    void removedEntry_LeavesTheTranscript();
    void say_WhenIdle_StartsAndSays();
    void say_OfNothing_DoesNothing();
    void timer_ThatWasOver_IsNotToldInTheNextConversation();
    void tool_ThatWaitsForAPerson_SaysSo();
    void refusal_IsGoneOnceSomebodyHasSignedIn();
    void start_WhileClosing_IsDoneAfterTheEnd();
    void stop_BeforeTheNextOneHasStarted_TakesItBack();
    void talkHeld_WhileClosing_IsHeldInTheNextOne();
    void keptWords_AreOfOneConversation();
    void provider_OfABrokerThatWasLeft_IsNotTold();
};

void TestConversationViewModel::states_AreToldInTheirWords_data()
{
    QTest::addColumn<int>("phase");
    QTest::addColumn<int>("activity");
    QTest::addColumn<int>("voice");
    QTest::addColumn<QString>("words");
    const auto row = [](const char* name, Phase phase, Activity activity, Voice voice, const char* words) {
        QTest::newRow(name) << static_cast<int>(phase) << static_cast<int>(activity) << static_cast<int>(voice)
                            << QString::fromUtf8(words);
    };
    row("idle", Phase::Idle, Activity::Listening, Voice::Idle, "Press space or the button to talk");
    row("token", Phase::FetchingToken, Activity::Listening, Voice::Connecting, "Connecting…");
    row("connecting", Phase::Connecting, Activity::Listening, Voice::Connecting, "Connecting…");
    row("accepted, but not yet a session", Phase::Starting, Activity::Listening, Voice::Connecting, "Connecting…");
    row("configuring", Phase::Configuring, Activity::Listening, Voice::Connecting, "Connecting…");
    row("listening", Phase::Live, Activity::Listening, Voice::Listening, "Listening");
    row("hearing", Phase::Live, Activity::HearingUser, Voice::Hearing, "Hearing you");
    row("thinking", Phase::Live, Activity::Thinking, Voice::Thinking, "Thinking");
    row("speaking", Phase::Live, Activity::Speaking, Voice::Speaking, "Speaking: talk to interrupt");
    row("closing", Phase::Closing, Activity::Listening, Voice::Idle, "Press space or the button to talk");
}

void TestConversationViewModel::missingMicrophone_IsSaidUntilThereIsOne()
{
    World world;
    world.model.start();
    world.conversation.tellPhase(Phase::Live);
    QCOMPARE(world.model.voice(), Voice::Listening);
    const QSignalSpy changes(&world.model, &ui::ConversationViewModel::stateChanged);
    world.conversation.tell(core::session_notice::Problem{{core::ErrorCode::SoundNoMicrophone, "", std::nullopt, {}}});
    QCOMPARE(world.model.voice(), Voice::Muted);
    QCOMPARE(world.model.stateText(), QStringLiteral("No microphone"));
    QVERIFY(!changes.isEmpty());
    QVERIFY(world.model.hasError());
    world.conversation.tell(core::session_notice::ProblemSolved{core::ErrorCode::SoundNoLoudspeaker});
    QVERIFY(world.model.hasError());
    world.conversation.tell(core::session_notice::ProblemSolved{core::ErrorCode::SoundNoMicrophone});
    QVERIFY(!world.model.hasError());
    QCOMPARE(world.model.voice(), Voice::Listening);
}

void TestConversationViewModel::missingDevices_AreSaidTogether()
{
    World world;
    const auto problem = [&](ErrorCode code) {
        world.conversation.tell(notice::Problem{{code, "", std::nullopt, {}}});
    };
    world.model.start();
    world.conversation.tellPhase(Phase::Live);
    QVERIFY(!world.model.isDeaf());
    problem(ErrorCode::SoundNoLoudspeaker);
    QVERIFY(!world.model.isErrorInWords());
    problem(ErrorCode::SoundNoMicrophone);
    QVERIFY(world.model.isDeaf());
    QVERIFY(world.model.isErrorInWords());
    QCOMPARE(world.model.stateText(), QStringLiteral("No microphone and no loudspeaker"));
    QCOMPARE(world.model.hint(), QStringLiteral("You can type and read meanwhile"));
    problem(ErrorCode::SoundNoLoudspeaker);
    QCOMPARE(world.model.errorCode(), QStringLiteral("sound.no_microphone"));
    world.conversation.tell(notice::ProblemSolved{ErrorCode::SoundNoMicrophone});
    QCOMPARE(world.model.errorCode(), QStringLiteral("sound.no_loudspeaker"));
    world.conversation.tell(notice::ProblemSolved{ErrorCode::SoundNoLoudspeaker});
    QVERIFY(!world.model.hasError());
}

void TestConversationViewModel::error_WhenTheAgentChanges_IsGone()
{
    World world;
    world.change([](core::Settings& wanted) {
        wanted.profile = core::Profile::Broker;
        wanted.brokerUrl = "http://127.0.0.1:9";
    });
    world.conversation.tell(notice::Ended{core::Error{ErrorCode::NotAuthorised, "", std::nullopt, {}}});
    QCOMPARE(world.model.voice(), Voice::Failed);
    world.change([](core::Settings& wanted) { wanted.profile = core::Profile::ThisComputer; });
    QVERIFY(!world.model.hasError());
    QCOMPARE(world.model.voice(), Voice::Idle);
    world.change([](core::Settings& wanted) { wanted.profile = core::Profile::Broker; });
    world.conversation.tell(notice::Ended{core::Error{ErrorCode::BrokerUnreachable, "", std::nullopt, {}}});
    world.change([](core::Settings& wanted) { wanted.brokerUrl = "https://voice.example"; });
    QCOMPARE(world.model.voice(), Voice::Idle);
}

void TestConversationViewModel::error_OfTheProject_IsGoneOnceAnotherIsNamed()
{
    World world;
    world.change([](core::Settings& wanted) {
        wanted.profile = core::Profile::Broker;
        wanted.brokerUrl = "https://voice.example";
    });
    world.conversation.tell(
        notice::Ended{core::Error{ErrorCode::ChoiceNotAllowed, "", std::nullopt, "project_needed"}});
    QCOMPARE(world.model.errorAction(), ui::ErrorAction::ShowProject);
    world.change([](core::Settings& wanted) { wanted.isMotionReduced = true; });
    QVERIFY(world.model.hasError());
    world.change([](core::Settings& wanted) { core::nameProject(wanted, "choir"); });
    QVERIFY(!world.model.hasError());
    QCOMPARE(world.model.voice(), Voice::Idle);
    // Another project helps with nothing else.
    world.conversation.tell(notice::Ended{core::Error{ErrorCode::BrokerUnreachable, "", std::nullopt, {}}});
    world.change([](core::Settings& wanted) { core::nameProject(wanted, "band"); });
    QVERIFY(world.model.hasError());
}

void TestConversationViewModel::project_IsThatOfTheRunningConversation()
{
    World world;
    world.change([](core::Settings& wanted) {
        wanted.profile = core::Profile::Broker;
        wanted.brokerUrl = "https://voice.example";
        core::nameProject(wanted, "choir");
    });
    world.conversation.tellPhase(Phase::FetchingToken);
    world.conversation.tell(token(core::TokenNews::Acquired));
    QCOMPARE(world.model.projectName(), QStringLiteral("choir"));
    const QSignalSpy changes(&world.model, &ui::ConversationViewModel::tokenChanged);
    world.change([](core::Settings& wanted) { core::nameProject(wanted, "band"); });
    QCOMPARE(world.model.projectName(), QStringLiteral("choir"));
    world.conversation.tell(notice::Ended{});
    QCOMPARE(world.model.projectName(), QStringLiteral("band"));
    QVERIFY(!changes.isEmpty());
    // The agent of this computer knows none.
    world.change([](core::Settings& wanted) { wanted.profile = core::Profile::ThisComputer; });
    QCOMPARE(world.model.projectName(), QString());
}

void TestConversationViewModel::missedRenewal_IsToldUntilOneSucceeds()
{
    World world;
    world.model.start();
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tell(notice::Problem{{ErrorCode::SoundNoLoudspeaker, "", std::nullopt, {}}});
    world.conversation.tell(token(core::TokenNews::Failed));
    world.conversation.tell(notice::Problem{{ErrorCode::BrokerUnreachable, "", std::nullopt, {}}});
    const QString missed = world.model.errorCode();
    world.conversation.tell(token(core::TokenNews::Refreshed));
    // What else there was to tell is told again.
    QVERIFY(world.model.errorCode() != missed);
    world.conversation.tell(notice::ProblemSolved{ErrorCode::SoundNoLoudspeaker});
    QVERIFY(!world.model.hasError());
    // A token solves nothing else.
    world.conversation.tell(notice::Problem{{ErrorCode::ToolFailed, "", std::nullopt, {}}});
    world.conversation.tell(token(core::TokenNews::Refreshed));
    QVERIFY(world.model.hasError());
}

void TestConversationViewModel::silence_IsToldUntilTheNextAnswer_data()
{
    QTest::addColumn<bool>("isSpoken");
    QTest::newRow("a reply") << true;
    QTest::newRow("a function that is called") << false;
}

void TestConversationViewModel::silence_IsToldUntilTheNextAnswer()
{
    QFETCH(bool, isSpoken);
    World world;
    world.model.start();
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tell(notice::Problem{{ErrorCode::ProviderSilent, "", std::nullopt, {}}});
    QVERIFY(world.model.hasError());
    world.conversation.tellActivity(Activity::HearingUser);
    QVERIFY(world.model.hasError());
    if (isSpoken) {
        world.conversation.tell(notice::ReplyStarted{"r1"});
    } else {
        world.conversation.tell(notice::ToolCalled{{"c1", "look_up", "{}"}});
    }
    QVERIFY(!world.model.hasError());
    // An answer says nothing of other things.
    world.conversation.tell(notice::Problem{{ErrorCode::ProviderMalformed, "", std::nullopt, {}}});
    world.conversation.tell(notice::ReplyStarted{"r2"});
    QVERIFY(world.model.hasError());
}

void TestConversationViewModel::error_WhenAnythingElseChanges_Stays()
{
    World world;
    world.conversation.tell(notice::Ended{core::Error{ErrorCode::ChildDied, "", std::nullopt, {}}});
    world.change([](core::Settings& wanted) { wanted.isMotionReduced = true; });
    QCOMPARE(world.model.errorCode(), QStringLiteral("child.died"));
    QCOMPARE(world.model.voice(), Voice::Failed);
}

void TestConversationViewModel::states_AreToldInTheirWords()
{
    QFETCH(int, phase);
    QFETCH(int, activity);
    QFETCH(int, voice);
    QFETCH(QString, words);
    World world;
    world.conversation.tellPhase(static_cast<Phase>(phase));
    world.conversation.tellActivity(static_cast<Activity>(activity));
    QCOMPARE(static_cast<int>(world.model.voice()), voice);
    QCOMPARE(world.model.stateText(), words);
}

void TestConversationViewModel::waiting_CountsDown()
{
    World world;
    world.conversation.tellPhase(Phase::Waiting, Milliseconds{1'500});
    QCOMPARE(world.model.voice(), Voice::Reconnecting);
    QCOMPARE(world.model.stateText(), QStringLiteral("Back in 2 s…"));
    // It comes back by itself: there is nothing to click.
    world.conversation.tell(core::session_notice::Problem{{core::ErrorCode::ProviderClosed, "", std::nullopt, {}}});
    QVERIFY(!world.model.hasError());
    world.clock.advance(Milliseconds{600});
    QCOMPARE(world.model.stateText(), QStringLiteral("Back in 1 s…"));
    world.clock.advance(Milliseconds{5'000});
    QCOMPARE(world.model.stateText(), QStringLiteral("Connecting…"));
}

void TestConversationViewModel::connectingAgain_IsNotCalledTheFirstTime()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellPhase(Phase::Connecting);
    QCOMPARE(world.model.voice(), Voice::Reconnecting);
}

void TestConversationViewModel::tool_IsCalledByItsName()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellActivity(Activity::RunningTool);
    world.conversation.tell(notice::ToolCalled{{"c1", "look_up", "{}"}});
    QCOMPARE(world.model.voice(), Voice::Tool);
    QCOMPARE(world.model.stateText(), QStringLiteral("look_up"));
    world.conversation.tell(notice::ToolDone{{"c1", "look_up", "{}"}, std::string("{}")});
    QCOMPARE(world.model.stateText(), QStringLiteral("Thinking"));
}

void TestConversationViewModel::ended_WithAnError_ShowsSentenceActionAndCode()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tell(notice::Ended{core::Error{ErrorCode::BrokerUnreachable, "", std::nullopt, {}}});
    QCOMPARE(world.model.voice(), Voice::Failed);
    QCOMPARE(world.model.stateText(), world.model.errorSentence());
    QCOMPARE(world.model.errorAction(), ui::ErrorAction::Retry);
    QCOMPARE(world.model.errorActionLabel(), QStringLiteral("Try again"));
    QCOMPARE(world.model.errorCode(), QStringLiteral("broker.unreachable"));
    QVERIFY(!world.model.isRunning());
}

void TestConversationViewModel::retry_AfterAnError_StartsClean()
{
    World world;
    world.conversation.tell(notice::Ended{core::Error{ErrorCode::Timeout, "", std::nullopt, {}}});
    world.model.dismissError();
    QCOMPARE(world.model.voice(), Voice::Idle);
    world.model.start();
    QCOMPARE(world.conversation.starts, 1);
    QVERIFY(!world.model.hasError());
}

void TestConversationViewModel::mute_ReachesTheSoundAndTheWords()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.model.setMuted(true);
    QVERIFY(world.voice.isMuted);
    QCOMPARE(world.model.voice(), Voice::Muted);
    QCOMPARE(world.model.stateText(), QStringLiteral("Muted"));
    // What the agent says is heard all the same.
    world.conversation.tellActivity(Activity::Speaking);
    QCOMPARE(world.model.voice(), Voice::Speaking);
    world.model.setMuted(false);
    QVERIFY(!world.voice.isMuted);
}

void TestConversationViewModel::pushToTalk_IsMutedUntilHeld()
{
    World world;
    world.pushToTalk();
    world.conversation.tellPhase(Phase::Live);
    QVERIFY(world.voice.isMuted);
    QCOMPARE(world.model.voice(), Voice::Muted);
    world.model.setTalkHeld(true);
    QVERIFY(!world.voice.isMuted);
    QVERIFY(world.conversation.isTalkHeld);
    QCOMPARE(world.model.voice(), Voice::Listening);
    world.model.setTalkHeld(false);
    QVERIFY(world.voice.isMuted);
    QVERIFY(!world.conversation.isTalkHeld);
}

void TestConversationViewModel::pushToTalk_WhileSpeaking_Interrupts()
{
    World world;
    world.pushToTalk();
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellActivity(Activity::Speaking);
    world.model.setTalkHeld(true);
    QCOMPARE(world.conversation.interruptions, 1);
}

void TestConversationViewModel::talkMode_WhenChanged_IsFollowedAtOnce()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    QVERIFY(!world.voice.isMuted);
    world.pushToTalk();
    QVERIFY(world.voice.isMuted);
}

void TestConversationViewModel::talkMode_WhenChangedWhileMuted_StillTalksWhileHeld()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.model.setMuted(true);
    world.pushToTalk();
    QVERIFY(world.voice.isMuted);
    world.conversation.tellActivity(Activity::Speaking);
    QCOMPARE(world.model.hint(), QStringLiteral("Hold space or the button to interrupt"));
    world.model.setTalkHeld(true);
    QVERIFY(!world.voice.isMuted);
    world.conversation.tellActivity(Activity::Listening);
    QCOMPARE(world.model.voice(), Voice::Listening);
    world.model.setTalkHeld(false);
    QVERIFY(world.voice.isMuted);
    // Back to the open microphone nobody is heard by surprise.
    world.change([](core::Settings& wanted) { wanted.talkMode = core::TalkMode::OpenMic; });
    QVERIFY(world.voice.isMuted);
    QCOMPARE(world.model.voice(), Voice::Muted);
}

void TestConversationViewModel::levels_AreReadOnlyWhileLive()
{
    World world;
    world.voice.levels = {-12, -100};
    QVERIFY(!world.model.isMetering());
    world.conversation.tellPhase(Phase::Connecting);
    QVERIFY(!world.model.isMetering());
    world.conversation.tellPhase(Phase::Live);
    QVERIFY(world.model.isMetering());
    QTRY_VERIFY(world.model.userLevel() > 0.5);
    QCOMPARE(world.model.agentLevel(), 0.0);
    world.conversation.tell(notice::Ended{});
    QVERIFY(!world.model.isMetering());
    QCOMPARE(world.model.userLevel(), 0.0);
    const int looks = world.voice.looks;
    QTest::qWait(80);
    QCOMPARE(world.voice.looks, looks);
}

void TestConversationViewModel::levels_OfASilencedMicrophone_MoveNothing_data()
{
    QTest::addColumn<bool>("isPushToTalk");
    QTest::newRow("muted") << false;
    QTest::newRow("key up") << true;
}

void TestConversationViewModel::levels_OfASilencedMicrophone_MoveNothing()
{
    QFETCH(bool, isPushToTalk);
    World world;
    isPushToTalk ? world.pushToTalk() : world.model.setMuted(true);
    world.voice.levels = {-12, -12};
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellActivity(Activity::Speaking);
    QTRY_VERIFY(world.model.agentLevel() > 0.5);
    QCOMPARE(world.model.userLevel(), 0.0);
}

void TestConversationViewModel::quietConnection_IsToldInWords()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellActivity(Activity::Stalled);
    QCOMPARE(world.model.voice(), Voice::Reconnecting);
    QCOMPARE(world.model.stateText(), QStringLiteral("Waiting for the network…"));
    QCOMPARE(world.model.hint(), QStringLiteral("What you say is kept"));
    world.conversation.tellActivity(Activity::Listening);
    QCOMPARE(world.model.stateText(), QStringLiteral("Listening"));
}

void TestConversationViewModel::quietAgent_OfThisComputer_IsNotTheNetworksFault()
{
    World world;
    world.change([](core::Settings& wanted) { wanted.profile = core::Profile::ThisComputer; });
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellActivity(Activity::Stalled);
    QCOMPARE(world.model.stateText(), QStringLiteral("Waiting for the agent…"));
    // Where it runs counts, not where the next one will.
    world.change([](core::Settings& wanted) { wanted.profile = core::Profile::Broker; });
    QCOMPARE(world.model.stateText(), QStringLiteral("Waiting for the agent…"));
    world.conversation.tell(notice::Ended{core::Error{ErrorCode::Timeout, "", std::nullopt, {}}});
    QVERIFY(world.model.errorSentence().startsWith(QStringLiteral("The agent on this computer")));
    QVERIFY(!world.model.errorSentence().contains(QStringLiteral("network")));
    QCOMPARE(world.model.errorAction(), ui::ErrorAction::Retry);
    world.model.start();
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tell(notice::Ended{core::Error{ErrorCode::Timeout, "", std::nullopt, {}}});
    QVERIFY(world.model.errorSentence().contains(QStringLiteral("network")));
}

void TestConversationViewModel::lostSpeech_IsToldForAWhile()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    const QSignalSpy changes(&world.model, &ui::ConversationViewModel::stateChanged);
    world.conversation.tell(notice::AudioLost{Milliseconds{1'200}});
    QVERIFY(!changes.isEmpty());
    QCOMPARE(world.model.hint(), QStringLiteral("You were not heard for 2 s"));
    world.conversation.tell(notice::AudioLost{Milliseconds{2'000}});
    QCOMPARE(world.model.hint(), QStringLiteral("You were not heard for 4 s"));
    world.clock.advance(Milliseconds{10'000});
    QCOMPARE(world.model.hint(), QString());
}

void TestConversationViewModel::momentLost_IsToldWhereSomebodySpoke()
{
    World world;
    world.model.start();
    world.conversation.tellPhase(Phase::Live);
    const QString told = QStringLiteral("You were not heard for 1 s");
    world.conversation.tell(notice::AudioLost{Milliseconds{250}});
    QVERIFY(world.model.hint() != told);
    // Several of them are a word.
    world.conversation.tell(notice::AudioLost{Milliseconds{50}});
    QCOMPARE(world.model.hint(), told);
    world.conversation.tell(notice::Ended{});
    world.model.start();
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellActivity(Activity::HearingUser);
    world.conversation.tell(notice::AudioLost{Milliseconds{40}});
    QCOMPARE(world.model.hint(), told);
}

void TestConversationViewModel::speechLostAtTheEnd_IsToldAfterIt()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellPhase(Phase::Waiting);
    world.conversation.tell(notice::AudioLost{Milliseconds{2'000}});
    world.conversation.tell(notice::Ended{});
    QCOMPARE(world.model.hint(), QStringLiteral("You were not heard for 2 s"));
    const QSignalSpy changes(&world.model, &ui::ConversationViewModel::stateChanged);
    world.clock.advance(Milliseconds{10'000});
    QVERIFY(world.model.hint() != QStringLiteral("You were not heard for 2 s"));
    QTRY_VERIFY2(!changes.isEmpty(), "nobody looks again");
}

void TestConversationViewModel::removedEntry_LeavesTheTranscript()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tell(notice::TranscriptChanged{{"item_u", core::Speaker::User, "hel", false, false}});
    QCOMPARE(world.model.transcript()->rowCount(), 1);
    world.conversation.tell(notice::TranscriptRemoved{"item_u"});
    QCOMPARE(world.model.transcript()->rowCount(), 0);
}

void TestConversationViewModel::say_WhenIdle_StartsAndSays()
{
    World world;
    world.model.say(QStringLiteral("  Good morning \n"));
    QCOMPARE(world.conversation.starts, 1);
    QCOMPARE(world.conversation.said, std::vector<std::string>{"Good morning"});
}

void TestConversationViewModel::say_OfNothing_DoesNothing()
{
    World world;
    world.model.say(QStringLiteral("   "));
    QCOMPARE(world.conversation.starts, 0);
    QVERIFY(world.conversation.said.empty());
}

void TestConversationViewModel::timer_ThatWasOver_IsNotToldInTheNextConversation()
{
    World world;
    world.model.start();
    world.conversation.tellPhase(Phase::Live);
    world.model.timers()->tell({"timer_1", "tea"});
    world.conversation.tell(notice::Ended{});
    QVERIFY2(world.model.timers()->isDue(), "until somebody has seen it");
    world.model.start();
    QVERIFY(!world.model.timers()->isDue());
    world.conversation.tellPhase(Phase::Live);
    world.model.timers()->tell({"timer_2", "eggs"});
    QVERIFY(world.model.timers()->isDue());
}

void TestConversationViewModel::tool_ThatWaitsForAPerson_SaysSo()
{
    FakeApprovals approvals;
    World world;
    ui::ConversationViewModel model({world.conversation, world.voice, world.clock, world.settings, &approvals});
    const auto isWaiting = [&](int row) { return model.tools()->index(row).data(ui::ToolModel::IsWaiting).toBool(); };
    const auto request = [&](const char* callId) {
        return core::ApprovalRequest{callId, "open_link", "Vivavoce", "{}", world.clock.now() + Milliseconds{30'000}};
    };
    const core::ToolCall first{"c1", "open_link", "{}"};
    const core::ToolCall second{"c2", "write_file", "{}"};
    world.conversation.tell(notice::ToolCalled{first});
    QVERIFY(!isWaiting(0));
    QSignalSpy changes(model.tools(), &QAbstractItemModel::dataChanged);
    approvals.ask(request("c1"));
    QVERIFY(isWaiting(0));
    QCOMPARE(changes.count(), 1);
    // It is asked for before anybody hears that it was called.
    approvals.ask(request("c2"));
    world.conversation.tell(notice::ToolCalled{second});
    QVERIFY(isWaiting(0) && isWaiting(1));
    approvals.answer("c1", core::Approval::Once);
    QVERIFY(isWaiting(0) && !isWaiting(1));
    world.conversation.tell(notice::ToolDone{second, std::string("{}")});
    QVERIFY(!isWaiting(0));
}

void TestConversationViewModel::refusal_IsGoneOnceSomebodyHasSignedIn()
{
    World world;
    const auto end = [&world](ErrorCode code) {
        world.conversation.tell(notice::Ended{core::Error{code, "", std::nullopt, {}}});
    };
    end(ErrorCode::NotAuthorised);
    QCOMPARE(world.model.voice(), Voice::Failed);
    world.model.accountReady();
    QCOMPARE(world.model.voice(), Voice::Idle);
    QVERIFY(!world.model.hasError());
    end(ErrorCode::BrokerUnreachable);
    world.model.accountReady();
    QCOMPARE(world.model.voice(), Voice::Failed);
}

void TestConversationViewModel::start_WhileClosing_IsDoneAfterTheEnd()
{
    World world;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tellPhase(Phase::Closing);
    world.model.say(QStringLiteral("One more thing"));
    world.model.say(QStringLiteral("And another"));
    // A conversation that is closing would not hear of it.
    QCOMPARE(world.conversation.starts, 0);
    QVERIFY(world.conversation.said.empty());
    QVERIFY(world.model.isRunning());
    QCOMPARE(world.model.stateText(), QStringLiteral("Connecting…"));
    world.conversation.tell(notice::Ended{core::Error{ErrorCode::Timeout, "", std::nullopt, {}}});
    QCOMPARE(world.conversation.starts, 1);
    QCOMPARE(world.conversation.said, (std::vector<std::string>{"One more thing", "And another"}));
    QVERIFY(!world.model.hasError());
    // Once only.
    world.conversation.tell(notice::Ended{});
    QCOMPARE(world.conversation.starts, 1);
    QCOMPARE(world.conversation.said.size(), std::size_t{2});
}

void TestConversationViewModel::stop_BeforeTheNextOneHasStarted_TakesItBack()
{
    World world;
    world.conversation.tellPhase(Phase::Closing);
    world.model.say(QStringLiteral("Hello"));
    world.model.stop();
    QVERIFY(!world.model.isRunning());
    QCOMPARE(world.model.voice(), Voice::Idle);
    world.conversation.tell(notice::Ended{});
    QCOMPARE(world.conversation.starts, 0);
    world.model.start();
    QVERIFY(world.conversation.said.empty());
}

void TestConversationViewModel::talkHeld_WhileClosing_IsHeldInTheNextOne()
{
    World world;
    world.pushToTalk();
    world.conversation.tellPhase(Phase::Closing);
    world.model.start();
    world.model.setTalkHeld(true);
    world.conversation.tell(notice::Ended{});
    QVERIFY(world.model.isTalkHeld());
    QVERIFY(!world.voice.isMuted);
}

void TestConversationViewModel::keptWords_AreOfOneConversation()
{
    World world;
    notice::TokenChanged kept = token(core::TokenNews::Acquired);
    kept.areTranscriptsKept = true;
    world.conversation.tellPhase(Phase::Live);
    world.conversation.tell(kept);
    QVERIFY(world.model.areWordsKept());
    world.conversation.tell(token(core::TokenNews::Expired));
    QVERIFY2(world.model.areWordsKept(), "the conversation outlives its token");
    world.conversation.tellPhase(Phase::Closing);
    QSignalSpy told(&world.model, &ui::ConversationViewModel::tokenChanged);
    world.model.start();
    QVERIFY(world.model.isRunning() && !world.model.areWordsKept());
    QVERIFY(told.count() > 0);
    world.model.stop();
    world.conversation.tell(kept);
    world.conversation.tell(notice::Ended{});
    QVERIFY(!world.model.areWordsKept());
}

void TestConversationViewModel::provider_OfABrokerThatWasLeft_IsNotTold()
{
    World world;
    const auto talkWith = [&](const char* address) {
        core::Settings wanted = world.settings.current();
        wanted.profile = core::Profile::Broker;
        wanted.brokerUrl = address;
        QVERIFY(world.settings.change(wanted).has_value());
    };
    talkWith("https://one.example");
    QSignalSpy served(&world.model, &ui::ConversationViewModel::servedBy);
    world.conversation.tellPhase(Phase::FetchingToken);
    world.conversation.tell(token(core::TokenNews::Acquired));
    QCOMPARE(served.count(), 1);
    QCOMPARE(world.model.providerName(), served.at(0).at(0).toString());
    QVERIFY(!world.model.providerName().isEmpty());
    talkWith("https://other.example");
    world.conversation.tell(token(core::TokenNews::Refreshed));
    QCOMPARE(served.count(), 1);
    world.conversation.tell(notice::Ended{});
    world.conversation.tellPhase(Phase::FetchingToken);
    world.conversation.tell(token(core::TokenNews::Acquired));
    QCOMPARE(served.count(), 2);
}

void TestConversationViewModel::problemAroundIt_DoesNotFailAConversation()
{
    World world;
    const core::Error full{core::ErrorCode::HistoryFailed, "full", std::nullopt, {}};
    world.conversation.tellPhase(core::Phase::Live);
    world.model.showProblem(full);
    QVERIFY(world.model.hasError());
    QVERIFY(world.model.isLive());
    world.model.dismissError();
    QVERIFY(world.model.isLive());
    // What keeps the conversation from going on says more.
    world.conversation.tell(notice::Ended{core::Error{core::ErrorCode::ProviderClosed, "", std::nullopt, {}}});
    world.model.showProblem(full);
    QCOMPARE(world.model.errorCode(), QStringLiteral("provider.closed"));
    world.model.dismissError();
    world.conversation.tell(notice::Ended{});
    world.model.showProblem(full);
    QCOMPARE(world.model.errorCode(), QStringLiteral("history.failed"));
    QVERIFY(world.model.voice() == ui::Voice::Idle);
}

void TestConversationViewModel::recordingAndWordsThatFail_AreBothTold()
{
    for (const bool isRecordingFirst : {true, false}) {
        World world;
        const core::Error words{core::ErrorCode::HistoryFailed, "full", std::nullopt, {}};
        const core::Error sound{core::ErrorCode::RecordingFailed, "full", std::nullopt, {}};
        world.conversation.tellPhase(core::Phase::Live);
        world.model.showProblem(isRecordingFirst ? sound : words);
        world.model.showProblem(isRecordingFirst ? words : sound);
        world.model.showProblem(isRecordingFirst ? words : sound);
        QCOMPARE(world.model.errorCode(), QStringLiteral("history.failed"));
        world.model.dismissError();
        QCOMPARE(world.model.errorCode(), QStringLiteral("recording.failed"));
        world.model.dismissError();
        QVERIFY(!world.model.hasError());
    }
}

void TestConversationViewModel::whatWasSaid_CanBeExported_AsFarAsItWasHeard()
{
    World world;
    QSignalSpy wanted(&world.model, &ui::ConversationViewModel::exportWanted);
    world.model.exportTranscript();
    QCOMPARE(wanted.count(), 0);
    world.conversation.tellPhase(core::Phase::Live);
    world.conversation.tell(notice::TranscriptChanged{{"typed_1", core::Speaker::User, "Hello", true, false}});
    world.conversation.tellActivity(core::Activity::Speaking);
    world.conversation.tell(notice::TranscriptChanged{{"r", core::Speaker::Assistant, "Good morning", true, false}});
    world.model.exportTranscript();
    QCOMPARE(wanted.count(), 1);
    QCOMPARE(world.model.said().lines.size(), std::size_t{1});
    world.conversation.tell(notice::Ended{});
    // The page goes on over conversations, and so does what is said on it.
    world.conversation.tellPhase(core::Phase::Live);
    world.conversation.tell(notice::TranscriptChanged{{"typed_2", core::Speaker::User, "Again", true, false}});
    QCOMPARE(world.model.said().lines.size(), std::size_t{3});
}

QTEST_GUILESS_MAIN(TestConversationViewModel)
#include "test_conversation_view_model.moc"
