#include "app/talk_session.h"
#include "core/protocol/broker/messages.h"
#include "core/protocol/openai/codec.h"
#include "core/sign_in/sign_in.h"
#include "tests/core/tools/tool_world.h"
#include "tests/support/fake_ports.h"
#include "tests/support/fake_usage_book.h"
#include "tests/support/manual_executor.h"

#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <array>

#ifdef Q_OS_UNIX
#include <csignal>
#endif

using namespace vivavoce;
using namespace vivavoce::tests;
namespace notice = core::session_notice;

namespace {

class MemoryStore final : public core::SettingsStore {
public:
    [[nodiscard]] core::Settings load() const override { return settings; }
    core::Expected<void, core::Error> save(const core::Settings& wanted) override
    {
        settings = wanted;
        return {};
    }
    core::Settings settings;
};

class NoBrowser final : public core::Browser {
public:
    bool open(const std::string&) override { return false; }
};

class NoRedirect final : public core::RedirectListener {
public:
    core::Expected<std::string, core::Error> open(Arrived) override
    {
        return core::fail(core::ErrorCode::Internal, "nowhere");
    }
    void close() override {}
};

/// Who is signed in now.
class ChangingCredential final : public core::CredentialSource {
public:
    void fetch(core::CredentialCallback done) override { done(value); }
    [[nodiscard]] bool replace(const core::CredentialPtr&) override { return false; }
    core::CredentialPtr value;
};

class Heard final : public core::ConversationListener {
public:
    void conversationTold(const core::SessionNotice& told) override
    {
        all.push_back(told);
        if (const auto* over = std::get_if<notice::Ended>(&told)) {
            endings.push_back(over->error);
        }
    }
    std::vector<core::SessionNotice> all;
    std::vector<std::optional<core::Error>> endings;
};

struct World {
    explicit World(core::Profile profile = core::Profile::Broker)
    {
        store.settings.profile = profile;
        store.settings.brokerUrl = "https://voice.example";
        settings = std::make_unique<core::LiveSettings>(store);
        withCredential(std::make_shared<core::LiteralCredential>(
            std::make_shared<const core::Secret>(std::string_view("who I am"))));
    }
    void withCredential(std::shared_ptr<core::CredentialSource> credential)
    {
        talk = std::make_unique<app::TalkSession>(app::TalkSession::Dependencies{*settings, voice, transports, http,
            tools, clock, executor, std::move(credential), {folder.path(), {}, core::Milliseconds{1'000}},
            [this](const core::NetworkChoice& choice) -> core::Expected<void, core::Error> {
                network = choice;
                return choice.caFile == "missing.pem" ? core::fail(core::ErrorCode::BadConfiguration, "no such file")
                                                      : core::Expected<void, core::Error>();
            },
            &book, [this](const core::Error& error) { bookFaults.push_back(error); }});
        talk->add(heard);
    }
    void limitMonth(int cents) const
    {
        core::Settings wanted = settings->current();
        wanted.monthLimitCents = cents;
        (void)settings->change(wanted);
    }
    /// Before this conversation.
    void spend(const std::string& day, std::int64_t nanoDollars)
    {
        core::UsageRecord record{"before", "reply " + day, day, "https://voice.example", "m", {}, {}};
        record.figures.nanoDollars = nanoDollars;
        (void)book.put({record});
    }
    QTemporaryDir folder;
    MemoryStore store;
    std::unique_ptr<core::LiveSettings> settings;
    ManualClock clock;
    ManualExecutor executor{clock};
    core::NetworkChoice network;
    FakeVoiceIo voice;
    FakeTransportFactory transports;
    FakeHttpClient http;
    FakeToolSource source;
    core::ToolBox tools{core::ToolBox::Dependencies{clock, executor, {&source}, {}}};
    Heard heard;
    FakeUsageBook book;
    std::vector<core::Error> bookFaults;
    std::unique_ptr<app::TalkSession> talk;
};

/// A broker's answer.
core::HttpClient::Response tokenOf(const std::string& model, const std::string& transport = "direct")
{
    core::HttpClient::Response response;
    response.status = 200;
    response.headers.add("Content-Type", "application/json");
    response.body =
        R"({"token":"ek_1","tokenType":"Bearer","sessionId":"voice_1_x","expiresIn":600,)"
        R"("expiresAt":"2031-01-01T00:10:00Z","refreshAfter":"2031-01-01T00:09:00Z","provider":"openai","model":")"
        + model + R"(","transport":")" + transport
        + R"(","connect":{"url":"wss://provider.example/v1","auth":"bearer",)"
          R"("dialect":"openai-ga","audio":{"encoding":"pcm16","rate":24000}},"limits":{}})";
    return response;
}

void choose(World& world, core::Profile profile, const std::string& brokerUrl)
{
    core::Settings settings = world.settings->current();
    settings.profile = profile;
    settings.brokerUrl = brokerUrl;
    QVERIFY(world.settings->change(settings).has_value());
}

void chooseVoice(World& world, const std::string& voice)
{
    core::Settings settings = world.settings->current();
    settings.choice.voice = voice;
    QVERIFY(world.settings->change(settings).has_value());
}

#ifdef Q_OS_UNIX
/// Programs that say they listen, and do nothing else.
void installServices(const World& world)
{
    for (const char* name : {"vivavoce-agent", "vivavoce-broker"}) {
        QFile program(world.folder.filePath(QLatin1String(name)));
        QVERIFY(program.open(QIODevice::WriteOnly));
        program.write("#!/bin/sh\necho $$ > \"$0.pid\"\n"
                      "echo '{\"event\":\"listening\",\"url\":\"http://127.0.0.1:9\"}'\nexec sleep 600\n");
        program.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    }
}
#endif

/// The requests that went there, whoever waits for an answer.
std::vector<core::HttpClient::Request> reportsTo(const World& world, const std::string& brokerUrl)
{
    std::vector<core::HttpClient::Request> found;
    for (const FakeHttpClient::Sent& each : world.http.sent) {
        if (each.request.url == brokerUrl + "/api/voice/usage") {
            found.push_back(each.request);
        }
    }
    return found;
}

void say(const FakeTransport::Wire& wire, const core::openai::ServerEvent& event)
{
    wire.listener->textReceived(core::openai::encode(event));
}

/// A conversation by the token that is waited for, as far as the provider has told that it is there.
FakeTransport::Wire& opens(World& world, const std::string& model, const std::string& transport)
{
    world.transports.pongs = &world.executor;
    world.http.sent.back().done(tokenOf(model, transport));
    world.executor.runPosted();
    FakeTransport::Wire& wire = world.transports.last();
    wire.listener->transportOpened();
    say(wire, core::openai::SessionCreated{});
    return wire;
}

/// The same, of the chosen broker.
FakeTransport::Wire& begin(World& world, const std::string& model = "m", const std::string& transport = "direct")
{
    world.talk->start();
    world.executor.runPosted();
    return opens(world, model, transport);
}

/// Goes to the provider directly and costs something.
void talkDirectly(World& world, const std::string& model = "m", std::int64_t tokensIn = 5)
{
    const FakeTransport::Wire& wire = begin(world, model);
    say(wire, core::openai::SessionUpdated{});
    core::openai::ResponseCreated created;
    created.response.id = "r";
    say(wire, created);
    core::openai::ResponseDone done;
    done.response.id = "r";
    done.response.status = core::openai::ResponseStatus::Completed;
    done.response.usage = core::openai::Usage{tokensIn + 5, tokensIn, 5, {}, {}};
    say(wire, done);
    world.executor.runPosted();
}

void endIt(World& world)
{
    world.talk->stop();
    world.executor.advance(core::Milliseconds{5'000});
}

} // namespace

class TestTalkSession : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void start_WithABroker_AsksItForAToken();
    void choice_IsAskedOfTheBroker_FromTheNextConversationOn();
    void voice_IsAskedOfTheProvider();
    void start_Twice_IsHarmless();
    void listeners_AreNeverCalledFromWithinACall();
    void stop_BeforeAnything_IsHarmless();
    void stop_WhileFetching_EndsWithoutAnError();
    void start_AfterTheEnd_IsANewConversation();
    void end_LetsGoOfTheToken();
    void signedOutUser_IsAskedForNothing();
    void wordsWhileConnecting_AreInTheTranscriptAtOnce();
    void microphone_IsOpenBeforeTheServicesAreThere();
    void silence_EndsItAfterTheTimeInTheSettings();
    void spendLimit_OnWhatHasNoPrice_EndsIt();
    void turns_AreInTheBook_WithTheirBroker();
    void bookThatCannotBeWritten_IsToldOf();
    void monthLimit_ThatIsUsedUp_AsksTheBrokerForNothing();
    void monthLimit_EndsItWithTheReplyThatUsesItUp();
    void monthLimit_IsNoMatterToTheAgentOfThisComputer();
    void network_IsTakenUpBeforeTheBrokerIsAsked();
    void network_ThatCannotBeUsed_IsWhyItEnds();
    void tools_AreToldToTheProvider_AndHaveTimeForAPerson();
    void pushToTalk_IsToldToTheProvider_WheneverItIsChosen();
    void start_OnThisComputerWithoutPrograms_SaysSo();
    void usage_OfOneBroker_IsToldAlsoWhileAnotherIsTalkedTo_data();
    void usage_OfOneBroker_IsToldAlsoWhileAnotherIsTalkedTo();
    void usage_IsNotShownToABrokerAsAnothersUser();
    void userWhoSignsOut_IsForgotten();
    void brokersThatAreOwedUsage_AreFew();
    void finish_WaitsForWhatIsToldAtTheEnd_AndNotForLong();
    void finish_WhileTheAgentSpeaks_WaitsUntilItIsKnownWhatWasHeard_data();
    void finish_WhileTheAgentSpeaks_WaitsUntilItIsKnownWhatWasHeard();
#ifdef Q_OS_UNIX
    void voice_IsNoMatterToTheAgentOfThisComputer();
    void services_ThatDoNotListen_KeepNobodyWaiting();
#endif
};

void TestTalkSession::start_WithABroker_AsksItForAToken()
{
    World world;
    world.talk->start();
    world.executor.runPosted();
    QCOMPARE(world.http.sent.size(), 1U);
    QVERIFY(world.http.sent.front().request.url.starts_with("https://voice.example/"));
}

void TestTalkSession::choice_IsAskedOfTheBroker_FromTheNextConversationOn()
{
    World world;
    const auto asked = [&] {
        const std::string body = world.http.sent.back().request.body;
        const auto request = core::broker::decodeTokenRequest(body);
        return core::ProviderChoice{
            request->provider.value_or(""), request->model.value_or(""), request->voice.value_or("")};
    };
    world.talk->start();
    world.executor.runPosted();
    QVERIFY(asked() == core::ProviderChoice());
    core::Settings settings = world.settings->current();
    settings.choice = {"gemini", "gemini-3.8-live", "Kore"};
    QVERIFY(world.settings->change(settings).has_value());
    world.executor.runPosted();
    QCOMPARE(world.http.sent.size(), 1U);
    world.talk->stop();
    world.executor.advance(core::Milliseconds{5'000});
    world.talk->start();
    world.executor.runPosted();
    QVERIFY(asked() == (core::ProviderChoice{"gemini", "gemini-3.8-live", "Kore"}));
}

void TestTalkSession::voice_IsAskedOfTheProvider()
{
    World world;
    chooseVoice(world, "marin");
    const std::string settings = begin(world).sent.back();
    QVERIFY(settings.find("session.update") != std::string::npos);
    QVERIFY(settings.find(R"("voice":"marin")") != std::string::npos);
}

void TestTalkSession::start_Twice_IsHarmless()
{
    World world;
    world.talk->start();
    world.talk->start();
    world.executor.runPosted();
    QCOMPARE(world.http.sent.size(), 1U);
}

void TestTalkSession::listeners_AreNeverCalledFromWithinACall()
{
    World world;
    world.talk->start();
    QVERIFY(world.heard.all.empty());
    world.executor.runPosted();
    QVERIFY(!world.heard.all.empty());
    const std::size_t before = world.heard.all.size();
    world.talk->stop();
    QCOMPARE(world.heard.all.size(), before);
}

void TestTalkSession::stop_BeforeAnything_IsHarmless()
{
    World world;
    world.talk->stop();
    world.talk->interrupt();
    world.talk->say("nobody hears this");
    world.executor.runPosted();
    QVERIFY(world.heard.all.empty());
}

void TestTalkSession::stop_WhileFetching_EndsWithoutAnError()
{
    World world;
    world.talk->start();
    world.executor.runPosted();
    world.talk->stop();
    world.executor.advance(core::Milliseconds{5'000});
    QCOMPARE(world.heard.endings.size(), 1U);
    QVERIFY(!world.heard.endings.front());
}

void TestTalkSession::end_LetsGoOfTheToken()
{
    World world;
    world.talk->start();
    world.executor.runPosted();
    world.http.answer(200,
        R"({"token":"ek_live","tokenType":"Bearer","sessionId":"voice_1_x","expiresIn":60,)"
        R"("expiresAt":"2031-01-01T00:01:00Z","refreshAfter":"2031-01-01T00:00:48Z","provider":"openai","model":"m",)"
        R"("connect":{"url":"ws://127.0.0.1:9/v1/realtime","auth":"bearer","dialect":"openai-ga",)"
        R"("audio":{"encoding":"pcm16","rate":24000}},"limits":{}})");
    world.executor.runPosted();
    const std::weak_ptr<const core::Secret> token = world.transports.last().target.credential;
    world.transports.last().target.credential.reset();
    QVERIFY(!token.expired());
    world.talk->stop();
    world.executor.advance(core::Milliseconds{5'000});
    QCOMPARE(world.heard.endings.size(), 1U);
    QVERIFY(token.expired());
}

void TestTalkSession::signedOutUser_IsAskedForNothing()
{
    NoBrowser browser;
    NoRedirect redirect;
    World world;
    world.withCredential(std::make_shared<core::SignIn>(
        core::SignIn::Dependencies{world.http, world.clock, world.executor, browser, redirect, {}}));
    world.talk->start();
    world.executor.runPosted();
    QCOMPARE(world.heard.endings.size(), 1U);
    QCOMPARE(world.heard.endings.front()->code, core::ErrorCode::NotAuthorised);
    QVERIFY(world.http.sent.empty());
}

void TestTalkSession::start_AfterTheEnd_IsANewConversation()
{
    World world;
    world.talk->start();
    world.executor.runPosted();
    world.talk->stop();
    world.executor.advance(core::Milliseconds{5'000});
    world.talk->start();
    world.executor.runPosted();
    QCOMPARE(world.http.sent.size(), 2U);
    QCOMPARE(world.heard.endings.size(), 1U);
}

void TestTalkSession::wordsWhileConnecting_AreInTheTranscriptAtOnce()
{
    World world;
    world.talk->start();
    world.talk->say("are you there");
    world.executor.runPosted();
    const auto shown = std::find_if(world.heard.all.begin(), world.heard.all.end(),
        [](const auto& told) { return std::holds_alternative<notice::TranscriptChanged>(told); });
    QVERIFY(shown != world.heard.all.end());
    QCOMPARE(std::get<notice::TranscriptChanged>(*shown).entry.text, std::string("are you there"));
}

void TestTalkSession::microphone_IsOpenBeforeTheServicesAreThere()
{
    World world(core::Profile::ThisComputer);
    world.talk->start();
    QVERIFY(world.voice.listener != nullptr && !world.voice.wasStopped);
    world.talk->stop();
    QVERIFY(world.voice.wasStopped);
}

void TestTalkSession::silence_EndsItAfterTheTimeInTheSettings()
{
    World world;
    core::Settings settings = world.settings->current();
    settings.idleMinutes = 5;
    QVERIFY(world.settings->change(settings).has_value());
    say(begin(world), core::openai::SessionUpdated{});
    world.executor.advance(core::Milliseconds{299'000});
    QVERIFY(world.heard.endings.empty());
    world.executor.advance(core::Milliseconds{1'000});
    QCOMPARE(world.heard.endings.size(), 1U);
    QCOMPARE(world.heard.endings.front()->code, core::ErrorCode::Cancelled);
}

void TestTalkSession::spendLimit_OnWhatHasNoPrice_EndsIt()
{
    World world;
    core::Settings settings = world.settings->current();
    settings.spendLimitCents = 100;
    QVERIFY(world.settings->change(settings).has_value());
    world.talk->start();
    world.executor.runPosted();
    world.http.sent.front().done(tokenOf("house-model"));
    world.executor.runPosted();
    QCOMPARE(world.heard.endings.size(), 1U);
    QCOMPARE(world.heard.endings.front()->code, core::ErrorCode::BadConfiguration);
}

void TestTalkSession::turns_AreInTheBook_WithTheirBroker()
{
    World world;
    talkDirectly(world, "gpt-realtime", 1'000'000);
    QCOMPARE(world.book.total().turns, 1);
    QCOMPARE(world.book.total().tokens.textIn, 1'000'000);
    QVERIFY(world.book.total().nanoDollars > 0);
    QCOMPARE(world.book.all.front().broker, std::string("https://voice.example"));
    QCOMPARE(world.book.all.front().session, std::string("voice_1_x"));
    world.executor.advance(core::Milliseconds{2'000});
    world.talk->stop();
    world.executor.runPosted();
    QVERIFY(world.book.total().connected >= core::Milliseconds{2'000});
    QCOMPARE(world.book.total().turns, 1);
}

void TestTalkSession::bookThatCannotBeWritten_IsToldOf()
{
    World world;
    world.book.writeFault = core::Error{core::ErrorCode::HistoryFailed, "full", std::nullopt, {}};
    talkDirectly(world, "gpt-realtime");
    QCOMPARE(world.bookFaults.size(), std::size_t{1});
    QVERIFY(world.heard.endings.empty());
}

void TestTalkSession::monthLimit_ThatIsUsedUp_AsksTheBrokerForNothing()
{
    World world;
    world.limitMonth(100);
    world.spend("2027-01-01", 1'000'000'000);
    world.talk->start();
    world.executor.runPosted();
    QVERIFY(world.http.sent.empty());
    QCOMPARE(world.heard.endings.size(), 1U);
    QCOMPARE(world.heard.endings.front()->code, core::ErrorCode::BudgetExhausted);
    // The next month.
    world.clock.jumpWall(std::chrono::hours(24 * 20));
    world.talk->start();
    world.executor.runPosted();
    QCOMPARE(world.http.sent.size(), 1U);
    QCOMPARE(world.heard.endings.size(), 1U);
}

void TestTalkSession::monthLimit_EndsItWithTheReplyThatUsesItUp()
{
    World world;
    world.limitMonth(500);
    world.spend("2027-01-01", 4'999'999'999);
    talkDirectly(world, "gpt-realtime", 1'000'000);
    QCOMPARE(world.heard.endings.size(), 1U);
    QCOMPARE(world.heard.endings.front()->code, core::ErrorCode::BudgetExhausted);
}

void TestTalkSession::monthLimit_IsNoMatterToTheAgentOfThisComputer()
{
    World world(core::Profile::ThisComputer);
    world.limitMonth(100);
    world.spend("2027-01-01", 1'000'000'000);
    world.talk->start();
    world.executor.runPosted();
    QVERIFY(std::none_of(world.heard.endings.begin(), world.heard.endings.end(),
        [](const auto& ending) { return ending && ending->code == core::ErrorCode::BudgetExhausted; }));
}

void TestTalkSession::network_IsTakenUpBeforeTheBrokerIsAsked()
{
    World world;
    core::Settings settings = world.settings->current();
    settings.network = {core::ProxyChoice::Own, "socks5://proxy.example:1080", {}};
    QVERIFY(world.settings->change(settings).has_value());
    world.talk->start();
    QVERIFY(world.network == settings.network);
}

void TestTalkSession::network_ThatCannotBeUsed_IsWhyItEnds()
{
    World world;
    core::Settings settings = world.settings->current();
    settings.network.caFile = "missing.pem";
    QVERIFY(world.settings->change(settings).has_value());
    world.talk->start();
    world.executor.runPosted();
    QCOMPARE(world.heard.endings.size(), 1U);
    QCOMPARE(world.heard.endings.front()->code, core::ErrorCode::BadConfiguration);
    QVERIFY(world.http.sent.empty());
}

void TestTalkSession::tools_AreToldToTheProvider_AndHaveTimeForAPerson()
{
    World world;
    world.source.offer("delete_file", core::ToolPolicy::Ask);
    world.source.offer("format_disk", core::ToolPolicy::Never);
    world.source.follower();
    FakeTransport::Wire& wire = begin(world);
    QVERIFY(QByteArray::fromStdString(wire.sent.back()).contains("delete_file"));
    QVERIFY(!QByteArray::fromStdString(wire.sent.back()).contains("format_disk"));
    say(wire, core::openai::SessionUpdated{});
    core::openai::ResponseCreated created;
    created.response.id = "r";
    say(wire, created);
    core::openai::ResponseDone done;
    done.response.id = "r";
    done.response.status = core::openai::ResponseStatus::Completed;
    core::openai::Item call;
    call.type = core::openai::ItemType::FunctionCall;
    call.callId = "call_1";
    call.name = "delete_file";
    call.arguments = "{}";
    done.response.output.push_back(call);
    say(wire, done);
    // Both together take longer than a function alone may.
    world.executor.advance(core::Milliseconds{25'000});
    QCOMPARE(world.tools.pending().size(), std::size_t{1});
    world.tools.answer("call_1", core::Approval::Once);
    world.executor.advance(core::Milliseconds{25'000});
    QCOMPARE(world.source.calls.size(), std::size_t{1});
    wire.sent.clear();
    world.source.answer("call_1", std::string("gone"));
    QVERIFY(std::any_of(wire.sent.begin(), wire.sent.end(), [](const std::string& sent) {
        return sent.find("function_call_output") != std::string::npos && sent.find("gone") != std::string::npos;
    }));
}

void TestTalkSession::pushToTalk_IsToldToTheProvider_WheneverItIsChosen()
{
    World world;
    core::Settings wanted = world.settings->current();
    wanted.talkMode = core::TalkMode::PushToTalk;
    QVERIFY(world.settings->change(wanted));
    // The key is down already.
    world.talk->holdTalk(true);
    FakeTransport::Wire& wire = begin(world);
    QVERIFY(wire.sent.back().find(R"("turn_detection":null)") != std::string::npos);
    say(wire, core::openai::SessionUpdated{});
    const std::vector<std::int16_t> speech(24'000, 8'000);
    world.voice.listener->voiceCaptured(speech);
    world.talk->holdTalk(false);
    wire.sent.clear();
    world.executor.advance(core::Milliseconds{200});
    const auto sends = [&wire](const char* what) {
        return std::count_if(wire.sent.begin(), wire.sent.end(),
            [&](const std::string& sent) { return sent.find(what) != std::string::npos; });
    };
    QCOMPARE(sends("input_audio_buffer.commit"), 1);
    QCOMPARE(sends("response.create"), 1);
    wire.sent.clear();
    wanted.talkMode = core::TalkMode::OpenMic;
    QVERIFY(world.settings->change(wanted));
    QCOMPARE(sends("server_vad"), 1);
}

void TestTalkSession::start_OnThisComputerWithoutPrograms_SaysSo()
{
    World world(core::Profile::ThisComputer);
    world.talk->start();
    const auto hasEnded = [&world] {
        world.executor.runPosted();
        return !world.heard.endings.empty();
    };
    QTRY_VERIFY(hasEnded());
    QVERIFY(world.heard.endings.front().has_value());
    QCOMPARE(world.heard.endings.front()->code, core::ErrorCode::ChildNotStarted);
}

void TestTalkSession::usage_OfOneBroker_IsToldAlsoWhileAnotherIsTalkedTo_data()
{
    QTest::addColumn<bool>("isThisComputer");
    QTest::newRow("this computer") << true;
    QTest::newRow("another address") << false;
}

void TestTalkSession::usage_OfOneBroker_IsToldAlsoWhileAnotherIsTalkedTo()
{
    QFETCH(bool, isThisComputer);
    World world;
    talkDirectly(world);
    endIt(world);
    QCOMPARE(reportsTo(world, "https://voice.example").size(), std::size_t{1});
    choose(world, isThisComputer ? core::Profile::ThisComputer : core::Profile::Broker, "https://other.example");
    world.talk->start();
    world.executor.runPosted();
    // The broker was away for a moment.
    for (FakeHttpClient::Sent& each : world.http.sent) {
        if (each.request.url == "https://voice.example/api/voice/usage") {
            QVERIFY(!*each.wasCancelled);
            each.done(core::fail(core::ErrorCode::BrokerUnreachable, "away"));
            break;
        }
    }
    world.executor.advance(core::Milliseconds{15'000});
    QCOMPARE(reportsTo(world, "https://voice.example").size(), std::size_t{2});
    QCOMPARE(reportsTo(world, "https://other.example").size(), std::size_t{0});
}

void TestTalkSession::usage_IsNotShownToABrokerAsAnothersUser()
{
    World world;
    auto who = std::make_shared<ChangingCredential>();
    who->value = std::make_shared<const core::Secret>(std::string_view("ada here"));
    const core::CredentialPtr here = who->value;
    world.withCredential(who);
    talkDirectly(world);
    endIt(world);
    choose(world, core::Profile::Broker, "https://other.example");
    who->value = std::make_shared<const core::Secret>(std::string_view("ada there"));
    for (FakeHttpClient::Sent& each : world.http.sent) {
        if (each.request.url == "https://voice.example/api/voice/usage") {
            each.done(core::fail(core::ErrorCode::BrokerUnreachable, "away"));
            break;
        }
    }
    world.talk->start();
    world.executor.runPosted();
    QVERIFY(world.http.sent.back().request.url.starts_with("https://other.example/"));
    QVERIFY(world.http.sent.back().request.bearer == who->value);
    world.executor.advance(core::Milliseconds{15'000});
    const auto reports = reportsTo(world, "https://voice.example");
    QCOMPARE(reports.size(), std::size_t{2});
    QVERIFY(reports.back().bearer == here);
}

void TestTalkSession::userWhoSignsOut_IsForgotten()
{
    World world;
    auto who = std::make_shared<ChangingCredential>();
    who->value = std::make_shared<const core::Secret>(std::string_view("ada"));
    const std::weak_ptr<const core::Secret> ada = who->value;
    world.withCredential(who);
    talkDirectly(world);
    endIt(world);
    who->value.reset();
    world.http.sent.clear();
    QVERIFY(!ada.expired());
    world.talk->forgetUser();
    QVERIFY(ada.expired());
}

void TestTalkSession::brokersThatAreOwedUsage_AreFew()
{
    World world;
    for (int i = 0; i < 5; ++i) {
        choose(world, core::Profile::Broker, "https://" + std::to_string(i) + ".example");
        talkDirectly(world);
        endIt(world);
    }
    std::vector<std::string> waiting;
    for (const FakeHttpClient::Sent& each : world.http.sent) {
        if (each.request.url.ends_with("/usage") && !*each.wasCancelled) {
            waiting.push_back(each.request.url.substr(8, 1));
        }
    }
    QCOMPARE(waiting, (std::vector<std::string>{"1", "2", "3", "4"}));
}

void TestTalkSession::finish_WaitsForWhatIsToldAtTheEnd_AndNotForLong()
{
    int done = 0;
    World idle;
    idle.talk->finish([&] { ++done; });
    QCOMPARE(done, 1);
    for (const bool isAnswered : {true, false}) {
        done = 0;
        World world;
        talkDirectly(world);
        const auto answerAll = [&world] {
            for (FakeHttpClient::Sent& each : world.http.sent) {
                if (each.request.url.ends_with("/usage") && !*each.wasCancelled) {
                    core::HttpClient::Response response;
                    response.status = 200;
                    each.done(response);
                    return;
                }
            }
        };
        answerAll();
        world.executor.advance(core::Milliseconds{3'000});
        world.http.sent.clear();
        world.talk->finish([&] { ++done; });
        world.transports.last().listener->transportClosed({1000, {}});
        world.executor.advance(core::Milliseconds{500});
        QCOMPARE(done, 0);
        QCOMPARE(reportsTo(world, "https://voice.example").size(), std::size_t{1});
        if (isAnswered) {
            answerAll();
            world.executor.advance(core::Milliseconds{20});
            QCOMPARE(done, 1);
        }
        world.executor.advance(core::Milliseconds{600});
        QCOMPARE(done, 1);
    }
}

void TestTalkSession::finish_WhileTheAgentSpeaks_WaitsUntilItIsKnownWhatWasHeard_data()
{
    QTest::addColumn<bool>("isClosed");
    QTest::newRow("the other side closes") << true;
    QTest::newRow("the other side says nothing") << false;
}

void TestTalkSession::finish_WhileTheAgentSpeaks_WaitsUntilItIsKnownWhatWasHeard()
{
    QFETCH(bool, isClosed);
    World world;
    // Nobody has to be told what it came to: that keeps nobody waiting.
    FakeTransport::Wire& wire = begin(world, "m", "relay");
    say(wire, core::openai::SessionUpdated{});
    core::openai::ResponseCreated created;
    created.response.id = "r";
    say(wire, created);
    say(wire, core::openai::ResponseOutputAudioDelta{{}, "r", "item", 0, 0, core::Bytes(48'000)});
    say(wire, core::openai::ResponseOutputAudioTranscriptDelta{{}, "r", "item", 0, 0, "Once upon a time"});
    world.executor.runPosted();
    world.voice.heard = {"item", 0, core::Milliseconds{250}, false};
    world.heard.all.clear();
    int done = 0;
    std::string heard;
    world.talk->finish([&] {
        ++done;
        for (const core::SessionNotice& told : world.heard.all) {
            if (const auto* changed = std::get_if<notice::TranscriptChanged>(&told)) {
                heard = changed->entry.heardText();
            }
        }
    });
    QCOMPARE(done, 0);
    if (isClosed) {
        wire.listener->transportClosed({1000, {}});
    }
    world.executor.advance(core::Milliseconds{isClosed ? 20 : 1'000});
    QCOMPARE(done, 1);
    QVERIFY2(!heard.empty() && heard.size() < 16, heard.c_str());
    QCOMPARE(world.heard.endings.size(), std::size_t{isClosed ? 1U : 0U});
    // Nothing is left that could still have something to say.
    world.executor.runPosted();
    QVERIFY(wire.isGone);
    world.talk->stop();
    world.executor.advance(core::Milliseconds{5'000});
    QCOMPARE(world.heard.endings.size(), std::size_t{isClosed ? 1U : 0U});
}

#ifdef Q_OS_UNIX
void TestTalkSession::voice_IsNoMatterToTheAgentOfThisComputer()
{
    World world(core::Profile::ThisComputer);
    installServices(world);
    chooseVoice(world, "marin");
    world.talk->start();
    const auto hasAsked = [&world] {
        world.executor.runPosted();
        return !world.http.sent.empty();
    };
    QTRY_VERIFY(hasAsked());
    const std::string settings = opens(world, "m", "direct").sent.back();
    QVERIFY(settings.find("session.update") != std::string::npos);
    QVERIFY(settings.find("marin") == std::string::npos);
    endIt(world);
}

void TestTalkSession::services_ThatDoNotListen_KeepNobodyWaiting()
{
    World world(core::Profile::ThisComputer);
    installServices(world);
    world.talk->start();
    const auto holds = [&world](const auto& condition) {
        world.executor.runPosted();
        return condition();
    };
    QTRY_VERIFY(holds([&] { return !world.http.sent.empty(); }));
    QCOMPARE(world.http.sent.back().request.url.substr(0, 18), std::string("http://127.0.0.1:9"));
    endIt(world);
    const auto pidOf = [&world](const char* name) {
        QFile file(world.folder.filePath(QLatin1String(name)));
        return file.open(QIODevice::ReadOnly) ? file.readAll().trimmed().toInt() : 0;
    };
    const std::array pids{pidOf("vivavoce-agent.pid"), pidOf("vivavoce-broker.pid")};
    QVERIFY(pids[0] > 0 && pids[1] > 0);
    choose(world, core::Profile::Broker, "https://voice.example");
    QElapsedTimer time;
    time.start();
    world.talk->start();
    // They are given half a second to end by themselves, which nobody sits through.
    QVERIFY2(time.elapsed() < 400, qPrintable(QString::number(time.elapsed())));
    QVERIFY(::kill(pids[0], 0) == 0);
    QTRY_VERIFY(holds([&] { return ::kill(pids[0], 0) != 0 && ::kill(pids[1], 0) != 0; }));
}
#endif

QTEST_GUILESS_MAIN(TestTalkSession)
#include "test_talk_session.moc"
