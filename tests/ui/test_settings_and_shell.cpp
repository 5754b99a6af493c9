#include "tests/support/manual_clock.h"
#include "tests/ui/ui_fakes.h"
#include "ui/settings/settings_view_model.h"
#include "ui/shell/shell_view_model.h"

#include <QSignalSpy>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
namespace notice = core::session_notice;

namespace {

struct World {
    ManualClock clock;
    FakeConversation conversation;
    FakeVoiceControls voice;
    FakeDeviceCatalog devices;
    FakeSettingsStore store;
    core::LiveSettings live{store};
    ui::ShellViewModel shell{{conversation, clock, live}};
    ui::SettingsViewModel settings{{live, devices, voice}};
};

} // namespace

class TestSettingsAndShell : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void preview_IsOnOnlyWhileShown();
    void choice_OfADevice_HoldsAndIsSaved();
    void toolsDescription_CannotDeceive();
    void limits_AreChosenFromAList();
    void tokens_AreLookedAfterAsChosen();
    void limit_ThatTheFileHas_IsAmongTheOthers();
    void devices_WhenTheyCome_ShowUpByThemselves();
    void change_WhenItCannotBeSaved_HoldsAndIsTold();
    void broker_WithABadAddress_IsRefusedInWords();
    void project_IsNamedForOneBroker();
    void project_ThatNoBrokerTakes_IsToldInWords_AndNotKept();
    void firstRun_EndsWithOneClick();
    void firstRun_WithAProject_NamesIt();
    void firstRun_WithABroker_NamesItsHost();
    void firstRun_AsksTheBrokerFirst();
    void firstRun_WhoeverGoesOnTyping_HearsNothingOfIt();
    void account_IsWantedWhereABrokerKnowsNobody();
    void connection_WhenTheAgentChanges_HasNotFailed();
    void connection_OnceAnotherProjectIsNamed_HasNotFailed();
    void connection_WhereNobodyWasKnown_HasNotFailedOnceSomebodyIs();
    void firstRun_WhereTheWayIsWrong_OffersTheNetwork();
    void damagedSettings_AreToldUntilSomebodyHasReadIt();
    void connection_FollowsTheSession();
    void profile_WhenChangedMeanwhile_IsNamedAfterTheEnd();
    void token_IsForgottenWithTheConversation();
};

void TestSettingsAndShell::preview_IsOnOnlyWhileShown()
{
    World world;
    QVERIFY(!world.voice.isPreview);
    world.settings.setShown(true);
    QVERIFY(world.voice.isPreview);
    world.voice.levels = {-30, -100};
    QTRY_COMPARE(world.settings.microphoneLevel(), 0.5);
    world.settings.setShown(false);
    QVERIFY(!world.voice.isPreview);
    QCOMPARE(world.settings.microphoneLevel(), 0.0);
}

void TestSettingsAndShell::choice_OfADevice_HoldsAndIsSaved()
{
    World world;
    QCOMPARE(world.settings.microphone(), 0);
    world.settings.setMicrophone(2);
    QCOMPARE(world.voice.chosen.back().captureId, std::string("m2"));
    QCOMPARE(world.store.kept.devices.captureId, std::string("m2"));
    QCOMPARE(world.settings.microphone(), 2);
    world.settings.setMicrophone(0);
    QCOMPARE(world.store.kept.devices.captureId, std::string());
}

void TestSettingsAndShell::toolsDescription_CannotDeceive()
{
    FakeToolCatalog catalog;
    catalog.offered[0].description = "Reads\n a \xe2\x80\xae file\xe2\x80\x8b";
    ui::ToolsViewModel tools(&catalog);
    const QModelIndex first = tools.rules()->index(0);
    QCOMPARE(first.data(ui::ToolRulesModel::Description).toString(), QStringLiteral("Reads a \ufffd file\ufffd"));
}

void TestSettingsAndShell::limits_AreChosenFromAList()
{
    World world;
    QCOMPARE(world.settings.spendLimits().at(world.settings.spendLimit()), QStringLiteral("No limit"));
    QCOMPARE(world.settings.idleTimes().at(world.settings.idleTime()), QStringLiteral("After 10 min"));
    world.settings.setSpendLimit(2);
    QCOMPARE(world.store.kept.spendLimitCents, 100);
    QCOMPARE(world.settings.spendLimit(), 2);
    world.settings.setIdleTime(0);
    QCOMPARE(world.store.kept.idleMinutes, 0);
    world.settings.setIdleTime(5);
    world.settings.setSpendLimit(-1);
    QCOMPARE(world.store.kept.idleMinutes, 0);
    QCOMPARE(world.store.kept.spendLimitCents, 100);
}

