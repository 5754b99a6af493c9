#include "app/talk_session.h"
#include "core/protocol/openai/codec.h"
#include "core/sign_in/sign_in.h"
#include "tests/core/tools/tool_world.h"
#include "tests/support/fake_ports.h"
#include "tests/support/manual_executor.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

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
            }});
        talk->add(heard);
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
    std::unique_ptr<app::TalkSession> talk;
};

/// A broker's answer.
core::HttpClient::Response tokenOf(const std::string& model)
{
    core::HttpClient::Response response;
    response.status = 200;
    response.headers.add("Content-Type", "application/json");
    response.body =
        R"({"token":"ek_1","tokenType":"Bearer","sessionId":"voice_1_x","expiresIn":600,)"
        R"("expiresAt":"2031-01-01T00:10:00Z","refreshAfter":"2031-01-01T00:09:00Z","provider":"openai","model":")"
        + model
        + R"(","transport":"direct","connect":{"url":"wss://provider.example/v1","auth":"bearer",)"
          R"("dialect":"openai-ga","audio":{"encoding":"pcm16","rate":24000}},"limits":{}})";
    return response;
}

} // namespace

class TestTalkSession : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void start_WithABroker_AsksItForAToken();
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
    void network_IsTakenUpBeforeTheBrokerIsAsked();
    void network_ThatCannotBeUsed_IsWhyItEnds();
    void tools_AreToldToTheProvider_AndHaveTimeForAPerson();
    void start_OnThisComputerWithoutPrograms_SaysSo();
};

void TestTalkSession::start_WithABroker_AsksItForAToken()
{
    World world;
    world.talk->start();
    world.executor.runPosted();
    QCOMPARE(world.http.sent.size(), 1U);
    QVERIFY(world.http.sent.front().request.url.starts_with("https://voice.example/"));
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
    world.transports.pongs = &world.executor;
    world.talk->start();
    world.executor.runPosted();
    world.http.sent.front().done(tokenOf("m"));
    core::TransportListener& provider = *world.transports.last().listener;
    provider.transportOpened();
    provider.textReceived(core::openai::encode(core::openai::ServerEvent(core::openai::SessionCreated{})));
    provider.textReceived(core::openai::encode(core::openai::ServerEvent(core::openai::SessionUpdated{})));
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
    world.talk->start();
    world.executor.runPosted();
    world.http.sent.front().done(tokenOf("m"));
    FakeTransport::Wire& wire = world.transports.last();
    wire.pongs = &world.executor;
    core::TransportListener& provider = *wire.listener;
    provider.transportOpened();
    provider.textReceived(core::openai::encode(core::openai::ServerEvent(core::openai::SessionCreated{})));
    QVERIFY(QByteArray::fromStdString(wire.sent.back()).contains("delete_file"));
    QVERIFY(!QByteArray::fromStdString(wire.sent.back()).contains("format_disk"));
    provider.textReceived(core::openai::encode(core::openai::ServerEvent(core::openai::SessionUpdated{})));
    core::openai::ResponseCreated created;
    created.response.id = "r";
    provider.textReceived(core::openai::encode(core::openai::ServerEvent(created)));
    core::openai::ResponseDone done;
    done.response.id = "r";
    done.response.status = core::openai::ResponseStatus::Completed;
    core::openai::Item call;
    call.type = core::openai::ItemType::FunctionCall;
    call.callId = "call_1";
    call.name = "delete_file";
    call.arguments = "{}";
    done.response.output.push_back(call);
    provider.textReceived(core::openai::encode(core::openai::ServerEvent(done)));
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

QTEST_GUILESS_MAIN(TestTalkSession)
#include "test_talk_session.moc"