void TestSettingsAndShell::tokens_AreLookedAfterAsChosen()
{
    World world;
    QVERIFY(world.settings.isAutoRefreshed());
    QCOMPARE(world.settings.refreshThresholds().at(world.settings.refreshThreshold()),
        QStringLiteral("30 s before its end"));
    QCOMPARE(world.settings.retryCounts().at(world.settings.retryCount()), QStringLiteral("3 times"));
    world.settings.setRefreshThreshold(3);
    QCOMPARE(world.store.kept.token.refreshThreshold, std::chrono::seconds{120});
    QCOMPARE(world.settings.refreshThresholds().at(world.settings.refreshThreshold()),
        QStringLiteral("2 min before its end"));
    world.settings.setRetryCount(0);
    QCOMPARE(world.store.kept.token.maxRetryAttempts, 0);
    world.settings.setRetryCount(9);
    QCOMPARE(world.store.kept.token.maxRetryAttempts, 0);
    world.settings.setAutoRefreshed(false);
    QVERIFY(!world.store.kept.token.enableAutoRefresh);
    QCOMPARE(world.store.kept.token.refreshThreshold, std::chrono::seconds{120});
}

void TestSettingsAndShell::limit_ThatTheFileHas_IsAmongTheOthers()
{
    World world;
    core::Settings settings = world.live.current();
    settings.spendLimitCents = 250;
    settings.idleMinutes = 90;
    QVERIFY(world.live.change(settings).has_value());
    QCOMPARE(world.settings.spendLimit(), 4);
    QVERIFY(world.settings.spendLimits().at(4).contains(QStringLiteral("50")));
    QCOMPARE(world.settings.idleTimes().at(world.settings.idleTime()), QStringLiteral("After 90 min"));
}

void TestSettingsAndShell::devices_WhenTheyCome_ShowUpByThemselves()
{
    World world;
    world.devices.set({});
    QVERIFY(world.settings.microphones()->isEmpty());
    world.devices.set({{"m3", "New", core::SoundDirection::Capture, true}});
    QCOMPARE(world.settings.microphones()->rowCount(), 2);
}

void TestSettingsAndShell::change_WhenItCannotBeSaved_HoldsAndIsTold()
{
    World world;
    world.store.isFull = true;
    world.settings.setColourScheme(2);
    QCOMPARE(world.shell.colourScheme(), 2);
    QVERIFY(world.settings.saveFault().contains(QStringLiteral("saved")));
    world.store.isFull = false;
    world.settings.setMotionReduced(true);
    QCOMPARE(world.settings.saveFault(), QString());
    QVERIFY(world.shell.isMotionReduced());
}

void TestSettingsAndShell::broker_WithABadAddress_IsRefusedInWords()
{
    World world;
    QVERIFY(!world.settings.useBroker(QStringLiteral("http://voice.example")));
    QVERIFY(world.settings.addressFault().contains(QStringLiteral("https")));
    QCOMPARE(world.store.kept.profile, core::Profile::None);
    QVERIFY(world.settings.useBroker(QStringLiteral(" voice.example/ ")));
    QCOMPARE(world.settings.addressFault(), QString());
    QCOMPARE(world.store.kept.brokerUrl, std::string("https://voice.example"));
}

void TestSettingsAndShell::project_IsNamedForOneBroker()
{
    World world;
    ui::ProjectViewModel& project = *world.settings.project();
    const QSignalSpy names(&project, &ui::ProjectViewModel::nameChanged);
    QVERIFY(world.settings.useBroker(QStringLiteral("https://one.example")));
    QVERIFY(project.use(QStringLiteral(" choir\t")));
    QCOMPARE(project.name(), QStringLiteral("choir"));
    QCOMPARE(world.store.kept.projects.at("https://one.example"), std::string("choir"));
    world.settings.setMotionReduced(true);
    QCOMPARE(names.size(), 1);
    QVERIFY(world.settings.useBroker(QStringLiteral("https://other.example")));
    QCOMPARE(project.name(), QString());
    QCOMPARE(names.size(), 2);
    QVERIFY(project.use(QStringLiteral("band")));
    QVERIFY(world.settings.useBroker(QStringLiteral("https://one.example")));
    QCOMPARE(project.name(), QStringLiteral("choir"));
    QVERIFY(project.use(QStringLiteral("  ")));
    QCOMPARE(world.store.kept.projects.size(), std::size_t{1});
    QCOMPARE(core::projectOf(world.live.current()), std::string());
}

void TestSettingsAndShell::project_ThatNoBrokerTakes_IsToldInWords_AndNotKept()
{
    World world;
    ui::ProjectViewModel& project = *world.settings.project();
    QVERIFY(world.settings.useBroker(QStringLiteral("https://one.example")));
    QVERIFY(!project.use(QStringLiteral("two words")));
    QVERIFY(project.fault().contains(QStringLiteral("not a name")));
    QVERIFY(!project.use(QStringLiteral("ch\u00f6r")));
    QVERIFY(!project.use(QStringLiteral("p").repeated(129)));
    QVERIFY(project.fault().contains(QStringLiteral("128")));
    // It would be kept, and told to whoever reads the operator's books.
    for (const char* secret :
        {"sk-proj-123", "ek_123", "auth_tokens/123", "vvs_nightly_123", "eyJhbGciOi.eyJzdWIi.c2ln"}) {
        QVERIFY2(!project.use(QLatin1String(secret)), secret);
        QVERIFY(project.fault().contains(QStringLiteral("key or a token")));
    }
    QVERIFY(world.store.kept.projects.empty());
    project.forgetFault();
    QCOMPARE(project.fault(), QString());
    QVERIFY(project.use(QStringLiteral("p").repeated(128)));
}

void TestSettingsAndShell::firstRun_EndsWithOneClick()
{
    World world;
    QVERIFY(world.shell.isFirstRun());
    world.shell.tryThisComputer();
    QVERIFY(!world.shell.isFirstRun());
    QCOMPARE(world.shell.profileName(), QStringLiteral("This computer"));
    QCOMPARE(world.store.kept.profile, core::Profile::ThisComputer);
    QCOMPARE(world.conversation.starts, 1);
}

void TestSettingsAndShell::firstRun_WithABroker_NamesItsHost()
{
    World world;
    QVERIFY(!world.shell.useBroker(QString()));
    QVERIFY(!world.shell.addressFault().isEmpty());
    QVERIFY(world.shell.useBroker(QStringLiteral("http://127.0.0.1:8080")));
    QCOMPARE(world.shell.profileName(), QStringLiteral("127.0.0.1"));
}

void TestSettingsAndShell::firstRun_WithAProject_NamesIt()
{
    World world;
    QVERIFY(!world.shell.useBroker(QStringLiteral("voice.example"), QStringLiteral("two words")));
    QVERIFY(world.shell.projectFault().contains(QStringLiteral("not a name")));
    QCOMPARE(world.shell.addressFault(), QString());
    QVERIFY(world.shell.isFirstRun());
    world.shell.forgetAddressFault();
    QCOMPARE(world.shell.projectFault(), QString());
    QVERIFY(world.shell.useBroker(QStringLiteral("voice.example"), QStringLiteral(" choir ")));
    QVERIFY(!world.shell.isFirstRun());
    QCOMPARE(world.store.kept.projects.at("https://voice.example"), std::string("choir"));
}

void TestSettingsAndShell::firstRun_AsksTheBrokerFirst()
{
    World world;
    std::string asked;
    std::function<void(std::optional<core::Error>)> answer;
    ui::ShellViewModel shell({world.conversation, world.clock, world.live, true, false,
        [&](const std::string& url, std::function<void(std::optional<core::Error>)> done) {
            asked = url;
            answer = std::move(done);
        }});
    const QSignalSpy wanted(&shell, &ui::ShellViewModel::accountWanted);
    QVERIFY(shell.useBroker(QStringLiteral("http://127.0.0.1:9")));
    QCOMPARE(asked, std::string("http://127.0.0.1:9"));
    QVERIFY(shell.isTrying());
    QVERIFY(shell.isFirstRun());
    answer(core::Error{core::ErrorCode::BrokerUnreachable, "", std::nullopt, {}});
    QVERIFY(!shell.isTrying());
    QVERIFY(shell.isFirstRun());
    QVERIFY(shell.addressFault().startsWith(QStringLiteral("The broker does not answer.")));
    QCOMPARE(wanted.count(), 0);
    QVERIFY(shell.useBroker(QStringLiteral("voice.example")));
    QCOMPARE(shell.addressFault(), QString());
    answer(std::nullopt);
    QVERIFY(!shell.isFirstRun());
    QCOMPARE(world.store.kept.brokerUrl, std::string("https://voice.example"));
    QCOMPARE(wanted.count(), 1);
}

void TestSettingsAndShell::firstRun_WhoeverGoesOnTyping_HearsNothingOfIt()
{
    World world;
    std::function<void(std::optional<core::Error>)> answer;
    ui::ShellViewModel shell({world.conversation, world.clock, world.live, true, false,
        [&](const std::string&, std::function<void(std::optional<core::Error>)> done) { answer = std::move(done); }});
    QVERIFY(shell.useBroker(QStringLiteral("voice.exampl")));
    shell.forgetAddressFault();
    QVERIFY(!shell.isTrying());
    answer(std::nullopt);
    QVERIFY(shell.isFirstRun());
    QVERIFY(shell.useBroker(QStringLiteral("voice.example")));
    shell.tryThisComputer();
    answer(core::Error{core::ErrorCode::BrokerUnreachable, "", std::nullopt, {}});
    QCOMPARE(shell.addressFault(), QString());
    QCOMPARE(world.store.kept.profile, core::Profile::ThisComputer);
}

void TestSettingsAndShell::connection_WhenTheAgentChanges_HasNotFailed()
{
    World world;
    QVERIFY(world.shell.useBroker(QStringLiteral("http://127.0.0.1:9")));
    world.conversation.tell(notice::Ended{core::Error{core::ErrorCode::BrokerUnreachable, "", std::nullopt, {}}});
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Bad);
    const QSignalSpy changes(&world.shell, &ui::ShellViewModel::connectionChanged);
    world.settings.setMotionReduced(true);
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Bad);
    world.settings.useThisComputer();
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Off);
    QVERIFY(!changes.isEmpty());
}

void TestSettingsAndShell::connection_OnceAnotherProjectIsNamed_HasNotFailed()
{
    World world;
    QVERIFY(world.shell.useBroker(QStringLiteral("voice.example")));
    const QSignalSpy strangers(&world.shell, &ui::ShellViewModel::notAuthorised);
    for (const auto code : {core::ErrorCode::ChoiceNotAllowed, core::ErrorCode::NotAuthorised}) {
        world.conversation.tell(notice::Ended{core::Error{code, "", std::nullopt, "project_not_allowed"}});
        QCOMPARE(world.shell.connection(), ui::ShellViewModel::Bad);
        world.settings.setMotionReduced(!world.settings.isMotionReduced());
        QCOMPARE(world.shell.connection(), ui::ShellViewModel::Bad);
        QVERIFY(world.settings.project()->use(
            code == core::ErrorCode::ChoiceNotAllowed ? QStringLiteral("choir") : QStringLiteral("band")));
        QCOMPARE(world.shell.connection(), ui::ShellViewModel::Off);
    }
    // Another project helps with nothing else, and signing in does not help with a project.
    QCOMPARE(strangers.count(), 0);
    world.conversation.tell(notice::Ended{core::Error{core::ErrorCode::BrokerUnreachable, "", std::nullopt, {}}});
    QVERIFY(world.settings.project()->use(QStringLiteral("other")));
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Bad);
}

void TestSettingsAndShell::account_IsWantedWhereABrokerKnowsNobody()
{
    World world;
    QSignalSpy wanted(&world.shell, &ui::ShellViewModel::accountWanted);
    QSignalSpy unknown(&world.shell, &ui::ShellViewModel::notAuthorised);
    const auto refuse = [](World& where) {
        where.conversation.tell(notice::Ended{core::Error{core::ErrorCode::NotAuthorised, "", std::nullopt, {}}});
    };
    refuse(world);
    QVERIFY(!world.shell.hasAccount());
    QCOMPARE(unknown.count(), 0);
    QVERIFY(world.shell.useBroker(QStringLiteral("voice.example")));
    QVERIFY(world.shell.hasAccount());
    QCOMPARE(wanted.count(), 1);
    refuse(world);
    QCOMPARE(unknown.count(), 1);
    // Whoever brings a credential has nothing to sign in to.
    ui::ShellViewModel bearer({world.conversation, world.clock, world.live, true, true});
    QVERIFY(!bearer.hasAccount());
}

void TestSettingsAndShell::connection_WhereNobodyWasKnown_HasNotFailedOnceSomebodyIs()
{
    World world;
    world.conversation.tell(notice::Ended{core::Error{core::ErrorCode::NotAuthorised, "", std::nullopt, {}}});
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Bad);
    world.shell.accountReady();
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Off);
    // What is wrong with the network is not put right by a name.
    world.conversation.tell(notice::Ended{core::Error{core::ErrorCode::BrokerUnreachable, "", std::nullopt, {}}});
    world.shell.accountReady();
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Bad);
}

void TestSettingsAndShell::firstRun_WhereTheWayIsWrong_OffersTheNetwork()
{
    World world;
    std::string fault = "proxy.password";
    ui::ShellViewModel shell({world.conversation, world.clock, world.live, true, false,
        [&](const std::string&, const std::function<void(std::optional<core::Error>)>& done) {
            done(core::Error{core::ErrorCode::BrokerUnreachable, "", std::nullopt, fault});
        }});
    QVERIFY(shell.useBroker(QStringLiteral("voice.example")));
    QVERIFY(shell.isWayWrong());
    QVERIFY(shell.addressFault().contains(QStringLiteral("password")));
    shell.forgetAddressFault();
    QVERIFY(!shell.isWayWrong());
    QCOMPARE(shell.addressFaultCode(), QString());
    fault = "certificate.expired";
    QVERIFY(shell.useBroker(QStringLiteral("voice.example")));
    QVERIFY(!shell.isWayWrong());
    QCOMPARE(shell.addressFaultCode(), QStringLiteral("broker.unreachable (certificate.expired)"));
    // Behind a proxy no name is known, and nothing answers.
    fault.clear();
    QVERIFY(shell.useBroker(QStringLiteral("voice.example")));
    QVERIFY(shell.isWayWrong());
    QCOMPARE(shell.addressFaultCode(), QStringLiteral("broker.unreachable"));
    QVERIFY(!shell.useBroker(QStringLiteral("http://voice.example")));
    QVERIFY(!shell.isWayWrong());
    QCOMPARE(shell.addressFaultCode(), QString());
}

void TestSettingsAndShell::damagedSettings_AreToldUntilSomebodyHasReadIt()
{
    World world;
    QCOMPARE(world.shell.notice(), QString());
    world.shell.tellDamagedSettings(QStringLiteral("/home/ada/vivavoce.ini.damaged"));
    QVERIFY(world.shell.notice().endsWith(QStringLiteral("/home/ada/vivavoce.ini.damaged")));
    world.shell.tellDamagedHistory(QStringLiteral("/home/ada/conversations.sqlite3.damaged"));
    QVERIFY(world.shell.notice().contains(QStringLiteral("/home/ada/vivavoce.ini.damaged\n")));
    QVERIFY(world.shell.notice().endsWith(QStringLiteral("/home/ada/conversations.sqlite3.damaged")));
    world.shell.dismissNotice();
    QCOMPARE(world.shell.notice(), QString());
    world.shell.tellDamagedHistory(QStringLiteral("/x"));
    QVERIFY(world.shell.notice().startsWith(QStringLiteral("The conversations")));
    world.shell.dismissNotice();
}

void TestSettingsAndShell::connection_FollowsTheSession()
{
    World world;
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Off);
    // Never "connected" before the provider has said so.
    for (const auto phase : {core::Phase::FetchingToken, core::Phase::Connecting, core::Phase::Starting,
             core::Phase::Configuring, core::Phase::Waiting}) {
        world.conversation.tellPhase(phase);
        QCOMPARE(world.shell.connection(), ui::ShellViewModel::Busy);
    }
    world.conversation.tellPhase(core::Phase::Live);
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Good);
    world.conversation.tell(notice::Ended{core::Error{core::ErrorCode::Timeout, "", std::nullopt, {}}});
    QCOMPARE(world.shell.connection(), ui::ShellViewModel::Bad);
}

void TestSettingsAndShell::profile_WhenChangedMeanwhile_IsNamedAfterTheEnd()
{
    World world;
    QVERIFY(world.settings.useBroker(QStringLiteral("https://voice.example")));
    world.conversation.tellPhase(core::Phase::FetchingToken);
    world.conversation.tellPhase(core::Phase::Live);
    world.settings.useThisComputer();
    QCOMPARE(world.shell.profileName(), QStringLiteral("voice.example"));
    world.conversation.tellPhase(core::Phase::Closing);
    QCOMPARE(world.shell.profileName(), QStringLiteral("voice.example"));
    const QSignalSpy changes(&world.shell, &ui::ShellViewModel::profileNameChanged);
    world.conversation.tell(notice::Ended{});
    QCOMPARE(world.shell.profileName(), QStringLiteral("This computer"));
    QVERIFY(!changes.isEmpty());
}

void TestSettingsAndShell::token_IsForgottenWithTheConversation()
{
    World world;
    world.conversation.tell(notice::TokenChanged{
        core::TokenNews::Acquired, "voice_1", core::Milliseconds{60'000}, core::Milliseconds{40'000}, "openai", "m"});
    QVERIFY(world.shell.hasToken());
    world.clock.advance(core::Milliseconds{10'000});
    QCOMPARE(world.shell.secondsToRenewal(), 30);
    QCOMPARE(world.shell.tokenFreshness(), 0.75);
    world.conversation.tell(notice::Ended{});
    QVERIFY(!world.shell.hasToken());
}

QTEST_GUILESS_MAIN(TestSettingsAndShell)
#include "test_settings_and_shell.moc"
